//! Merging dictionaries by the rules of mergo, the library that sprig uses: the target's own values stay unless they
//! are empty, and dictionaries on both sides merge into each other.

use std::collections::HashSet;

use crate::value::{Map, Value};

/// Merges `source` into `target`, in place. With `overwrite` the source's values win, empty ones, too.
pub(super) fn merge(target: &Map, source: &Map, overwrite: bool) {
    merge_into(target, source, overwrite, &mut HashSet::new());
}

fn merge_into(target: &Map, source: &Map, overwrite: bool, visited: &mut HashSet<(usize, usize)>) {
    // A map that holds itself would be merged for ever.
    if target.same(source) || !visited.insert((target.identity(), source.identity())) {
        return;
    }
    for (key, new) in source.snapshot() {
        let old = target.get(&key);
        if new.is_nil() {
            if overwrite {
                target.insert(key, new);
            }
            continue;
        }
        if let (Some(Value::Map(old)), Value::Map(new)) = (&old, &new)
            && !old.is_nil()
        {
            merge_into(old, new, overwrite, visited);
        }
        // Judged after the merge, which may have filled an empty dictionary.
        let kept = match &old {
            None => false,
            Some(old) if is_empty(old) => false,
            Some(Value::Map(_)) if matches!(new, Value::Map(_)) => true,
            Some(_) => !overwrite,
        };
        if !kept {
            target.insert(key, new);
        }
    }
}

/// Structs are never empty here, as in sprig.
fn is_empty(value: &Value) -> bool {
    !value.truth()
}
