//! What somebody did with helm, taken into the ledger.

use belay_api::Timestamp;
use belay_health::ObjectRef;

use super::{Known, Ledger, Proven, Removal, Running, Tracked};
use crate::Pin;

impl Ledger {
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
}
