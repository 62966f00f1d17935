//! The status of a release that cannot be looked after.

use belay_api::helm_release::HelmReleaseStatus;
use belay_api::{Condition, ConditionStatus, ConditionType, Reason, Timestamp, condition};

/// The status while nothing leads to the release's cluster: what was known stays, and only a change of what the spec
/// names cures it.
pub fn unreachable(
    before: &HelmReleaseStatus,
    reason: Reason,
    message: &str,
    generation: i64,
    now: Timestamp,
) -> HelmReleaseStatus {
    let mut status = before.clone();
    status.observed_generation = generation;
    let said = |type_, status| Condition {
        type_,
        status,
        reason,
        message: message.to_owned(),
        last_transition_time: now.whole_seconds(),
        observed_generation: generation,
    };
    headline(
        &mut status,
        before,
        [
            said(ConditionType::Ready, ConditionStatus::False),
            said(ConditionType::Stalled, ConditionStatus::True),
        ],
    );
    status
}

/// The status while one reconcile after another ends with an error: what was known stays, and how things stand is not
/// known. A reconcile that succeeds derives the whole status anew.
pub fn troubled(
    before: &HelmReleaseStatus,
    error: &str,
    generation: i64,
    now: Timestamp,
) -> HelmReleaseStatus {
    let mut status = before.clone();
    let unknown = |type_, status| Condition {
        type_,
        status,
        reason: Reason::ReconcileFailed,
        message: format!("{error}; it is tried on"),
        last_transition_time: now.whole_seconds(),
        observed_generation: generation,
    };
    headline(
        &mut status,
        before,
        [
            unknown(ConditionType::Ready, ConditionStatus::Unknown),
            unknown(ConditionType::Reconciling, ConditionStatus::True),
        ],
    );
    status
}

fn headline(status: &mut HelmReleaseStatus, before: &HelmReleaseStatus, said: [Condition; 2]) {
    status.conditions.retain(|found| {
        !matches!(
            found.type_,
            ConditionType::Ready | ConditionType::Reconciling | ConditionType::Stalled
        )
    });
    status.conditions.splice(0..0, said);
    condition::carry_transition_times(&before.conditions, &mut status.conditions);
}
