//! The condition `Ready`: where the release stands, in a sentence.

use belay_api::Reason;
use belay_api::helm_release::AttemptKind;

use super::checks;
use crate::attempt::At;
use crate::step::{Wait, Waiting};
use crate::world::World;
use crate::{Attempt, HeldUp, Ledger};

/// Whether anything is still to come by itself.
pub(super) enum Mode {
    Ready,
    Working,
    Stalled,
    /// Not ready, but something is still to come: a retry has a time, or a release that is waited for gets ready.
    Retrying,
}

/// Whether the release is ready, why, and what a reader should know of it.
pub(super) fn headline(
    world: &World,
    ledger: Option<&Ledger>,
    wait: &Wait,
) -> (Mode, Reason, String) {
    match &wait.on {
        Waiting::Claimed => {
            let owner = world.ledger.as_ref().map(|ledger| &ledger.owner);
            let name = owner.map_or_else(String::new, |owner| {
                format!("{}/{}", owner.namespace, owner.name)
            });
            return (
                Mode::Stalled,
                Reason::ReleaseClaimed,
                format!(
                    "the HelmRelease {name} owns this release: give one of the two another releaseName"
                ),
            );
        }
        Waiting::Suspended => {
            return (
                Mode::Stalled,
                Reason::Suspended,
                "spec.suspend is set: nothing new is begun".to_owned(),
            );
        }
        _ => {}
    }
    let Some(ledger) = ledger else {
        return match &wait.on {
            Waiting::Rejected(rejection) => (
                stalled_or_retrying(wait),
                rejection.reason,
                rejection.message.clone(),
            ),
            _ => (
                Mode::Working,
                Reason::Pending,
                "not looked at yet".to_owned(),
            ),
        };
    };
    if let Some(attempt) = &ledger.attempt {
        return under_way(world, ledger, attempt, wait);
    }
    at_rest(world, ledger, wait)
}

fn under_way(
    world: &World,
    ledger: &Ledger,
    attempt: &Attempt,
    wait: &Wait,
) -> (Mode, Reason, String) {
    let reason = reason_of(attempt.kind);
    if has_failed_to_go_back(attempt) {
        let why = ledger.last_failure.as_ref();
        let why = why.map_or("", |failure| failure.message.as_str());
        let goes_on = match &attempt.at {
            At::Failed {
                retry_at: Some(due),
                ..
            } => format!("it is tried again at {due}"),
            _ => format!("try {} is under way", attempt.failures + 1),
        };
        // It is tried on, but nobody should have to wait for that to hear of it.
        return (
            Mode::Stalled,
            Reason::RevertFailed,
            format!(
                "going back with revision {} ({}) failed: {why}; {goes_on}",
                attempt.revision,
                attempt.chart.full_name()
            ),
        );
    }
    if let At::Failed { failure, .. } = &attempt.at {
        let (mode, reason) = match wait.on {
            Waiting::RemoveFailed => (Mode::Retrying, Reason::RemoveFailed),
            _ => (Mode::Working, reason),
        };
        return (mode, reason, failure.message.clone());
    }
    if let At::Soaking(soaking) = &attempt.at {
        let mut fares = soaking.unsteady_since.map_or_else(String::new, |since| {
            format!("; something of it is not ready since {since}")
        });
        fares += &checks::fares(world, soaking);
        return (
            Mode::Working,
            Reason::Soaking,
            format!(
                "revision {} ({}) runs, and counts as good from {} on{fares}",
                attempt.revision,
                attempt.chart.full_name(),
                soaking.until.whole_seconds()
            ),
        );
    }
    let what = match attempt.kind {
        AttemptKind::Install => "installing",
        AttemptKind::Upgrade => "upgrading to",
        AttemptKind::Rollback => "rolling back with",
        AttemptKind::Revert => "going back with",
        AttemptKind::Uninstall => "removing",
    };
    let stage = match &wait.on {
        Waiting::ForeignOperation { revision } => {
            format!("waits for somebody else's operation, revision {revision}")
        }
        _ => format!("{:?}", attempt.stage()),
    };
    (
        Mode::Working,
        reason,
        format!(
            "{what} revision {} ({}): {stage}",
            attempt.revision,
            attempt.chart.full_name()
        ),
    )
}

fn at_rest(world: &World, ledger: &Ledger, wait: &Wait) -> (Mode, Reason, String) {
    let runs = ledger.current.as_ref().map_or_else(
        || "nothing runs".to_owned(),
        |current| {
            format!(
                "revision {} ({}) runs",
                current.revision,
                current.chart.full_name()
            )
        },
    );
    match &wait.on {
        Waiting::Deployed => (
            Mode::Ready,
            Reason::Deployed,
            format!("{runs}{}", checks::unanswered(ledger)),
        ),
        Waiting::Rejected(rejection) => (
            stalled_or_retrying(wait),
            rejection.reason,
            format!("{}; {runs}", rejection.message),
        ),
        Waiting::Dependencies(held_up) => {
            let message = held_up.told(&world.declared.identity.namespace);
            let (mode, reason) = match held_up {
                HeldUp::Unready(_) => (Mode::Retrying, Reason::DependencyNotReady),
                HeldUp::Circle(_) => (Mode::Stalled, Reason::DependencyCycle),
            };
            (mode, reason, format!("{message}; {runs}"))
        }
        Waiting::Pinned => match ledger.pin.as_ref().and_then(|pin| pin.request.as_ref()) {
            Some(request) => (
                Mode::Stalled,
                Reason::Pinned,
                format!(
                    "{runs}, held by the request {request} until {}",
                    ledger.pin.as_ref().map(crate::Pin::until).unwrap_or_default()
                ),
            ),
            None => (
                Mode::Stalled,
                Reason::OutsideChange,
                format!("{runs}, made by helm by hand; it is kept until the spec changes"),
            ),
        },
        Waiting::ReleaseRemoved => (
            Mode::Stalled,
            Reason::ReleaseRemoved,
            "the release was removed by hand; it is not there again unasked: delete the HelmRelease, set belay.dev/retry to status.desired.digest, or order a rollback to a revision that is to run again".to_owned(),
        ),
        Waiting::ForeignOperation { revision } => (
            Mode::Working,
            Reason::ForeignOperation,
            format!("waits for somebody else's operation on revision {revision}"),
        ),
        Waiting::Blocked | Waiting::LeftInPlace => {
            let blocked = world.desired.digest().and_then(|digest| ledger.block(digest));
            let message = blocked.map_or_else(String::new, |blocked| blocked.message.clone());
            let advice = match wait.until {
                Some(at) => format!("it is tried again at {at}"),
                None if ledger.halted => "a hook that cannot be undone ran before, so nothing is taken back by itself: change the spec, or order a RollbackRequest"
                    .to_owned(),
                None => "change the spec, or ask again with the annotation belay.dev/retry=<status.desired.digest>"
                    .to_owned(),
            };
            let reason = match (&wait.on, wait.until) {
                (_, Some(_)) => Reason::RetryScheduled,
                (Waiting::LeftInPlace, None) if ledger.halted => Reason::PastPointOfNoReturn,
                (Waiting::LeftInPlace, None) => Reason::LeftInPlace,
                _ => Reason::RevisionBlocked,
            };
            (
                stalled_or_retrying(wait),
                reason,
                format!("{runs}; what the spec asks for is blocked: {message}; {advice}"),
            )
        }
        _ => (Mode::Working, Reason::Pending, "not looked at yet".to_owned()),
    }
}

const fn stalled_or_retrying(wait: &Wait) -> Mode {
    if wait.until.is_some() {
        Mode::Retrying
    } else {
        Mode::Stalled
    }
}

/// A way back that was lost once is still tried, but may need people.
pub(super) fn has_failed_to_go_back(attempt: &Attempt) -> bool {
    attempt.kind == AttemptKind::Revert && attempt.failures > 0
}

/// What is going on, in one word.
pub(super) const fn reason_of(kind: AttemptKind) -> Reason {
    match kind {
        AttemptKind::Install => Reason::Installing,
        AttemptKind::Upgrade => Reason::Upgrading,
        AttemptKind::Rollback => Reason::RollingBack,
        AttemptKind::Revert => Reason::Reverting,
        AttemptKind::Uninstall => Reason::Uninstalling,
    }
}
