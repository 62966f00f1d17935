//! Is a waiting attempt good, lost, or neither yet?

use belay_api::helm_release::{AttemptKind, FailFastMode, FailureClass};
use belay_api::{Reason, Timestamp};
use belay_health::{
    FaultClass, ObjectEvidence, Patience, PatiencePolicy, PodEvidence, PodFaultReason,
    ProgressReason, Sighting, Undertaking, Verdict, patience,
};

use crate::world::{Declared, Progress, Proof, SightedFault};
use crate::{Attempt, Failure};

/// What can be said of a waiting attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Every object is current, as far as the watches know.
    Ready,
    /// It is lost.
    Lost(Box<Failure>),
    /// Its time is over; the cause is the best that can be named.
    Late(Box<Failure>),
    /// Neither; look again at this instant even if nothing changes.
    Open(Timestamp),
}

/// Judges a waiting attempt.
///
/// Current beats everything; a fault that cannot get better beats the deadline; before a deadline is
/// believed the objects are listed anew ([`Proof`]).
pub fn judge(
    attempt: &Attempt,
    progress: &Progress,
    declared: &Declared,
    now: Timestamp,
) -> Judgement {
    let waiting: Vec<_> = progress
        .objects
        .iter()
        .filter(|(_, verdict)| !verdict.is_current())
        .collect();
    if waiting.is_empty() {
        return Judgement::Ready;
    }
    if declared.fail_fast.mode == FailFastMode::Enabled
        && let Some((
            object,
            Verdict::Failed {
                class,
                reason,
                message,
            },
        )) = waiting.iter().find(|(_, verdict)| verdict.is_failed())
    {
        let cause = if object.kind == "Job" {
            Reason::JobFailed
        } else {
            Reason::WorkloadFailed
        };
        return Judgement::Lost(Box::new(failure(
            attempt,
            progress,
            class_of(*class),
            cause,
            format!("{object} failed: {reason}: {message}"),
            now,
        )));
    }
    let mut until = attempt.deadline;
    for sighted in &progress.faults {
        match patience_with(sighted, attempt, declared, now) {
            Patience::GiveUp => {
                return Judgement::Lost(Box::new(failure(
                    attempt,
                    progress,
                    sighted.fault.class.failure_class_for_api(),
                    reason_of(sighted.fault.reason),
                    format!("{}, pod {}: {}", sighted.owner, sighted.pod, sighted.fault),
                    now,
                )));
            }
            Patience::Wait { until_ms: Some(at) } => until = until.min(Timestamp(at as i64)),
            Patience::Wait { until_ms: None } => {}
        }
    }
    if now >= attempt.deadline {
        return Judgement::Late(Box::new(late(attempt, progress, now)));
    }
    Judgement::Open(until)
}

/// The failure of an attempt whose time is over: named by what a fresh list found.
pub(crate) fn late_by(
    attempt: &Attempt,
    progress: &Progress,
    proof: &Proof,
    now: Timestamp,
) -> Failure {
    let fresh = Progress {
        objects: proof.not_current.clone(),
        faults: progress.faults.clone(),
        stranded: Vec::new(),
    };
    late(attempt, &fresh, now)
}

/// The failure of a revision that went bad while it soaked: named by what a fresh list found.
pub(crate) fn degraded(
    attempt: &Attempt,
    progress: &Progress,
    proof: &Proof,
    since: Timestamp,
    now: Timestamp,
) -> Failure {
    let fresh = Progress {
        objects: proof.not_current.clone(),
        faults: progress.faults.clone(),
        stranded: Vec::new(),
    };
    let cause = match (fresh.faults.first(), fresh.objects.first()) {
        (Some(sighted), _) => {
            format!("{}, pod {}: {}", sighted.owner, sighted.pod, sighted.fault)
        }
        (None, Some((object, verdict))) => format!("{object}: {verdict}"),
        (None, None) => String::new(),
    };
    failure(
        attempt,
        &fresh,
        FailureClass::Degraded,
        Reason::Degraded,
        format!(
            "it was ready, and for {} it is not any more: {cause}",
            now.since(since)
        ),
        now,
    )
}

fn late(attempt: &Attempt, progress: &Progress, now: Timestamp) -> Failure {
    let seconds = attempt.deadline.since(attempt.started_at);
    let fault = progress.faults.first();
    let first = progress
        .objects
        .iter()
        .find(|(_, verdict)| !verdict.is_current());
    let (class, reason, cause) = match (fault, first) {
        (Some(sighted), _) => (
            sighted.fault.class.failure_class_for_api(),
            reason_of(sighted.fault.reason),
            format!("{}, pod {}: {}", sighted.owner, sighted.pod, sighted.fault),
        ),
        (None, Some((object, verdict))) => {
            let class = match verdict {
                Verdict::Progressing {
                    reason: ProgressReason::QuotaExceeded | ProgressReason::WebhookUnreachable,
                    ..
                } => FailureClass::Transient,
                _ => FailureClass::Timeout,
            };
            (class, Reason::Timeout, format!("{object}: {verdict}"))
        }
        (None, None) => (FailureClass::Timeout, Reason::Timeout, String::new()),
    };
    failure(
        attempt,
        progress,
        class,
        reason,
        format!("not ready within {seconds}: {cause}"),
        now,
    )
}

fn failure(
    attempt: &Attempt,
    progress: &Progress,
    class: FailureClass,
    reason: Reason,
    message: String,
    now: Timestamp,
) -> Failure {
    Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class,
        reason,
        message,
        at: now,
        objects: progress
            .objects
            .iter()
            .filter(|(_, verdict)| !verdict.is_current())
            .take(5)
            .map(|(object, verdict)| ObjectEvidence::new(object.clone(), verdict))
            .collect(),
        pods: progress
            .faults
            .iter()
            .take(3)
            .map(|sighted| PodEvidence::new(&sighted.namespace, &sighted.pod, &sighted.fault, ""))
            .collect(),
        timeline: attempt.timeline.clone(),
    }
}

fn patience_with(
    sighted: &SightedFault,
    attempt: &Attempt,
    declared: &Declared,
    now: Timestamp,
) -> Patience {
    let policy = PatiencePolicy {
        enabled: declared.fail_fast.mode == FailFastMode::Enabled,
        grace_ms: declared.fail_fast.grace.0,
        ignore: declared
            .fail_fast
            .ignore
            .iter()
            .filter_map(|name| name.parse::<PodFaultReason>().ok())
            .collect(),
        ..PatiencePolicy::default()
    };
    let undertaking = match attempt.kind {
        AttemptKind::Install => Undertaking::Install,
        _ => Undertaking::Upgrade,
    };
    let sighting = Sighting {
        first_seen_ms: sighted.first_seen.0.max(0) as u64,
        was_ready: sighted.was_ready,
    };
    patience(
        &sighted.fault,
        &sighting,
        &policy,
        undertaking,
        now.0.max(0) as u64,
    )
}

trait ApiClass {
    fn failure_class_for_api(self) -> FailureClass;
}

impl ApiClass for FaultClass {
    fn failure_class_for_api(self) -> FailureClass {
        class_of(self.failure_class())
    }
}

/// The class as the API names it.
fn class_of(class: belay_health::FailureClass) -> FailureClass {
    match class {
        belay_health::FailureClass::Transient => FailureClass::Transient,
        belay_health::FailureClass::Timeout => FailureClass::Timeout,
        belay_health::FailureClass::Operator => FailureClass::Operator,
        belay_health::FailureClass::Degraded => FailureClass::Degraded,
        belay_health::FailureClass::Terminal => FailureClass::Terminal,
    }
}

fn reason_of(reason: PodFaultReason) -> Reason {
    match reason {
        PodFaultReason::InvalidImageName => Reason::InvalidImageName,
        PodFaultReason::ErrImageNeverPull
        | PodFaultReason::ImageNotFound
        | PodFaultReason::ImagePullDenied
        | PodFaultReason::RegistryUnavailable
        | PodFaultReason::ImagePullBackOff
        | PodFaultReason::SignatureValidationFailed => Reason::ImagePullFailed,
        PodFaultReason::MissingConfig | PodFaultReason::CreateContainerConfigError => {
            Reason::ConfigMissing
        }
        PodFaultReason::CreateContainerError | PodFaultReason::RunContainerError => {
            Reason::ContainerFailed
        }
        PodFaultReason::CrashLoopBackOff | PodFaultReason::ContainerExited => Reason::CrashLoop,
        PodFaultReason::OOMKilled => Reason::OutOfMemory,
        PodFaultReason::Unschedulable | PodFaultReason::NodeRejected | PodFaultReason::Evicted => {
            Reason::Unschedulable
        }
        PodFaultReason::PodFailed => Reason::WorkloadFailed,
    }
}
