//! Conditions of a `HelmRelease` and a `RollbackRequest`, by the rules of kstatus.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Reason, Timestamp};

/// What a condition speaks of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ConditionType {
    /// The declared release runs and is proven. kstatus, Argo CD and `kubectl wait` look here.
    Ready,
    /// Belay is working towards the declared release. Absent when it is not.
    Reconciling,
    /// Belay has stopped until somebody changes something. Absent when it has not.
    Stalled,
    /// A proven revision is serving, whatever `Ready` says.
    Available,
    /// The cluster holds exactly one revision's manifest.
    Consistent,
    /// The last attempt for the declared release was recorded as deployed.
    Released,
    /// The release went back to an older revision, by itself or by request.
    RolledBack,
    /// The chart's tests succeeded for what runs.
    TestSuccess,
    /// The chart's source had, at the last look, what the spec asks for.
    SourceReady,
    /// The proven revision before the one that runs could be brought back.
    RollbackReady,
    /// Objects differ from the revision that runs: somebody edited or deleted them.
    Drifted,
    /// Of a `RollbackRequest`: somebody other than who asked has approved it. Absent where nobody has to.
    Approved,
    /// Of a `RollbackRequest`: what it ordered has been done.
    Complete,
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be told yet.
    Unknown,
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One condition, in the shape of `metav1.Condition`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it speaks of.
    #[serde(rename = "type")]
    pub type_: ConditionType,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The cause, one word from a closed list. A plain string in the schema, so that an operator that is newer
    /// than the definitions can still report.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// The cause for people, with what to do.
    #[serde(default)]
    pub message: String,
    /// When `status` last changed.
    pub last_transition_time: Timestamp,
    /// The generation of the spec that this was found for.
    #[serde(default)]
    pub observed_generation: i64,
}

/// Sets conditions so that a transition time moves only when the status does.
///
/// `now` replaces `before`; what is in `before` but not in `now` is gone.
pub fn carry_transition_times(before: &[Condition], now: &mut [Condition]) {
    for condition in now {
        if let Some(old) = before
            .iter()
            .find(|old| old.type_ == condition.type_ && old.status == condition.status)
        {
            condition.last_transition_time = old.last_transition_time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(status: ConditionStatus, at: i64) -> Condition {
        Condition {
            type_: ConditionType::Ready,
            status,
            reason: Reason::Deployed,
            message: String::new(),
            last_transition_time: Timestamp(at),
            observed_generation: 1,
        }
    }

    #[test]
    fn a_transition_time_moves_only_with_the_status() {
        let before = [ready(ConditionStatus::True, 1000)];
        let mut same = [ready(ConditionStatus::True, 2000)];
        carry_transition_times(&before, &mut same);
        assert_eq!(same[0].last_transition_time, Timestamp(1000));

        let mut changed = [ready(ConditionStatus::False, 2000)];
        carry_transition_times(&before, &mut changed);
        assert_eq!(changed[0].last_transition_time, Timestamp(2000));
    }
}
