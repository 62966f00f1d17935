//! Strategic merge patches.
//!
//! As `kubectl patch --type=strategic` does it (apimachinery's `strategicpatch`), but for two things that kustomize
//! does otherwise and its users write: `$patch: delete` takes a field away instead of leaving it empty, and
//! `$patch: merge` may be said. The order of elements that was set before (`$setElementOrder`, which `kubectl apply`
//! writes) is refused.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::merge_keys::{Fields, Strategy, field};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";

/// What a patch does with the object that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directive {
    /// Merges into it.
    Merge,
    /// Takes its place.
    Replace,
    /// Takes it away.
    Delete,
}

/// Takes the directive out of a patch.
pub(crate) fn take_directive(patch: &mut Map<String, Value>, at: &str) -> Result<Directive, Error> {
    match patch.remove(DIRECTIVE) {
        None => Ok(Directive::Merge),
        Some(Value::String(word)) if word == "merge" => Ok(Directive::Merge),
        Some(Value::String(word)) if word == "replace" => Ok(Directive::Replace),
        Some(Value::String(word)) if word == "delete" => Ok(Directive::Delete),
        Some(other) => Err(refuse(
            at,
            format!("{DIRECTIVE} is {other}; it may be merge, replace or delete"),
        )),
    }
}

/// Merges `patch`, whose own directive was taken, into `original`.
pub(crate) fn merge(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    fields: Fields,
    at: &str,
) -> Result<Map<String, Value>, Error> {
    retain_keys(&mut original, &mut patch, at)?;
    for (key, value) in patch {
        let at = below(at, &key);
        if key.starts_with(ELEMENT_ORDER) {
            let what = "$setElementOrder is what kubectl apply writes; write the list itself";
            return Err(refuse(&at, what.to_owned()));
        }
        if let Some(name) = key.strip_prefix(DELETE_FROM) {
            delete_from(&mut original, name, &value, &at)?;
            continue;
        }
        let known = field(fields, &key);
        let merged = match (original.remove(&key), value) {
            (_, Value::Null) => None,
            (Some(Value::Object(old)), Value::Object(mut new)) => {
                match (known.strategy, take_directive(&mut new, &at)?) {
                    (_, Directive::Delete) => None,
                    (Strategy::Replace, _) | (_, Directive::Replace) => {
                        Some(new_value(Value::Object(new)))
                    }
                    (_, Directive::Merge) => {
                        Some(Value::Object(merge(old, new, known.fields, &at)?))
                    }
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) => Some(Value::Array(merge_lists(
                old,
                new,
                known.strategy,
                known.fields,
                &at,
            )?)),
            (_, new) if deletes(&new) => None,
            (_, new) => Some(new_value(new)),
        };
        if let Some(merged) = merged {
            original.insert(key, merged);
        }
    }
    Ok(original)
}

/// `$retainKeys` names all that stays; what the patch itself says has to be among it.
fn retain_keys(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    at: &str,
) -> Result<(), Error> {
    let Some(kept) = patch.remove(RETAIN) else {
        return Ok(());
    };
    let Some(kept) = kept.as_array() else {
        return Err(refuse(at, format!("{RETAIN} has to be a list of keys")));
    };
    let is_kept = |key: &str| kept.iter().any(|kept| kept.as_str() == Some(key));
    let forgotten = patch
        .iter()
        .find(|(key, value)| !value.is_null() && !key.starts_with('$') && !is_kept(key));
    if let Some((key, _)) = forgotten {
        return Err(refuse(
            at,
            format!("{RETAIN} has to name {key}, too, since the patch sets it"),
        ));
    }
    original.retain(|key, _| is_kept(key));
    Ok(())
}

fn delete_from(
    original: &mut Map<String, Value>,
    name: &str,
    gone: &Value,
    at: &str,
) -> Result<(), Error> {
    let Some(gone) = gone.as_array() else {
        return Err(refuse(at, "it has to be a list of values".to_owned()));
    };
    if let Some(Value::Array(list)) = original.get_mut(name) {
        list.retain(|value| !gone.contains(value));
    }
    Ok(())
}

fn merge_lists(
    old: Vec<Value>,
    new: Vec<Value>,
    strategy: Strategy,
    fields: Fields,
    at: &str,
) -> Result<Vec<Value>, Error> {
    match strategy {
        Strategy::Usual | Strategy::Replace => Ok(match new_value(Value::Array(new)) {
            Value::Array(list) => list,
            _ => Vec::new(),
        }),
        Strategy::Set => {
            let mut order = Vec::new();
            for value in new {
                if !order.contains(&value) {
                    order.push(value);
                }
            }
            let mut rest: Vec<Value> = Vec::new();
            for value in &old {
                if !order.contains(value) && !rest.contains(value) {
                    rest.push(value.clone());
                }
            }
            Ok(woven(rest, order, &old, |a, b| a == b))
        }
        Strategy::ByKey(key) => merge_by_key(old, new, key, fields, at),
    }
}

fn merge_by_key(
    mut old: Vec<Value>,
    new: Vec<Value>,
    key: &'static str,
    fields: Fields,
    at: &str,
) -> Result<Vec<Value>, Error> {
    let mut patches = Vec::with_capacity(new.len());
    let mut replaces = false;
    for (index, element) in new.into_iter().enumerate() {
        let at = format!("{at}[{index}]");
        let Value::Object(mut element) = element else {
            return Err(refuse(&at, "it has to be an object".to_owned()));
        };
        let directive = take_directive(&mut element, &at)?;
        if directive == Directive::Replace {
            // It speaks of the list as a whole. What else stands in its element kubectl drops, and kustomize drops the
            // patch.
            if !element.is_empty() {
                let what = "$patch: replace is for the list as a whole and stands in an element of its own";
                return Err(refuse(&at, what.to_owned()));
            }
            replaces = true;
            continue;
        }
        let Some(value) = element.get(key).cloned() else {
            return Err(refuse(
                &at,
                format!("it has no {key}, by which elements of this list are told apart"),
            ));
        };
        if directive == Directive::Delete {
            old.retain(|element| element.get(key) != Some(&value));
        } else {
            patches.push((value, element, at));
        }
    }
    if replaces {
        old.clear();
    }
    if let Some(index) = old.iter().position(|element| element.get(key).is_none()) {
        return Err(refuse(
            at,
            format!("element {index} of the object has no {key}, by which elements are told apart"),
        ));
    }
    let order = old.clone();
    let same = |a: &Value, b: &Value| a.get(key) == b.get(key);
    let mut merged: Vec<Value> = Vec::with_capacity(patches.len());
    for (value, element, at) in patches {
        let is_it = |candidate: &Value| candidate.get(key) == Some(&value);
        // The patch may name an element twice.
        let twice = merged.iter().position(is_it);
        let before = match twice {
            Some(place) => Some(std::mem::take(&mut merged[place])),
            None => old.iter().position(is_it).map(|place| old.remove(place)),
        };
        let after = match before {
            Some(before) => merge_element(before, element, fields, &at)?,
            None => new_value(Value::Object(element)),
        };
        match twice {
            Some(place) => merged[place] = after,
            None => merged.push(after),
        }
    }
    Ok(woven(old, merged, &order, same))
}

fn merge_element(
    old: Value,
    new: Map<String, Value>,
    fields: Fields,
    at: &str,
) -> Result<Value, Error> {
    let Value::Object(old) = old else {
        return Err(refuse(at, "the object's element is no object".to_owned()));
    };
    merge(old, new, fields, at).map(Value::Object)
}

/// What only the object has, woven into what the patch names: both keep their order, and where the object had an
/// element of the first before one of the second, so it stays. New elements come as early as that allows.
fn woven(
    rest: Vec<Value>,
    named: Vec<Value>,
    before: &[Value],
    same: impl Fn(&Value, &Value) -> bool,
) -> Vec<Value> {
    let place = |value: &Value| before.iter().position(|other| same(other, value));
    let mut all = Vec::with_capacity(rest.len() + named.len());
    let mut rest = rest.into_iter().peekable();
    for value in named {
        let own = place(&value);
        while let Some(next) = rest.next_if(|next| match (place(next), own) {
            (Some(theirs), Some(own)) => theirs < own,
            _ => false,
        }) {
            all.push(next);
        }
        all.push(value);
    }
    all.extend(rest);
    all
}

/// What is new is taken as it is, without what only speaks of merging: directives, and nulls, which take away what was
/// never there.
fn new_value(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, value)| !key.starts_with('$') && !value.is_null() && !deletes(value))
                .map(|(key, value)| (key, new_value(value)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(
            list.into_iter()
                .filter(|value| !deletes(value))
                .map(new_value)
                .collect(),
        ),
        other => other,
    }
}

fn deletes(value: &Value) -> bool {
    value.get(DIRECTIVE).and_then(Value::as_str) == Some("delete")
}

fn below(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

fn refuse(at: &str, what: String) -> Error {
    Error::DoesNotMerge {
        at: if at.is_empty() { "its root" } else { at }.to_owned(),
        what,
    }
}
