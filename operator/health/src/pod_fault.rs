//! What is wrong with a pod, if anything is.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::class::FaultClass;
use crate::field::{Condition, condition, int, list, text};
use crate::image_pull::{PullFailure, classify_pull_message};
use crate::pod_fault_reason::PodFaultReason;

/// The worst thing that a pod's status tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodFault {
    /// How it is to be taken.
    pub class: FaultClass,
    /// What it is.
    pub reason: PodFaultReason,
    /// The container that has it; `None` when it is the pod as a whole.
    pub container: Option<String>,
    /// Whether that is an init container.
    pub init: bool,
    /// What the kubelet or scheduler said; may be empty.
    pub message: String,
    /// How often the container was started again.
    pub restarts: u32,
    /// The exit code of the container's last run, where it had one.
    pub exit_code: Option<i32>,
}

/// `init container migrate: CrashLoopBackOff (exit code 1, 3 restarts): back-off …`
impl fmt::Display for PodFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(container) = &self.container {
            let kind = if self.init {
                "init container"
            } else {
                "container"
            };
            write!(f, "{kind} {container}: ")?;
        }
        write!(f, "{}", self.reason)?;
        let restarts = match self.restarts {
            0 => None,
            1 => Some("1 restart".to_owned()),
            many => Some(format!("{many} restarts")),
        };
        let exit = self.exit_code.map(|code| format!("exit code {code}"));
        let facts: Vec<_> = exit.into_iter().chain(restarts).collect();
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// The worst fault of a pod: terminal ones first, then those that call for patience, then
/// transient ones; among equals init containers first, in the order of the pod's status.
///
/// A pod that is being deleted, has succeeded or is ready has none, and neither has a container
/// that is running at the moment, whatever happened to it before.
pub fn pod_fault(pod: &Value) -> Option<PodFault> {
    if text(pod, &["metadata", "deletionTimestamp"]).is_some() {
        return None;
    }
    match text(pod, &["status", "phase"]) {
        Some("Succeeded") => return None,
        Some("Failed") => return Some(failed_pod(pod)),
        _ => {}
    }
    let never_restarts = text(pod, &["spec", "restartPolicy"]) == Some("Never");
    let containers = [
        ("initContainerStatuses", true),
        ("containerStatuses", false),
    ]
    .into_iter()
    .flat_map(|(field, init)| {
        list(pod, &["status", field])
            .iter()
            .filter_map(move |status| container_fault(status, init, never_restarts))
    });
    let unscheduled = condition(pod, "PodScheduled")
        .filter(|c| c.is_false() && c.reason == "Unschedulable")
        .map(|c| {
            of_pod(
                FaultClass::Transient,
                PodFaultReason::Unschedulable,
                c.message,
            )
        });
    containers
        .chain(unscheduled)
        .min_by_key(|fault| fault.class)
}

fn of_pod(class: FaultClass, reason: PodFaultReason, message: &str) -> PodFault {
    PodFault {
        class,
        reason,
        container: None,
        init: false,
        message: message.to_owned(),
        restarts: 0,
        exit_code: None,
    }
}

/// A pod in phase `Failed`: the node's doing, or its own containers'.
fn failed_pod(pod: &Value) -> PodFault {
    let said = text(pod, &["status", "reason"]).unwrap_or_default();
    let message = text(pod, &["status", "message"]).unwrap_or(said);
    if matches!(said, "Evicted" | "Preempting")
        || condition(pod, "DisruptionTarget").is_some_and(|c: Condition<'_>| c.is_true())
    {
        return of_pod(FaultClass::Transient, PodFaultReason::Evicted, message);
    }
    let nodes_doing = matches!(
        said,
        "NodeLost"
            | "NodeShutdown"
            | "Shutdown"
            | "Terminated"
            | "NodeAffinity"
            | "UnexpectedAdmissionError"
    ) || said.starts_with("OutOf");
    if nodes_doing {
        return of_pod(FaultClass::Transient, PodFaultReason::NodeRejected, message);
    }
    let ended = [
        ("initContainerStatuses", true),
        ("containerStatuses", false),
    ]
    .into_iter()
    .flat_map(|(field, init)| list(pod, &["status", field]).iter().map(move |s| (s, init)))
    .find(|(status, _)| failed_exit(status, "state").is_some());
    let Some((status, init)) = ended else {
        return of_pod(FaultClass::Patience, PodFaultReason::PodFailed, message);
    };
    let reason = if out_of_memory(status) {
        PodFaultReason::OOMKilled
    } else {
        PodFaultReason::PodFailed
    };
    let told = text(status, &["state", "terminated", "message"]).unwrap_or(message);
    about(status, init, FaultClass::Patience, reason, told)
}

fn container_fault(status: &Value, init: bool, never_restarts: bool) -> Option<PodFault> {
    let waiting = text(status, &["state", "waiting", "reason"]);
    let message = text(status, &["state", "waiting", "message"]).unwrap_or_default();
    let Some(waiting) = waiting else {
        failed_exit(status, "state")?;
        let reason = match (out_of_memory(status), never_restarts) {
            (true, _) => PodFaultReason::OOMKilled,
            (false, true) => PodFaultReason::PodFailed,
            (false, false) => PodFaultReason::ContainerExited,
        };
        let told = text(status, &["state", "terminated", "message"]).unwrap_or_default();
        return Some(about(status, init, FaultClass::Patience, reason, told));
    };
    let (class, reason) = match waiting {
        "InvalidImageName" => (FaultClass::Terminal, PodFaultReason::InvalidImageName),
        "ErrImageNeverPull" => (FaultClass::Terminal, PodFaultReason::ErrImageNeverPull),
        "SignatureValidationFailed" => (
            FaultClass::Terminal,
            PodFaultReason::SignatureValidationFailed,
        ),
        "RegistryUnavailable" => (FaultClass::Transient, PodFaultReason::RegistryUnavailable),
        "ErrImagePull" | "ImagePullBackOff" | "ImageInspectError" => pull_fault(message),
        "CreateContainerConfigError" => config_fault(message),
        "CreateContainerError" => (create_class(message), PodFaultReason::CreateContainerError),
        "RunContainerError" | "PostStartHookError" | "StartError" => {
            (FaultClass::Patience, PodFaultReason::RunContainerError)
        }
        "CrashLoopBackOff" if out_of_memory(status) => {
            (FaultClass::Patience, PodFaultReason::OOMKilled)
        }
        "CrashLoopBackOff" => (FaultClass::Patience, PodFaultReason::CrashLoopBackOff),
        _ => return None,
    };
    Some(about(status, init, class, reason, message))
}

fn pull_fault(message: &str) -> (FaultClass, PodFaultReason) {
    match classify_pull_message(message) {
        PullFailure::NotFound => (FaultClass::Terminal, PodFaultReason::ImageNotFound),
        PullFailure::Denied => (FaultClass::Terminal, PodFaultReason::ImagePullDenied),
        PullFailure::Unavailable => (FaultClass::Transient, PodFaultReason::RegistryUnavailable),
        PullFailure::Unclear => (FaultClass::Patience, PodFaultReason::ImagePullBackOff),
    }
}

/// A missing ConfigMap or Secret may be made by another controller in a moment; a contradiction
/// inside the pod stays one.
fn config_fault(message: &str) -> (FaultClass, PodFaultReason) {
    let said = message.to_lowercase();
    if said.contains("not found") || said.contains("couldn't find key") {
        (FaultClass::Patience, PodFaultReason::MissingConfig)
    } else if said.contains("runasnonroot") || said.contains("runasuser") {
        (
            FaultClass::Terminal,
            PodFaultReason::CreateContainerConfigError,
        )
    } else {
        (
            FaultClass::Patience,
            PodFaultReason::CreateContainerConfigError,
        )
    }
}

fn create_class(message: &str) -> FaultClass {
    let said = message.to_lowercase();
    if said.contains("no command specified") {
        FaultClass::Terminal
    } else if said.contains("deadline exceeded") || said.contains("is reserved for") {
        // A slow runtime asks again under a name that its own first try still holds.
        FaultClass::Transient
    } else {
        FaultClass::Patience
    }
}

fn about(
    status: &Value,
    init: bool,
    class: FaultClass,
    reason: PodFaultReason,
    message: &str,
) -> PodFault {
    let exit_code = failed_exit(status, "state").or_else(|| failed_exit(status, "lastState"));
    PodFault {
        class,
        reason,
        container: text(status, &["name"]).map(str::to_owned),
        init,
        message: message.to_owned(),
        restarts: int(status, &["restartCount"])
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0),
        exit_code,
    }
}

/// The exit code of a run that ended badly; `state` is the present one, `lastState` the one before.
fn failed_exit(status: &Value, state: &str) -> Option<i32> {
    int(status, &[state, "terminated", "exitCode"])
        .and_then(|code| i32::try_from(code).ok())
        .filter(|code| *code != 0)
}

fn out_of_memory(status: &Value) -> bool {
    ["state", "lastState"]
        .into_iter()
        .any(|state| text(status, &[state, "terminated", "reason"]) == Some("OOMKilled"))
}

#[cfg(test)]
mod tests;
