//! Dictionaries. They are shared: `set`, `unset` and `merge` change them for all who hold them.

mod merge;

use std::collections::HashMap;

use super::args::{any, at, bytes, map, reserve, text_of};
use super::versions;
use crate::call::{
    Caller, Function, Library,
    Param::{Any, Map as Dict, String as Str},
};
use crate::error::FuncError;
use crate::limits::MAX_VALUE_DEPTH;
use crate::value::{List, Map, MapType, Str as Key, Value};

/// Sprig's functions over dictionaries.
pub(super) const LIBRARY: Library = Library {
    name: "dicts",
    functions: &[
        Function::variadic("dict", &[], Any, |_, a| Ok(dict(a))),
        Function::new("get", &[Dict, Str], |_, a| {
            Ok(map(a, 0).get(bytes(a, 1)).unwrap_or_else(|| "".into()))
        }),
        Function::new("set", &[Dict, Str, Any], set),
        Function::new("unset", &[Dict, Str], |_, a| {
            let map = map(a, 0);
            map.remove(bytes(a, 1));
            Ok(map.into())
        }),
        Function::new("hasKey", &[Dict, Str], |_, a| {
            Ok(map(a, 0).contains(bytes(a, 1)).into())
        }),
        Function::variadic("pluck", &[Str], Dict, |_, a| {
            let key = bytes(a, 0);
            Ok(Value::list(
                (1..a.len()).filter_map(|i| map(a, i).get(key)).collect(),
            ))
        }),
        Function::variadic("keys", &[], Dict, |_, a| {
            let maps = (0..a.len()).map(|i| map(a, i));
            let keys = maps.flat_map(|map| map.entries().keys().cloned().collect::<Vec<_>>());
            Ok(Value::strings(keys))
        }),
        Function::new("values", &[Dict], |_, a| {
            Ok(Value::list(map(a, 0).entries().values().cloned().collect()))
        }),
        Function::variadic("pick", &[Dict], Str, |_, a| {
            let from = map(a, 0);
            Ok(Value::map(keys_of(a).filter_map(|key| {
                from.get(&key).map(|value| (key, value))
            })))
        }),
        Function::variadic("omit", &[Dict], Str, |_, a| {
            let rest = Map::with(MapType::Any, map(a, 0).entries().clone());
            for key in keys_of(a) {
                rest.remove(&key);
            }
            Ok(rest.into())
        }),
        Function::variadic("merge", &[Dict], Dict, |_, a| merge_all(a, false)),
        Function::variadic("mustMerge", &[Dict], Dict, |_, a| merge_all(a, false)),
        Function::variadic("mergeOverwrite", &[Dict], Dict, |_, a| merge_all(a, true)),
        Function::variadic("mustMergeOverwrite", &[Dict], Dict, |_, a| {
            merge_all(a, true)
        }),
        Function::variadic("dig", &[], Any, dig),
        Function::new("deepCopy", &[Any], deep_copy),
        Function::new("mustDeepCopy", &[Any], deep_copy),
    ],
};

fn keys_of(args: &[Value]) -> impl Iterator<Item = Key> + '_ {
    args.iter().skip(1).filter_map(|key| key.as_str().cloned())
}

fn dict(args: &[Value]) -> Value {
    let pairs = args.chunks(2).map(|pair| {
        let value = pair.get(1).cloned().unwrap_or_else(|| "".into());
        (text_of(&pair[0]), value)
    });
    Value::map(pairs)
}

fn set(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let map = map(args, 0);
    if map.is_nil() {
        return Err("assignment to entry in nil map".into());
    }
    map.insert(bytes(args, 1).into(), any(args, 2));
    Ok(map.into())
}

fn merge_all(args: &[Value], overwrite: bool) -> Result<Value, FuncError> {
    let target = map(args, 0);
    let sources = (1..args.len()).map(|i| map(args, i));
    let target = if target.is_nil() && !sources.clone().all(|source| source.is_nil()) {
        Map::new(MapType::Any)
    } else {
        target
    };
    for source in sources {
        merge::merge(&target, &source, overwrite)?;
    }
    Ok(target.into())
}

/// Follows keys into dictionaries; the last argument but one is the default, the last where to look.
fn dig(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let [keys @ .., default, from] = args else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut current = plain_map(from)?;
    let mut names = Vec::with_capacity(keys.len());
    for key in keys {
        let Value::Str(name) = key else {
            return Err(conversion(key, "string"));
        };
        names.push(name);
    }
    for (i, name) in names.iter().enumerate() {
        let Some(step) = current.get(name) else {
            return Ok(default.clone());
        };
        if i + 1 == names.len() {
            return Ok(step);
        }
        current = plain_map(&step)?;
    }
    Ok(Value::Nil)
}

/// Go asserts the exact type here: `.Values` itself is refused.
fn plain_map(value: &Value) -> Result<Map, FuncError> {
    match value {
        Value::Map(map) if map.kind() == MapType::Any => Ok(map.clone()),
        other => Err(conversion(other, MapType::Any.type_name())),
    }
}

fn conversion(value: &Value, wanted: &str) -> FuncError {
    let is = if value.is_nil() {
        "nil"
    } else {
        value.type_name()
    };
    FuncError::new(format!(
        "interface conversion: interface {{}} is {is}, not {wanted}"
    ))
}

fn deep_copy(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    if at(args, 0).is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    copy(caller, at(args, 0), &mut HashMap::new(), 0)
}

/// Go's stack ends a chart that nests without end, and Helm with it.
fn too_deep(depth: usize) -> Result<(), FuncError> {
    if depth > MAX_VALUE_DEPTH {
        return Err(format!("exceeded {MAX_VALUE_DEPTH} levels of lists and dictionaries").into());
    }
    Ok(())
}

/// A copy that shares no map with the original; a map that holds itself does so in the copy, too.
fn copy(
    caller: &mut dyn Caller,
    value: &Value,
    seen: &mut HashMap<usize, Map>,
    depth: usize,
) -> Result<Value, FuncError> {
    too_deep(depth)?;
    match value {
        Value::List(list) if !list.is_nil() => {
            reserve(caller, list.len(), size_of::<Value>())?;
            let items = list
                .iter()
                .map(|item| copy(caller, item, seen, depth + 1))
                .collect::<Result<_, _>>()?;
            Ok(Value::List(List::new(list.kind(), items)))
        }
        Value::Map(map) if !map.is_nil() => {
            if let Some(known) = seen.get(&map.identity()) {
                return Ok(known.clone().into());
            }
            reserve(caller, map.len(), 2 * size_of::<Value>())?;
            let target = Map::new(map.kind());
            seen.insert(map.identity(), target.clone());
            for (key, item) in map.snapshot() {
                let item = copy(caller, &item, seen, depth + 1)?;
                target.insert(key, item);
            }
            Ok(target.into())
        }
        // Go cannot copy fields that are not exported, and a version has no others.
        other if versions::is_version(other) => Ok(versions::zero(other)),
        other => Ok(other.clone()),
    }
}

#[cfg(test)]
mod tests;
