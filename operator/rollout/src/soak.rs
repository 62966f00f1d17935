//! Soaking: a revision that became ready is watched for a while before it counts as good.

use belay_api::Timestamp;
use belay_api::helm_release::{AttemptKind, FailureClass};

use crate::attempt::{At, Attempt, Soaking};
use crate::judge::{Judgement, degraded, judge};
use crate::questions::Questions;
use crate::step::{Amendment, Decision, Step, Wait, Waiting};
use crate::world::{Progress, World};

/// What records the success of an attempt: at once, or after a soak. What goes back was proven before.
pub(crate) fn decide_finishing(world: &World, attempt: &Attempt) -> Decision {
    let duration = world.declared.soak.duration;
    let soaks = matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade);
    Decision::Step(match attempt.kind {
        AttemptKind::Uninstall => Step::Forget,
        _ if soaks && duration.0 > 0 => Step::Soak {
            until: world.now.plus(duration),
        },
        _ => Step::Finish,
    })
}

/// Watches a revision that soaks: its objects, and what its checks say.
///
/// A container that cannot get well ends it as it ends a rollout. Whatever else is not ready is borne with for
/// `soak.grace` in a row: pods come and go, by an autoscaler or with a node. Neither the end of the grace nor that of
/// the soak is believed before everything was listed anew.
pub(crate) fn decide_soaking(world: &World, attempt: &Attempt, soaking: &Soaking) -> Decision {
    let Some(progress) = &world.progress else {
        return Decision::Step(Step::Prove);
    };
    let steady = progress
        .objects
        .iter()
        .all(|(_, verdict)| verdict.is_current());
    let is_well = world
        .proof
        .as_ref()
        .map_or(steady, |proof| proof.not_current.is_empty());
    let mut until = soaking.until;
    if !is_well {
        match judge(attempt, progress, &world.declared, world.now) {
            Judgement::Lost(mut failure) => {
                failure.class = FailureClass::Degraded;
                failure.message = format!("while it soaked, {}", failure.message);
                return Decision::Step(Step::Fail { failure });
            }
            Judgement::Open(at) => until = at,
            Judgement::Ready | Judgement::Late(_) => {}
        }
    }
    let questions = Questions::of(world, soaking);
    if let Some(step) = decide_checks(world, attempt, soaking, &questions) {
        return Decision::Step(step);
    }
    let next = questions.wakes_at();
    let wait = |until: Timestamp| {
        Decision::Wait(Wait {
            until: Some(next.map_or(until, |next| next.min(until))),
            on: Waiting::Soak,
        })
    };
    let turn = |unsteady_since| {
        Decision::Step(Step::Amend(Amendment::Move(At::Soaking(Soaking {
            unsteady_since,
            ..soaking.clone()
        }))))
    };
    match (is_well, soaking.unsteady_since) {
        (true, Some(_)) => turn(None),
        (true, None) if world.now < soaking.until => wait(soaking.until),
        (true, None) => match next {
            Some(next) => wait(next),
            None if world.proof.is_some() => Decision::Step(Step::Finish),
            None => Decision::Step(Step::Prove),
        },
        (false, None) => turn(Some(world.now)),
        (false, Some(since)) => {
            let over = since.plus(world.declared.soak.grace);
            if world.now < over {
                return wait(if until > world.now {
                    over.min(until)
                } else {
                    over
                });
            }
            decide_grace_over(world, attempt, progress, since)
        }
    }
}

/// What checks ask for: first that what they answered is on record, then what follows from it, then new questions.
fn decide_checks(
    world: &World,
    attempt: &Attempt,
    soaking: &Soaking,
    questions: &Questions<'_>,
) -> Option<Step> {
    let (after, news) = soaking.after(&world.declared.soak.checks, &world.looks);
    if after != *soaking {
        return Some(Step::Amend(Amendment::Heard {
            soaking: after,
            news,
        }));
    }
    if let Some(failure) = questions.failure(attempt) {
        return Some(Step::Fail {
            failure: Box::new(failure),
        });
    }
    let due = questions.due();
    (!due.is_empty()).then_some(Step::Ask { checks: due })
}

fn decide_grace_over(
    world: &World,
    attempt: &Attempt,
    progress: &Progress,
    since: Timestamp,
) -> Decision {
    Decision::Step(match &world.proof {
        Some(proof) => Step::Fail {
            failure: Box::new(degraded(attempt, progress, proof, since, world.now)),
        },
        None => Step::Prove,
    })
}
