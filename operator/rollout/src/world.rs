//! What was gathered about a release, all that a decision may look at.

use belay_api::helm_release::{
    DeletionPolicy, DriftDetection, FailFast, FailFastMode, OutsideChanges, Soak,
};
use belay_api::{Duration, Reason, Timestamp};
use belay_health::{ObjectKey, PodFault, Verdict};
use belay_release::Status;

use crate::attempt::At;
use crate::check::Look;
use crate::{ChartId, Digest, Drift, HeldUp, Ledger, Order, Owner};

/// Everything that a decision looks at.
#[derive(Clone, Debug)]
pub struct World {
    /// The instant of the decision.
    pub now: Timestamp,
    /// What the `HelmRelease` says.
    pub declared: Declared,
    /// What it comes to.
    pub desired: Desired,
    /// What the releases that the spec depends on hold up; nothing if they are ready.
    pub held_up: Option<HeldUp>,
    /// What the last look at the chart's source found. Nothing is decided by it.
    pub source: SourceLook,
    /// The release's requests, oldest first.
    pub orders: Vec<Order>,
    /// The ledger, if there is one.
    pub ledger: Option<Ledger>,
    /// The ledger as it last was, if it has gone since: a namespace that is deleted takes it before the `HelmRelease`.
    /// In memory alone.
    pub lost: Option<Box<Ledger>>,
    /// Helm's records, newest first.
    pub storage: Vec<Stored>,
    /// What the watches left on the objects of the attempt; none while nothing is watched.
    pub progress: Option<Progress>,
    /// The outcome of the last fresh list, if nothing has happened since.
    pub proof: Option<Proof>,
    /// What the questions of a soak's checks came to, and which are on their way; in memory alone.
    pub looks: Vec<Look>,
    /// What is known of drift; none while something is under way, or where nobody looks.
    pub drift: Option<Drift>,
}

/// What a `HelmRelease` says, as far as decisions need it.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The object itself.
    pub identity: Owner,
    /// Its generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether it carries Belay's finalizer.
    pub has_finalizer: bool,
    /// Where the release lives.
    pub cluster: Home,
    /// How long somebody else's pending record is given before it counts as the trace of a dead process, if the
    /// release's own timeout is not longer.
    pub foreign_patience: Duration,
    /// `spec.suspend`
    pub suspend: bool,
    /// `spec.atomic`
    pub atomic: bool,
    /// `spec.timeout`
    pub timeout: Duration,
    /// `spec.rollback.timeout`, or `spec.timeout`
    pub rollback_timeout: Duration,
    /// `spec.uninstall.timeout`, or `spec.timeout`
    pub uninstall_timeout: Duration,
    /// `spec.deletionPolicy`
    pub deletion_policy: DeletionPolicy,
    /// `spec.outsideChanges`
    pub outside_changes: OutsideChanges,
    /// `spec.failFast`
    pub fail_fast: FailFast,
    /// `spec.soak`
    pub soak: Soak,
    /// `spec.driftDetection`
    pub drift: DriftDetection,
    /// `spec.interval`
    pub interval: Duration,
    /// The value of `belay.dev/retry`.
    pub retry: Option<String>,
}

/// In which cluster a release lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In that of its `HelmRelease`.
    Here,
    /// In the one that `spec.kubeConfig` leads to.
    Elsewhere,
}

impl Declared {
    /// Whether a container's reason may end an attempt before its timeout.
    pub fn fails_fast_on(&self, reason: &str) -> bool {
        self.fail_fast.mode == FailFastMode::Enabled
            && !self
                .fail_fast
                .ignore
                .iter()
                .any(|ignored| ignored == reason)
    }
}

/// What the spec comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Desired {
    /// Not looked at: the decision does not depend on it, or there is no ledger to key a digest.
    Unknown,
    /// A chart with values, rendered if it is new.
    Is {
        /// Its digest.
        digest: Digest,
        /// The chart.
        chart: ChartId,
    },
    /// It cannot be told, or cannot be rolled out.
    Rejected(Rejection),
}

impl Desired {
    /// The digest, if it is known.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Is { digest, .. } => Some(digest),
            _ => None,
        }
    }
}

/// What a look at a chart's source found.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SourceLook {
    /// There was none, or it did not get that far.
    #[default]
    Unknown,
    /// What the spec asks for.
    Found {
        /// The chart.
        chart: ChartId,
        /// Where it came from, without credentials.
        origin: String,
    },
    /// Nothing that could be used.
    Failed {
        /// In one word.
        reason: Reason,
        /// For people: place and remedy.
        message: String,
    },
}

/// Why the spec comes to nothing; the cluster was not touched.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// In one word.
    pub reason: Reason,
    /// For people: place and remedy.
    pub message: String,
    /// When it is looked at again by itself; none: when something changes.
    pub retry_at: Option<Timestamp>,
}

/// A record of Helm's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Helm's number.
    pub revision: u32,
    /// Helm's status.
    pub status: Status,
    /// When the record was created, by the API server's clock.
    pub created: Timestamp,
}

/// What the watches know of the objects of an attempt.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Each object's verdict.
    pub objects: Vec<(ObjectKey, Verdict)>,
    /// Faults of new pods.
    pub faults: Vec<SightedFault>,
    /// Broken pods of older templates that their `StatefulSets` wait for in vain.
    pub stranded: Vec<StrandedPod>,
}

/// A broken pod of an older template, without whose deletion its `StatefulSet` never goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrandedPod {
    /// The pod.
    pub pod: ObjectKey,
    /// Its uid: only this very pod is meant.
    pub uid: String,
    /// The `StatefulSet`.
    pub owner: ObjectKey,
    /// What is wrong with it.
    pub fault: PodFault,
}

/// A fault of a pod that belongs to the revision of the attempt.
#[derive(Clone, Debug)]
pub struct SightedFault {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The workload that it belongs to.
    pub owner: ObjectKey,
    /// The fault.
    pub fault: PodFault,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Whether the pod was ready at any time in this attempt.
    pub was_ready: bool,
}

/// What a step found of the attempt's objects: one fresh list of all of them, or what could not be applied or removed
/// yet.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Those that are not current.
    pub not_current: Vec<(ObjectKey, Verdict)>,
}

impl Progress {
    /// The same, with what a step found, which comes first.
    #[must_use]
    pub(crate) fn with(mut self, proof: &Proof) -> Self {
        let found = |key: &ObjectKey| proof.not_current.iter().any(|(known, _)| known == key);
        self.objects.retain(|(key, _)| !found(key));
        self.objects.splice(0..0, proof.not_current.iter().cloned());
        self
    }
}

impl World {
    /// What is known of the objects of the attempt.
    pub(crate) fn seen(&self) -> Option<Progress> {
        let applying = self
            .ledger
            .as_ref()
            .and_then(|ledger| ledger.attempt.as_ref())
            .is_some_and(|attempt| attempt.at == At::Applying);
        match &self.proof {
            Some(proof) if applying => Some(self.progress.clone().unwrap_or_default().with(proof)),
            _ => self.progress.clone(),
        }
    }

    /// The newest of Helm's records.
    pub fn newest(&self) -> Option<&Stored> {
        self.storage.first()
    }

    /// Helm's records that the ledger has not heard of, newest first: somebody's helm made them, or an attempt that is
    /// about to note its own.
    pub fn unheard(&self) -> impl Iterator<Item = &Stored> {
        let heard_of = self.ledger.as_ref().map_or(0, |ledger| {
            ledger
                .removed
                .map_or(ledger.newest, |removal| removal.heard_of)
        });
        self.storage
            .iter()
            .filter(move |stored| stored.revision > heard_of)
    }

    /// A record by its number.
    pub fn stored(&self, revision: u32) -> Option<&Stored> {
        self.storage
            .iter()
            .find(|stored| stored.revision == revision)
    }
}
