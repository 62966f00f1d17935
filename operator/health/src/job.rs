//! Job: completed or failed. Also asked for hooks, where being passed over would be dangerous.

use serde_json::Value;

use crate::field::{Condition, at, condition, flag, int};
use crate::progress::ProgressReason;
use crate::verdict::Verdict;

/// The verdict of a Job that is part of a release. A suspended one has nothing to wait for, as
/// with a paused Deployment.
pub(crate) fn judge(object: &Value) -> Verdict {
    match judge_completion(object) {
        Verdict::Progressing {
            reason: ProgressReason::Suspended,
            ..
        } => Verdict::Current,
        answer => answer,
    }
}

/// The verdict of a Job of which only completion counts.
pub(crate) fn judge_completion(object: &Value) -> Verdict {
    if condition(object, "Complete").is_some_and(|c| c.is_true()) {
        return Verdict::Current;
    }
    // The target is announced before the last pods are gone: there is no need to wait for them.
    for kind in ["Failed", "FailureTarget"] {
        if let Some(failed) = condition(object, kind).filter(Condition::is_true) {
            return Verdict::failed(
                failed.reason_or("JobFailed"),
                failed.explain("the Job failed"),
            );
        }
    }
    let failed = int(object, &["status", "failed"]).unwrap_or(0);
    let limit = int(object, &["spec", "backoffLimit"]).unwrap_or(6);
    if failed > limit && at(object, &["spec", "backoffLimitPerIndex"]).is_none() {
        return Verdict::failed(
            "BackoffLimitExceeded",
            format!("{failed} pods failed, {limit} may be retried"),
        );
    }
    if flag(object, &["spec", "suspend"]) {
        return Verdict::progressing(ProgressReason::Suspended, "the Job is suspended");
    }
    let wanted = int(object, &["spec", "completions"])
        .or_else(|| int(object, &["spec", "parallelism"]))
        .unwrap_or(1);
    let succeeded = int(object, &["status", "succeeded"]).unwrap_or(0);
    Verdict::progressing(
        ProgressReason::JobRunning,
        format!("{succeeded} of {wanted} completions, {failed} failed"),
    )
}

/// Whether a finished Job is deleted by the cluster itself (`ttlSecondsAfterFinished`), so that
/// once it was seen complete its absence is no loss.
pub fn expires_when_finished(object: &Value) -> bool {
    at(object, &["spec", "ttlSecondsAfterFinished"]).is_some_and(Value::is_i64)
}
