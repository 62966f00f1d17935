//! Is it ready? The rules of kstatus in the order in which Helm asks them, with its known wrong
//! answers put right.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::class::FailureClass;
use crate::field::{Condition, at, condition, int, list, text};
use crate::object::{is_builtin_group, split_api_version};
use crate::progress::ProgressReason;
use crate::{api_service, claim, definition, job, pod, service, workload};

/// What can be said about one object by looking at it alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "verdict")]
pub enum Verdict {
    /// It is what its specification asks for.
    Current,
    /// It is on its way.
    Progressing {
        /// What it is waiting for.
        reason: ProgressReason,
        /// One short sentence without a full stop, for example `1 of 3 updated replicas available`.
        message: String,
    },
    /// It says itself that it will not get there.
    Failed {
        /// Whether trying again can help.
        class: FailureClass,
        /// A word in camel case, from the object's own conditions where it has one.
        reason: String,
        /// One short sentence.
        message: String,
    },
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    Missing,
}

impl Verdict {
    pub(crate) fn progressing(reason: ProgressReason, message: impl Into<String>) -> Self {
        Self::Progressing {
            reason,
            message: message.into(),
        }
    }

    pub(crate) fn failed(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed {
            class: FailureClass::Terminal,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// Whether nothing is left to wait for.
    pub const fn is_current(&self) -> bool {
        matches!(self, Self::Current)
    }

    /// Whether the object says of itself that it failed.
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// The stable name: `Current`, `Progressing`, `Failed`, `Terminating` or `Missing`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::Progressing { .. } => "Progressing",
            Self::Failed { .. } => "Failed",
            Self::Terminating => "Terminating",
            Self::Missing => "Missing",
        }
    }

    /// What there is to say beyond the name; empty for a verdict that speaks for itself.
    pub fn message(&self) -> &str {
        match self {
            Self::Progressing { message, .. } | Self::Failed { message, .. } => message,
            Self::Current | Self::Terminating | Self::Missing => "",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            "" => f.write_str(self.as_str()),
            message => write!(f, "{}: {message}", self.as_str()),
        }
    }
}

/// The verdict of an object as the API server gave it; JSON `null` stands for one that is missing.
///
/// The order is Helm's (kstatus): deletion, observed generation, `Reconciling`, `Stalled`, then the
/// rules of the kind, and `Ready` for kinds without rules. Where kstatus is known to be wrong:
/// a load balancer's Service needs an address; an `APIService` needs a server that answers; a failed
/// pod is a failure; a Job has to complete;
/// a workload whose controller has never reported is not ready; a condition that was observed at
/// an older generation says nothing; and a Deployment in which every replica is updated and
/// available is current even if an earlier revision's `ProgressDeadlineExceeded` still stands.
///
/// A crash loop and an unschedulable pod are `Progressing` here: how long they are borne with is
/// decided by [`crate::pod_fault`] and [`crate::patience`].
pub fn verdict(object: &Value) -> Verdict {
    if object.is_null() {
        return Verdict::Missing;
    }
    if let Some(answer) = generic(object) {
        return answer;
    }
    let (group, _) = split_api_version(text(object, &["apiVersion"]).unwrap_or_default());
    let kind = text(object, &["kind"]).unwrap_or_default();
    match (group, kind) {
        ("apps" | "extensions", "Deployment") => workload::deployment(object),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workload::daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") | ("", "ReplicationController") => {
            workload::replica_set(object)
        }
        ("", "Pod") => pod::judge(object),
        ("", "PersistentVolumeClaim") => claim::judge(object),
        ("", "Service") => service::judge(object),
        ("batch", "Job") => job::judge(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition::judge(object),
        ("apiregistration.k8s.io", "APIService") => api_service::judge(object),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => Verdict::Current,
        _ => by_ready_condition(object),
    }
}

/// Whether a custom resource has no report of any controller yet: no conditions and no observed
/// generation. [`verdict`] calls it `Current`, as Helm does, because many kinds never get a report;
/// who can afford it looks again a moment after the apply.
pub fn without_report(object: &Value) -> bool {
    let (group, _) = split_api_version(text(object, &["apiVersion"]).unwrap_or_default());
    !is_builtin_group(group)
        && list(object, &["status", "conditions"]).is_empty()
        && at(object, &["status", "observedGeneration"]).is_none()
}

/// The rules that hold for every kind; `None` when they leave the question open.
fn generic(object: &Value) -> Option<Verdict> {
    unobserved_or_going(object).or_else(|| by_conditions(object))
}

/// An object that is being deleted, or whose controller has seen an older state of it only.
pub(crate) fn unobserved_or_going(object: &Value) -> Option<Verdict> {
    if text(object, &["metadata", "deletionTimestamp"]).is_some_and(|at| !at.is_empty()) {
        return Some(Verdict::Terminating);
    }
    let generation = int(object, &["metadata", "generation"]);
    let observed = int(object, &["status", "observedGeneration"]);
    if let (Some(generation), Some(observed)) = (generation, observed)
        && generation != observed
    {
        return Some(not_observed(generation, observed));
    }
    None
}

fn by_conditions(object: &Value) -> Option<Verdict> {
    if let Some(found) = condition(object, "Reconciling").filter(Condition::is_true) {
        return Some(Verdict::progressing(
            ProgressReason::Reconciling,
            found.explain("the object is being reconciled"),
        ));
    }
    condition(object, "Stalled")
        .filter(Condition::is_true)
        .map(|found| {
            Verdict::failed(
                found.reason_or("Stalled"),
                found.explain("the object is stalled"),
            )
        })
}

fn not_observed(generation: i64, observed: i64) -> Verdict {
    Verdict::progressing(
        ProgressReason::GenerationNotObserved,
        format!("generation {generation} is not observed yet, the status is of {observed}"),
    )
}

/// A workload's controller reports the generation with its very first status, so that its absence
/// means that nobody has looked at the object yet.
pub(crate) fn unobserved_workload(object: &Value) -> Option<Verdict> {
    int(object, &["status", "observedGeneration"])
        .is_none()
        .then(|| {
            Verdict::progressing(
                ProgressReason::GenerationNotObserved,
                "its controller has not reported yet",
            )
        })
}

fn by_ready_condition(object: &Value) -> Verdict {
    let Some(ready) = condition(object, "Ready") else {
        return Verdict::Current;
    };
    let generation = int(object, &["metadata", "generation"]);
    if let (Some(generation), Some(observed)) = (generation, ready.observed_generation)
        && observed < generation
    {
        return not_observed(generation, observed);
    }
    if ready.is_true() {
        Verdict::Current
    } else {
        Verdict::progressing(ProgressReason::NotReady, ready.explain("Ready is not true"))
    }
}

#[cfg(test)]
mod tests;
