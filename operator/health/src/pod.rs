//! Pod, as an object of a release of its own.

use serde_json::Value;

use crate::class::FailureClass;
use crate::field::{condition, text};
use crate::pod_fault::pod_fault;
use crate::progress::ProgressReason;
use crate::verdict::Verdict;

pub(crate) fn judge(object: &Value) -> Verdict {
    match text(object, &["status", "phase"]) {
        Some("Succeeded") => return Verdict::Current,
        Some("Failed") => return failed(object),
        Some("Running") if condition(object, "Ready").is_some_and(|c| c.is_true()) => {
            return Verdict::Current;
        }
        _ => {}
    }
    if let Some(unscheduled) =
        condition(object, "PodScheduled").filter(|c| c.is_false() && c.reason == "Unschedulable")
    {
        return Verdict::progressing(
            ProgressReason::Unschedulable,
            unscheduled.explain("no node takes the pod"),
        );
    }
    let message = match pod_fault(object) {
        Some(fault) => fault.to_string(),
        None => {
            condition(object, "Ready").map_or_else(String::new, |ready| ready.message.to_owned())
        }
    };
    Verdict::progressing(
        ProgressReason::PodStarting,
        if message.is_empty() {
            "the pod is not ready".to_owned()
        } else {
            message
        },
    )
}

fn failed(object: &Value) -> Verdict {
    let fault = pod_fault(object);
    Verdict::Failed {
        class: fault
            .as_ref()
            .map_or(FailureClass::Terminal, |fault| fault.class.failure_class()),
        reason: fault
            .as_ref()
            .map_or("PodFailed", |fault| fault.reason.as_str())
            .to_owned(),
        message: fault.map_or_else(|| "the pod failed".to_owned(), |fault| fault.to_string()),
    }
}
