//! Who looks on and remembers: what a ledger may forget, and a promise may not.

use std::collections::{BTreeMap, BTreeSet};

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_rollout::{Amendment, At, Cause, Ledger, MAX_RETRIES, Plan, Step};

use crate::cluster::Cluster;
use crate::deed::Deed;

/// What was seen of a release so far.
pub struct Onlooker {
    /// Digests that failed for a cause of their own, and how often in a row. Nobody has asked for them since.
    failed: BTreeMap<String, (FailureClass, u32)>,
    /// The attempt whose objects were all seen ready since they were last applied.
    seen_ready: Option<String>,
    /// Requests that were begun.
    begun: BTreeSet<String>,
    /// Requests by name and spec that were begun: the same request made anew is not.
    orders: BTreeSet<(String, String)>,
    /// Whether a hook that cannot be undone ran in an attempt that failed, and none has succeeded since.
    crossed: bool,
    /// What another's release was like, if there is one.
    claimed: Option<Box<Cluster>>,
}

impl Onlooker {
    /// Begins to look on.
    pub fn looks_at(cluster: &Cluster) -> Self {
        let ledger = cluster.ledger.as_ref();
        let claimed =
            ledger.is_some_and(|ledger| ledger.owner.name != cluster.declared.identity.name);
        Self {
            failed: BTreeMap::new(),
            seen_ready: None,
            begun: BTreeSet::new(),
            orders: BTreeSet::new(),
            crossed: false,
            claimed: claimed.then(|| Box::new(cluster.clone())),
        }
    }

    /// What is in nobody's way is what it was.
    pub fn looks_again(&mut self, cluster: &Cluster) {
        if self.claimed.is_some() {
            self.claimed = Some(Box::new(cluster.clone()));
        }
    }

    /// Somebody has done something.
    pub fn sees(&mut self, deed: Deed, after: &Cluster) {
        match deed {
            // With the ledger goes what it remembers; a backup remembers less.
            Deed::LoseLedger | Deed::Restore => {
                self.failed.clear();
                self.begun.clear();
                self.orders.clear();
                self.seen_ready = None;
                self.crossed = false;
                self.claimed = None;
            }
            // What another's release is like is its own and others' affair; what Belay does to it is ours.
            _ => self.looks_again(after),
        }
    }

    /// A step was done, or begun before the process died.
    pub fn follows(&mut self, before: &Cluster, step: &Step, after: &Cluster) {
        if let Some(claimed) = &self.claimed {
            assert_eq!(claimed.ledger, after.ledger, "another's ledger was touched");
            assert_eq!(
                claimed.objects, after.objects,
                "another's objects were touched"
            );
            assert_eq!(
                claimed.storage.keys().collect::<Vec<_>>(),
                after.storage.keys().collect::<Vec<_>>(),
                "another's records were touched"
            );
            return;
        }
        match step {
            Step::Begin(plan) => self.sees_beginning(before, plan, after),
            Step::Prove => {
                let ready = after
                    .wanted()
                    .iter()
                    .all(|(_, verdict)| verdict.is_current());
                if ready {
                    self.seen_ready = after.attempt().map(|attempt| attempt.id.clone());
                }
            }
            Step::Apply => self.seen_ready = None,
            Step::Amend(Amendment::Unblock { digest, .. }) => {
                self.failed.remove(digest.as_str());
            }
            Step::Amend(Amendment::Unpin) => {
                let pin = before
                    .ledger
                    .as_ref()
                    .and_then(|ledger| ledger.pin.as_ref());
                let asked = pin.and_then(|pin| pin.asked.as_ref());
                if let Some(asked) = asked {
                    let block = self.failed.get(asked.as_str());
                    if block.is_some_and(|(class, _)| *class == FailureClass::Operator) {
                        self.failed.remove(asked.as_str());
                    }
                }
            }
            Step::Soak { .. } | Step::Finish => {
                let id = before.attempt().map(|attempt| attempt.id.clone());
                assert_eq!(
                    self.seen_ready, id,
                    "what was never seen ready counts as good"
                );
            }
            _ => {}
        }
        if let (Some(old), Some(new)) = (&before.ledger, &after.ledger) {
            self.sees_ledger(old, new);
        }
        if after.gone {
            self.failed.clear();
            self.begun.clear();
            self.orders.clear();
            self.crossed = false;
        }
    }

    fn sees_beginning(&mut self, before: &Cluster, plan: &Plan, after: &Cluster) {
        let begun = after.attempt().map(|attempt| &attempt.id);
        if begun == before.attempt().map(|attempt| &attempt.id) {
            return;
        }
        match &plan.cause {
            Cause::Spec { .. } => {
                let name = plan.digest.as_str();
                let Some((class, again)) = self.failed.get(name) else {
                    return;
                };
                assert_eq!(
                    *class,
                    FailureClass::Transient,
                    "{name} failed before, and is tried again unasked"
                );
                assert!(*again <= MAX_RETRIES, "{name} is tried again and again");
            }
            Cause::Request { uid, .. } => {
                assert!(
                    self.begun.insert(uid.clone()),
                    "a request is carried out twice"
                );
                let order = before
                    .orders
                    .iter()
                    .find(|order| &order.uid == uid)
                    .unwrap();
                let same = (order.name.clone(), order.spec_hash());
                assert!(
                    self.orders.insert(same),
                    "a request that was made anew is carried out again"
                );
            }
            Cause::Failure => {
                assert!(!self.crossed, "it goes back beyond a point of no return");
            }
            Cause::OutsideChange | Cause::Deletion => {}
        }
    }

    fn sees_ledger(&mut self, old: &Ledger, new: &Ledger) {
        let failed = |ledger: &Ledger| {
            ledger
                .attempt
                .as_ref()
                .is_some_and(|attempt| matches!(attempt.at, At::Failed { .. }))
        };
        if let (Some(was), Some(now)) = (&old.attempt, &new.attempt)
            && let At::Failed { failure, .. } = &now.at
            && !failed(old)
            && failure.class != FailureClass::Superseded
        {
            let tries = matches!(was.kind, AttemptKind::Install | AttemptKind::Upgrade);
            if tries && was.at != At::Removing {
                let known = self.failed.get(was.digest.as_str());
                let again = known
                    .filter(|(class, _)| *class == failure.class)
                    .map_or(0, |(_, again)| *again);
                self.failed
                    .insert(was.digest.to_string(), (failure.class, again + 1));
            }
            if was.kind != AttemptKind::Revert {
                self.crossed |= was.past_point_of_no_return().is_some();
            }
        }
        for proven in &new.proven {
            let is_new = old
                .proven
                .iter()
                .all(|known| known.revision != proven.revision || known.digest != proven.digest);
            if is_new {
                self.failed.remove(proven.digest.as_str());
                self.crossed = false;
            }
        }
        if old.halted && !new.halted {
            self.crossed = false;
        }
        for blocked in &new.blocked {
            if blocked.class == FailureClass::Operator && old.block(&blocked.digest).is_none() {
                self.failed
                    .insert(blocked.digest.to_string(), (FailureClass::Operator, 0));
            }
        }
    }
}
