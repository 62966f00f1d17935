//! The conditions of a release, by kstatus' rules: while working `Ready` is Unknown and
//! `Reconciling` True; stopped for good `Ready` is False and `Stalled` True; both are absent otherwise.

use belay_api::helm_release::AttemptKind;
use belay_api::{Condition, ConditionStatus, ConditionType, Reason};

use super::{checks, drift};
use crate::attempt::{At, Soaking};
use crate::step::{Wait, Waiting};
use crate::world::{SourceLook, World};
use crate::{Attempt, HeldUp, Ledger};

/// How many objects a message names.
const NAMED_AT_MOST: usize = 20;

/// Whether anything is still to come by itself.
enum Mode {
    Ready,
    Working,
    Stalled,
    /// Not ready, but something is still to come: a retry has a time, or a release that is waited for gets ready.
    Retrying,
}

pub(super) fn of_release(world: &World, ledger: Option<&Ledger>, wait: &Wait) -> Vec<Condition> {
    let (mode, reason, message) = headline(world, ledger, wait);
    let condition = |type_, status, reason, message: &str| Condition {
        type_,
        status,
        reason,
        message: message.to_owned(),
        last_transition_time: world.now.whole_seconds(),
        observed_generation: world.declared.generation,
    };
    let mut conditions = vec![condition(
        ConditionType::Ready,
        match mode {
            Mode::Ready => ConditionStatus::True,
            Mode::Working => ConditionStatus::Unknown,
            Mode::Stalled | Mode::Retrying => ConditionStatus::False,
        },
        reason,
        &message,
    )];
    match mode {
        Mode::Working | Mode::Retrying => conditions.push(condition(
            ConditionType::Reconciling,
            ConditionStatus::True,
            reason,
            &message,
        )),
        Mode::Stalled => conditions.push(condition(
            ConditionType::Stalled,
            ConditionStatus::True,
            reason,
            &message,
        )),
        Mode::Ready => {}
    }
    if let Some((status, reason, message)) = source(world) {
        conditions.push(condition(
            ConditionType::SourceReady,
            status,
            reason,
            &message,
        ));
    }
    let Some(ledger) = ledger else {
        return conditions;
    };
    if ledger.is_removed() {
        // What the ledger says of what ran is not true of the cluster any more.
        let message = "the release was removed by hand";
        for type_ in [ConditionType::Available, ConditionType::Consistent] {
            let (status, reason) = (ConditionStatus::False, Reason::ReleaseRemoved);
            conditions.push(condition(type_, status, reason, message));
        }
        return conditions;
    }
    let available = available(ledger);
    conditions.push(condition(
        ConditionType::Available,
        available.0,
        available.1,
        &available.2,
    ));
    if let Some((status, why)) = consistent(world, ledger, wait) {
        conditions.push(condition(
            ConditionType::Consistent,
            status.0,
            status.1,
            &why,
        ));
    }
    if let Some((status, reason, message)) = drift::condition(world, ledger, &wait.on) {
        conditions.push(condition(ConditionType::Drifted, status, reason, &message));
    }
    if let Some((status, reason, message)) = released(world, ledger) {
        conditions.push(condition(ConditionType::Released, status, reason, &message));
    }
    if let Some((status, reason, message)) = tested(world, ledger) {
        conditions.push(condition(
            ConditionType::TestSuccess,
            status,
            reason,
            &message,
        ));
    }
    if let Some((status, reason, message)) = way_back(ledger) {
        conditions.push(condition(
            ConditionType::RollbackReady,
            status,
            reason,
            &message,
        ));
    }
    if let Some(message) = rolled_back(world, ledger) {
        conditions.push(condition(
            ConditionType::RolledBack,
            ConditionStatus::True,
            rolled_back_reason(ledger),
            &message,
        ));
    }
    conditions
}

fn headline(world: &World, ledger: Option<&Ledger>, wait: &Wait) -> (Mode, Reason, String) {
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

fn source(world: &World) -> Option<(ConditionStatus, Reason, String)> {
    match &world.source {
        SourceLook::Unknown => None,
        SourceLook::Found { chart, origin } => Some((
            ConditionStatus::True,
            Reason::ChartFound,
            format!("{} comes from {origin}", chart.full_name()),
        )),
        SourceLook::Failed { reason, message } => {
            Some((ConditionStatus::False, *reason, message.clone()))
        }
    }
}

const fn stalled_or_retrying(wait: &Wait) -> Mode {
    if wait.until.is_some() {
        Mode::Retrying
    } else {
        Mode::Stalled
    }
}

fn soaking(ledger: &Ledger) -> Option<(&Attempt, &Soaking)> {
    let attempt = ledger.attempt.as_ref()?;
    match &attempt.at {
        At::Soaking(soaking) => Some((attempt, soaking)),
        _ => None,
    }
}

fn available(ledger: &Ledger) -> (ConditionStatus, Reason, String) {
    if let Some((attempt, soaking)) = soaking(ledger) {
        return match soaking.unsteady_since {
            None => (
                ConditionStatus::True,
                Reason::Soaking,
                format!("revision {} serves", attempt.revision),
            ),
            Some(since) => (
                ConditionStatus::Unknown,
                Reason::Soaking,
                format!(
                    "something of revision {} is not ready since {since}",
                    attempt.revision
                ),
            ),
        };
    }
    match (&ledger.current, ledger.last_good()) {
        (Some(current), Some(_)) if ledger.runs_good() && !is_being_removed(ledger) => (
            ConditionStatus::True,
            Reason::Deployed,
            format!("revision {} serves", current.revision),
        ),
        (_, Some(good)) if ledger.attempt.is_some() => (
            ConditionStatus::Unknown,
            kind_reason(ledger),
            format!("revision {} served before this attempt", good.revision),
        ),
        _ => (
            ConditionStatus::False,
            Reason::LeftInPlace,
            "nothing proven serves".to_owned(),
        ),
    }
}

fn is_being_removed(ledger: &Ledger) -> bool {
    let attempt = ledger.attempt.as_ref();
    attempt.is_some_and(|attempt| attempt.kind == AttemptKind::Uninstall)
}

fn consistent(
    world: &World,
    ledger: &Ledger,
    wait: &Wait,
) -> Option<((ConditionStatus, Reason), String)> {
    if let Some((attempt, _)) = soaking(ledger) {
        return Some((
            (ConditionStatus::True, Reason::Soaking),
            format!("the cluster holds revision {}", attempt.revision),
        ));
    }
    if let Some(attempt) = &ledger.attempt {
        return Some(if has_failed_to_go_back(attempt) {
            (
                (ConditionStatus::False, Reason::RevertFailed),
                what_is_there(world, ledger, attempt),
            )
        } else {
            (
                (ConditionStatus::Unknown, kind_reason(ledger)),
                "objects are being changed".to_owned(),
            )
        });
    }
    let current = ledger.current.as_ref()?;
    if let Some((reason, why)) = drift::inconsistency(world, ledger, &wait.on) {
        return Some(((ConditionStatus::False, reason), why));
    }
    Some(if current.consistent {
        (
            (ConditionStatus::True, Reason::Deployed),
            format!("the cluster holds revision {}", current.revision),
        )
    } else {
        let left = format!("revision {} failed and was left in place", current.revision);
        (
            (ConditionStatus::False, Reason::LeftInPlace),
            match unwanted(ledger) {
                None => left,
                Some(unwanted) => format!("{left}; of older revisions remain {unwanted}"),
            },
        )
    })
}

/// A way back that was lost once is still tried, but may need people.
fn has_failed_to_go_back(attempt: &Attempt) -> bool {
    attempt.kind == AttemptKind::Revert && attempt.failures > 0
}

/// What the cluster holds while a way back fails, object by object: what differs from the revision that is gone back
/// to, and why.
fn what_is_there(world: &World, ledger: &Ledger, attempt: &Attempt) -> String {
    let seen = world
        .progress
        .iter()
        .flat_map(|progress| &progress.objects)
        .filter(|(_, verdict)| !verdict.is_current())
        .map(|(object, verdict)| format!("{object}: {verdict}"));
    let told = ledger.last_failure.iter().flat_map(|failure| {
        failure
            .objects
            .iter()
            .map(|told| format!("{}: {}", told.object, told.message))
    });
    let mut differs: Vec<String> = seen.collect();
    if differs.is_empty() {
        differs = told.collect();
    }
    let mut said = format!("revision {} is not there as a whole", attempt.revision);
    if let Some(differs) = listed(differs) {
        said.push_str("; of it ");
        said.push_str(&differs);
    }
    if let Some(unwanted) = unwanted(ledger) {
        said.push_str("; of other revisions remain ");
        said.push_str(&unwanted);
    }
    said
}

/// Objects that no revision wants any more and that are not known to be gone.
fn unwanted(ledger: &Ledger) -> Option<String> {
    let unwanted = ledger.inventory.iter().filter(|tracked| !tracked.wanted);
    listed(unwanted.map(|tracked| tracked.object.to_string()).collect())
}

fn listed(mut names: Vec<String>) -> Option<String> {
    let more = names.len().saturating_sub(NAMED_AT_MOST);
    names.truncate(NAMED_AT_MOST);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    (!names.is_empty()).then(|| names.join(", "))
}

fn released(world: &World, ledger: &Ledger) -> Option<(ConditionStatus, Reason, String)> {
    let desired = world.desired.digest()?;
    if let Some(current) = ledger.current.as_ref()
        && &current.digest == desired
        && current.consistent
    {
        return Some((
            ConditionStatus::True,
            Reason::Deployed,
            format!("revision {} is what the spec asks for", current.revision),
        ));
    }
    ledger.block(desired).map(|blocked| {
        (
            ConditionStatus::False,
            blocked.reason,
            blocked.message.clone(),
        )
    })
}

/// Tests of what the spec asks for that failed, or else those that what runs has passed.
fn tested(world: &World, ledger: &Ledger) -> Option<(ConditionStatus, Reason, String)> {
    let failed = ledger.last_failure.as_ref().filter(|failure| {
        failure.reason == Reason::TestFailed && world.desired.digest() == Some(&failure.digest)
    });
    if let Some(failure) = failed {
        let message = failure.message.clone();
        return Some((ConditionStatus::False, Reason::TestFailed, message));
    }
    let current = ledger.current.as_ref()?;
    let tested = ledger.tested.as_ref()?;
    (tested.revision == current.revision && current.consistent).then(|| {
        (
            ConditionStatus::True,
            Reason::TestsSucceeded,
            format!(
                "{} tests of revision {} succeeded",
                tested.tests, tested.revision
            ),
        )
    })
}

fn way_back(ledger: &Ledger) -> Option<(ConditionStatus, Reason, String)> {
    let way_back = ledger.way_back.as_ref()?;
    if ledger.attempt.is_some() {
        return None;
    }
    let revision = way_back.revision;
    Some(match way_back.refused.first() {
        None => (
            ConditionStatus::True,
            Reason::RevisionAccepted,
            match way_back.recreated.as_slice() {
                [] => format!("revision {revision} could be brought back"),
                recreated => format!(
                    "revision {revision} could be brought back; it would delete and make anew: {}",
                    recreated.join(", ")
                ),
            },
        ),
        Some(first) => (
            ConditionStatus::False,
            Reason::RevisionRefused,
            format!(
                "revision {revision} could not be brought back, as the API server would refuse {}: {}",
                first.object, first.message
            ),
        ),
    })
}

fn rolled_back(world: &World, ledger: &Ledger) -> Option<String> {
    let current = ledger.current.as_ref()?;
    let desired = world.desired.digest()?;
    let block = ledger.block(desired)?;
    if ledger.attempt.is_some() || !ledger.runs_good() || &current.digest == desired {
        return None;
    }
    block.revision.map(|revision| {
        format!(
            "revision {} serves in place of revision {revision}: {}",
            current.revision, block.message
        )
    })
}

fn rolled_back_reason(ledger: &Ledger) -> Reason {
    match ledger.pin.as_ref().and_then(|pin| pin.request.as_ref()) {
        Some(_) => Reason::RolledBackByRequest,
        None => Reason::RevisionBlocked,
    }
}

fn kind_reason(ledger: &Ledger) -> Reason {
    ledger
        .attempt
        .as_ref()
        .map_or(Reason::Pending, |attempt| reason_of(attempt.kind))
}

const fn reason_of(kind: AttemptKind) -> Reason {
    match kind {
        AttemptKind::Install => Reason::Installing,
        AttemptKind::Upgrade => Reason::Upgrading,
        AttemptKind::Rollback => Reason::RollingBack,
        AttemptKind::Revert => Reason::Reverting,
        AttemptKind::Uninstall => Reason::Uninstalling,
    }
}
