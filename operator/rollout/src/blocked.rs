//! Digests that are not tried again unasked.

use belay_api::helm_release::FailureClass;
use belay_api::{Duration, Reason, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Backoff, Digest};

/// How many blocked digests are remembered; the oldest go first.
pub const MAX_BLOCKED: usize = 16;
/// How often a transient failure is tried again by itself.
pub const MAX_RETRIES: u32 = 3;
/// The waits before the retries.
const RETRY: Backoff = Backoff::new(Duration::minutes(1), Duration::minutes(60));

/// A digest that failed, or was ordered away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// The digest.
    pub digest: Digest,
    /// Whose fault it was.
    pub class: FailureClass,
    /// What happened, in one word.
    pub reason: Reason,
    /// What happened, for people.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
    /// The revision that failed, if one was recorded.
    pub revision: Option<u32>,
    /// How often it failed.
    pub failures: u32,
    /// When it is tried again by itself.
    pub retry_at: Option<Timestamp>,
}

impl Blocked {
    /// When a digest of this class that has now failed `failures` times is tried again by itself.
    pub fn retry_at(class: FailureClass, failures: u32, now: Timestamp) -> Option<Timestamp> {
        let due = class == FailureClass::Transient && (1..=MAX_RETRIES).contains(&failures);
        due.then(|| now.plus(RETRY.after(failures)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_transient_failure_is_tried_again_and_only_so_often() {
        let now = Timestamp(0);
        assert_eq!(Blocked::retry_at(FailureClass::Terminal, 1, now), None);
        assert_eq!(Blocked::retry_at(FailureClass::Timeout, 1, now), None);
        let waits: Vec<_> = (1..=4)
            .map(|failures| {
                Blocked::retry_at(FailureClass::Transient, failures, now).map(|at| at.0)
            })
            .collect();
        assert_eq!(waits, [Some(60_000), Some(120_000), Some(240_000), None]);
    }
}
