//! The transitions of a ledger: each takes it as it is and gives it as it shall be.

use belay_api::helm_release::{AttemptKind, FailureClass, Moment};
use belay_api::{Duration, Reason, Timestamp};
use belay_health::{ObjectKey, ObjectRef};
use belay_release::has_a_say_in_others;

use super::Known;
use super::{
    ChartId, DAMAGED, Executed, Ledger, MAX_EXECUTED, Outcome, Proven, Removal, Running, Soaked,
    Tested, Tracked, WayBack,
};
use crate::attempt::{At, Attempt, Cause, HookPlan, HookProgress, Soaking};
use crate::{Backoff, Digest, Failure, Pin, StrandedPod};

/// The pauses before a way back or a removal is tried again.
const AGAIN: Backoff = Backoff::new(Duration::seconds(15), Duration::minutes(60));

impl Ledger {
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
                self.inventory.push(Tracked::unseen(object.clone(), false));
            }
        }
        self
    }

    /// Helm's revisions up to this one have been heard of.
    #[must_use]
    pub fn heard_of(mut self, revision: u32) -> Self {
        self.newest = self.newest.max(revision);
        self.removed = self.removed.map(|_| Removal { heard_of: revision });
        self
    }

    /// Somebody's helm removed the release: nothing runs.
    ///
    /// helm deletes what its newest record holds. What is left of other revisions stays in the inventory: it goes with
    /// the next revision, or with the release.
    #[must_use]
    pub fn removed_by_hand(mut self, removal: Removal, now: Timestamp) -> Self {
        if let Some(attempt) = self.attempt.take() {
            self.end_unfinished(&attempt, now);
        }
        let left = std::mem::take(&mut self.inventory).into_iter();
        let left = left.map(|tracked| Tracked::unseen(tracked.object, false));
        self.inventory = left.collect();
        self.newest = self.newest.max(removal.heard_of);
        self.current = None;
        self.removed = Some(removal);
        self.way_back = None;
        self.soaked = None;
        self.tested = None;
        self.halted = false;
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
        self.removed = None;
        for tracked in &mut self.inventory {
            tracked.wanted = false;
        }
        let ran_good = self.runs_good();
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
                None => self.inventory.push(Tracked::unseen(object.clone(), true)),
            }
        }
        if let Some(current) = &mut self.current {
            current.consistent = false;
        }
        self.remember(&attempt, now, "Pending");
        attempt.hooks = hooks;
        let first = if ran_good && !attempt.goes_back() {
            At::PreHooks
        } else {
            self.first_stage(&attempt)
        };
        self.attempt = Some(attempt.moved(first, now));
        self
    }

    /// Where the changes of an attempt begin that does not start from what is known to be good.
    ///
    /// What a failed revision brought may refuse every object and every hook, so it is undone before them: what is not
    /// wanted any more, and on a way back also what it changed.
    pub(crate) fn first_stage(&self, attempt: &Attempt) -> At {
        let has_a_say =
            |tracked: &&Tracked| has_a_say_in_others(&tracked.object.group, &tracked.object.kind);
        let mut found = self.inventory.iter().filter(has_a_say);
        if found.any(|tracked| attempt.goes_back() || !tracked.wanted) {
            At::Disarming
        } else {
            At::PreHooks
        }
    }

    /// What another revision brought that has a say in other objects is undone: `applied` was put back as it is wanted,
    /// `gone` was pruned.
    #[must_use]
    pub fn disarmed(mut self, applied: &[Tracked], gone: &[ObjectKey], now: Timestamp) -> Self {
        self.take_in(applied, gone);
        self.moved(At::PreHooks, now)
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

    /// Broken pods of an older template were deleted.
    #[must_use]
    pub fn replaced(mut self, pods: &[StrandedPod], now: Timestamp) -> Self {
        if let Some(attempt) = &mut self.attempt {
            for stranded in pods {
                attempt.note(
                    now,
                    format!(
                        "{} was deleted, since {} waited for it in vain: {}",
                        stranded.pod, stranded.owner, stranded.fault.reason
                    ),
                );
            }
        }
        self
    }

    /// Objects were applied; `gone` are those that were pruned.
    #[must_use]
    pub fn applied(mut self, applied: &[Tracked], gone: &[ObjectKey], now: Timestamp) -> Self {
        self.take_in(applied, gone);
        self.moved(At::Waiting, now)
    }

    fn take_in(&mut self, applied: &[Tracked], gone: &[ObjectKey]) {
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
                tracked.print = object.print;
                tracked.expires = object.expires;
            }
        }
    }

    /// Objects that no revision wanted are gone, or not ours any more.
    #[must_use]
    pub fn pruned(mut self, gone: &[ObjectKey]) -> Self {
        self.inventory
            .retain(|tracked| tracked.wanted || !gone.contains(&tracked.object.key()));
        self
    }

    /// A record of Helm's turned out to be damaged: it stays as it is, and history says so.
    #[must_use]
    pub fn record_damaged(mut self, revision: u32, why: &str, now: Timestamp) -> Self {
        let mut known = self.known(revision).cloned().unwrap_or(Known {
            revision,
            digest: Digest::named(""),
            chart: ChartId::default(),
            at: now,
            description: String::new(),
            cause: None,
        });
        known.description = format!("{DAMAGED}: {why}");
        self.note_revision(known);
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
        let retry_at = matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall)
            .then(|| now.plus(AGAIN.after(attempt.failures)));
        if blocks {
            self.block_digest(&failure, now);
        }
        if let Cause::Request { uid, .. } = &attempt.cause {
            let message = failure.message.clone();
            let outcome = if overtaken {
                Outcome::Superseded { at: now, message }
            } else {
                Outcome::Failed { at: now, message }
            };
            self.end_request(&uid.clone(), &outcome);
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

    /// All is ready and Helm's record says so: it runs, and counts as good from `until` on unless it goes bad.
    #[must_use]
    pub fn soaking(mut self, until: Timestamp, description: &str, now: Timestamp) -> Self {
        let Some(mut attempt) = self.attempt.take() else {
            return self;
        };
        self.remember(&attempt, now, description);
        self.tested = tested(&attempt);
        self.current = Some(Running {
            revision: attempt.revision,
            digest: attempt.digest.clone(),
            chart: attempt.chart.clone(),
            since: now,
            consistent: true,
        });
        attempt.deadline = until;
        let at = At::Soaking(Soaking {
            since: now,
            until,
            unsteady_since: None,
            answered: Vec::new(),
        });
        self.attempt = Some(attempt.moved(at, now));
        self
    }

    /// Checks of the soak have answered.
    #[must_use]
    pub fn heard(mut self, soaking: Soaking, news: Vec<Moment>) -> Self {
        if let Some(attempt) = &mut self.attempt {
            attempt.at = At::Soaking(soaking);
            for moment in news {
                attempt.note(moment.at, moment.what);
            }
        }
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
        if let Cause::Request { uid, name, .. } = &attempt.cause {
            let left = self.left_by(&attempt);
            // One that failed for a cause of its own stays blocked for that, when the hold is over, too.
            let left = left
                .filter(|left| left.digest != attempt.digest && self.block(&left.digest).is_none());
            if let Some(left) = left {
                let failure = Failure {
                    revision: Some(left.revision),
                    digest: left.digest,
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
                self.block_digest(&failure, now);
            }
            self.end_request(uid, &Outcome::Complete { at: now });
        }
        self.blocked
            .retain(|blocked| blocked.digest != attempt.digest);
        self.remember(&attempt, now, description);
        self.pin = pin.or(match attempt.kind {
            AttemptKind::Revert => self.pin,
            _ => None,
        });
        self.way_back = None;
        self.soaked = None;
        self.tested = tested(&attempt);
        let soaked = matches!(attempt.at, At::Soaking(_));
        let since = match &self.current {
            Some(current) if soaked => current.since,
            _ => now,
        };
        self.current = Some(Running {
            revision: attempt.revision,
            digest: attempt.digest,
            chart: attempt.chart,
            since,
            consistent: true,
        });
        self.inventory.retain(|tracked| tracked.wanted);
        self.halted = false;
        self.prove(proven);
        self
    }

    /// Whether what ran before could be brought back, as far as that was found out.
    #[must_use]
    pub fn looked_back(mut self, way_back: Option<WayBack>) -> Self {
        self.way_back = way_back;
        self
    }

    /// What the checks of its soak said of what runs.
    #[must_use]
    pub fn checked(mut self, soaked: Option<Soaked>) -> Self {
        self.soaked = soaked;
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
        now: Timestamp,
    ) -> Self {
        if let Some(attempt) = self.attempt.take() {
            self.end_unfinished(&attempt, now);
        }
        self.newest = match self.removed.take() {
            Some(_) => running.revision,
            None => self.newest.max(running.revision),
        };
        self.note_revision(Known {
            revision: running.revision,
            digest: running.digest.clone(),
            chart: running.chart.clone(),
            at: running.since,
            description: description.to_owned(),
            cause: None,
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
        self.way_back = None;
        self.soaked = None;
        self.tested = None;
        self.halted = false;
        self.current = Some(running);
        self.pin = pin;
        self
    }

    /// A digest may be tried again because somebody asked for it by name, though the release was removed.
    #[must_use]
    pub fn unblocked(mut self, digest: &Digest, token: Option<&str>) -> Self {
        self.removed = None;
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
}

fn tested(attempt: &Attempt) -> Option<Tested> {
    let tests = attempt.tests();
    (tests > 0).then_some(Tested {
        revision: attempt.revision,
        tests,
    })
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
