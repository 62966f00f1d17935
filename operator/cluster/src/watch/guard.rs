//! Objects at rest: what was left of each, and whether the watches have seen anything else since. Plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use belay_health::{Fingerprint, ObjectKey, Sight};

use crate::object::ResourceVersion;
use crate::watch::tracked::ReleaseKey;

/// An object at rest, as it was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The object.
    pub key: ObjectKey,
    /// States before this one do not count.
    pub not_before: ResourceVersion,
    /// What our manager owned of it then. `None`: that is not known, so that the first sight of it is news.
    pub print: Option<Fingerprint>,
}

/// A state of an object: `None` when it is not there.
type State = Option<Sight>;

#[derive(Debug, Default)]
pub(crate) struct Guards {
    releases: BTreeMap<Arc<ReleaseKey>, Vec<Arc<ObjectKey>>>,
    /// Two releases may speak of one object, of which it belongs to one.
    objects: BTreeMap<Arc<ObjectKey>, Vec<Guarded>>,
}

#[derive(Debug)]
struct Guarded {
    release: Arc<ReleaseKey>,
    not_before: ResourceVersion,
    print: Option<Fingerprint>,
    seen: Option<(ResourceVersion, State)>,
    accepted: Option<Accepted>,
}

/// A state that was looked at, whatever came of it.
#[derive(Debug, Clone, Copy)]
struct Accepted {
    at: ResourceVersion,
    state: State,
    /// Whether all that the manifest holds was ours: then only what is ours has to stay.
    whole: bool,
}

impl Accepted {
    fn fits(&self, state: &State) -> bool {
        match (&self.state, state) {
            (None, None) => true,
            (Some(known), Some(now)) if self.whole => {
                known.owned.is_some() && known.owned == now.owned
            }
            (Some(known), Some(now)) => known.content == now.content,
            _ => false,
        }
    }
}

impl Guarded {
    fn is_suspect(&self) -> bool {
        let Some((at, state)) = &self.seen else {
            return false;
        };
        if *at < self.not_before {
            return false;
        }
        match &self.accepted {
            Some(accepted) => *at > accepted.at && !accepted.fits(state),
            None => match state {
                None => true,
                Some(sight) => self.print.is_none() || sight.owned != self.print,
            },
        }
    }
}

impl Guards {
    /// Replaces what is guarded for a release. Answers with what was not guarded for it before; `None` when nothing is
    /// new.
    pub fn guard(&mut self, release: &ReleaseKey, guards: &[Guard]) -> Option<Vec<ObjectKey>> {
        if self.is_guarded_so(release, guards) {
            return None;
        }
        let mut before = self.take(release);
        let release = Arc::new(release.clone());
        let mut keys = Vec::with_capacity(guards.len());
        let mut fresh = Vec::new();
        for guard in guards {
            let key = match self.objects.get_key_value(&guard.key) {
                Some((key, _)) => Arc::clone(key),
                None => Arc::new(guard.key.clone()),
            };
            let old = before.remove(&guard.key);
            if old.is_none() {
                fresh.push(guard.key.clone());
            }
            let same = old
                .as_ref()
                .is_some_and(|old| old.not_before == guard.not_before && old.print == guard.print);
            let (seen, accepted) = old.map_or((None, None), |old| (old.seen, old.accepted));
            self.objects
                .entry(Arc::clone(&key))
                .or_default()
                .push(Guarded {
                    release: Arc::clone(&release),
                    not_before: guard.not_before,
                    print: guard.print,
                    seen,
                    accepted: accepted.filter(|_| same),
                });
            keys.push(key);
        }
        if !keys.is_empty() {
            self.releases.insert(release, keys);
        }
        Some(fresh)
    }

    fn is_guarded_so(&self, release: &ReleaseKey, guards: &[Guard]) -> bool {
        let keys = self.releases.get(release).map_or(&[][..], Vec::as_slice);
        keys.len() == guards.len()
            && keys.iter().zip(guards).all(|(key, guard)| {
                **key == guard.key
                    && self.of(release, &guard.key).is_some_and(|known| {
                        known.not_before == guard.not_before && known.print == guard.print
                    })
            })
    }

    fn of(&self, release: &ReleaseKey, key: &ObjectKey) -> Option<&Guarded> {
        let all = self.objects.get(key)?;
        all.iter().find(|guarded| *guarded.release == *release)
    }

    fn take(&mut self, release: &ReleaseKey) -> BTreeMap<Arc<ObjectKey>, Guarded> {
        let mut taken = BTreeMap::new();
        for key in self.releases.remove(release).into_iter().flatten() {
            let Some(all) = self.objects.get_mut(&key) else {
                continue;
            };
            if let Some(at) = all.iter().position(|guarded| *guarded.release == *release) {
                taken.insert(Arc::clone(&key), all.swap_remove(at));
            }
            if all.is_empty() {
                self.objects.remove(&key);
            }
        }
        taken
    }

    pub fn is_guarded(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    /// The guarded objects of a kind, in one namespace or all.
    pub fn guarded_of(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<ObjectKey> {
        self.objects
            .keys()
            .filter(|key| key.group == group && key.kind == kind)
            .filter(|key| {
                namespace.is_none_or(|namespace| key.namespace.as_deref() == Some(namespace))
            })
            .map(|key| (**key).clone())
            .collect()
    }

    /// What of an object was seen last, for any release; what a look that begins now finds missing is missing since.
    pub fn known(&self, key: &ObjectKey) -> Option<ResourceVersion> {
        self.objects
            .get(key)?
            .iter()
            .map(|guarded| {
                let seen = guarded.seen.map_or(guarded.not_before, |(at, _)| at);
                seen.max(guarded.not_before)
            })
            .max()
    }

    /// Takes a state in. Answers with the releases to which it is news.
    pub fn seen(&mut self, key: &ObjectKey, at: ResourceVersion, state: State) -> Vec<ReleaseKey> {
        let Some(all) = self.objects.get_mut(key) else {
            return Vec::new();
        };
        let mut woken = Vec::new();
        for guarded in all {
            if guarded.seen.is_some_and(|(known, _)| known > at) {
                continue;
            }
            guarded.seen = Some((at, state));
            if guarded.is_suspect() {
                woken.push((*guarded.release).clone());
            }
        }
        woken
    }

    /// The objects of a release in another state than was left or looked at, in the order of their keys.
    pub fn suspects(&self, release: &ReleaseKey) -> Vec<ObjectKey> {
        let keys = self.releases.get(release).into_iter().flatten();
        let mut suspects: Vec<_> = keys
            .filter(|key| self.of(release, key).is_some_and(Guarded::is_suspect))
            .map(|key| (**key).clone())
            .collect();
        suspects.sort();
        suspects
    }

    /// A state was looked at: only another one is news from here on.
    pub fn accept(
        &mut self,
        release: &ReleaseKey,
        key: &ObjectKey,
        at: ResourceVersion,
        state: State,
        whole: bool,
    ) {
        let guarded = self
            .objects
            .get_mut(key)
            .into_iter()
            .flatten()
            .find(|guarded| *guarded.release == *release);
        if let Some(guarded) = guarded {
            guarded.accepted = Some(Accepted { at, state, whole });
        }
    }
}

#[cfg(test)]
#[path = "guard/tests.rs"]
mod tests;
