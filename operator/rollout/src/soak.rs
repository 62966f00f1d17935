//! Soaking: a revision that became ready is watched for a while before it counts as good.

use belay_api::helm_release::{AttemptKind, FailureClass};

use crate::attempt::{At, Attempt, Soaking};
use crate::judge::{Judgement, degraded, judge};
use crate::step::{Amendment, Decision, Step, Wait, Waiting};
use crate::world::World;

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

/// Watches a revision that soaks.
///
/// A container that cannot get well ends it as it ends a rollout. Whatever else is not ready is borne with for
/// `soak.grace` in a row: pods come and go, by an autoscaler or with a node. Neither the end of the grace nor that of
/// the soak is believed before everything was listed anew.
pub(crate) fn decide_soaking(world: &World, attempt: &Attempt, soaking: Soaking) -> Decision {
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
    let turn = |unsteady_since| {
        Decision::Step(Step::Amend(Amendment::Move(At::Soaking(Soaking {
            unsteady_since,
            ..soaking
        }))))
    };
    let wait = |until| {
        Decision::Wait(Wait {
            until: Some(until),
            on: Waiting::Soak,
        })
    };
    match (is_well, soaking.unsteady_since) {
        (true, Some(_)) => turn(None),
        (true, None) if world.now < soaking.until => wait(soaking.until),
        (true, None) if world.proof.is_some() => Decision::Step(Step::Finish),
        (true, None) => Decision::Step(Step::Prove),
        (false, None) => turn(Some(world.now)),
        (false, Some(since)) => {
            let over = since.plus(world.declared.soak.grace);
            match &world.proof {
                _ if world.now < over && until > world.now => wait(over.min(until)),
                _ if world.now < over => wait(over),
                Some(proof) => Decision::Step(Step::Fail {
                    failure: Box::new(degraded(attempt, progress, proof, since, world.now)),
                }),
                None => Decision::Step(Step::Prove),
            }
        }
    }
}
