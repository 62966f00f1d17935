//! Deployment, `StatefulSet`, `DaemonSet` and `ReplicaSet`: counts of replicas.

use serde_json::Value;

use crate::class::FailureClass;
use crate::field::{Condition, condition, flag, int, text};
use crate::progress::ProgressReason;
use crate::verdict::{Verdict, unobserved_workload};

/// All replicas updated and available, none surplus. A paused Deployment counts as ready.
pub(crate) fn deployment(object: &Value) -> Verdict {
    if flag(object, &["spec", "paused"]) {
        return Verdict::Current;
    }
    if let Some(answer) = unobserved_workload(object) {
        return answer;
    }
    let wanted = int(object, &["spec", "replicas"]).unwrap_or(1);
    let total = count(object, "replicas");
    let updated = count(object, "updatedReplicas");
    let available = count(object, "availableReplicas");
    let message = if updated < wanted {
        format!("{updated} of {wanted} replicas updated")
    } else if available < updated {
        format!("{available} of {updated} updated replicas available")
    } else if total > updated {
        surplus(total - updated, "old")
    } else if total > wanted {
        surplus(total - wanted, "surplus")
    } else {
        return Verdict::Current;
    };
    if let Some(exceeded) =
        condition(object, "Progressing").filter(|c| c.reason == "ProgressDeadlineExceeded")
    {
        return Verdict::Failed {
            class: FailureClass::Timeout,
            reason: exceeded.reason.to_owned(),
            message: format!("progress deadline exceeded, {message}"),
        };
    }
    replica_failure(object)
        .unwrap_or_else(|| Verdict::progressing(ProgressReason::Replicas, message))
}

/// Enough replicas updated for its partition, all ready, and one revision when there is no
/// partition. With `OnDelete` a person decides when pods are replaced, so there is nothing to wait
/// for.
pub(crate) fn stateful_set(object: &Value) -> Verdict {
    if let Some(answer) = unobserved_workload(object) {
        return answer;
    }
    if text(object, &["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return Verdict::Current;
    }
    let wanted = int(object, &["spec", "replicas"]).unwrap_or(1);
    let partition = int(
        object,
        &["spec", "updateStrategy", "rollingUpdate", "partition"],
    )
    .unwrap_or(0);
    let due = (wanted - partition).max(0);
    let total = count(object, "replicas");
    let updated = count(object, "updatedReplicas");
    let ready = count(object, "readyReplicas");
    let settling = int(object, &["spec", "minReadySeconds"]).unwrap_or(0) > 0;
    let available = count(object, "availableReplicas");
    let message = if updated < due {
        format!("{updated} of {due} replicas updated")
    } else if ready < wanted {
        format!("{ready} of {wanted} replicas ready")
    } else if settling && available < wanted {
        format!("{available} of {wanted} replicas available")
    } else if total > wanted {
        surplus(total - wanted, "surplus")
    } else if partition == 0
        && text(object, &["status", "currentRevision"])
            != text(object, &["status", "updateRevision"])
    {
        "the update to the newest revision is not complete".to_owned()
    } else {
        return Verdict::Current;
    };
    Verdict::progressing(ProgressReason::Replicas, message)
}

/// A pod of the newest template available on every node that should run one.
pub(crate) fn daemon_set(object: &Value) -> Verdict {
    if let Some(answer) = unobserved_workload(object) {
        return answer;
    }
    if text(object, &["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return Verdict::Current;
    }
    let Some(wanted) = int(object, &["status", "desiredNumberScheduled"]) else {
        return Verdict::progressing(
            ProgressReason::GenerationNotObserved,
            "its controller has not counted the nodes yet",
        );
    };
    let scheduled = count(object, "currentNumberScheduled");
    let updated = count(object, "updatedNumberScheduled");
    let available = count(object, "numberAvailable");
    let message = if scheduled < wanted {
        format!("{scheduled} of {wanted} pods scheduled")
    } else if updated < wanted {
        format!("{updated} of {wanted} pods updated")
    } else if available < wanted {
        format!("{available} of {wanted} pods available")
    } else {
        return Verdict::Current;
    };
    Verdict::progressing(ProgressReason::Replicas, message)
}

/// As many replicas available as asked for, none surplus. Also for `ReplicationController`s.
pub(crate) fn replica_set(object: &Value) -> Verdict {
    if let Some(answer) = unobserved_workload(object) {
        return answer;
    }
    let wanted = int(object, &["spec", "replicas"]).unwrap_or(1);
    let total = count(object, "replicas");
    let available = count(object, "availableReplicas");
    let message = if available < wanted {
        format!("{available} of {wanted} replicas available")
    } else if total > wanted {
        surplus(total - wanted, "surplus")
    } else {
        return Verdict::Current;
    };
    replica_failure(object)
        .unwrap_or_else(|| Verdict::progressing(ProgressReason::Replicas, message))
}

fn count(object: &Value, field: &str) -> i64 {
    int(object, &["status", field]).unwrap_or(0)
}

fn surplus(number: i64, which: &str) -> String {
    let replicas = if number == 1 { "replica" } else { "replicas" };
    format!("{number} {which} {replicas} not gone yet")
}

/// Pods that the API server does not let be created. It may change its mind, so this is no
/// failure; but what it says decides how a deadline that passes meanwhile is to be taken.
fn replica_failure(object: &Value) -> Option<Verdict> {
    let found = condition(object, "ReplicaFailure").filter(Condition::is_true)?;
    let reason = if found.message.contains("exceeded quota") {
        ProgressReason::QuotaExceeded
    } else if found.message.contains("failed calling webhook") {
        ProgressReason::WebhookUnreachable
    } else {
        ProgressReason::ReplicaFailure
    };
    Some(Verdict::progressing(
        reason,
        found.explain("pods cannot be created"),
    ))
}
