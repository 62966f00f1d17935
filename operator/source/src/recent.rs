//! A bounded map that forgets what was not used for longest.

use std::collections::BTreeMap;

/// Values under a total weight, least recently used first out. No clock: use is counted.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    by_use: BTreeMap<u64, K>,
    uses: u64,
    weight: u64,
    limit: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: u64,
    used: u64,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    pub fn new(limit: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            weight: 0,
            limit,
        }
    }

    pub fn get(&mut self, key: &K) -> Option<&V> {
        let entry = self.entries.get_mut(key)?;
        self.uses += 1;
        self.by_use.remove(&entry.used);
        entry.used = self.uses;
        self.by_use.insert(self.uses, key.clone());
        Some(&entry.value)
    }

    /// Keeps a value and says whose place it took. What is heavier than the limit alone is not kept, and is the
    /// last of the keys returned.
    pub fn insert(&mut self, key: K, value: V, weight: u64) -> Vec<K> {
        self.remove(&key);
        if weight > self.limit {
            return vec![key];
        }
        self.uses += 1;
        self.weight += weight;
        self.by_use.insert(self.uses, key.clone());
        let used = self.uses;
        self.entries.insert(
            key,
            Entry {
                value,
                weight,
                used,
            },
        );
        let mut evicted = Vec::new();
        while self.weight > self.limit {
            let Some((_, oldest)) = self.by_use.first_key_value() else {
                break;
            };
            let oldest = oldest.clone();
            self.remove(&oldest);
            evicted.push(oldest);
        }
        evicted
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.by_use.remove(&entry.used);
        self.weight -= entry.weight;
        Some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_makes_room() {
        let mut recent = Recent::new(3);
        recent.insert("a", 1, 1);
        recent.insert("b", 2, 1);
        recent.insert("c", 3, 1);
        recent.get(&"a");

        let evicted = recent.insert("d", 4, 2);

        assert_eq!(evicted, ["b", "c"]);
        assert_eq!(recent.get(&"a"), Some(&1));
        assert_eq!(recent.get(&"d"), Some(&4));
    }

    #[test]
    fn what_can_never_fit_displaces_nothing() {
        let mut recent = Recent::new(3);
        recent.insert("a", 1, 3);

        assert_eq!(recent.insert("b", 2, 4), ["b"]);
        assert_eq!(recent.get(&"a"), Some(&1));
        assert_eq!(recent.get(&"b"), None);
    }

    #[test]
    fn a_replaced_value_gives_its_weight_back() {
        let mut recent = Recent::new(3);
        recent.insert("a", 1, 3);

        assert!(recent.insert("a", 2, 2).is_empty());
        assert!(recent.insert("b", 3, 1).is_empty());
        assert_eq!(recent.get(&"a"), Some(&2));
    }
}
