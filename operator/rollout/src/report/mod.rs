//! Status out of facts: what people see is derived here and nowhere else.

mod checks;
mod conditions;
mod drift;
mod ready;
mod request;
mod trouble;

use belay_api::helm_release::{
    AttemptKind, AttemptStatus, BlockedStatus, DesiredStatus, HelmReleaseStatus, HistoryEntry,
    PinStatus, ProgressStatus, RevisionStatus, RollbackReadyStatus,
};
use belay_api::{ConditionType, Phase, condition};

use crate::step::{Wait, Waiting};
use crate::world::{Desired, Progress, SourceLook, World};
use crate::{Attempt, Failure, Ledger, Proven, Running};

pub use checks::soaked;
pub use drift::sentence;
pub use request::{previewed, refused, request_status, without_release};
pub use trouble::{troubled, unreachable};

/// The status of a release, from what was gathered and what is waited for.
///
/// Transition times are carried over from `before`.
pub fn status(before: &HelmReleaseStatus, world: &World, wait: &Wait) -> HelmReleaseStatus {
    let generation = world.declared.generation;
    let mut status = HelmReleaseStatus {
        observed_generation: generation,
        desired: match &world.desired {
            Desired::Is { digest, chart } => Some(DesiredStatus {
                digest: digest.to_string(),
                chart_version: chart.version.clone(),
            }),
            Desired::Unknown | Desired::Rejected(_) => before.desired.clone(),
        },
        last_handled_reconcile: before.last_handled_reconcile.clone(),
        ..HelmReleaseStatus::default()
    };
    let ours = world
        .ledger
        .as_ref()
        .filter(|ledger| ledger.owner.uid == world.declared.identity.uid);
    if let Some(ledger) = ours {
        project(&mut status, ledger, world);
        status.checks = checks::statuses(world, ledger);
        status.drift = drift::drift_status(world, ledger, &wait.on);
        status.release.clone_from(&before.release);
    }
    status.phase = phase(ours, wait);
    status.conditions = conditions::of_release(world, ours, wait);
    if world.source == SourceLook::Unknown {
        let kept = before.conditions.iter();
        let kept = kept.filter(|condition| condition.type_ == ConditionType::SourceReady);
        status.conditions.extend(kept.cloned());
    }
    condition::carry_transition_times(&before.conditions, &mut status.conditions);
    status
}

fn project(status: &mut HelmReleaseStatus, ledger: &Ledger, world: &World) {
    let current = ledger.current.as_ref();
    status.current = current.map(running);
    status.last_good = ledger.proven.first().map(proven);
    status.previous_good = ledger.proven.get(1).map(proven);
    status.attempt = ledger
        .attempt
        .as_ref()
        .map(|attempt| attempt_status(attempt, world.seen().as_ref()));
    status.blocked = ledger
        .blocked
        .iter()
        .map(|blocked| BlockedStatus {
            digest: blocked.digest.to_string(),
            class: blocked.class,
            reason: blocked.reason,
            message: blocked.message.clone(),
            since: blocked.since,
            revision: blocked.revision,
            retry_at: blocked.retry_at,
        })
        .collect();
    status.last_failure = ledger.last_failure.as_ref().map(Failure::status);
    let way_back = ledger
        .way_back
        .as_ref()
        .filter(|_| ledger.attempt.is_none());
    status.rollback_ready = way_back.map(|way_back| RollbackReadyStatus {
        ready: way_back.refused.is_empty(),
        revision: way_back.revision,
        refused: way_back.refused.clone(),
        recreated: way_back.recreated.clone(),
        checked_at: way_back.checked_at.whole_seconds(),
    });
    status.pin = ledger.pin.as_ref().map(|pin| PinStatus {
        request: pin.request.clone(),
        until: pin.until(),
        digest: pin.digest.to_string(),
    });
    status.history = history(ledger, world);
}

fn history(ledger: &Ledger, world: &World) -> Vec<HistoryEntry> {
    world
        .storage
        .iter()
        .map(|stored| {
            let known = ledger.known(stored.revision);
            HistoryEntry {
                revision: stored.revision,
                digest: known.map(|known| known.digest.to_string()),
                chart: known.map_or_else(String::new, |known| known.chart.full_name()),
                status: stored.status.to_string(),
                last_deployed: Some(known.map_or(stored.created, |known| known.at)),
                description: known.map_or_else(String::new, |known| known.description.clone()),
                cause: known
                    .and_then(|known| known.cause.as_ref())
                    .map(ToString::to_string),
            }
        })
        .collect()
}

pub(crate) fn running(running: &Running) -> RevisionStatus {
    RevisionStatus {
        revision: running.revision,
        digest: running.digest.to_string(),
        chart: running.chart.full_name(),
        app_version: running.chart.app_version.clone(),
        since: running.since,
    }
}

fn proven(proven: &Proven) -> RevisionStatus {
    RevisionStatus {
        revision: proven.revision,
        digest: proven.digest.to_string(),
        chart: proven.chart.full_name(),
        app_version: proven.chart.app_version.clone(),
        since: proven.proven_at,
    }
}

fn attempt_status(attempt: &Attempt, progress: Option<&Progress>) -> AttemptStatus {
    AttemptStatus {
        id: attempt.id.clone(),
        kind: attempt.kind,
        cause: attempt.cause.to_string(),
        revision: attempt.revision,
        digest: attempt.digest.to_string(),
        from: attempt.from,
        stage: attempt.stage(),
        started_at: attempt.started_at,
        deadline: attempt.deadline,
        progress: progress.map(progress_status),
    }
}

fn progress_status(progress: &Progress) -> ProgressStatus {
    let waiting: Vec<_> = progress
        .objects
        .iter()
        .filter(|(_, verdict)| !verdict.is_current())
        .collect();
    ProgressStatus {
        ready: (progress.objects.len() - waiting.len()) as u32,
        total: progress.objects.len() as u32,
        waiting_for: waiting
            .into_iter()
            .take(5)
            .map(|(object, verdict)| format!("{object}: {verdict}"))
            .collect(),
    }
}

fn phase(ledger: Option<&Ledger>, wait: &Wait) -> Phase {
    let Some(ledger) = ledger else {
        return match wait.on {
            Waiting::Suspended => Phase::Suspended,
            _ => Phase::Pending,
        };
    };
    if let Some(attempt) = &ledger.attempt {
        return match attempt.kind {
            AttemptKind::Install => Phase::Installing,
            AttemptKind::Upgrade => Phase::Upgrading,
            AttemptKind::Rollback => Phase::RollingBack,
            AttemptKind::Revert => Phase::Reverting,
            AttemptKind::Uninstall => Phase::Uninstalling,
        };
    }
    match &wait.on {
        Waiting::Suspended => Phase::Suspended,
        Waiting::Deployed => Phase::Deployed,
        Waiting::Rejected(_) | Waiting::Dependencies(_) if ledger.runs_good() => Phase::Deployed,
        Waiting::ReleaseRemoved | Waiting::LeftInPlace => Phase::Failed,
        _ if ledger.runs_good() => Phase::RolledBack,
        _ if ledger.last_failure.is_some() => Phase::Failed,
        _ => Phase::Pending,
    }
}
