//! The conditions of a release, by kstatus' rules: while working `Ready` is Unknown and
//! `Reconciling` True; stopped for good `Ready` is False and `Stalled` True; both are absent otherwise.

use belay_api::helm_release::AttemptKind;
use belay_api::{Condition, ConditionStatus, ConditionType, Reason};

use super::drift;
use super::ready::{Mode, has_failed_to_go_back, headline, reason_of};
use crate::attempt::{At, Soaking};
use crate::step::Wait;
use crate::world::{SourceLook, World};
use crate::{Attempt, Ledger};

/// How many objects a message names.
const NAMED_AT_MOST: usize = 20;

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
