//! Somebody ran helm by hand: a record that is newer than all of ours.

use belay_api::helm_release::{AttemptKind, OutsideChanges};
use belay_api::{Duration, Timestamp};
use belay_release::Status;

use crate::attempt::Cause;
use crate::decide::{Amendment, Decision, Plan, Step, Target, Wait, Waiting};
use crate::{At, Ledger, World};

/// How long a foreign pending record is given before it counts as the trace of a dead process,
/// if the release's own timeout is not longer.
const PATIENCE: Duration = Duration::minutes(5);

/// What an outside change asks for; nothing if there is none.
pub(crate) fn decide_outside(world: &World, ledger: &Ledger) -> Option<Decision> {
    if ledger.newest == 0 {
        return None;
    }
    let newest = world.newest()?;
    let ours = match &ledger.attempt {
        // The number is taken by the create that is about to happen, or that lost the race.
        Some(attempt) => ledger.newest.max(attempt.revision),
        None => ledger.newest,
    };
    if newest.revision <= ours {
        return None;
    }
    if let Some(attempt) = &ledger.attempt
        && !matches!(attempt.at, At::Failed { .. })
        && !newest.status.is_pending()
    {
        return Some(Decision::Step(Step::Amend(Amendment::Yield {
            to: newest.revision,
        })));
    }
    Some(match newest.status {
        Status::Deployed | Status::Superseded | Status::Unknown => {
            match (world.declared.outside_changes, ledger.last_good()) {
                (OutsideChanges::Revert, Some(good)) => Decision::Step(Step::Begin(Plan {
                    kind: AttemptKind::Revert,
                    cause: Cause::OutsideChange,
                    revision: newest.revision + 1,
                    digest: good.digest.clone(),
                    chart: good.chart.clone(),
                    from: Some(newest.revision),
                    target: Target::Proven(good.digest.clone()),
                    timeout: world.declared.rollback_timeout,
                })),
                _ => Decision::Step(Step::KeepOutside {
                    revision: newest.revision,
                }),
            }
        }
        Status::Failed => match ledger.last_good() {
            Some(good) if world.declared.atomic => Decision::Step(Step::Begin(Plan {
                kind: AttemptKind::Revert,
                cause: Cause::OutsideChange,
                revision: newest.revision + 1,
                digest: good.digest.clone(),
                chart: good.chart.clone(),
                from: Some(newest.revision),
                target: Target::Proven(good.digest.clone()),
                timeout: world.declared.rollback_timeout,
            })),
            _ => Decision::Step(Step::Amend(Amendment::TakeNote {
                of: newest.revision,
            })),
        },
        Status::PendingInstall | Status::PendingUpgrade | Status::PendingRollback => {
            foreign_operation(world, newest.revision, newest.created)
        }
        Status::Uninstalled | Status::Uninstalling => Decision::Wait(Wait {
            until: None,
            on: Waiting::ReleaseRemoved,
        }),
    })
}

/// Waits for somebody else's operation; takes its record over when it has shown no life for long.
pub(crate) fn foreign_operation(world: &World, revision: u32, created: Timestamp) -> Decision {
    let dead_at = created.plus(world.declared.timeout.max(PATIENCE));
    if world.now >= dead_at {
        Decision::Step(Step::BuryForeign { revision })
    } else {
        Decision::Wait(Wait {
            until: Some(dead_at),
            on: Waiting::ForeignOperation { revision },
        })
    }
}
