//! The status of a release that cannot be looked after.

use belay_api::helm_release::HelmReleaseStatus;
use belay_api::{Condition, ConditionStatus, ConditionType, Reason, Timestamp, condition};

/// The status while one reconcile after another ends with an error: what was known stays, and how things stand is not
/// known. A reconcile that succeeds derives the whole status anew.
pub fn troubled(
    before: &HelmReleaseStatus,
    error: &str,
    generation: i64,
    now: Timestamp,
) -> HelmReleaseStatus {
    let mut status = before.clone();
    status.conditions.retain(|found| {
        !matches!(
            found.type_,
            ConditionType::Ready | ConditionType::Reconciling | ConditionType::Stalled
        )
    });
    let unknown = |type_, status| Condition {
        type_,
        status,
        reason: Reason::ReconcileFailed,
        message: format!("{error}; it is tried on"),
        last_transition_time: now.whole_seconds(),
        observed_generation: generation,
    };
    status.conditions.splice(
        0..0,
        [
            unknown(ConditionType::Ready, ConditionStatus::Unknown),
            unknown(ConditionType::Reconciling, ConditionStatus::True),
        ],
    );
    condition::carry_transition_times(&before.conditions, &mut status.conditions);
    status
}
