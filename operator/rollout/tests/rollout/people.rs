//! What people and other programs do to a release.

use std::collections::BTreeSet;

use belay_api::Reason;
use belay_api::rollback_request::RequestPhase;
use belay_api::rollback_request::{RollbackRequestSpec, RollbackTarget, Until};
use belay_release::Status;
use belay_rollout::{Approval, Enforcement, HeldUp, Order, Place, Unready, report};

use crate::cluster::{Cluster, Live, Meddling, Record, Words, manifest};

/// What a record says of who made it, where Belay did not.
pub const BY_HAND: &str = "somebody's helm";

impl Cluster {
    /// Somebody edits the spec so that it asks for `spec`.
    pub fn edit(&mut self, spec: &str) {
        self.spec = spec.into();
        self.declared.generation += 1;
    }

    /// Somebody edits what changes no manifest.
    pub fn edit_interval(&mut self) {
        self.declared.generation += 1;
    }

    /// Somebody asks by its name for what the spec says.
    pub fn ask_by_name(&mut self) {
        self.ids += 1;
        self.declared.retry = Some(format!("{}#{}", self.spec, self.ids));
    }

    /// Somebody orders a rollback to the previous proven revision.
    pub fn order(&mut self, name: &str) {
        self.order_with(name, |_| {});
    }

    pub fn order_with(&mut self, name: &str, change: impl FnOnce(&mut RollbackRequestSpec)) {
        let mut spec = RollbackRequestSpec {
            release_ref: belay_api::helm_release::NameRef { name: "web".into() },
            target: RollbackTarget::default(),
            expected_current: None,
            reason: String::new(),
            requested_by: "jane".into(),
            until: Until::SpecChange,
            hold_until: None,
            not_after: None,
            dry_run: false,
        };
        change(&mut spec);
        self.ids += 1;
        self.orders.push(Order {
            name: name.into(),
            uid: format!("request-{}", self.ids),
            spec,
            phase: RequestPhase::Pending,
            created: self.now,
            approved_by: None,
            approval: Approval::NotNeeded,
        });
        self.settle_approvals();
    }

    /// Somebody says that a request may be carried out.
    pub fn approve(&mut self, name: &str, by: &str) {
        self.say(name, Some(by.into()));
    }

    /// Whoever approved takes it back.
    pub fn withdraw(&mut self, name: &str) {
        self.say(name, None);
    }

    fn say(&mut self, name: &str, by: Option<String>) {
        let mut orders = self.orders.iter_mut();
        let order = orders.find(|order| order.name == name).unwrap();
        order.approved_by = by;
        self.settle_approvals();
    }

    /// What gathering finds out of each request.
    pub fn settle_approvals(&mut self) {
        let enforcement = match self.words {
            Words::NotNeeded | Words::Checked => Enforcement::Enforced,
            Words::Unchecked => Enforcement::Missing {
                why: "no policy".into(),
            },
        };
        for order in &mut self.orders {
            order.approval = if self.words != Words::NotNeeded && !order.spec.dry_run {
                let asked = &order.spec.requested_by;
                Approval::of(&enforcement, asked, order.approved_by.as_deref())
            } else {
                Approval::NotNeeded
            };
        }
    }

    pub fn delete_order(&mut self, name: &str) {
        self.orders.retain(|order| order.name != name);
    }

    /// Somebody runs `helm upgrade` or `helm rollback`: a new revision with `content`.
    pub fn helm(&mut self, content: &str) {
        let newest = self.storage.keys().max().copied().unwrap_or(0);
        self.helm_at(newest + 1, content);
    }

    fn helm_at(&mut self, revision: u32, content: &str) {
        let deployed = |record: &&Record| record.status == Status::Deployed;
        let old = self.storage.values().rev().find(deployed);
        let old = old.or(self.storage.values().next_back());
        let old = old.map(|record| record.content.clone());
        for record in self.storage.values_mut() {
            if record.status == Status::Deployed {
                record.status = Status::Superseded;
            }
        }
        self.foreign(revision, content, Status::Deployed);
        if let Some(old) = old {
            for name in manifest(&old) {
                self.objects.remove(&name);
            }
        }
        for name in manifest(content) {
            self.put(&name, content);
        }
        self.settled = true;
    }

    /// Somebody's `helm upgrade` fails half way: what it brings is there, and what it drops is still there.
    pub fn helm_fails(&mut self, content: &str) {
        let newest = self.storage.keys().max().copied().unwrap_or(0);
        self.foreign(newest + 1, content, Status::Failed);
        for name in manifest(content) {
            self.put(&name, content);
        }
        self.meddled.insert("web".into());
    }

    /// Somebody's `helm upgrade` begins, and is not heard of any more.
    pub fn helm_hangs(&mut self, content: &str) {
        let newest = self.storage.keys().max().copied().unwrap_or(0);
        self.foreign(newest + 1, content, Status::PendingUpgrade);
    }

    /// It comes to its end after all. Whether there was one.
    pub fn helm_ends(&mut self) -> bool {
        let Some((newest, record)) = self.storage.pop_last() else {
            return false;
        };
        if !record.status.is_pending() || record.attempt != BY_HAND {
            self.storage.insert(newest, record);
            return false;
        }
        self.helm_at(newest, &record.content);
        true
    }

    /// A record that somebody's helm wrote.
    pub fn foreign(&mut self, revision: u32, content: &str, status: Status) {
        let record = Record {
            status,
            created: self.now,
            content: content.into(),
            attempt: BY_HAND.into(),
        };
        self.storage.insert(revision, record);
    }

    /// Somebody runs `helm uninstall`, with or without `--keep-history`: helm deletes what its newest record holds.
    pub fn helm_uninstall(&mut self, keep_history: bool) {
        let newest = self.storage.values().next_back();
        for name in newest.map_or_else(BTreeSet::new, |newest| manifest(&newest.content)) {
            self.objects.remove(&name);
            self.meddled.remove(&name);
        }
        if !keep_history {
            // No record tells any more of what it leaves, unless Belay knew of it.
            let ledger = self.ledger.as_ref();
            let inventory = ledger.map_or(&[][..], |ledger| ledger.inventory.as_slice());
            let names = self.objects.keys().filter(|name| {
                let mut known = inventory.iter();
                known.all(|tracked| &tracked.object.name != *name)
            });
            self.meddled.extend(names.cloned());
        }
        for record in self.storage.values_mut() {
            if record.status == Status::Deployed {
                record.status = Status::Superseded;
            }
        }
        match self.storage.last_entry() {
            Some(mut newest) if keep_history => newest.get_mut().status = Status::Uninstalled,
            _ => self.storage.clear(),
        }
    }

    /// A release that the spec depends on is not ready any more.
    pub fn hold_up(&mut self) {
        let place = Place {
            namespace: "shop".into(),
            name: "db".into(),
        };
        let why = "is not Ready".into();
        self.held_up = Some(HeldUp::Unready(vec![Unready { place, why }]));
    }

    /// It is again.
    pub fn free(&mut self) {
        self.held_up = None;
    }

    /// Somebody edits an object behind Belay's back.
    pub fn tamper(&mut self, name: &str) {
        self.meddle(name, Meddling::Edits);
    }

    /// Somebody does something to an object behind Belay's back.
    pub fn meddle(&mut self, name: &str, how: Meddling) {
        self.meddled.insert(name.into());
        let Some(content) = how.content() else {
            self.objects.remove(name);
            return;
        };
        let live = Live {
            content: content.into(),
            created: self.now,
            applied: self.now,
        };
        self.objects.insert(name.into(), live);
    }

    /// A request is told why it is not carried out.
    pub fn refuse(&mut self, name: &str, reason: Reason, message: &str) {
        let now = self.now;
        let mut orders = self.orders.iter_mut();
        let order = orders.find(|order| order.name == name).unwrap();
        let before = self.records.remove(&order.uid).unwrap_or_default();
        let status = report::refused(&before, reason, message, 1, now);
        order.phase = status.phase;
        self.records.insert(order.uid.clone(), status);
    }

    /// Requests of a release that goes end with it.
    pub fn end_orders(&mut self) {
        let open = self.orders.iter().filter(|order| !order.phase.is_final());
        let open: Vec<_> = open.map(|order| order.name.clone()).collect();
        for name in open {
            self.refuse(
                &name,
                Reason::ReleaseNotFound,
                "the HelmRelease was deleted",
            );
        }
    }
}
