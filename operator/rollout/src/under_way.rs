//! What an attempt does next.

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_api::{Duration, Reason, Timestamp};
use belay_release::Status;

use crate::attempt::{At, Attempt, Cause, HookProgress, When};
use crate::decide::{going_back, next_order, next_revision};
use crate::judge::{Judgement, judge, late_by};
use crate::rest::asks_to_retry;
use crate::soak::{decide_finishing, decide_soaking};
use crate::step::{Amendment, Decision, Step, Wait, Waiting};
use crate::world::{Desired, World};
use crate::{Failure, Ledger};

/// How soon an object is applied again that waits for another, if nothing is heard of that.
const APPLY_AGAIN: Duration = Duration::seconds(5);
/// How soon a deletion is asked for again that was refused.
const REMOVE_AGAIN: Duration = Duration::seconds(15);

/// Takes an attempt one step on.
pub(crate) fn decide_attempt(world: &World, ledger: &Ledger, attempt: &Attempt) -> Decision {
    if let Some(decision) = decide_lost_record(world, attempt) {
        return decision;
    }
    if let Some(by) = overtaken(world, ledger, attempt) {
        return give_way(world, attempt, &by);
    }
    match &attempt.at {
        At::Preparing => Decision::Step(Step::Record),
        At::Disarming => Decision::Step(Step::Disarm),
        At::PreHooks => decide_hook(world, attempt, When::Before),
        At::Applying => decide_applying(world, attempt),
        At::Waiting => decide_waiting(world, attempt),
        At::PostHooks => decide_hook(world, attempt, When::After),
        At::Testing => decide_hook(world, attempt, When::Test),
        At::Finishing => decide_finishing(world, attempt),
        At::Soaking(soaking) => decide_soaking(world, attempt, soaking),
        At::Removing => decide_removing(world, attempt),
        At::Failed {
            failure,
            touched,
            retry_at,
        } => decide_failed(world, ledger, attempt, failure, *touched, *retry_at),
    }
}

/// Without its record an attempt cannot go on: somebody removed it.
fn decide_lost_record(world: &World, attempt: &Attempt) -> Option<Decision> {
    if attempt.kind == AttemptKind::Uninstall || attempt.at == At::Removing {
        return None;
    }
    match attempt.at {
        At::Preparing => {
            // What was prepared before a crash cannot be prepared again, and nothing was written yet.
            let from_spec = matches!(attempt.cause, Cause::Spec { .. });
            // Nor can an older spec be prepared out of a newer one, where that one overtakes nothing.
            let begins_nothing = world.declared.suspend || world.held_up.is_some();
            let replaced = world
                .desired
                .digest()
                .is_some_and(|desired| desired != &attempt.digest);
            let lost = from_spec
                && world.stored(attempt.revision).is_none()
                && (matches!(world.desired, Desired::Rejected(_)) || (replaced && begins_nothing));
            lost.then_some(Decision::Step(Step::Amend(Amendment::Abandon)))
        }
        At::Failed { .. } => None,
        _ if world.stored(attempt.revision).is_some() => None,
        _ => Some(Decision::Step(Step::Fail {
            failure: Box::new(plain_failure(
                world,
                attempt,
                FailureClass::Terminal,
                Reason::ReleaseRemoved,
                format!(
                    "Helm's record of revision {} was removed by hand",
                    attempt.revision
                ),
            )),
        })),
    }
}

/// A newer digest, or a request, overtakes an attempt that has not yet come to its end. An apply is
/// never cut, a way back is finished first, and nothing overtakes a deletion.
fn overtaken(world: &World, ledger: &Ledger, attempt: &Attempt) -> Option<String> {
    let interruptible = match attempt.at {
        // A record may be there whose intent was lost on the way: first find out whose it is.
        At::Preparing => world.stored(attempt.revision).is_none(),
        At::PreHooks | At::Waiting | At::Soaking(_) => true,
        // All is applied but what waits for the rest.
        At::Applying => world.proof.is_some(),
        _ => false,
    };
    if !interruptible
        || world.declared.suspend
        || !matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade)
    {
        return None;
    }
    match (&attempt.cause, world.desired.digest()) {
        // A spec that could not be begun now overtakes nothing.
        (Cause::Spec { .. }, Some(desired))
            if desired != &attempt.digest && world.held_up.is_none() =>
        {
            Some("a newer spec".to_owned())
        }
        _ => next_order(world, ledger).map(|(order, _)| format!("the request {}", order.name)),
    }
}

/// Ends an attempt in favour of something newer.
pub(crate) fn give_way(world: &World, attempt: &Attempt, to: &str) -> Decision {
    Decision::Step(Step::Fail {
        failure: Box::new(plain_failure(
            world,
            attempt,
            FailureClass::Superseded,
            Reason::Superseded,
            format!("revision {} was overtaken by {to}", attempt.revision),
        )),
    })
}

fn plain_failure(
    world: &World,
    attempt: &Attempt,
    class: FailureClass,
    reason: Reason,
    message: String,
) -> Failure {
    Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class,
        reason,
        message,
        at: world.now,
        objects: Vec::new(),
        pods: Vec::new(),
        timeline: attempt.timeline.clone(),
    }
}

fn decide_hook(world: &World, attempt: &Attempt, when: When) -> Decision {
    let Some((index, hook)) = attempt.next_hook(when) else {
        // The ledger passes over stages without hooks, so this is only met in a damaged one.
        return Decision::Step(Step::Amend(Amendment::Move(match when {
            When::Before => At::Applying,
            When::After => At::Testing,
            When::Test => At::Finishing,
        })));
    };
    match hook.progress {
        HookProgress::Planned => Decision::Step(Step::StartHook { index }),
        HookProgress::Succeeded | HookProgress::Done => Decision::Step(Step::EndHook { index }),
        HookProgress::Started => {
            let key = hook.object.key();
            let over = world.progress.as_ref().is_some_and(|progress| {
                progress.objects.iter().any(|(object, verdict)| {
                    object == &key && (verdict.is_current() || verdict.is_failed())
                })
            });
            if over || world.progress.is_none() || world.now >= attempt.deadline {
                Decision::Step(Step::EndHook { index })
            } else {
                Decision::Wait(Wait {
                    until: Some(attempt.deadline),
                    on: Waiting::Hook { index },
                })
            }
        }
    }
}

/// Applies. What waits for something that comes beside it is tried again, until the time is over or the rest is lost.
fn decide_applying(world: &World, attempt: &Attempt) -> Decision {
    let (Some(_), Some(progress)) = (&world.proof, world.seen()) else {
        return Decision::Step(Step::Apply);
    };
    match judge(attempt, &progress, &world.declared, world.now) {
        Judgement::Ready => Decision::Step(Step::Apply),
        Judgement::Lost(failure) | Judgement::Late(failure) => {
            Decision::Step(Step::Fail { failure })
        }
        Judgement::Open(until) => Decision::Wait(Wait {
            until: Some(until.min(world.now.plus(APPLY_AGAIN))),
            on: Waiting::Objects,
        }),
    }
}

fn decide_waiting(world: &World, attempt: &Attempt) -> Decision {
    let Some(progress) = &world.progress else {
        return Decision::Step(Step::Prove);
    };
    if let Some(proof) = &world.proof {
        if proof.not_current.is_empty() {
            return Decision::Step(Step::Amend(Amendment::Move(At::PostHooks)));
        }
        if world.now >= attempt.deadline {
            return Decision::Step(Step::Fail {
                failure: Box::new(late_by(attempt, progress, proof, world.now)),
            });
        }
    }
    if !progress.stranded.is_empty() {
        return Decision::Step(Step::Replace {
            pods: progress.stranded.clone(),
        });
    }
    match judge(attempt, progress, &world.declared, world.now) {
        // The list found something that the watches do not know yet: their events will come.
        Judgement::Ready if world.proof.is_some() => Decision::Wait(Wait {
            until: Some(attempt.deadline),
            on: Waiting::Objects,
        }),
        Judgement::Ready | Judgement::Late(_) => Decision::Step(Step::Prove),
        Judgement::Lost(failure) => Decision::Step(Step::Fail { failure }),
        Judgement::Open(until) => Decision::Wait(Wait {
            until: Some(until),
            on: Waiting::Objects,
        }),
    }
}

fn decide_removing(world: &World, attempt: &Attempt) -> Decision {
    match &world.proof {
        None => Decision::Step(Step::Remove),
        Some(proof) if proof.not_current.is_empty() => Decision::Step(match attempt.kind {
            // A hook that failed after the removal has had its turn: the objects are gone all the same.
            AttemptKind::Uninstall if attempt.failures > 0 && began(attempt, When::After) => {
                Step::Amend(Amendment::Move(At::Finishing))
            }
            AttemptKind::Uninstall => Step::Amend(Amendment::Move(At::PostHooks)),
            _ => Step::Forget,
        }),
        Some(proof) if world.now >= attempt.deadline => {
            let names: Vec<_> = proof
                .not_current
                .iter()
                .take(5)
                .map(|(object, verdict)| format!("{object} ({verdict})"))
                .collect();
            Decision::Step(Step::Fail {
                failure: Box::new(plain_failure(
                    world,
                    attempt,
                    FailureClass::Timeout,
                    Reason::RemoveFailed,
                    format!(
                        "still there after {}: {}",
                        attempt.deadline.since(attempt.started_at),
                        names.join(", ")
                    ),
                )),
            })
        }
        // What goes tells of it; what was refused has to be asked for again.
        Some(proof) => Decision::Wait(Wait {
            until: Some(
                if proof.not_current.iter().any(|(_, found)| found.is_failed()) {
                    attempt.deadline.min(world.now.plus(REMOVE_AGAIN))
                } else {
                    attempt.deadline
                },
            ),
            on: Waiting::Removal,
        }),
    }
}

fn decide_failed(
    world: &World,
    ledger: &Ledger,
    attempt: &Attempt,
    failure: &Failure,
    touched: bool,
    retry_at: Option<Timestamp>,
) -> Decision {
    let amend = |amendment| Decision::Step(Step::Amend(amendment));
    match attempt.kind {
        AttemptKind::Revert => return decide_failed_revert(world, ledger, attempt, retry_at),
        AttemptKind::Uninstall => {
            return match retry_at {
                Some(due) if world.now < due => Decision::Wait(Wait {
                    until: Some(due),
                    on: Waiting::RemoveFailed,
                }),
                _ => amend(Amendment::TryAgain {
                    at: At::Removing,
                    deadline: world.now.plus(world.declared.uninstall_timeout),
                }),
            };
        }
        AttemptKind::Install | AttemptKind::Upgrade | AttemptKind::Rollback => {}
    }
    // What failed while it soaked is recorded as deployed; what only gave way then, was.
    let soaked = failure.class != FailureClass::Superseded
        && world
            .stored(attempt.revision)
            .is_some_and(|stored| stored.status == Status::Deployed);
    if touched && (soaked || is_pending(world, attempt)) {
        return Decision::Step(Step::Settle);
    }
    let gives_way = failure.class == FailureClass::Superseded && is_followed(world, ledger);
    if !touched || gives_way || !world.declared.atomic || ledger.halted {
        return amend(Amendment::Abandon);
    }
    match ledger.last_good() {
        Some(good) => going_back(
            world,
            good,
            Cause::Failure,
            Some(attempt.revision),
            next_revision(world, ledger),
        ),
        // Nothing was there before: nothing of it stays. Otherwise what ran before Belay came is
        // not known to be good, and taking it away would be a guess.
        None if attempt.kind == AttemptKind::Install && made_all(world, ledger) => {
            amend(Amendment::TryAgain {
                at: At::Removing,
                deadline: world.now.plus(world.declared.uninstall_timeout),
            })
        }
        None => amend(Amendment::Abandon),
    }
}

/// Whether something is begun at once when an attempt gives way.
fn is_followed(world: &World, ledger: &Ledger) -> bool {
    let fresh = world
        .desired
        .digest()
        .is_some_and(|digest| ledger.block(digest).is_none() || asks_to_retry(world, ledger));
    (fresh && world.held_up.is_none() && ledger.pin.is_none() && !world.declared.suspend)
        || next_order(world, ledger).is_some()
}

/// Whether all that is in storage are tries of ours that never got there.
fn made_all(world: &World, ledger: &Ledger) -> bool {
    world.storage.iter().all(|stored| {
        let ours = ledger.known(stored.revision).is_some();
        ours && (stored.status == Status::Failed || stored.status.is_pending())
    })
}

fn is_pending(world: &World, attempt: &Attempt) -> bool {
    world
        .stored(attempt.revision)
        .is_some_and(|stored| stored.status.is_pending())
}

fn began(attempt: &Attempt, when: When) -> bool {
    attempt
        .hooks
        .iter()
        .any(|hook| hook.when == when && hook.progress == HookProgress::Started)
}

/// A way back that failed is tried again, but gives way to a spec that has not failed yet.
fn decide_failed_revert(
    world: &World,
    ledger: &Ledger,
    attempt: &Attempt,
    retry_at: Option<Timestamp>,
) -> Decision {
    let fresh = world
        .desired
        .digest()
        .is_some_and(|digest| ledger.block(digest).is_none() && digest != &attempt.digest);
    let begins = fresh && world.held_up.is_none();
    if (begins && ledger.pin.is_none() && !world.declared.suspend)
        || next_order(world, ledger).is_some()
    {
        return Decision::Step(if is_pending(world, attempt) {
            Step::Settle
        } else {
            Step::Amend(Amendment::Abandon)
        });
    }
    match retry_at {
        Some(due) if world.now < due => Decision::Wait(Wait {
            until: Some(due),
            on: Waiting::RevertFailed,
        }),
        _ => Decision::Step(Step::Amend(Amendment::TryAgain {
            at: if world.stored(attempt.revision).is_some() {
                ledger.first_stage(attempt)
            } else {
                At::Preparing
            },
            deadline: world.now.plus(world.declared.rollback_timeout),
        })),
    }
}
