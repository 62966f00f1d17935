//! When there is nothing more to follow.

use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};

use crate::page::condition;

/// How a release came to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// What its spec asks for runs.
    Ready,
    /// Something else does, or nothing; it stays so until somebody changes something.
    NotReady,
}

/// What counts as an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// A failure is an end, also when the operator tries again later by itself.
    UntilFailure,
    /// As [`Self::UntilFailure`], but what was known before following began is no end.
    AfterNews,
    /// Only an end that lasts.
    UntilRest,
}

/// How the release came to rest, if its status speaks of `generation` or a later one and nothing is under way.
pub(crate) fn rest(release: &HelmRelease, generation: i64, patience: Patience) -> Option<Rest> {
    let status = release.status.as_ref()?;
    if status.observed_generation < generation || status.attempt.is_some() {
        return None;
    }
    let ready = condition(status, ConditionType::Ready)?;
    let goes_on = condition(status, ConditionType::Reconciling).is_some();
    match ready.status {
        ConditionStatus::True => Some(Rest::Ready),
        ConditionStatus::Unknown => None,
        ConditionStatus::False if !goes_on => Some(Rest::NotReady),
        // Going back is not over, however often it has to be tried; and waiting for another is no failure.
        ConditionStatus::False
            if matches!(
                ready.reason,
                Reason::RevertFailed | Reason::RemoveFailed | Reason::DependencyNotReady
            ) =>
        {
            None
        }
        ConditionStatus::False => (patience != Patience::UntilRest).then_some(Rest::NotReady),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(
        generation: i64,
        status: &str,
        reason: &str,
        goes_on: bool,
        attempt: &Value,
    ) -> HelmRelease {
        let condition = |type_: &str, status: &str| json!({"type": type_, "status": status, "reason": reason, "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let mut conditions = vec![condition("Ready", status)];
        if goes_on {
            conditions.push(condition("Reconciling", "True"));
        }
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": "web"},
            "spec": {"chart": {"inline": {"files": {}}}},
            "status": {"observedGeneration": generation, "conditions": conditions, "attempt": attempt},
        }))
        .unwrap()
    }

    #[test]
    fn an_older_generation_and_an_attempt_under_way_are_no_rest() {
        let old = at(1, "True", "Deployed", false, &json!(null));
        assert_eq!(rest(&old, 2, Patience::UntilFailure), None);

        let attempt = json!({"id": "a", "kind": "Revert", "revision": 4, "digest": "v1:1", "stage": "Waiting",
            "startedAt": "2026-01-01T00:00:00Z", "deadline": "2026-01-01T00:00:00Z"});
        let reverting = at(2, "False", "RevertFailed", true, &attempt);
        assert_eq!(rest(&reverting, 2, Patience::UntilFailure), None);
    }

    #[test]
    fn ready_and_stalled_are_ends() {
        let ready = at(2, "True", "Deployed", false, &json!(null));
        assert_eq!(rest(&ready, 2, Patience::UntilRest), Some(Rest::Ready));

        let stalled = at(2, "False", "RevisionBlocked", false, &json!(null));
        assert_eq!(rest(&stalled, 2, Patience::UntilRest), Some(Rest::NotReady));
    }

    #[test]
    fn a_retry_to_come_is_an_end_only_for_those_who_do_not_wait_for_it() {
        let retrying = at(2, "False", "RetryScheduled", true, &json!(null));

        assert_eq!(rest(&retrying, 2, Patience::UntilRest), None);
        assert_eq!(
            rest(&retrying, 2, Patience::UntilFailure),
            Some(Rest::NotReady)
        );
    }
}
