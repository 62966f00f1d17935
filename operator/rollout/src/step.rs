//! What a decision can say: a step with all that it needs, or what is waited for.

use belay_api::helm_release::{AttemptKind, Moment};
use belay_api::{Duration, Reason, Timestamp};

use crate::attempt::{At, Cause, Soaking};
use crate::check::CheckId;
use crate::drift::{Correction, Scope};
use crate::request::next_limit;
use crate::world::{Rejection, StrandedPod, World};
use crate::{ChartId, Digest, Failure, HeldUp, Owner, Removal};

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// One short, idempotent step.
    Step(Step),
    /// Nothing, until something changes or the instant comes.
    Wait(Wait),
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Put Belay's finalizer on the `HelmRelease`.
    AddFinalizer,
    /// Create the ledger.
    Claim,
    /// Take over a release that Helm made: nothing is written to its objects.
    Adopt {
        /// The deployed revision.
        revision: u32,
    },
    /// Keep what somebody's helm did, until the spec changes.
    KeepOutside {
        /// The deployed revision.
        revision: u32,
    },
    /// Take note of what somebody's helm did where nothing comes of it now: what it brought goes with the next revision.
    TakeNote {
        /// The newest revision that it made.
        of: u32,
    },
    /// Mark a dead process's pending record as failed.
    BuryForeign {
        /// The pending revision.
        revision: u32,
    },
    /// Check that the API server would take it, then write the intent into the ledger.
    Begin(Plan),
    /// Create Helm's pending record: the lock, and from here on the only source of the manifest.
    Record,
    /// Undo what another revision brought that has a say in other objects, before hooks and objects meet it.
    Disarm,
    /// Create a hook's object.
    StartHook {
        /// Its place among the attempt's hooks.
        index: usize,
    },
    /// Find out how a hook's object stands, once it is not running any more.
    EndHook {
        /// Its place among the attempt's hooks.
        index: usize,
    },
    /// Apply every object of the pending record's manifest, then prune what older ones left.
    Apply,
    /// Delete broken pods of older templates, for which their `StatefulSets` would wait for ever.
    Replace {
        /// The pods.
        pods: Vec<StrandedPod>,
    },
    /// List every object of the attempt anew.
    Prove,
    /// Record the outcome for Helm: deployed, superseded. It is not proven yet.
    Soak {
        /// When it counts as good.
        until: Timestamp,
    },
    /// Send the questions of checks on their way. What they come to is looked at when it is there.
    Ask {
        /// The checks.
        checks: Vec<CheckId>,
    },
    /// Record the outcome: deployed, superseded, proven, history pruned.
    Finish,
    /// Collect the evidence, then write the failure into the ledger.
    Fail {
        /// The failure.
        failure: Box<Failure>,
    },
    /// Mark the attempt's record as failed for Helm.
    Settle,
    /// Remove the objects of the release, and find out whether they are gone.
    Remove,
    /// Remove the records of a release whose objects are gone, then the ledger and the finalizer.
    Forget,
    /// Leave everything in place for helm: remove the ledger and the finalizer only.
    Orphan,
    /// Remove the objects that the lost ledger held, as far as they can be, then the finalizer.
    Sweep,
    /// Write a change into the ledger that needs nothing from the cluster.
    Amend(Amendment),
    /// Compare objects of what runs with its manifest; nothing is written.
    CheckDrift {
        /// Which.
        scope: Scope,
    },
    /// Put objects right that somebody edited or deleted. What runs stays the same revision.
    CorrectDrift {
        /// Which, and where.
        corrections: Vec<Correction>,
    },
    /// Find out what a request would do, and write that into its status.
    Preview {
        /// The request's name.
        request: String,
        /// What it would bring back.
        target: Target,
    },
    /// Write into a request's status why it is not carried out.
    Refuse {
        /// The request's name.
        request: String,
        /// In one word.
        reason: Reason,
        /// For people.
        message: String,
    },
}

/// A change to the ledger alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Amendment {
    /// The attempt goes on to a stage.
    Move(At),
    /// Checks of a soak have answered.
    Heard {
        /// How the soak fares with that.
        soaking: Soaking,
        /// What is new about it.
        news: Vec<Moment>,
    },
    /// The attempt is over; what it left stays.
    Abandon,
    /// Somebody's helm removed the release.
    Remove(Removal),
    /// A digest may be tried again.
    Unblock {
        /// The digest.
        digest: Digest,
        /// The annotation that asked for it, if one did.
        token: Option<String>,
    },
    /// The release's `HelmRelease` was made anew under the same name, as a restore from a backup does.
    Inherit {
        /// The object as it is now.
        owner: Owner,
    },
    /// The pin is lifted.
    Unpin,
    /// A failed revert or removal is tried again until the new deadline.
    TryAgain {
        /// Where it goes on.
        at: At,
        /// Its new deadline.
        deadline: Timestamp,
    },
}

/// An attempt that is to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it does.
    pub kind: AttemptKind,
    /// Who asked for it.
    pub cause: Cause,
    /// The revision that it makes.
    pub revision: u32,
    /// What it rolls out; for a target that only storage knows, not known before it is read.
    pub digest: Digest,
    /// The chart that it rolls out.
    pub chart: ChartId,
    /// The revision that runs.
    pub from: Option<u32>,
    /// Where its manifest comes from.
    pub target: Target,
    /// Its time budget.
    pub timeout: Duration,
}

/// Where the manifest of an attempt comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The spec: it is rendered.
    Spec,
    /// A proven revision, out of the ledger.
    Proven(Digest),
    /// One of Helm's records.
    Stored(u32),
    /// The newest record: a removal.
    Newest,
}

/// Waiting.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// Look again at this instant even if nothing changes.
    pub until: Option<Timestamp>,
    /// What is waited for, or why there is nothing to do.
    pub on: Waiting,
}

impl Wait {
    /// When to look again even if nothing changes: at the wait's own instant, or when an open order expires.
    pub fn wakes_at(&self, world: &World) -> Option<Timestamp> {
        let limit = next_limit(&world.orders, world.now);
        self.until.into_iter().chain(limit).min()
    }
}

/// What is waited for, or why there is nothing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// The declared revision runs and is proven.
    Deployed,
    /// Objects are becoming ready.
    Objects,
    /// What is ready is watched before it counts as good.
    Soak,
    /// A hook is running.
    Hook {
        /// Its place among the attempt's hooks.
        index: usize,
    },
    /// Objects are going.
    Removal,
    /// The declared digest is blocked.
    Blocked,
    /// A pin holds another revision.
    Pinned,
    /// `spec.suspend` is set.
    Suspended,
    /// The input is wrong; the cluster was not touched.
    Rejected(Rejection),
    /// Releases that the spec depends on are not ready.
    Dependencies(HeldUp),
    /// Another `HelmRelease` owns the release.
    Claimed,
    /// Somebody else's operation is pending.
    ForeignOperation {
        /// Its revision.
        revision: u32,
    },
    /// The release was removed by hand.
    ReleaseRemoved,
    /// A revert failed and is tried again.
    RevertFailed,
    /// A removal failed and is tried again.
    RemoveFailed,
    /// A failed revision is left in place.
    LeftInPlace,
    /// What is desired has not been looked at.
    Nothing,
}
