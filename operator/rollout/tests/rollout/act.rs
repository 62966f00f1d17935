//! The controller's part: what each step writes, in which order, with the same transitions.

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_api::{Reason, Timestamp};
use belay_health::{Difference, ObjectKey, ObjectRef, Verdict};
use belay_release::{Essence, Status};
use belay_rollout::{
    Approval, At, Attempt, Cause, Correction, Deviation, Digest, DigestKey, Executed, Failure,
    Finding, Hold, HookProgress, Ledger, Look, Outcome, Pin, Plan, Proof, Proven, Running, Scope,
    Step, Target, Tracked, report,
};

use crate::cluster::{
    Cluster, Ends, Health, Record, Writes, chart_id, content_of, manifest, object,
};

/// Why a step did not do what it is for.
#[derive(Debug)]
pub enum Halt {
    /// The process died.
    Died,
    /// Somebody else was faster, or the API server said no for now: everything is read again.
    Stale,
    /// The API server would not take what the spec asks for.
    Rejected,
    /// The attempt failed.
    Failed(Box<Failure>),
}

type Done = Result<(), Halt>;

impl Cluster {
    /// Counts a write that was done; its answer may never come.
    fn wrote(&mut self) -> Done {
        match &mut self.dies_after {
            Some(0 | 1) => {
                self.dies_after = None;
                Err(Halt::Died)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn transition(&mut self, change: impl FnOnce(Ledger) -> Ledger) -> Done {
        let ledger = self.ledger.take().ok_or(Halt::Stale)?;
        self.ledger = Some(change(ledger));
        self.wrote()
    }

    fn doing(&self) -> Attempt {
        self.attempt().unwrap().clone()
    }

    pub fn act(&mut self, step: Step) -> Done {
        self.memory.proof = None;
        let now = self.now;
        match step {
            Step::AddFinalizer => {
                self.declared.has_finalizer = true;
                self.wrote()
            }
            Step::Claim => {
                let key = DigestKey::new([7; 32]);
                self.ledger = Some(Ledger::new(self.declared.identity.clone(), key));
                self.wrote()
            }
            Step::Adopt { revision } => {
                let content = self.storage[&revision].content.clone();
                let digest = if content == self.spec {
                    Digest::named(&content)
                } else {
                    Digest::named(&format!("m1:{content}"))
                };
                self.adopt(revision, digest, None)
            }
            Step::KeepOutside { revision } => self.keep(revision),
            Step::BuryForeign { revision } => self.set_status(revision, Status::Failed),
            Step::Begin(plan) => self.begin(plan),
            Step::Record => self.record(),
            Step::Disarm => self.disarm(),
            Step::StartHook { index } => self.start_hook(index),
            Step::EndHook { index } => self.end_hook(index),
            Step::Apply => self.apply(),
            Step::Replace { pods } => {
                for stranded in &pods {
                    self.stranded.remove(&stranded.owner.name);
                    self.wrote()?;
                }
                self.transition(|ledger| ledger.replaced(&pods, now))
            }
            Step::Prove => {
                let mut not_current = self.wanted();
                not_current.retain(|(_, verdict)| !verdict.is_current());
                self.memory.proof = Some(Proof { not_current });
                Ok(())
            }
            Step::Soak { until } => {
                self.deployed()?;
                self.memory.looks.clear();
                self.asked.clear();
                self.bad_answers = 0;
                self.transition(|ledger| ledger.soaking(until, "complete", now))
            }
            Step::Ask { checks } => {
                self.asked.push(now);
                for check in checks {
                    let looks = &mut self.memory.looks;
                    let known = looks.iter().position(|look| look.check == check);
                    let index = known.unwrap_or_else(|| {
                        looks.push(Look::new(check));
                        looks.len() - 1
                    });
                    looks[index].asking = Some(now);
                }
                Ok(())
            }
            Step::Finish => self.finish(),
            Step::Fail { failure } => self.fail(*failure),
            Step::Settle => self.set_status(self.doing().revision, Status::Failed),
            Step::Remove => self.remove(),
            Step::Forget => self.forget(),
            Step::Orphan => {
                self.ledger = None;
                self.wrote()?;
                self.let_go()
            }
            Step::Amend(amendment) => self.transition(|ledger| amendment.apply(ledger, now)),
            Step::CheckDrift { scope } => {
                self.compare(&scope);
                Ok(())
            }
            Step::CorrectDrift { corrections } => self.correct(&corrections),
            Step::Preview { request, target } => {
                let order = self.orders.iter_mut().find(|order| order.name == request);
                order.unwrap().phase = belay_api::rollback_request::RequestPhase::Complete;
                self.previews.push((request, target));
                self.wrote()
            }
            Step::Refuse {
                request, reason, ..
            } => {
                let order = self
                    .orders
                    .iter_mut()
                    .find(|order| order.name == request)
                    .unwrap();
                order.phase = belay_api::rollback_request::RequestPhase::Refused;
                self.refusals.push((request, reason));
                self.wrote()
            }
        }
    }

    pub fn fail(&mut self, failure: Failure) -> Done {
        let touched = self.doing().at != At::Preparing;
        let now = self.now;
        self.memory.prepared = None;
        self.transition(|ledger| ledger.failed(failure, touched, now))
    }

    fn let_go(&mut self) -> Done {
        self.declared.has_finalizer = false;
        self.gone = true;
        self.wrote()
    }

    fn adopt(&mut self, revision: u32, digest: Digest, pin: Option<Pin>) -> Done {
        let content = self.storage[&revision].content.clone();
        let found: Vec<_> = manifest(&content)
            .into_iter()
            .filter(|name| self.objects.contains_key(name))
            .map(|name| tracked(&name, false))
            .collect();
        let good =
            self.holds_all(&content) && self.health(&content) == Health::Good && self.settled;
        let proven = good.then(|| Proven {
            revision,
            digest: digest.clone(),
            chart: chart_id(&content),
            proven_at: self.now,
            record: essence(&content),
        });
        let running = Running {
            revision,
            digest,
            chart: chart_id(&content),
            since: self.now,
            consistent: true,
        };
        // Of what somebody else left nothing is known: what was looked at before says nothing of it.
        self.memory.looked_at.clear();
        self.transition(|ledger| ledger.adopted(running, proven, found, pin, "by helm"))
    }

    fn holds_all(&self, content: &str) -> bool {
        manifest(content).iter().all(|name| {
            self.objects
                .get(name)
                .is_some_and(|live| live.content == content)
        })
    }

    fn keep(&mut self, revision: u32) -> Done {
        let content = self.storage[&revision].content.clone();
        let ledger = self.ledger.as_ref().unwrap();
        let digest = ledger
            .proven
            .iter()
            .find(|proven| proven_content(proven) == content)
            .map_or_else(
                || Digest::named(&format!("m1:{content}")),
                |proven| proven.digest.clone(),
            );
        let desired = self.desired().digest().cloned();
        let pin = (desired.as_ref() != Some(&digest)).then(|| Pin {
            request: None,
            hold: Hold::SpecChange,
            digest: digest.clone(),
            asked: desired,
            generation: self.declared.generation,
        });
        let older: Vec<_> = self
            .storage
            .range(..revision)
            .map(|(older, _)| *older)
            .collect();
        for older in older {
            if self.storage[&older].status.is_pending() {
                self.set_status(older, Status::Failed)?;
            }
        }
        self.adopt(revision, digest, pin)
    }

    fn begin(&mut self, mut plan: Plan) -> Done {
        self.ids += 1;
        let id = format!("attempt-{}", self.ids);
        let content = match &plan.target {
            Target::Newest => self
                .storage
                .get(&plan.revision)
                .map_or_else(String::new, |record| record.content.clone()),
            Target::Spec if self.health(&self.spec) == Health::Unacceptable => {
                return Err(Halt::Rejected);
            }
            Target::Spec => self.spec.clone(),
            Target::Proven(digest) => self.proven_content(digest).unwrap(),
            Target::Stored(revision) => {
                let content = self.storage[revision].content.clone();
                if plan.digest == Digest::named("") {
                    plan.digest = Digest::named(&format!("m1:{content}"));
                }
                content
            }
        };
        let now = self.now;
        let mut attempt = Attempt {
            id,
            kind: plan.kind,
            cause: plan.cause.clone(),
            revision: plan.revision,
            digest: plan.digest.clone(),
            chart: plan.chart.clone(),
            from: plan.from,
            at: At::Preparing,
            started_at: now,
            deadline: now.plus(plan.timeout),
            hooks: Vec::new(),
            timeline: Vec::new(),
            failures: 0,
        };
        let executed = self.executed(&plan);
        self.attempts.push((plan.kind, plan.digest.to_string()));
        if plan.kind == AttemptKind::Uninstall {
            if self.storage.contains_key(&plan.revision) {
                attempt.hooks = self.hook_plan(&content, plan.kind);
            }
            let attempt = attempt.moved(At::PreHooks, now);
            return self.transition(|ledger| ledger.begun(attempt, None));
        }
        let attempt = attempt.moved(At::Preparing, now);
        let theirs: Vec<_> = match (
            &plan.cause,
            plan.from.and_then(|from| self.storage.get(&from)),
        ) {
            (Cause::OutsideChange, Some(record)) => manifest(&record.content)
                .iter()
                .map(|name| object(name))
                .collect(),
            _ => Vec::new(),
        };
        self.transition(|ledger| ledger.noticed(&theirs).begun(attempt, executed))?;
        self.memory.prepared = Some(content);
        Ok(())
    }

    fn proven_content(&self, digest: &Digest) -> Option<String> {
        let proven = &self.ledger.as_ref()?.proven;
        let found = proven.iter().find(|proven| &proven.digest == digest)?;
        Some(proven_content(found))
    }

    fn executed(&self, plan: &Plan) -> Option<Executed> {
        let Cause::Request { uid, .. } = &plan.cause else {
            return None;
        };
        let order = self.orders.iter().find(|order| &order.uid == uid)?;
        let ledger = self.ledger.as_ref()?;
        let proven = |proven: &&Proven| proven.digest == plan.digest;
        let revision = if let Target::Stored(revision) = &plan.target {
            *revision
        } else {
            ledger.proven.iter().find(proven)?.revision
        };
        Some(Executed {
            name: order.name.clone(),
            uid: order.uid.clone(),
            spec_hash: order.spec_hash(),
            started_at: self.now,
            from: ledger.current.clone(),
            to: Running {
                revision,
                digest: plan.digest.clone(),
                chart: plan.chart.clone(),
                since: self.now,
                consistent: true,
            },
            new_revision: plan.revision,
            outcome: Outcome::Running,
            approved_by: match &order.approval {
                Approval::Given { by } => Some(by.clone()),
                _ => None,
            },
        })
    }

    fn record(&mut self) -> Done {
        let attempt = self.doing();
        let now = self.now;
        let made = self.storage.get(&attempt.revision).cloned();
        let content = match (&made, self.memory.prepared.take()) {
            (Some(made), _) if made.attempt == attempt.id => made.content.clone(),
            (Some(_), _) => {
                self.transition(|ledger| ledger.abandoned(now))?;
                return Err(Halt::Stale);
            }
            (None, Some(prepared)) => prepared,
            (None, None) if matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Rollback) => {
                let Some(content) = self.proven_content(&attempt.digest) else {
                    self.transition(|ledger| ledger.abandoned(now))?;
                    return Err(Halt::Stale);
                };
                content
            }
            (None, None) if self.source.is_some() => return Err(Halt::Rejected),
            (None, None) => self.spec.clone(),
        };
        assert!(
            attempt.digest.as_str().ends_with(&content),
            "an attempt at {} records {content}",
            attempt.digest
        );
        if made.is_none() {
            let status = match attempt.kind {
                AttemptKind::Install => Status::PendingInstall,
                AttemptKind::Rollback | AttemptKind::Revert => Status::PendingRollback,
                AttemptKind::Upgrade | AttemptKind::Uninstall => Status::PendingUpgrade,
            };
            let record = Record {
                status,
                created: now,
                content: content.clone(),
                attempt: attempt.id.clone(),
            };
            self.storage.insert(attempt.revision, record);
            self.wrote()?;
        }
        let objects: Vec<_> = manifest(&content).iter().map(|name| object(name)).collect();
        let hooks = self.hook_plan(&content, attempt.kind);
        self.transition(|ledger| ledger.recorded(&objects, hooks, now))
    }

    fn start_hook(&mut self, index: usize) -> Done {
        let attempt = self.doing();
        let name = attempt.hooks[index].object.name.clone();
        let when = attempt.hooks[index].when;
        let content = self.storage[&attempt.revision].content.clone();
        assert!(
            !attempt.goes_back() || !self.is_guarded_against(&content),
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

    fn end_hook(&mut self, index: usize) -> Done {
        let attempt = self.doing();
        let hook = &attempt.hooks[index];
        let now = self.now;
        if matches!(hook.progress, HookProgress::Succeeded | HookProgress::Done) {
            self.hook_objects.remove(&hook.object.name);
            return self.transition(|ledger| ledger.hook_at(index, HookProgress::Done, now));
        }
        let number: usize = hook
            .object
            .name
            .rsplit('-')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let content = self.storage[&attempt.revision].content.clone();
        match self.hooks(&content)[number].ends {
            Ends::Well => {
                self.transition(|ledger| ledger.hook_at(index, HookProgress::Succeeded, now))
            }
            Ends::Badly => Err(failure(&attempt, Reason::HookFailed, now)),
            Ends::Never if now >= attempt.deadline => {
                Err(failure(&attempt, Reason::HookFailed, now))
            }
            Ends::Never => {
                self.memory.watching = true;
                Ok(())
            }
        }
    }

    fn disarm(&mut self) -> Done {
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

    fn apply(&mut self) -> Done {
        let attempt = self.doing();
        let content = self.storage[&attempt.revision].content.clone();
        self.delete(|tracked| !tracked.wanted && is_guard(&tracked.object))?;
        let mut applied = Vec::new();
        for name in manifest(&content) {
            let refused = self.health(&content) == Health::Refused && !applied.is_empty();
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

    fn delete(&mut self, which: impl Fn(&Tracked) -> bool) -> Result<Vec<ObjectKey>, Halt> {
        let ledger = self.ledger.as_ref().unwrap();
        let keys: Vec<_> = ledger
            .inventory
            .iter()
            .filter(|tracked| which(tracked))
            .map(|tracked| tracked.object.key())
            .collect();
        for key in &keys {
            if !self.kept.contains(&key.name) && self.objects.remove(&key.name).is_some() {
                self.stranded.remove(&key.name);
                self.wrote()?;
            }
        }
        Ok(keys)
    }

    fn deployed(&mut self) -> Done {
        let attempt = self.doing();
        self.set_status(attempt.revision, Status::Deployed)?;
        let others: Vec<_> = self
            .storage
            .iter()
            .filter(|(revision, record)| {
                **revision != attempt.revision && record.status == Status::Deployed
            })
            .map(|(revision, _)| *revision)
            .collect();
        for revision in others {
            self.set_status(revision, Status::Superseded)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Done {
        let attempt = self.doing();
        let now = self.now;
        if !matches!(attempt.at, At::Soaking(_)) {
            self.deployed()?;
        }
        let content = self.storage[&attempt.revision].content.clone();
        let proven = Proven {
            revision: attempt.revision,
            digest: attempt.digest.clone(),
            chart: chart_id(&content),
            proven_at: now,
            record: essence(&content),
        };
        let pin = attempt.pin(&self.orders);
        let checks = report::soaked(&self.world());
        self.transition(|ledger| {
            let finished = ledger.finished(proven, pin, "complete", now);
            finished.checked(checks)
        })?;
        let kept: Vec<_> = self
            .ledger
            .as_ref()
            .unwrap()
            .proven
            .iter()
            .map(|p| p.revision)
            .collect();
        let surplus: Vec<_> = self
            .storage
            .keys()
            .rev()
            .skip(self.max_history)
            .copied()
            .collect();
        for revision in surplus {
            if !kept.contains(&revision) {
                self.storage.remove(&revision);
                self.wrote()?;
            }
        }
        Ok(())
    }

    fn runs(&self) -> String {
        let current = self.ledger.as_ref().unwrap().current.as_ref().unwrap();
        content_of(&current.digest).to_owned()
    }

    fn compare(&mut self, scope: &Scope) {
        let runs = self.runs();
        let mut found = Vec::new();
        for name in manifest(&runs) {
            let key = object(&name).key();
            if matches!(scope, Scope::Objects(objects) if !objects.contains(&key)) {
                continue;
            }
            let live = self.objects.get(&name).cloned();
            let deviation = match &live {
                None => Some(Deviation::Missing),
                Some(live) if live.content == runs => None,
                Some(live) => Some(Deviation::Edited {
                    differences: vec![Difference {
                        path: "/spec".into(),
                        live: live.content.clone(),
                        wanted: runs.clone(),
                    }],
                    omitted: 0,
                }),
            };
            self.memory.looked_at.insert(name, live);
            found.extend(deviation.map(|deviation| Finding {
                object: key,
                deviation,
                since: self.now,
                refused: None,
            }));
        }
        let known = self.world().drift.unwrap().checked;
        self.memory.checked = Some(known.looked(scope, found, self.now));
    }

    fn correct(&mut self, corrections: &[Correction]) -> Done {
        let (runs, now) = (self.runs(), self.now);
        self.transition(|ledger| ledger.correcting(corrections, now))?;
        let mut applied = Vec::new();
        let mut refused = Vec::new();
        for correction in corrections {
            let key = correction.object.clone();
            if self.writes == Writes::Refused {
                refused.push((key, "a webhook says no".to_owned()));
                continue;
            }
            self.put(&key.name, &runs);
            self.memory.looked_at.remove(&key.name);
            self.wrote()?;
            self.corrections.push(key.name.clone());
            applied.push(tracked(&key.name, false));
        }
        let keys: Vec<_> = refused.iter().map(|(key, _)| key.clone()).collect();
        self.transition(|ledger| ledger.put_right(&applied, &keys, now))?;
        let done: Vec<_> = applied.iter().map(|tracked| tracked.object.key()).collect();
        let known = self.memory.checked.take();
        self.memory.checked = known.map(|known| known.corrected(&done, &refused));
        Ok(())
    }

    fn set_status(&mut self, revision: u32, status: Status) -> Done {
        if let Some(record) = self.storage.get_mut(&revision) {
            record.status = status;
            self.wrote()?;
        }
        Ok(())
    }

    fn remove(&mut self) -> Done {
        let all = self.doing().kind == AttemptKind::Uninstall;
        let keys = self.delete(|tracked| all || tracked.created || tracked.uid.is_none())?;
        let not_current = keys
            .into_iter()
            .filter(|key| self.objects.contains_key(&key.name))
            .map(|key| (key, Verdict::Terminating))
            .collect();
        self.memory.proof = Some(Proof { not_current });
        Ok(())
    }

    fn forget(&mut self) -> Done {
        let kind = self.doing().kind;
        while self.storage.pop_first().is_some() {
            self.wrote()?;
        }
        if kind == AttemptKind::Uninstall {
            self.ledger = None;
            self.wrote()?;
            self.let_go()
        } else {
            self.transition(Ledger::cleared)
        }
    }
}

/// Whether an object refuses all others that are not of its revision.
fn is_guard(object: &ObjectRef) -> bool {
    object.kind == "ValidatingWebhookConfiguration"
}

fn tracked(name: &str, created: bool) -> Tracked {
    Tracked {
        object: object(name),
        uid: Some(format!("uid-of-{name}")),
        resource_version: 1,
        print: None,
        wanted: true,
        created,
        expires: false,
    }
}

fn failure(attempt: &Attempt, reason: Reason, at: Timestamp) -> Halt {
    Halt::Failed(Box::new(Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class: FailureClass::Terminal,
        reason,
        message: format!("{reason} in a test"),
        at,
        objects: Vec::new(),
        pods: Vec::new(),
        timeline: attempt.timeline.clone(),
    }))
}

/// What is kept of a revision with this content.
fn essence(content: &str) -> Essence {
    let mut record = belay_release::Record::new("shop", "web", 1);
    record.manifest = content.to_owned();
    Essence::of(&record).unwrap()
}

/// The content that brings a proven revision back.
pub(crate) fn proven_content(proven: &Proven) -> String {
    proven.record.record().unwrap().manifest
}
