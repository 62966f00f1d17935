//! Merging dictionaries by the rules of mergo, the library that sprig uses: the target's own values stay unless they
//! are empty, and dictionaries on both sides merge into each other.

use std::collections::HashSet;

use super::too_deep;
use crate::error::FuncError;
use crate::value::{Map, Str, Value};

const NOT_ASSIGNABLE: &str =
    "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string";

/// Merges `source` into `target`, in place. With `overwrite` the source's values win, empty ones, too.
///
/// # Errors
/// When a value of any type is to go into a map that holds strings only, as that of `split`.
pub(super) fn merge(target: &Map, source: &Map, overwrite: bool) -> Result<(), FuncError> {
    merge_into(target, source, overwrite, &mut HashSet::new(), 0)
}

fn merge_into(
    target: &Map,
    source: &Map,
    overwrite: bool,
    visited: &mut HashSet<(usize, usize)>,
    depth: usize,
) -> Result<(), FuncError> {
    too_deep(depth)?;
    // A map that holds itself would be merged for ever.
    if target.same(source) || !visited.insert((target.identity(), source.identity())) {
        return Ok(());
    }
    let set = |key: Str, value: Value| {
        if source.kind().holds_any() && !target.kind().holds_any() {
            return Err(FuncError::new(NOT_ASSIGNABLE));
        }
        target.insert(key, value);
        Ok(())
    };
    for (key, new) in source.snapshot() {
        let old = target.get(&key);
        if new.is_nil() {
            if overwrite {
                set(key, new)?;
            }
            continue;
        }
        if let (Some(Value::Map(old)), Value::Map(new)) = (&old, &new)
            && !old.is_nil()
        {
            merge_into(old, new, overwrite, visited, depth + 1)?;
        }
        // Judged after the merge, which may have filled an empty dictionary.
        let kept = match &old {
            None => false,
            Some(old) if is_empty(old) => false,
            Some(Value::Map(_)) if matches!(new, Value::Map(_)) => true,
            Some(_) => !overwrite,
        };
        if !kept {
            set(key, new)?;
        }
    }
    Ok(())
}

/// Structs are never empty here, as in sprig.
fn is_empty(value: &Value) -> bool {
    !value.truth()
}
