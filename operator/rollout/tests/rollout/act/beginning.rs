//! The beginning of an attempt: its intent and its record.

use belay_api::helm_release::AttemptKind;
use belay_health::ObjectRef;
use belay_release::Status;
use belay_rollout::{
    Approval, At, Attempt, Cause, Digest, Executed, Outcome, Plan, Proven, Running, Target,
};

use super::{Done, Halt, proven_content};
use crate::cluster::{Cluster, Health, Record, manifest, object};

impl Cluster {
    pub(super) fn begin(&mut self, mut plan: Plan) -> Done {
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
            let removed = self
                .ledger
                .as_ref()
                .is_some_and(|ledger| ledger.removed.is_some());
            if self.storage.contains_key(&plan.revision) && !removed {
                attempt.hooks = self.hook_plan(&content, plan.kind);
            }
            let attempt = attempt.moved(At::PreHooks, now);
            let brought = self.brought();
            return self.transition(|ledger| ledger.noticed(&brought).begun(attempt, None));
        }
        let attempt = attempt.moved(At::Preparing, now);
        let brought = self.brought();
        self.transition(|ledger| ledger.noticed(&brought).begun(attempt, executed))?;
        self.memory.prepared = Some(content);
        Ok(())
    }

    /// What revisions brought that the ledger has not heard of.
    pub(super) fn brought(&self) -> Vec<ObjectRef> {
        let world = self.world();
        let records = world
            .unheard()
            .map(|stored| &self.storage[&stored.revision]);
        let names = records.flat_map(|record| manifest(&record.content));
        names.map(|name| object(&name)).collect()
    }

    pub(super) fn proven_content(&self, digest: &Digest) -> Option<String> {
        let proven = &self.ledger.as_ref()?.proven;
        let found = proven.iter().find(|proven| &proven.digest == digest)?;
        Some(proven_content(found))
    }

    /// What a request named by its revision.
    pub(super) fn ordered_content(&self, attempt: &Attempt) -> Option<String> {
        let Cause::Request { uid, .. } = &attempt.cause else {
            return None;
        };
        let mut executed = self.ledger.as_ref()?.executed.iter();
        let executed = executed.find(|executed| &executed.uid == uid)?;
        let record = self.storage.get(&executed.to.revision)?;
        Some(record.content.clone())
    }

    pub(super) fn executed(&self, plan: &Plan) -> Option<Executed> {
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

    pub(super) fn record(&mut self) -> Done {
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
                let proven = self.proven_content(&attempt.digest);
                let Some(content) = proven.or_else(|| self.ordered_content(&attempt)) else {
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
}
