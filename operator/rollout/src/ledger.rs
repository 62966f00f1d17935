//! The ledger: Belay's own memory of a release, one Secret, changed by compare-and-swap only.
//!
//! Its transitions are pure: each takes the ledger as it is and gives the ledger as it shall be.

mod amendment;
mod by_hand;
mod corrected;
mod entries;
mod outcome;
mod transitions;

use belay_api::Timestamp;
use belay_api::helm_release::{CheckStatus, FaultyObject};
use belay_health::{Fingerprint, ObjectRef};
use belay_release::Essence;
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Cause};
use crate::blocked::Blocked;
use crate::{Digest, DigestKey, Failure, Pin};

pub use corrected::Corrected;

/// How many executed requests are remembered; the oldest go first.
pub const MAX_EXECUTED: usize = 32;
/// How many proven revisions are held: last good and the one before.
const MAX_PROVEN: usize = 2;
/// How many revisions are known by their digest, beside those that Helm's history holds.
const MAX_KNOWN: usize = 128;

/// How the description of a revision begins whose record cannot be read.
pub const DAMAGED: &str = "damaged";

/// Belay's memory of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The `HelmRelease` that owns the release.
    pub owner: Owner,
    /// The key of the release's digests.
    pub key: DigestKey,
    /// The newest of Helm's revisions that is ours or was taken note of; a newer one is somebody else's.
    pub newest: u32,
    /// What the cluster holds when no attempt is under way.
    pub current: Option<Running>,
    /// That somebody's helm removed the release: then nothing runs, and nothing is begun that nobody asks for by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removal>,
    /// What is under way.
    pub attempt: Option<Attempt>,
    /// The newest proven revisions with distinct digests, newest first.
    pub proven: Vec<Proven>,
    /// Digests that are not tried again unasked, newest first.
    pub blocked: Vec<Blocked>,
    /// What holds the release at an older revision.
    pub pin: Option<Pin>,
    /// Requests that were carried out or begun, newest first.
    pub executed: Vec<Executed>,
    /// Every object that was applied since last good, last good's own included.
    pub inventory: Vec<Tracked>,
    /// What is known of revisions, newest first.
    pub known: Vec<Known>,
    /// The last failure.
    pub last_failure: Option<Failure>,
    /// The value of `belay.dev/retry` that was acted upon.
    pub retry_seen: Option<String>,
    /// Whether what ran before could be brought back when what runs had succeeded.
    #[serde(default)]
    pub way_back: Option<WayBack>,
    /// The tests that what runs has passed.
    #[serde(default)]
    pub tested: Option<Tested>,
    /// What the checks of its soak said of what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soaked: Option<Soaked>,
    /// What was put right within the last hour before the newest correction, newest first.
    #[serde(default)]
    pub corrected: Vec<Corrected>,
    /// Whether an attempt failed after a hook that cannot be undone: nothing goes back by itself
    /// until an attempt succeeds.
    #[serde(default)]
    pub halted: bool,
}

/// A `HelmRelease`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A chart by its names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChartId {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of what it installs.
    pub app_version: String,
}

/// What the cluster holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Helm's number.
    pub revision: u32,
    /// Its digest.
    pub digest: Digest,
    /// Its chart.
    pub chart: ChartId,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is exactly this revision's manifest.
    pub consistent: bool,
}

/// A removal by somebody's helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The newest of Helm's revisions that was heard of since; 0 without a history. What comes after it is news, though
    /// Helm counts anew.
    pub heard_of: u32,
}

/// A revision that was seen to work, with all that is needed to bring it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proven {
    /// Helm's number.
    pub revision: u32,
    /// Its digest.
    pub digest: Digest,
    /// Its chart.
    pub chart: ChartId,
    /// When it was proven.
    pub proven_at: Timestamp,
    /// What brings it back.
    pub record: Essence,
}

/// What is known of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Helm's number.
    pub revision: u32,
    /// Its digest.
    pub digest: Digest,
    /// Its chart.
    pub chart: ChartId,
    /// When it was last deployed, or failed.
    pub at: Timestamp,
    /// What happened, as in Helm's history.
    pub description: String,
    /// Who asked for it; nobody is known of what helm made.
    #[serde(default)]
    pub cause: Option<Cause>,
}

/// An object of the release in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// The object.
    pub object: ObjectRef,
    /// Its uid, once it was applied server-side; without it, the object is looked at before it is applied.
    pub uid: Option<String>,
    /// The resource version of the last apply's answer; verdicts count from there on.
    pub resource_version: u64,
    /// What our manager owned of it then: a state with another print was changed by somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<Fingerprint>,
    /// Whether the newest manifest holds it; otherwise it is to be pruned.
    pub wanted: bool,
    /// Whether Belay created it; a release that was taken over did not.
    pub created: bool,
    /// Whether it goes by itself once it has ended, as a Job with a time to live: then it is not missed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expires: bool,
}

/// What a dry run of the previous proven revision found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WayBack {
    /// Helm's number of that revision.
    pub revision: u32,
    /// Its digest.
    pub digest: Digest,
    /// The objects of it that the API server would refuse, at most five.
    pub refused: Vec<FaultyObject>,
    /// The objects of it that would be deleted and made anew, at most five.
    #[serde(default)]
    pub recreated: Vec<String>,
    /// When.
    pub checked_at: Timestamp,
}

/// Tests that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// The revision that they tested.
    pub revision: u32,
    /// How many.
    pub tests: usize,
}

/// What the checks of a soak last said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soaked {
    /// The revision that soaked.
    pub revision: u32,
    /// Each check.
    pub checks: Vec<CheckStatus>,
}

/// A request that was carried out or begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Hash of its spec.
    pub spec_hash: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// What ran before.
    pub from: Option<Running>,
    /// The revision that was asked for.
    pub to: Running,
    /// The revision that it made.
    pub new_revision: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// Who approved it, where a second person's word was needed.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is under way.
    Running,
    /// Done.
    Complete {
        /// When.
        at: Timestamp,
    },
    /// It failed.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        message: String,
    },
    /// It gave way to something newer.
    Superseded {
        /// When.
        at: Timestamp,
        /// To what.
        message: String,
    },
}

impl Tracked {
    /// An object of which nothing is known but its name: it is looked at before it is applied.
    pub(crate) fn unseen(object: ObjectRef, wanted: bool) -> Self {
        Self {
            object,
            uid: None,
            resource_version: 0,
            print: None,
            wanted,
            created: false,
            expires: false,
        }
    }
}

impl ChartId {
    /// `podinfo-6.1.0`, as `helm list` shows it.
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

impl Ledger {
    /// The ledger of a release that nothing is known of yet.
    pub fn new(owner: Owner, key: DigestKey) -> Self {
        Self {
            owner,
            key,
            newest: 0,
            current: None,
            removed: None,
            attempt: None,
            proven: Vec::new(),
            blocked: Vec::new(),
            pin: None,
            executed: Vec::new(),
            inventory: Vec::new(),
            known: Vec::new(),
            last_failure: None,
            retry_seen: None,
            way_back: None,
            tested: None,
            soaked: None,
            corrected: Vec::new(),
            halted: false,
        }
    }

    /// The revision to go back to.
    pub fn last_good(&self) -> Option<&Proven> {
        self.proven.first()
    }

    /// The proven revision that is `digest`, if there is one.
    pub fn proven(&self, digest: &Digest) -> Option<&Proven> {
        self.proven.iter().find(|proven| &proven.digest == digest)
    }

    /// The block on `digest`, if there is one.
    pub fn block(&self, digest: &Digest) -> Option<&Blocked> {
        self.blocked
            .iter()
            .find(|blocked| &blocked.digest == digest)
    }

    /// Whether what runs was proven.
    pub fn runs_good(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.consistent && self.proven(&current.digest).is_some())
    }

    /// Whether somebody's helm removed the release, and nothing has come of that yet.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed.is_some() && self.attempt.is_none()
    }

    /// What runs at `revision`, as a status names it.
    pub fn known(&self, revision: u32) -> Option<&Known> {
        self.known.iter().find(|known| known.revision == revision)
    }
}
