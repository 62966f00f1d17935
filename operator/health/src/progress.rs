//! What an object that is not ready yet is waiting for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::class::FailureClass;

/// Why an object is still progressing. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProgressReason {
    /// Its controller has not yet seen the newest specification.
    GenerationNotObserved,
    /// Its own conditions say that it is still at work.
    Reconciling,
    /// `Ready` is not true yet.
    NotReady,
    /// Replicas are missing, old, surplus or not available.
    Replicas,
    /// Its pods cannot be created; the message says why.
    ReplicaFailure,
    /// Its pods cannot be created because a quota is used up.
    QuotaExceeded,
    /// Its pods cannot be created because an admission webhook does not answer.
    WebhookUnreachable,
    /// A claim without a volume; see [`crate::claim_waits_for_consumer`].
    ClaimPending,
    /// A Service of type `LoadBalancer` without an address.
    NoAddress,
    /// A pod that no node takes.
    Unschedulable,
    /// A pod whose containers are starting or starting again.
    PodStarting,
    /// A Job that has not completed.
    JobRunning,
    /// A Job or other object that somebody has suspended, and that must not be passed over.
    Suspended,
    /// A custom resource definition that is not served yet.
    NotEstablished,
    /// An `APIService` whose server does not answer, or an object whose API does not.
    ApiNotAvailable,
    /// It is not applied yet, since what it needs for that comes with the same manifest.
    NotApplied,
}

impl ProgressReason {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GenerationNotObserved => "GenerationNotObserved",
            Self::Reconciling => "Reconciling",
            Self::NotReady => "NotReady",
            Self::Replicas => "Replicas",
            Self::ReplicaFailure => "ReplicaFailure",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::WebhookUnreachable => "WebhookUnreachable",
            Self::ClaimPending => "ClaimPending",
            Self::NoAddress => "NoAddress",
            Self::Unschedulable => "Unschedulable",
            Self::PodStarting => "PodStarting",
            Self::JobRunning => "JobRunning",
            Self::Suspended => "Suspended",
            Self::NotEstablished => "NotEstablished",
            Self::ApiNotAvailable => "ApiNotAvailable",
            Self::NotApplied => "NotApplied",
        }
    }

    /// The class of an attempt whose time ran out while an object was waiting for this: causes
    /// outside the revision make it [`FailureClass::Transient`], everything else is a timeout.
    pub const fn class_at_deadline(self) -> FailureClass {
        match self {
            Self::QuotaExceeded | Self::WebhookUnreachable | Self::Unschedulable => {
                FailureClass::Transient
            }
            _ => FailureClass::Timeout,
        }
    }
}

impl fmt::Display for ProgressReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
