//! What is kept of a failure after the pods are gone.

use serde::{Deserialize, Serialize};

use crate::class::FailureClass;
use crate::mask::Mask;
use crate::object::ObjectKey;
use crate::pod_fault::PodFault;
use crate::trim;
use crate::verdict::Verdict;

/// The record of a failure, as `status.lastFailure` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What follows from it.
    pub class: FailureClass,
    /// A word in camel case, stable enough to alert on.
    pub reason: String,
    /// One sentence: what failed, where and why.
    pub message: String,
    /// The objects that were not current, the telling ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectEvidence>,
    /// The pods that had a fault, the telling ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodEvidence>,
    /// What happened, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineEntry>,
}

/// An object that was not current.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectEvidence {
    /// Which object.
    #[serde(rename = "ref")]
    pub object: ObjectKey,
    /// The verdict's stable name.
    pub verdict: String,
    /// The verdict's message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl ObjectEvidence {
    /// The evidence that a verdict gives.
    pub fn new(object: ObjectKey, verdict: &Verdict) -> Self {
        Self {
            object,
            verdict: verdict.as_str().to_owned(),
            message: verdict.message().to_owned(),
        }
    }
}

/// A pod that had a fault.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodEvidence {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// The container that had the fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The fault's stable name.
    pub reason: String,
    /// What the kubelet or scheduler said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Exit code of the container's last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How often the container was started again.
    #[serde(default)]
    pub restarts: u32,
    /// The last lines that the container printed, of the run that ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log_tail: String,
}

impl PodEvidence {
    /// The evidence that a fault gives; `log_tail` may be empty.
    pub fn new(namespace: &str, pod: &str, fault: &PodFault, log_tail: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: pod.to_owned(),
            container: fault.container.clone(),
            reason: fault.reason.as_str().to_owned(),
            message: fault.message.clone(),
            exit_code: fault.exit_code,
            restarts: fault.restarts,
            log_tail: log_tail.to_owned(),
        }
    }
}

/// One step of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// When, as RFC 3339.
    pub at: String,
    /// What, in a few words.
    pub what: String,
}

impl Evidence {
    /// Evidence with nothing but its head.
    pub fn new(class: FailureClass, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            reason: reason.into(),
            message: message.into(),
            objects: Vec::new(),
            pods: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// The evidence with every secret masked, in every text that comes from outside. To be called
    /// before [`Evidence::bounded`]: a secret that is cut in two is not recognised any more.
    #[must_use]
    pub fn masked(mut self, mask: &Mask) -> Self {
        self.message = mask.apply(&self.message);
        for object in &mut self.objects {
            object.message = mask.apply(&object.message);
        }
        for pod in &mut self.pods {
            pod.message = mask.apply(&pod.message);
            pod.log_tail = mask.apply(&pod.log_tail);
        }
        for entry in &mut self.timeline {
            entry.what = mask.apply(&entry.what);
        }
        self
    }

    /// The evidence cut down to at most `limit` bytes of JSON ([`crate::EVIDENCE_LIMIT`] for
    /// status), always in the same way: the same evidence gives the same text.
    #[must_use]
    pub fn bounded(self, limit: usize) -> Self {
        trim::bounded(self, limit)
    }
}
