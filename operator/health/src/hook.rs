//! When a hook has done its work.

use serde_json::Value;

use crate::field::text;
use crate::object::split_api_version;
use crate::progress::ProgressReason;
use crate::verdict::Verdict;
use crate::{job, pod};

/// The verdict of a hook's object: a Job has to complete and a Pod to succeed, everything else is
/// done as soon as it exists (Helm). `null` stands for an object that is missing.
///
/// The outcome is asked before deletion: a Job with a time to live is deleted right after it
/// completed, and its last state, as a watch's DELETED event brings it, still counts.
pub fn hook_verdict(object: &Value) -> Verdict {
    if object.is_null() {
        return Verdict::Missing;
    }
    let (group, _) = split_api_version(text(object, &["apiVersion"]).unwrap_or_default());
    let outcome = match (group, text(object, &["kind"]).unwrap_or_default()) {
        ("batch", "Job") => job::judge_completion(object),
        ("", "Pod") => match text(object, &["status", "phase"]) {
            Some("Succeeded") => Verdict::Current,
            Some("Failed") => pod::judge(object),
            phase => Verdict::progressing(
                ProgressReason::PodStarting,
                format!("the pod is {}", phase.unwrap_or("Pending").to_lowercase()),
            ),
        },
        _ => Verdict::Current,
    };
    let deleted = text(object, &["metadata", "deletionTimestamp"]).is_some_and(|at| !at.is_empty());
    match outcome {
        Verdict::Progressing { .. } if deleted => Verdict::Terminating,
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(status: &Value) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
               "spec": {"backoffLimit": 1, "ttlSecondsAfterFinished": 0}, "status": status})
    }

    #[test]
    fn a_job_that_is_deleted_after_completing_has_done_its_work() {
        let mut done = job(&json!({"conditions": [{"type": "Complete", "status": "True"}]}));
        done["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(hook_verdict(&done), Verdict::Current);
    }

    #[test]
    fn a_job_that_is_deleted_before_completing_has_not() {
        let mut running = job(&json!({"active": 1}));
        running["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(hook_verdict(&running), Verdict::Terminating);
    }

    #[test]
    fn a_suspended_job_is_never_passed_over() {
        let mut held = job(&json!({}));
        held["spec"]["suspend"] = json!(true);
        assert_eq!(
            hook_verdict(&held),
            Verdict::progressing(ProgressReason::Suspended, "the Job is suspended")
        );
    }

    #[test]
    fn a_pod_has_to_succeed_and_being_ready_is_not_enough() {
        let pod = |phase: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "status": {
                "phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}})
        };
        assert_eq!(hook_verdict(&pod("Running")).as_str(), "Progressing");
        assert_eq!(hook_verdict(&pod("Succeeded")), Verdict::Current);
        assert!(hook_verdict(&pod("Failed")).is_failed());
    }

    #[test]
    fn any_other_object_is_done_at_once() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
        assert_eq!(hook_verdict(&map), Verdict::Current);
        assert_eq!(hook_verdict(&Value::Null), Verdict::Missing);
    }
}
