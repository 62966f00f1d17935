//! The ledger: Belay's own memory of a release, one Secret, changed by compare-and-swap only.
//!
//! Its transitions are pure: each takes the ledger as it is and gives the ledger as it shall be.

use belay_api::helm_release::{AttemptKind, FailureClass, FaultyObject, Moment, PodEvidence};
use belay_api::{Reason, Timestamp};
use belay_health::{ObjectKey, ObjectRef};
use serde::{Deserialize, Serialize};

use crate::attempt::{At, Attempt, Cause, HookPlan, HookProgress};
use crate::blocked::{Blocked, MAX_BLOCKED};
use crate::{Amendment, Digest, DigestKey, Pin};

/// How many executed requests are remembered; the oldest go first.
pub const MAX_EXECUTED: usize = 32;
/// How many proven revisions are held: last good and the one before.
const MAX_PROVEN: usize = 2;
/// How many revisions are known by their digest, beside those that Helm's history holds.
const MAX_KNOWN: usize = 128;

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
    /// Its release record without templates and files: manifest, hooks, values, metadata.
    pub record: serde_json::Value,
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
}

/// An object of the release in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// The object.
    pub object: ObjectRef,
    /// Its uid, once it was applied.
    pub uid: Option<String>,
    /// The resource version of the last apply's answer; verdicts count from there on.
    pub resource_version: u64,
    /// Whether the newest manifest holds it; otherwise it is to be pruned.
    pub wanted: bool,
    /// Whether Belay created it; a release that was taken over did not.
    pub created: bool,
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
}

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
    pub objects: Vec<FaultyObject>,
    /// The containers that failed.
    pub pods: Vec<PodEvidence>,
    /// What happened when.
    pub timeline: Vec<Moment>,
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
            attempt: None,
            proven: Vec::new(),
            blocked: Vec::new(),
            pin: None,
            executed: Vec::new(),
            inventory: Vec::new(),
            known: Vec::new(),
            last_failure: None,
            retry_seen: None,
            halted: false,
        }
    }

    /// The revision to go back to.
    pub fn last_good(&self) -> Option<&Proven> {
        self.proven.first()
    }

    /// The block on `digest`, if there is one.
    pub fn block(&self, digest: &Digest) -> Option<&Blocked> {
        self.blocked
            .iter()
            .find(|blocked| &blocked.digest == digest)
    }

    /// Whether what runs was proven.
    pub fn runs_good(&self) -> bool {
        self.current.as_ref().is_some_and(|current| {
            current.consistent
                && self
                    .proven
                    .iter()
                    .any(|proven| proven.digest == current.digest)
        })
    }

    /// The intent is on record.
    #[must_use]
    pub fn begun(mut self, attempt: Attempt, executed: Option<Executed>) -> Self {
        if let Some(replaced) = self.attempt.take() {
            self.end_unfinished(&replaced, attempt.started_at);
        }
        if let Some(executed) = executed {
            self.executed.insert(0, executed);
            self.executed.truncate(MAX_EXECUTED);
        }
        if attempt.kind != AttemptKind::Revert {
            self.last_failure = self.last_failure.filter(|failure| {
                failure.digest != attempt.digest || attempt.kind != AttemptKind::Upgrade
            });
        }
        self.attempt = Some(attempt);
        self
    }

    /// Objects that somebody's revision brought: unless the next manifest holds them, they are pruned.
    #[must_use]
    pub fn noticed(mut self, objects: &[ObjectRef]) -> Self {
        for object in objects {
            let known = self
                .inventory
                .iter()
                .any(|tracked| tracked.object.key() == object.key());
            if !known {
                self.inventory.push(Tracked {
                    object: object.clone(),
                    uid: None,
                    resource_version: 0,
                    wanted: false,
                    created: false,
                });
            }
        }
        self
    }

    /// Helm's pending record exists: what it holds is about to be applied.
    ///
    /// `objects` are those of its manifest; what older manifests held stays in the inventory,
    /// unwanted, until it is pruned.
    #[must_use]
    pub fn recorded(mut self, objects: &[ObjectRef], hooks: Vec<HookPlan>, now: Timestamp) -> Self {
        let Some(mut attempt) = self.attempt.take() else {
            return self;
        };
        self.newest = self.newest.max(attempt.revision);
        for tracked in &mut self.inventory {
            tracked.wanted = false;
        }
        for object in objects {
            match self
                .inventory
                .iter_mut()
                .find(|tracked| tracked.object.key() == object.key())
            {
                Some(tracked) => {
                    tracked.wanted = true;
                    tracked.object = object.clone();
                }
                None => self.inventory.push(Tracked {
                    object: object.clone(),
                    uid: None,
                    resource_version: 0,
                    wanted: true,
                    created: false,
                }),
            }
        }
        if let Some(current) = &mut self.current {
            current.consistent = false;
        }
        self.remember(&attempt, now, "Pending");
        attempt.hooks = hooks;
        self.attempt = Some(attempt.moved(At::PreHooks, now));
        self
    }

    /// A hook of the attempt went on.
    #[must_use]
    pub fn hook_at(mut self, index: usize, progress: HookProgress, now: Timestamp) -> Self {
        if let Some(mut attempt) = self.attempt.take() {
            if let Some(hook) = attempt.hooks.get_mut(index) {
                hook.progress = progress;
                let what = format!("hook {}: {progress:?}", hook.object);
                attempt.note(now, what);
            }
            let at = attempt.at.clone();
            self.attempt = Some(attempt.moved_quietly(at));
        }
        self
    }

    /// Objects were applied; `gone` are those that were pruned.
    #[must_use]
    pub fn applied(mut self, applied: &[Tracked], gone: &[ObjectKey], now: Timestamp) -> Self {
        self.inventory
            .retain(|tracked| !gone.contains(&tracked.object.key()));
        for object in applied {
            if let Some(tracked) = self
                .inventory
                .iter_mut()
                .find(|tracked| tracked.object.key() == object.object.key())
            {
                tracked.created |= object.created;
                tracked.uid.clone_from(&object.uid);
                tracked.resource_version = object.resource_version;
            }
        }
        self.moved(At::Waiting, now)
    }

    /// Objects that no revision wanted are gone, or not ours any more.
    #[must_use]
    pub fn pruned(mut self, gone: &[ObjectKey]) -> Self {
        self.inventory
            .retain(|tracked| tracked.wanted || !gone.contains(&tracked.object.key()));
        self
    }

    /// The attempt goes on to `at`.
    #[must_use]
    pub fn moved(mut self, at: At, now: Timestamp) -> Self {
        self.attempt = self.attempt.map(|attempt| attempt.moved(at, now));
        self
    }

    /// The attempt failed: its digest is blocked in the same write.
    #[must_use]
    pub fn failed(mut self, failure: Failure, touched: bool, now: Timestamp) -> Self {
        let Some(mut attempt) = self.attempt.take() else {
            return self;
        };
        attempt.failures += 1;
        // What keeps a failed install from being cleaned up is not why it failed.
        let cleaning = attempt.at == At::Removing && attempt.kind == AttemptKind::Install;
        let overtaken = failure.class == FailureClass::Superseded;
        let blocks = match attempt.kind {
            AttemptKind::Install | AttemptKind::Upgrade => !overtaken && !cleaning,
            AttemptKind::Rollback | AttemptKind::Revert | AttemptKind::Uninstall => false,
        };
        if !overtaken && attempt.kind != AttemptKind::Revert {
            self.halted |= attempt.past_point_of_no_return().is_some();
        }
        let retry_at =
            matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall).then(|| {
                now.plus(crate::blocked::backoff(
                    belay_api::Duration::seconds(15),
                    attempt.failures,
                ))
            });
        if blocks {
            self.block_digest(&failure, now);
        }
        if let Cause::Request { uid, .. } = &attempt.cause {
            self.end_request(
                &uid.clone(),
                &Outcome::Failed {
                    at: now,
                    message: failure.message.clone(),
                },
            );
        }
        if !overtaken && !cleaning {
            self.last_failure = Some(failure.clone());
        }
        self.remember(&attempt, now, &failure.message);
        self.attempt = Some(attempt.moved(
            At::Failed {
                failure: Box::new(failure),
                touched,
                retry_at,
            },
            now,
        ));
        self
    }

    /// The attempt is over without an outcome of its own: what it left stays.
    #[must_use]
    pub fn abandoned(mut self, now: Timestamp) -> Self {
        let Some(attempt) = self.attempt.take() else {
            return self;
        };
        self.end_unfinished(&attempt, now);
        let touched = match attempt.at {
            At::Preparing => false,
            At::Failed { touched, .. } => touched,
            _ => true,
        };
        if touched {
            self.current = Some(Running {
                revision: attempt.revision,
                digest: attempt.digest,
                chart: attempt.chart,
                since: now,
                consistent: false,
            });
        }
        self
    }

    /// A failed first install was cleaned up: nothing of it is left.
    #[must_use]
    pub fn cleared(mut self) -> Self {
        self.attempt = None;
        self.current = None;
        self.inventory.clear();
        self.newest = 0;
        self.known.clear();
        self.halted = false;
        self
    }

    /// The attempt succeeded; `proven` says so with all that is needed to bring it back.
    #[must_use]
    pub fn finished(
        mut self,
        proven: Proven,
        pin: Option<Pin>,
        description: &str,
        now: Timestamp,
    ) -> Self {
        let Some(attempt) = self.attempt.take() else {
            return self;
        };
        let left = self.left_by(&attempt);
        if let (Cause::Request { uid, name, .. }, Some(left)) = (&attempt.cause, left) {
            let failure = Failure {
                revision: Some(left.revision),
                digest: left.digest.clone(),
                class: FailureClass::Operator,
                reason: Reason::RolledBackByRequest,
                message: format!(
                    "revision {} was taken back by the request {name}",
                    left.revision
                ),
                at: now,
                objects: Vec::new(),
                pods: Vec::new(),
                timeline: Vec::new(),
            };
            if left.digest != attempt.digest {
                self.block_digest(&failure, now);
            }
            self.end_request(&uid.clone(), &Outcome::Complete { at: now });
        }
        self.blocked
            .retain(|blocked| blocked.digest != attempt.digest);
        self.remember(&attempt, now, description);
        self.pin = pin.or(match attempt.kind {
            AttemptKind::Revert => self.pin,
            _ => None,
        });
        self.current = Some(Running {
            revision: attempt.revision,
            digest: attempt.digest,
            chart: attempt.chart,
            since: now,
            consistent: true,
        });
        self.inventory.retain(|tracked| tracked.wanted);
        self.halted = false;
        self.prove(proven);
        self
    }

    /// A release that Helm made, or an outside change, is what runs now.
    #[must_use]
    pub fn adopted(
        mut self,
        running: Running,
        proven: Option<Proven>,
        objects: Vec<Tracked>,
        pin: Option<Pin>,
        description: &str,
    ) -> Self {
        self.newest = self.newest.max(running.revision);
        self.note_revision(Known {
            revision: running.revision,
            digest: running.digest.clone(),
            chart: running.chart.clone(),
            at: running.since,
            description: description.to_owned(),
        });
        for tracked in &mut self.inventory {
            tracked.wanted = false;
        }
        self.inventory.retain(|tracked| {
            !objects
                .iter()
                .any(|object| object.object.key() == tracked.object.key())
        });
        self.inventory.extend(objects);
        if let Some(proven) = proven {
            self.blocked
                .retain(|blocked| blocked.digest != proven.digest);
            self.prove(proven);
        }
        self.attempt = None;
        self.halted = false;
        self.current = Some(running);
        self.pin = pin;
        self
    }

    /// A digest may be tried again because somebody asked for it by name.
    #[must_use]
    pub fn unblocked(mut self, digest: &Digest, token: Option<&str>) -> Self {
        self.blocked.retain(|blocked| &blocked.digest != digest);
        if let Some(token) = token {
            self.retry_seen = Some(token.to_owned());
        }
        self
    }

    /// The pin is lifted; a block that came with it goes too.
    #[must_use]
    pub fn unpinned(mut self) -> Self {
        if let Some(pin) = self.pin.take()
            && let Some(asked) = pin.asked
        {
            self.blocked.retain(|blocked| {
                blocked.digest != asked || blocked.class != FailureClass::Operator
            });
        }
        self
    }

    /// What runs at `revision`, as a status names it.
    pub fn known(&self, revision: u32) -> Option<&Known> {
        self.known.iter().find(|known| known.revision == revision)
    }

    fn left_by(&self, attempt: &Attempt) -> Option<Running> {
        let revision = attempt.from?;
        self.current
            .clone()
            .filter(|current| current.revision == revision)
    }

    fn prove(&mut self, proven: Proven) {
        self.proven.retain(|old| old.digest != proven.digest);
        self.proven.insert(0, proven);
        self.proven.truncate(MAX_PROVEN);
    }

    fn block_digest(&mut self, failure: &Failure, now: Timestamp) {
        let failures = 1 + self
            .block(&failure.digest)
            .filter(|blocked| blocked.class == failure.class)
            .map_or(0, |blocked| blocked.failures);
        self.blocked
            .retain(|blocked| blocked.digest != failure.digest);
        self.blocked.insert(
            0,
            Blocked {
                digest: failure.digest.clone(),
                class: failure.class,
                reason: failure.reason,
                message: failure.message.clone(),
                since: failure.at,
                revision: failure.revision,
                failures,
                retry_at: Blocked::retry_at(failure.class, failures, now),
            },
        );
        self.blocked.truncate(MAX_BLOCKED);
    }

    /// An attempt ends without an outcome: whoever ordered it is told.
    fn end_unfinished(&mut self, attempt: &Attempt, now: Timestamp) {
        if let Cause::Request { uid, .. } = &attempt.cause {
            let message = format!(
                "revision {} gave way to something newer; make a new request",
                attempt.revision
            );
            self.end_request(uid, &Outcome::Failed { at: now, message });
        }
    }

    fn end_request(&mut self, uid: &str, outcome: &Outcome) {
        let running =
            |executed: &&mut Executed| executed.uid == uid && executed.outcome == Outcome::Running;
        if let Some(executed) = self.executed.iter_mut().find(running) {
            executed.outcome = outcome.clone();
        }
    }

    fn remember(&mut self, attempt: &Attempt, now: Timestamp, description: &str) {
        if attempt.kind == AttemptKind::Uninstall {
            return;
        }
        self.note_revision(Known {
            revision: attempt.revision,
            digest: attempt.digest.clone(),
            chart: attempt.chart.clone(),
            at: now,
            description: description.to_owned(),
        });
    }

    fn note_revision(&mut self, known: Known) {
        self.known.retain(|old| old.revision != known.revision);
        self.known.push(known);
        self.known
            .sort_by_key(|known| std::cmp::Reverse(known.revision));
        self.known.truncate(MAX_KNOWN);
    }
}

impl Attempt {
    /// Passes over stages that have nothing left to do, without a note.
    fn moved_quietly(self, at: At) -> Self {
        let before = self.stage();
        let timeline = self.timeline.clone();
        let now = timeline.last().map_or(self.started_at, |moment| moment.at);
        let mut moved = self.moved(at, now);
        if moved.stage() == before {
            moved.timeline = timeline;
        }
        moved
    }
}

impl Amendment {
    /// The ledger as the amendment leaves it.
    #[must_use]
    pub fn apply(self, ledger: Ledger, now: Timestamp) -> Ledger {
        match self {
            Self::Move(at) => ledger.moved(at, now),
            Self::Abandon => ledger.abandoned(now),
            Self::Clear => ledger.cleared(),
            Self::TakeNote { of } => Ledger {
                newest: ledger.newest.max(of),
                ..ledger
            },
            Self::Unblock { digest, token } => ledger.unblocked(&digest, token.as_deref()),
            Self::Unpin => ledger.unpinned(),
            Self::TryAgain { at, deadline } => {
                let mut ledger = ledger.moved(at, now);
                if let Some(attempt) = &mut ledger.attempt {
                    attempt.deadline = deadline;
                }
                ledger
            }
        }
    }
}
