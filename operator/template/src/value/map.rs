//! Shared maps.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::free::{Entries, free, written};
use super::{MapType, Str, Value};

/// A shared, mutable map in the order of its keys' bytes (the order in which Go's templates range over maps).
///
/// A clone is another reference to the same map, see [`Map::copy`]. Iterate over [`Map::snapshot`] when anything
/// foreign runs in between.
#[derive(Clone)]
pub struct Map {
    entries: Rc<Entries>,
    kind: MapType,
    nil: bool,
}

impl Map {
    /// An empty map.
    pub fn new(kind: MapType) -> Self {
        Self::with(kind, BTreeMap::new())
    }

    /// A map with these entries.
    pub fn with(kind: MapType, entries: BTreeMap<Str, Value>) -> Self {
        Self {
            entries: Rc::new(RefCell::new(entries)),
            kind,
            nil: false,
        }
    }

    /// Go's nil map: reads as empty, is `null` in JSON, refuses to be written.
    pub fn nil(kind: MapType) -> Self {
        Self {
            entries: Rc::default(),
            kind,
            nil: true,
        }
    }

    /// Whether this is the nil map.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// The static type.
    pub fn kind(&self) -> MapType {
        self.kind
    }

    /// The value under the key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.entries.borrow().contains_key(key)
    }

    /// Sets the key. Go's nil map cannot be written: check [`Map::is_nil`] first where Go would panic.
    pub fn insert(&self, key: Str, value: Value) {
        written(&self.entries, &value);
        let old = self.entries.borrow_mut().insert(key, value);
        drop(old); // after the borrow: dropping may reach this map again
    }

    /// Removes the key.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow_mut().remove(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// The entries in key order; the map must not be written while this is held.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.entries.borrow()
    }

    /// The entries of now, in key order.
    pub fn snapshot(&self) -> Vec<(Str, Value)> {
        self.entries
            .borrow()
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Another map with the same entries (one level deep).
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::with(self.kind, self.entries.borrow().clone())
    }

    /// The same map under another static type, as a conversion in Go.
    #[must_use]
    pub fn retyped(&self, kind: MapType) -> Self {
        Self {
            entries: Rc::clone(&self.entries),
            kind,
            nil: self.nil,
        }
    }

    /// Whether both are the same map, not only alike.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Rc<Entries> {
        &self.entries
    }

    /// An address to recognise this map by, while it lives.
    pub fn identity(&self) -> usize {
        Rc::as_ptr(&self.entries).cast::<()>() as usize
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if Rc::strong_count(&self.entries) == 1
            && let Ok(mut entries) = self.entries.try_borrow_mut()
        {
            let entries = std::mem::take(&mut *entries);
            free(entries.into_values());
        }
    }
}
