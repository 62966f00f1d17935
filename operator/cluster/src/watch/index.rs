//! Who looks at what, and what was seen last: plain data, no I/O, no clock.

mod pods;

use std::collections::{BTreeMap, BTreeSet};

use belay_health::{ObjectKey, Sight, Verdict};
use serde_json::Value;

use crate::identity::MANAGER;
use crate::object::{ResourceVersion, resource_version, uid};
use crate::watch::guard::{Guard, Guards};
use crate::watch::pods::{PodObservation, PodOwner, PodTable, StrandedPod, trim_owner};
use crate::watch::tracked::{Observed, PodScope, ReleaseKey, Tracked, Tracking};

/// How far a release has got, as seen so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// What was seen of each object, in the order of their keys.
    pub objects: Vec<(ObjectKey, Observed)>,
    /// The objects of which nothing that counts was seen yet.
    pub unseen: Vec<ObjectKey>,
    /// Pods of the newest templates with something wrong.
    pub pods: Vec<PodObservation>,
    /// Broken pods of older templates that their `StatefulSets` wait for in vain.
    pub stranded: Vec<StrandedPod>,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    releases: BTreeMap<ReleaseKey, Release>,
    objects: BTreeMap<ObjectKey, Entry>,
    pods: BTreeMap<String, PodTable>,
    guards: Guards,
    /// Releases with news; a set, so that a storm of events takes no more room than there are releases.
    changed: BTreeSet<ReleaseKey>,
}

/// What nobody looked at before.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    pub objects: BTreeSet<ObjectKey>,
    /// Namespaces of pods.
    pub namespaces: BTreeSet<String>,
}

#[derive(Debug)]
struct Release {
    objects: BTreeMap<ObjectKey, Tracked>,
    pods: Option<PodScope>,
}

#[derive(Debug, Default)]
struct Entry {
    trackers: BTreeSet<ReleaseKey>,
    seen: Option<Seen>,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    observed: Observed,
    /// What tells whether it is still as it was left; none of what is missing.
    sight: Option<Sight>,
    /// For pods: what tells the newest template.
    owner: Option<Value>,
}

impl Seen {
    fn gone(observed: Observed) -> Self {
        Self {
            observed,
            sight: None,
            owner: None,
        }
    }
}

impl Index {
    /// Replaces what is looked at for a release. Answers with what nobody looked at before.
    pub fn track(&mut self, release: &ReleaseKey, tracking: &Tracking) -> Fresh {
        let objects: BTreeMap<ObjectKey, Tracked> = tracking
            .objects
            .iter()
            .map(|tracked| (tracked.key.clone(), tracked.clone()))
            .collect();
        let before = self.releases.remove(release);
        for key in before
            .iter()
            .flat_map(|before| before.objects.keys())
            .filter(|key| !objects.contains_key(*key))
        {
            self.forget(key, release);
        }
        let mut fresh = Fresh::default();
        for key in objects.keys() {
            let entry = self.objects.entry(key.clone()).or_insert_with(|| {
                fresh.objects.insert(key.clone());
                Entry::default()
            });
            entry.trackers.insert(release.clone());
        }
        for namespace in tracking.pods.iter().flat_map(|scope| &scope.namespaces) {
            self.pods.entry(namespace.clone()).or_insert_with(|| {
                fresh.namespaces.insert(namespace.clone());
                PodTable::default()
            });
        }
        self.releases.insert(
            release.clone(),
            Release {
                objects,
                pods: tracking.pods.clone(),
            },
        );
        self.drop_unused_pods();
        self.changed.insert(release.clone());
        fresh
    }

    pub fn untrack(&mut self, release: &ReleaseKey) {
        if let Some(gone) = self.releases.remove(release) {
            for key in gone.objects.keys() {
                self.forget(key, release);
            }
        }
        self.changed.remove(release);
        self.drop_unused_pods();
    }

    fn forget(&mut self, key: &ObjectKey, release: &ReleaseKey) {
        if let Some(entry) = self.objects.get_mut(key) {
            entry.trackers.remove(release);
            if entry.trackers.is_empty() {
                self.objects.remove(key);
            }
        }
    }

    fn drop_unused_pods(&mut self) {
        let used: BTreeSet<&String> = self
            .releases
            .values()
            .filter_map(|release| release.pods.as_ref())
            .flat_map(|scope| scope.namespaces.iter())
            .collect();
        self.pods.retain(|namespace, _| used.contains(namespace));
    }

    /// Replaces what is guarded for a release while it is at rest. Answers with what has to be looked at, since it was
    /// not guarded before and no watch has told of it; `None` when nothing is new.
    pub fn guard(&mut self, release: &ReleaseKey, guards: &[Guard]) -> Option<Vec<ObjectKey>> {
        let mut fresh = self.guards.guard(release, guards)?;
        fresh.retain(|key| {
            let Some(entry) = self.objects.get(key) else {
                return true;
            };
            if let Some(seen) = &entry.seen {
                let at = seen.observed.resource_version;
                self.changed.extend(self.guards.seen(key, at, seen.sight));
            }
            // What is tracked is on its way to be seen.
            false
        });
        Some(fresh)
    }

    /// The guarded objects of a release that are not as they were left.
    pub fn suspects(&self, release: &ReleaseKey) -> Vec<ObjectKey> {
        self.guards.suspects(release)
    }

    pub fn guards_mut(&mut self) -> &mut Guards {
        &mut self.guards
    }

    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// Whether anybody wants to know of an object.
    pub fn is_wanted(&self, key: &ObjectKey) -> bool {
        self.is_tracked(key) || self.guards.is_guarded(key)
    }

    /// A guarded object was not there at this point of history.
    pub fn guarded_gone(&mut self, key: &ObjectKey, at: ResourceVersion) {
        self.changed.extend(self.guards.seen(key, at, None));
    }

    pub fn is_tracked(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    /// The tracked objects of a kind, in one namespace or all.
    pub fn tracked_of(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<ObjectKey> {
        self.objects
            .keys()
            .filter(|key| key.group == group && key.kind == kind)
            .filter(|key| {
                namespace.is_none_or(|namespace| key.namespace.as_deref() == Some(namespace))
            })
            .cloned()
            .collect()
    }

    /// Takes an object's state in. An older one than was seen already is passed over.
    pub fn seen(&mut self, key: &ObjectKey, object: &Value) {
        if !self.is_wanted(key) {
            return;
        }
        let sight = Some(Sight::of(object, MANAGER));
        let at = resource_version(object);
        self.changed.extend(self.guards.seen(key, at, sight));
        let Some(verdict) = self.judge(key, object) else {
            return;
        };
        let observed = Observed {
            verdict,
            resource_version: resource_version(object),
            uid: uid(object).unwrap_or_default().to_owned(),
        };
        let owner = trim_owner(object);
        self.put(
            key,
            &Seen {
                observed,
                sight,
                owner,
            },
        );
    }

    /// Takes the last state of a deleted object in: `true` when it is final in itself, because the object ended before
    /// it was deleted and that end is what it was there for; otherwise the caller has to look.
    pub fn ended(&mut self, key: &ObjectKey, object: &Value) -> bool {
        if !self.outlives_its_deletion(key) {
            return false;
        }
        let last = self.judge(key, object).filter(is_final);
        let is_final = last.is_some();
        let observed = Observed {
            // Deleted before its end: whatever its time to live is, it did not come to it.
            verdict: last.unwrap_or(Verdict::Missing),
            resource_version: resource_version(object),
            uid: uid(object).unwrap_or_default().to_owned(),
        };
        self.put(key, &Seen::gone(observed));
        is_final
    }

    /// What is known of an object now, to be handed to [`Index::missing`] when a read that begins after this finds
    /// nothing: an answer of "not there" has no resourceVersion of its own.
    pub fn known(&self, key: &ObjectKey) -> ResourceVersion {
        let seen = self.objects.get(key).and_then(|entry| entry.seen.as_ref());
        let seen = seen.map(|seen| seen.observed.resource_version);
        let tracked = self
            .trackers(key)
            .into_iter()
            .map(|tracked| tracked.not_before);
        let guarded = self.guards.known(key);
        tracked.chain(seen).chain(guarded).max().unwrap_or_default()
    }

    /// A read that began when `known` was known found nothing there.
    pub fn missing(&mut self, key: &ObjectKey, known: ResourceVersion) {
        self.guarded_gone(key, known);
        let Some(entry) = self.objects.get(key) else {
            return;
        };
        // What ended and was deleted stays ended, and what was deleted before stays so.
        let known_to_be_gone = entry.seen.as_ref().is_some_and(|seen| {
            is_final(&seen.observed.verdict) || seen.observed.verdict == Verdict::Missing
        });
        if known_to_be_gone && self.outlives_its_deletion(key) {
            return;
        }
        let trackers = self.trackers(key);
        let absent = trackers.first().map(|tracked| tracked.absent());
        let verdict = absent.unwrap_or(Verdict::Missing);
        // What expired was ours to its end; nobody knows whose it is that is missing.
        let expired = trackers.first().filter(|_| verdict != Verdict::Missing);
        let observed = Observed {
            resource_version: known,
            uid: expired
                .and_then(|tracked| tracked.uid.clone())
                .unwrap_or_default(),
            verdict,
        };
        self.put(key, &Seen::gone(observed));
    }

    fn outlives_its_deletion(&self, key: &ObjectKey) -> bool {
        self.trackers(key)
            .iter()
            .any(|tracked| tracked.outlives_its_deletion())
    }

    fn judge(&self, key: &ObjectKey, object: &Value) -> Option<Verdict> {
        self.trackers(key)
            .first()
            .map(|tracked| tracked.judge(object))
    }

    fn trackers(&self, key: &ObjectKey) -> Vec<&Tracked> {
        let releases = self
            .objects
            .get(key)
            .into_iter()
            .flat_map(|entry| &entry.trackers);
        releases
            .filter_map(|release| self.releases.get(release)?.objects.get(key))
            .collect()
    }

    fn put(&mut self, key: &ObjectKey, seen: &Seen) {
        let Some(entry) = self.objects.get_mut(key) else {
            return;
        };
        if entry
            .seen
            .as_ref()
            .is_some_and(|known| known.observed.resource_version > seen.observed.resource_version)
        {
            return;
        }
        let trackers = entry.trackers.clone();
        let before = entry.seen.replace(seen.clone());
        for release in trackers {
            let Some(tracked) = self
                .releases
                .get(&release)
                .and_then(|entry| entry.objects.get(key))
            else {
                continue;
            };
            let was = count(tracked, before.as_ref().map(|seen| &seen.observed));
            let is = count(tracked, Some(&seen.observed));
            // A new state with the same verdict is no news, unless it tells pods of a new template apart.
            let same = was.as_ref().map(|o| (&o.verdict, &o.uid))
                == is.as_ref().map(|o| (&o.verdict, &o.uid));
            let owner = before.as_ref().and_then(|seen| seen.owner.as_ref()) != seen.owner.as_ref()
                && self.pods.values().any(PodTable::has_faults);
            if !same || owner {
                self.changed.insert(release);
            }
        }
    }

    pub fn next_changed(&mut self) -> Option<ReleaseKey> {
        self.changed.pop_first()
    }

    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    pub fn tracked_for(&self, release: &ReleaseKey) -> Vec<Tracked> {
        self.releases
            .get(release)
            .map(|entry| entry.objects.values().cloned().collect())
            .unwrap_or_default()
    }

    /// `None` when nothing is tracked for the release.
    pub fn progress(&self, release: &ReleaseKey) -> Option<Progress> {
        let entry = self.releases.get(release)?;
        let mut progress = Progress::default();
        let mut owners = Vec::new();
        for (key, tracked) in &entry.objects {
            let seen = self.objects.get(key).and_then(|entry| entry.seen.as_ref());
            match count(tracked, seen.map(|seen| &seen.observed)) {
                Some(observed) => progress.objects.push((key.clone(), observed)),
                None => progress.unseen.push(key.clone()),
            }
            if let Some(trimmed) = seen.and_then(|seen| seen.owner.as_ref()) {
                owners.push(PodOwner { key, trimmed });
            }
        }
        if let Some(scope) = &entry.pods {
            for namespace in &scope.namespaces {
                if let Some(table) = self.pods.get(namespace) {
                    progress
                        .pods
                        .extend(table.faults(namespace, &owners, scope.since));
                    progress.stranded.extend(table.stranded(namespace, &owners));
                }
            }
        }
        Some(progress)
    }
}

fn is_final(verdict: &Verdict) -> bool {
    verdict.is_current() || verdict.is_failed()
}

/// What of the last sight counts for a tracker: only its object, and only from the apply's answer on, which itself is
/// the first verdict.
fn count(tracked: &Tracked, seen: Option<&Observed>) -> Option<Observed> {
    let first = || {
        tracked.first.as_ref().map(|verdict| Observed {
            verdict: verdict.clone(),
            resource_version: tracked.not_before,
            uid: tracked.uid.clone().unwrap_or_default(),
        })
    };
    let Some(seen) = seen else { return first() };
    if seen.resource_version < tracked.not_before {
        return first();
    }
    let other = tracked.uid.as_ref().is_some_and(|uid| *uid != seen.uid);
    if other && seen.verdict != Verdict::Missing {
        // Something else stands there now: ours is gone.
        return Some(Observed {
            verdict: Verdict::Missing,
            ..seen.clone()
        });
    }
    Some(seen.clone())
}

#[cfg(test)]
#[path = "index/tests.rs"]
mod tests;
