//! Somebody ran helm by hand: a record that is newer than all of ours.

use belay_api::Timestamp;
use belay_api::helm_release::OutsideChanges;
use belay_release::Status;

use crate::attempt::Cause;
use crate::decide::{going_back, reach, wait};
use crate::step::{Amendment, Decision, Step, Wait, Waiting};
use crate::under_way::give_way;
use crate::{At, Ledger, World};

/// What an outside change asks for; nothing if there is none.
pub(crate) fn decide_outside(world: &World, ledger: &Ledger) -> Option<Decision> {
    if ledger.newest == 0 {
        return None;
    }
    let newest = world.newest()?;
    // The attempt's number is taken by the create that is about to happen, or that lost the race.
    if newest.revision <= reach(ledger) {
        return None;
    }
    if newest.status.is_pending() {
        return Some(foreign_operation(world, newest.revision, newest.created));
    }
    if let Some(attempt) = &ledger.attempt {
        if !matches!(attempt.at, At::Failed { .. }) {
            let by = format!("revision {}, made by hand", newest.revision);
            return Some(give_way(world, attempt, &by));
        }
        if world
            .stored(attempt.revision)
            .is_some_and(|stored| stored.status.is_pending())
        {
            return Some(Decision::Step(Step::Settle));
        }
    }
    // Nothing comes of the attempt any more, and nothing is begun instead.
    let stop = |on| match &ledger.attempt {
        Some(_) => Decision::Step(Step::Amend(Amendment::Abandon)),
        None => wait(on),
    };
    let revert = |good| {
        if world.declared.suspend {
            return stop(Waiting::Suspended);
        }
        let (from, revision) = (Some(newest.revision), newest.revision + 1);
        going_back(world, good, Cause::OutsideChange, from, revision)
    };
    Some(match newest.status {
        Status::Failed => match ledger.last_good() {
            Some(good) if world.declared.atomic && !ledger.halted => revert(good),
            _ => match deployed_meanwhile(world, ledger) {
                Some(revision) => Decision::Step(Step::KeepOutside { revision }),
                None => Decision::Step(Step::Amend(Amendment::TakeNote {
                    of: newest.revision,
                })),
            },
        },
        Status::Uninstalled | Status::Uninstalling => stop(Waiting::ReleaseRemoved),
        _ => match (world.declared.outside_changes, ledger.last_good()) {
            (OutsideChanges::Revert, Some(good)) => revert(good),
            _ => Decision::Step(Step::KeepOutside {
                revision: newest.revision,
            }),
        },
    })
}

/// What somebody's helm deployed before it failed, and nobody has heard of: its objects are there.
fn deployed_meanwhile(world: &World, ledger: &Ledger) -> Option<u32> {
    let reach = reach(ledger);
    let unheard = world
        .storage
        .iter()
        .filter(|stored| stored.revision > reach);
    let mut deployed = unheard.filter(|stored| stored.status == Status::Deployed);
    deployed.next().map(|stored| stored.revision)
}

/// Waits for somebody else's operation; takes its record over when it has shown no life for long.
pub(crate) fn foreign_operation(world: &World, revision: u32, created: Timestamp) -> Decision {
    let declared = &world.declared;
    let dead_at = created.plus(declared.timeout.max(declared.foreign_patience));
    if world.now >= dead_at {
        Decision::Step(Step::BuryForeign { revision })
    } else {
        Decision::Wait(Wait {
            until: Some(dead_at),
            on: Waiting::ForeignOperation { revision },
        })
    }
}
