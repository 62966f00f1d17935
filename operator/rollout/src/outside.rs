//! What people do with helm by hand: Helm's records, read once against what the ledger has heard of.

use belay_api::helm_release::{AttemptKind, OutsideChanges};
use belay_release::Status;

use crate::attempt::Cause;
use crate::decide::{going_back, next_revision, wait};
use crate::step::{Amendment, Decision, Step, Wait, Waiting};
use crate::under_way::give_way;
use crate::{At, Ledger, Removal, Stored, World};

/// What somebody's helm did since the ledger last heard of Helm's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByHand<'w> {
    /// Nothing.
    Nothing,
    /// It is at work, or its process died.
    Works(&'w Stored),
    /// It made revisions, the newest of them this one.
    Made { newest: u32, then: Then },
    /// It removed the release, or what was left of its history, and all that it made before has been heard of.
    Removed(Removal),
}

/// What came of the revisions that somebody's helm made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The newest runs.
    Deployed,
    /// The newest failed. Perhaps another one was deployed before that.
    Failed { before: Option<u32> },
    /// The release was removed, its history kept.
    Removed,
}

impl<'w> ByHand<'w> {
    fn of(world: &'w World, ledger: &Ledger) -> Self {
        // Of what Belay has nothing to do with yet, everything is somebody's.
        if ledger.newest == 0 {
            return Self::Nothing;
        }
        let Some(newest) = newest_unheard(world, ledger) else {
            return removal(world, ledger).map_or(Self::Nothing, Self::Removed);
        };
        let then = match newest.status {
            status if status.is_pending() => return Self::Works(newest),
            Status::Uninstalled | Status::Uninstalling => Then::Removed,
            // What was removed is not there again by this.
            Status::Superseded if ledger.removed.is_some() => return Self::Nothing,
            Status::Failed => {
                let mut unheard = world.unheard();
                let before = unheard.find(|stored| stored.status == Status::Deployed);
                Then::Failed {
                    before: before.map(|stored| stored.revision),
                }
            }
            _ => Then::Deployed,
        };
        Self::Made {
            newest: newest.revision,
            then,
        }
    }
}

/// The newest record, if somebody's helm made it.
fn newest_unheard<'w>(world: &'w World, ledger: &Ledger) -> Option<&'w Stored> {
    let newest = world.unheard().next()?;
    // The attempt's number is taken by the create that is about to happen, or that lost the race.
    let attempt = ledger.attempt.as_ref();
    let ours = attempt.is_some_and(|attempt| attempt.revision >= newest.revision);
    (!ours).then_some(newest)
}

/// Whether somebody's helm made a revision that is newer than all that the ledger has heard of.
pub(crate) fn is_overtaken(world: &World, ledger: &Ledger) -> bool {
    newest_unheard(world, ledger).is_some()
}

/// Whether Helm's records say that the release was removed, with or without its history.
pub(crate) fn is_uninstalled(world: &World) -> bool {
    world
        .newest()
        .is_none_or(|newest| matches!(newest.status, Status::Uninstalled | Status::Uninstalling))
}

/// The removal that the ledger has not heard of.
fn removal(world: &World, ledger: &Ledger) -> Option<Removal> {
    let newest = world.newest().filter(|_| is_uninstalled(world));
    let heard_of = newest.map_or(0, |newest| newest.revision);
    let is_news = match ledger.removed {
        // Helm counts anew where the history went, too.
        Some(known) => {
            let newest = world.newest().map_or(0, |newest| newest.revision);
            ledger.attempt.is_none() && newest < known.heard_of
        }
        None => is_uninstalled(world) && is_there(ledger),
    };
    is_news.then_some(Removal { heard_of })
}

/// Whether the ledger takes the release for being there. A first install is not yet, and what Belay itself removes is
/// not any more.
fn is_there(ledger: &Ledger) -> bool {
    match &ledger.attempt {
        None => ledger.current.is_some(),
        Some(attempt) if attempt.kind == AttemptKind::Uninstall => false,
        Some(attempt) => match attempt.at {
            At::Removing => false,
            At::Preparing => ledger.current.is_some(),
            _ => ledger.current.is_some() || ledger.last_good().is_some(),
        },
    }
}

/// What an outside change asks for; nothing if there is none.
pub(crate) fn decide_outside(world: &World, ledger: &Ledger) -> Option<Decision> {
    let (newest, then) = match ByHand::of(world, ledger) {
        ByHand::Nothing => return None,
        ByHand::Works(newest) => return Some(foreign_operation(world, newest)),
        ByHand::Removed(removal) => {
            return Some(Decision::Step(Step::Amend(Amendment::Remove(removal))));
        }
        ByHand::Made { newest, then } => (newest, then),
    };
    if let Some(attempt) = &ledger.attempt {
        if !matches!(attempt.at, At::Failed { .. }) {
            let by = format!("revision {newest}, made by hand");
            return Some(give_way(world, attempt, &by));
        }
        if world
            .stored(attempt.revision)
            .is_some_and(|stored| stored.status.is_pending())
        {
            return Some(Decision::Step(Step::Settle));
        }
    }
    let revert = |good| {
        if world.declared.suspend {
            // Nothing comes of the attempt any more, and nothing is begun instead.
            return match &ledger.attempt {
                Some(_) => Decision::Step(Step::Amend(Amendment::Abandon)),
                None => wait(Waiting::Suspended),
            };
        }
        let revision = next_revision(world, ledger);
        going_back(world, good, Cause::OutsideChange, Some(newest), revision)
    };
    let goes_back = world.declared.atomic && !ledger.halted && ledger.removed.is_none();
    let keep = |revision| Decision::Step(Step::KeepOutside { revision });
    let take_note = Decision::Step(Step::TakeNote { of: newest });
    Some(match then {
        Then::Deployed => match (world.declared.outside_changes, ledger.last_good()) {
            (OutsideChanges::Revert, Some(good)) => revert(good),
            _ => keep(newest),
        },
        Then::Failed { before } => match ledger.last_good() {
            Some(good) if goes_back => revert(good),
            _ => before.map_or(take_note, keep),
        },
        Then::Removed => take_note,
    })
}

/// Waits for somebody else's operation; takes its record over when it has shown no life for long.
pub(crate) fn foreign_operation(world: &World, pending: &Stored) -> Decision {
    let declared = &world.declared;
    let revision = pending.revision;
    let patience = declared.timeout.max(declared.foreign_patience);
    let dead_at = pending.created.plus(patience);
    if world.now >= dead_at {
        Decision::Step(Step::BuryForeign { revision })
    } else {
        Decision::Wait(Wait {
            until: Some(dead_at),
            on: Waiting::ForeignOperation { revision },
        })
    }
}
