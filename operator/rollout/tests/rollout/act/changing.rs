//! What an attempt changes: hooks and objects.

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_api::{Reason, Timestamp};
use belay_health::{ObjectKey, ObjectRef};
use belay_rollout::{At, Attempt, Failure, HookProgress, Tracked};

use super::{Done, Halt, tracked};
use crate::cluster::{Cluster, Ends, Health, Meddling, Writes, hook_of, manifest, object};

impl Cluster {
    pub(super) fn start_hook(&mut self, index: usize) -> Done {
        let attempt = self.doing();
        let name = attempt.hooks[index].object.name.clone();
        let when = attempt.hooks[index].when;
        let (content, _) = hook_of(&name);
        assert!(
            !attempt.goes_back() || !self.is_guarded_against(content),
            "{name} meets a webhook of another revision"
        );
        for before in &attempt.hooks[..index] {
            let needed = before.when != when || self.hook_objects.contains_key(&before.object.name);
            assert!(needed, "{name} runs without {}", before.object.name);
        }
        if self.hook_objects.get(&name) != Some(&attempt.id) {
            self.hook_objects.insert(name.clone(), attempt.id.clone());
            self.hook_runs.push((attempt.id, name));
            self.wrote()?;
        }
        self.memory.watching = true;
        let now = self.now;
        self.transition(|ledger| ledger.hook_at(index, HookProgress::Started, now))
    }

    pub(super) fn end_hook(&mut self, index: usize) -> Done {
        let attempt = self.doing();
        let hook = &attempt.hooks[index];
        let now = self.now;
        if matches!(hook.progress, HookProgress::Succeeded | HookProgress::Done) {
            self.hook_objects.remove(&hook.object.name);
            return self.transition(|ledger| ledger.hook_at(index, HookProgress::Done, now));
        }
        let (chart, number) = hook_of(&hook.object.name);
        let reason = match attempt.at {
            At::Testing => Reason::TestFailed,
            _ => Reason::HookFailed,
        };
        match self.hooks(chart)[number].ends {
            Ends::Well => {
                self.transition(|ledger| ledger.hook_at(index, HookProgress::Succeeded, now))
            }
            Ends::Badly => Err(failure(&attempt, reason, now)),
            Ends::Never if now >= attempt.deadline => Err(failure(&attempt, reason, now)),
            Ends::Never => {
                self.memory.watching = true;
                Ok(())
            }
        }
    }

    pub(super) fn disarm(&mut self) -> Done {
        let gone = self.delete(|tracked| !tracked.wanted && is_guard(&tracked.object))?;
        let now = self.now;
        self.transition(|ledger| ledger.disarmed(&[], &gone, now))
    }

    /// Whether a webhook that another revision brought stands in the way of this one's objects.
    fn is_guarded_against(&self, content: &str) -> bool {
        self.objects
            .iter()
            .any(|(name, live)| is_guard(&object(name)) && live.content != content)
    }

    pub(super) fn apply(&mut self) -> Done {
        let attempt = self.doing();
        let content = self.storage[&attempt.revision].content.clone();
        self.delete(|tracked| !tracked.wanted && is_guard(&tracked.object))?;
        let mut applied = Vec::new();
        for name in manifest(&content) {
            // What another release has taken is not touched, and what cannot be changed is not changed.
            let live = self.objects.get(&name).map(|live| live.content.as_str());
            let taken = live == Meddling::Takes.content();
            if taken || (live == Meddling::Fixes.content() && self.writes != Writes::Anew) {
                let late = self.now >= attempt.deadline;
                return Err(if attempt.kind == AttemptKind::Revert && !late {
                    Halt::Stale
                } else {
                    failure(&attempt, Reason::OwnershipConflict, self.now)
                });
            }
            let refused = self.health(&content) == Health::Refused && !applied.is_empty();
            if self.writes == Writes::Unanswered {
                return Err(if self.now >= attempt.deadline {
                    transient(&attempt, self.now)
                } else {
                    Halt::Stale
                });
            }
            if refused || self.writes == Writes::Refused || self.is_guarded_against(&content) {
                let lasting = attempt.kind != AttemptKind::Revert || self.now >= attempt.deadline;
                return Err(if lasting {
                    failure(&attempt, Reason::ApplyFailed, self.now)
                } else {
                    Halt::Stale
                });
            }
            // A create whose answer was lost is told from what was there before by its age.
            let since = self.storage[&attempt.revision].created;
            let created = self
                .objects
                .get(&name)
                .is_none_or(|live| live.created >= since);
            applied.push(tracked(&name, created));
            if self
                .objects
                .get(&name)
                .is_none_or(|live| live.content != content)
            {
                if self.writes == Writes::Anew && self.objects.remove(&name).is_some() {
                    self.wrote()?;
                }
                self.put(&name, &content);
                self.settled = false;
                self.wrote()?;
            }
        }
        let gone = self.delete(|tracked| !tracked.wanted)?;
        self.memory.looked_at.clear();
        self.memory.watching = true;
        let now = self.now;
        self.transition(|ledger| ledger.applied(&applied, &gone, now))
    }

    pub(super) fn delete(
        &mut self,
        which: impl Fn(&Tracked) -> bool,
    ) -> Result<Vec<ObjectKey>, Halt> {
        let ledger = self.ledger.as_ref().unwrap();
        let keys: Vec<_> = ledger
            .inventory
            .iter()
            .filter(|tracked| which(tracked))
            .map(|tracked| tracked.object.key())
            .collect();
        for key in &keys {
            let stays = self.kept.contains(&key.name) || self.is_taken(&key.name);
            if !stays && self.objects.remove(&key.name).is_some() {
                self.stranded.remove(&key.name);
                self.wrote()?;
            }
        }
        Ok(keys)
    }

    /// Whether another release has taken an object.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        let live = self.objects.get(name).map(|live| live.content.as_str());
        live.is_some() && live == Meddling::Takes.content()
    }
}

/// Whether an object refuses all others that are not of its revision.
fn is_guard(object: &ObjectRef) -> bool {
    object.kind == "ValidatingWebhookConfiguration"
}

fn failure(attempt: &Attempt, reason: Reason, at: Timestamp) -> Halt {
    lost(attempt, FailureClass::Terminal, reason, at)
}

/// The API server answered nothing until the time was over.
fn transient(attempt: &Attempt, at: Timestamp) -> Halt {
    lost(attempt, FailureClass::Transient, Reason::ApiUnavailable, at)
}

fn lost(attempt: &Attempt, class: FailureClass, reason: Reason, at: Timestamp) -> Halt {
    Halt::Failed(Box::new(Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class,
        reason,
        message: format!("{reason} in a test"),
        at,
        objects: Vec::new(),
        pods: Vec::new(),
        timeline: attempt.timeline.clone(),
    }))
}
