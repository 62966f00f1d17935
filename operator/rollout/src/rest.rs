//! What a release does next that no attempt is under way for.

use belay_api::helm_release::AttemptKind;
use belay_release::Status;

use crate::attempt::{Cause, News};
use crate::decide::{going_back, next_order, next_revision, wait};
use crate::drift::decide_drift;
use crate::outside::{foreign_operation, is_uninstalled};
use crate::request::{Ruling, rule};
use crate::step::{Amendment, Decision, Plan, Step, Target, Wait, Waiting};
use crate::world::{Desired, World};
use crate::{ChartId, Digest, Ledger, Order};

/// Decides at rest: first about what the release is asked for, then about what somebody did to its objects.
pub(crate) fn decide_rest(world: &World, ledger: &Ledger) -> Decision {
    match decide_asked(world, ledger) {
        Decision::Wait(wait) => decide_drift(world, ledger, wait),
        step @ Decision::Step(_) => step,
    }
}

fn decide_asked(world: &World, ledger: &Ledger) -> Decision {
    let declared = &world.declared;
    let desired = world.desired.digest();
    if let Some(pin) = &ledger.pin {
        // Whoever asks by its name for what the spec says asks for the end of the hold.
        let asked = !declared.suspend && asks_to_retry(world, ledger);
        if asked || pin.is_lifted(desired, declared.generation, &world.orders, world.now) {
            return Decision::Step(Step::Amend(Amendment::Unpin));
        }
    }
    for order in &world.orders {
        match rule(order, ledger, &world.storage, world.now) {
            Ruling::Refuse { reason, message } => {
                return Decision::Step(Step::Refuse {
                    request: order.name.clone(),
                    reason,
                    message,
                });
            }
            Ruling::Preview(target) => {
                return Decision::Step(Step::Preview {
                    request: order.name.clone(),
                    target,
                });
            }
            Ruling::Execute(_) | Ruling::AwaitApproval | Ruling::Recorded(_) | Ruling::Over => {}
        }
    }
    if declared.suspend {
        // What an attempt that gave way has left is part of what was begun.
        return go_back(world, ledger).unwrap_or_else(|| wait(Waiting::Suspended));
    }
    if let Some(decision) = decide_unknown_release(world, ledger) {
        return decision;
    }
    // An order names what is to be there, also where somebody removed it.
    if let Some((order, target)) = next_order(world, ledger) {
        return begin_rollback(world, ledger, order, target);
    }
    if ledger.removed.is_some() && !asks_to_retry(world, ledger) {
        return wait(Waiting::ReleaseRemoved);
    }
    decide_desired(world, ledger)
}

/// Records that Belay knows nothing of: helm was here first, or the ledger was lost.
fn decide_unknown_release(world: &World, ledger: &Ledger) -> Option<Decision> {
    if ledger.newest > 0 {
        return None;
    }
    let newest = world.newest()?;
    if newest.status.is_pending() {
        return Some(foreign_operation(world, newest));
    }
    let deployed = world
        .storage
        .iter()
        .find(|stored| stored.status == Status::Deployed)?;
    Some(Decision::Step(Step::Adopt {
        revision: deployed.revision,
    }))
}

fn decide_desired(world: &World, ledger: &Ledger) -> Decision {
    let declared = &world.declared;
    let (digest, chart) = match &world.desired {
        Desired::Is { digest, chart } => (digest, chart),
        Desired::Rejected(rejection) => {
            return go_back(world, ledger).unwrap_or_else(|| {
                Decision::Wait(Wait {
                    until: rejection.retry_at,
                    on: Waiting::Rejected(rejection.clone()),
                })
            });
        }
        Desired::Unknown => return wait(Waiting::Nothing),
    };
    if let Some(pin) = &ledger.pin {
        let until = match pin.hold {
            crate::Hold::Time(until) => Some(until),
            _ => None,
        };
        return go_back(world, ledger).unwrap_or(Decision::Wait(Wait {
            until,
            on: Waiting::Pinned,
        }));
    }
    let runs = ledger
        .current
        .as_ref()
        .is_some_and(|current| &current.digest == digest);
    if runs && ledger.runs_good() {
        return wait(Waiting::Deployed);
    }
    if asks_to_retry(world, ledger) {
        // Once for each token, whether or not the digest is blocked.
        return Decision::Step(Step::Amend(Amendment::Unblock {
            digest: digest.clone(),
            token: declared.retry.clone(),
        }));
    }
    if let Some(blocked) = ledger.block(digest)
        && blocked.retry_at.is_none_or(|due| world.now < due)
    {
        return go_back(world, ledger).unwrap_or_else(|| {
            let failed_runs = ledger
                .current
                .as_ref()
                .is_some_and(|current| !current.consistent);
            Decision::Wait(Wait {
                until: blocked.retry_at,
                on: if failed_runs {
                    Waiting::LeftInPlace
                } else {
                    Waiting::Blocked
                },
            })
        });
    }
    if let Some(held_up) = &world.held_up {
        let waiting = Waiting::Dependencies(held_up.clone());
        return go_back(world, ledger).unwrap_or_else(|| wait(waiting));
    }
    Decision::Step(Step::Begin(Plan {
        kind: if was_deployed(world) {
            AttemptKind::Upgrade
        } else {
            AttemptKind::Install
        },
        cause: Cause::Spec {
            generation: declared.generation,
            news: news(world, ledger, chart),
        },
        revision: next_revision(world, ledger),
        digest: digest.clone(),
        chart: chart.clone(),
        from: ledger
            .current
            .as_ref()
            .map(|current| current.revision)
            .or_else(|| world.newest().map(|newest| newest.revision)),
        target: Target::Spec,
        timeout: declared.timeout,
    }))
}

/// What is new against the last try for the spec.
fn news(world: &World, ledger: &Ledger, chart: &ChartId) -> News {
    let last = ledger.known.iter().find_map(|known| match known.cause {
        Some(Cause::Spec { generation, .. }) => Some((generation, &known.chart)),
        _ => None,
    });
    match last {
        Some((generation, before)) if generation == world.declared.generation => {
            if before == chart {
                News::Content
            } else {
                News::Chart {
                    before: before.full_name(),
                }
            }
        }
        _ => News::Spec,
    }
}

/// Back to last good, if what the cluster holds is neither whole nor wanted: an attempt gave way to
/// something that then could not be begun.
fn go_back(world: &World, ledger: &Ledger) -> Option<Decision> {
    let current = ledger
        .current
        .as_ref()
        .filter(|current| !current.consistent)?;
    let good = ledger.last_good()?;
    (world.declared.atomic && !ledger.halted).then(|| {
        going_back(
            world,
            good,
            Cause::Failure,
            Some(current.revision),
            next_revision(world, ledger),
        )
    })
}

/// Whether there is anything to upgrade; what only failed so far is still to be installed.
fn was_deployed(world: &World) -> bool {
    !is_uninstalled(world)
        && world
            .storage
            .iter()
            .any(|stored| matches!(stored.status, Status::Deployed | Status::Superseded))
}

fn begin_rollback(world: &World, ledger: &Ledger, order: &Order, target: Target) -> Decision {
    let (digest, chart) = match &target {
        Target::Proven(digest) => ledger.proven(digest).map_or_else(
            || (digest.clone(), ChartId::default()),
            |proven| (digest.clone(), proven.chart.clone()),
        ),
        Target::Stored(revision) => ledger.known(*revision).map_or_else(
            || (Digest::named(""), ChartId::default()),
            |known| (known.digest.clone(), known.chart.clone()),
        ),
        Target::Spec | Target::Newest => (Digest::named(""), ChartId::default()),
    };
    Decision::Step(Step::Begin(Plan {
        kind: AttemptKind::Rollback,
        cause: Cause::Request {
            name: order.name.clone(),
            uid: order.uid.clone(),
            asked: world.desired.digest().cloned(),
            generation: world.declared.generation,
        },
        revision: next_revision(world, ledger),
        digest,
        chart,
        from: ledger.current.as_ref().map(|current| current.revision),
        target,
        timeout: world.declared.rollback_timeout,
    }))
}

/// Whether `belay.dev/retry` names the desired digest and has not been acted upon.
pub(crate) fn asks_to_retry(world: &World, ledger: &Ledger) -> bool {
    match (&world.declared.retry, world.desired.digest()) {
        (Some(token), Some(digest)) => {
            let named = token.split('#').next().unwrap_or_default();
            named == digest.as_str() && ledger.retry_seen.as_ref() != Some(token)
        }
        _ => false,
    }
}
