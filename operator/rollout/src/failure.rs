//! A failure with its evidence: what stands in the ledger, and its projection into the status.

use belay_api::helm_release::{FailureClass, FailureStatus, FaultyObject, Moment};
use belay_api::{Reason, Timestamp};
use belay_health::{EVIDENCE_LIMIT, Evidence, Mask, ObjectEvidence, PodEvidence, TimelineEntry};
use serde::{Deserialize, Serialize};

use crate::Digest;

/// What a status needs beside the evidence and the digest: names of fields, a number, an instant.
const FRAME: usize = 128;

/// A failure with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The revision that failed, if one was recorded.
    pub revision: Option<u32>,
    /// The digest that failed.
    pub digest: Digest,
    /// Whose fault it was.
    pub class: FailureClass,
    /// What happened, in one word.
    pub reason: Reason,
    /// What happened, in one sentence.
    pub message: String,
    /// When it was found.
    pub at: Timestamp,
    /// The objects that were not ready.
    pub objects: Vec<ObjectEvidence>,
    /// The containers that failed.
    pub pods: Vec<PodEvidence>,
    /// What happened when.
    pub timeline: Vec<Moment>,
}

impl Failure {
    /// The failure with every secret masked, and cut down so that its status takes at most
    /// [`EVIDENCE_LIMIT`] bytes of JSON.
    #[must_use]
    pub fn presentable(self, mask: &Mask) -> Self {
        let limit = EVIDENCE_LIMIT.saturating_sub(FRAME + self.digest.as_str().len());
        let evidence = Evidence {
            class: class_of(self.class),
            reason: self.reason.to_string(),
            message: self.message,
            objects: self.objects,
            pods: self.pods,
            timeline: self
                .timeline
                .into_iter()
                .map(|moment| TimelineEntry {
                    at: moment.at.to_string(),
                    what: moment.what,
                })
                .collect(),
        };
        let evidence = evidence.masked(mask).bounded(limit);
        Self {
            message: evidence.message,
            objects: evidence.objects,
            pods: evidence.pods,
            timeline: evidence
                .timeline
                .into_iter()
                .map(|entry| Moment {
                    at: entry.at.parse().unwrap_or(self.at),
                    what: entry.what,
                })
                .collect(),
            ..self
        }
    }

    /// The failure as the status shows it.
    pub fn status(&self) -> FailureStatus {
        FailureStatus {
            revision: self.revision,
            digest: self.digest.to_string(),
            class: self.class,
            reason: self.reason,
            message: self.message.clone(),
            at: self.at,
            objects: self
                .objects
                .iter()
                .map(|object| FaultyObject {
                    object: object.object.to_string(),
                    message: match object.message.as_str() {
                        "" => object.verdict.clone(),
                        message => format!("{}: {message}", object.verdict),
                    },
                })
                .collect(),
            pods: self
                .pods
                .iter()
                .map(|pod| belay_api::helm_release::PodEvidence {
                    namespace: pod.namespace.clone(),
                    pod: pod.name.clone(),
                    container: pod.container.clone(),
                    reason: pod.reason.clone(),
                    message: pod.message.clone(),
                    exit_code: pod.exit_code,
                    restarts: pod.restarts,
                    log_tail: pod.log_tail.clone(),
                })
                .collect(),
            timeline: self.timeline.clone(),
        }
    }
}

fn class_of(class: FailureClass) -> belay_health::FailureClass {
    match class {
        FailureClass::Terminal => belay_health::FailureClass::Terminal,
        FailureClass::Transient => belay_health::FailureClass::Transient,
        FailureClass::Timeout => belay_health::FailureClass::Timeout,
        FailureClass::Degraded => belay_health::FailureClass::Degraded,
        FailureClass::Operator | FailureClass::Superseded => belay_health::FailureClass::Operator,
    }
}
