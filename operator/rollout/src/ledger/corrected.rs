//! What was put right, so that nobody fights over an object without end, whatever process does it.

use belay_api::Timestamp;
use belay_health::{ObjectKey, ObjectRef};
use serde::{Deserialize, Serialize};

use super::{Ledger, Tracked};
use crate::drift::{Correction, MAX_CORRECTED, MAX_CORRECTIONS, WINDOW};

/// A place of an object that was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// The object.
    pub object: ObjectKey,
    /// The place, as a JSON pointer; empty: the object, which was missing.
    pub path: String,
    /// When, oldest first: the newest [`MAX_CORRECTIONS`].
    pub times: Vec<Timestamp>,
    /// What was found there the last time, secrets masked.
    pub found: String,
}

impl Corrected {
    /// How often within the last hour.
    pub fn within_window(&self, now: Timestamp) -> usize {
        self.times
            .iter()
            .filter(|at| now.since(**at) < WINDOW)
            .count()
    }

    /// When the last time.
    pub fn last(&self) -> Timestamp {
        self.times.last().copied().unwrap_or_default()
    }
}

impl Ledger {
    /// Objects are about to be put right: it counts from here on, whatever becomes of it.
    #[must_use]
    pub fn correcting(mut self, corrections: &[Correction], now: Timestamp) -> Self {
        self.corrected.retain(|known| known.within_window(now) > 0);
        for correction in corrections {
            self.want(&correction.object);
            for (path, found) in &correction.places {
                self.count(&correction.object, path, found, now);
            }
        }
        self.corrected
            .sort_by_key(|known| std::cmp::Reverse(known.last()));
        self.corrected.truncate(MAX_CORRECTED);
        self
    }

    /// An object of what runs is in the inventory, and not to be pruned. One that was missing when its revision was taken
    /// over was not noted then.
    fn want(&mut self, object: &ObjectKey) {
        let known = self
            .inventory
            .iter_mut()
            .find(|tracked| tracked.object.key() == *object);
        if let Some(tracked) = known {
            tracked.wanted = true;
            return;
        }
        self.inventory.push(Tracked {
            object: ObjectRef {
                group: object.group.clone(),
                version: String::new(),
                kind: object.kind.clone(),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
            },
            uid: None,
            resource_version: 0,
            print: None,
            wanted: true,
            created: false,
            expires: false,
        });
    }

    fn count(&mut self, object: &ObjectKey, path: &str, found: &str, now: Timestamp) {
        let known = self
            .corrected
            .iter()
            .position(|known| known.object == *object && known.path == path);
        let mut known = known.map_or_else(
            || Corrected {
                object: object.clone(),
                path: path.to_owned(),
                times: Vec::new(),
                found: String::new(),
            },
            |at| self.corrected.swap_remove(at),
        );
        found.clone_into(&mut known.found);
        known.times.push(now);
        let surplus = known.times.len().saturating_sub(MAX_CORRECTIONS);
        known.times.drain(..surplus);
        self.corrected.push(known);
    }

    /// Objects were put right, as was on record since `at`; what the API server `refused` was not.
    #[must_use]
    pub fn put_right(mut self, applied: &[Tracked], refused: &[ObjectKey], at: Timestamp) -> Self {
        for object in applied {
            if let Some(tracked) = self
                .inventory
                .iter_mut()
                .find(|tracked| tracked.object.key() == object.object.key())
            {
                tracked.object = object.object.clone();
                tracked.uid.clone_from(&object.uid);
                tracked.resource_version = object.resource_version;
                tracked.print = object.print;
                tracked.expires = object.expires;
            }
        }
        for known in &mut self.corrected {
            if refused.contains(&known.object) {
                known.times.retain(|time| *time != at);
            }
        }
        self.corrected.retain(|known| !known.times.is_empty());
        self
    }
}
