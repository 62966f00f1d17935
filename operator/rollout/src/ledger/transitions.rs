//! The transitions of a ledger: each takes it as it is and gives it as it shall be.

use belay_api::Timestamp;
use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_health::{ObjectKey, ObjectRef};
use belay_release::has_a_say_in_others;

use super::{ChartId, DAMAGED, Executed, Known, Ledger, MAX_EXECUTED, Soaked, Tracked, WayBack};
use crate::attempt::{At, Attempt, HookPlan, HookProgress};
use crate::{Digest, StrandedPod};

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
