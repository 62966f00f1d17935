//! Which value wins: the user's over the parent chart's over the chart's own, and globals flow down.
//!
//! There are two ways of putting maps together. *Coalescing* gives what templates see: a null of the user removes a
//! chart's default, and nulls among the defaults count as absent. *Merging* keeps nulls, for steps that coalesce later.

use belay_yaml::{Map, Value};

use crate::chart::Chart;
use crate::error::ChartError;
use crate::warning::Warning;

/// The key whose map every subchart sees.
const GLOBAL: &str = "global";

/// Whether nulls stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Remove,
    Keep,
}

/// Puts a chart's defaults and those of its subcharts below `values`.
pub(crate) fn coalesce(
    chart: &Chart,
    values: &mut Map,
    nulls: Nulls,
    warnings: &mut Vec<Warning>,
) -> Result<(), ChartError> {
    Coalesce { warnings }.chart(chart, values, "", nulls)?;
    hand_down(chart, values);
    Ok(())
}

/// Puts `below` under `above`, keeping nulls.
pub(crate) fn merge_tables(above: &mut Map, below: Map, warnings: &mut Vec<Warning>) {
    Coalesce { warnings }.tables(above, below, "", Nulls::Keep);
}

/// Puts `below` under `above`, where a null removes; what cannot be merged is left as it is.
pub(crate) fn tables(above: &mut Map, below: Map, warnings: &mut Vec<Warning>) {
    Coalesce { warnings }.tables(above, below, "", Nulls::Remove);
}

struct Coalesce<'w> {
    warnings: &'w mut Vec<Warning>,
}

impl Coalesce<'_> {
    fn warn(&mut self, text: String) {
        self.warnings.push(Warning::info(text));
    }

    fn chart(
        &mut self,
        chart: &Chart,
        values: &mut Map,
        prefix: &str,
        nulls: Nulls,
    ) -> Result<(), ChartError> {
        self.defaults(chart, values, prefix, nulls);
        let prefix = join(prefix, chart.name());
        for child in chart.dependencies() {
            let mut own = match values.remove(child.name()) {
                None => Map::new(),
                Some(Value::Map(own)) => own,
                Some(other) => {
                    return Err(ChartError::SubchartValues(
                        child.name().to_owned(),
                        go_verb_t(&other),
                    ));
                }
            };
            self.globals(&mut own, values, &prefix);
            self.chart(child, &mut own, &prefix, nulls)?;
            share(&own, values);
            values.insert(child.name().to_owned(), Value::Map(own));
        }
        Ok(())
    }

    fn defaults(&mut self, chart: &Chart, values: &mut Map, prefix: &str, nulls: Nulls) {
        let prefix = join(prefix, chart.name());
        for (key, default) in chart.values().into_iter().flatten() {
            match values.get_mut(key) {
                Some(Value::Null) if nulls == Nulls::Remove => {
                    values.remove(key);
                }
                Some(Value::Map(above)) => match default {
                    Value::Map(below) => {
                        // The values of a subchart are coalesced later, by the subchart.
                        let is_child = chart.dependencies().iter().any(|child| child.name() == key);
                        let nulls = if is_child { Nulls::Keep } else { nulls };
                        let mut below = below.clone();
                        if nulls == Nulls::Remove {
                            remove_nulls(&mut below);
                        }
                        self.tables(above, below, &join(&prefix, key), nulls);
                    }
                    Value::Null => {}
                    _ => self.warn(format!(
                        "warning: skipped value for {prefix}.{key}: Not a table."
                    )),
                },
                Some(_) => {}
                None => {
                    let mut default = default.clone();
                    if nulls == Nulls::Remove {
                        if default.is_null() {
                            continue;
                        }
                        if let Value::Map(map) = &mut default {
                            remove_nulls(map);
                        }
                    }
                    values.insert(key.clone(), default);
                }
            }
        }
    }

    fn globals(&mut self, child: &mut Map, parent: &Map, prefix: &str) {
        let mut below = match child.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(map)) => map.clone(),
            Some(_) => {
                self.warn(format!(
                    "warning: skipping globals because destination {GLOBAL} is not a table."
                ));
                return;
            }
        };
        let above = match parent.get(GLOBAL) {
            None => &Map::new(),
            Some(Value::Map(map)) => map,
            Some(_) => {
                self.warn(format!(
                    "warning: skipping globals because source {GLOBAL} is not a table."
                ));
                return;
            }
        };
        for (key, value) in above {
            match (value, below.get(key)) {
                (Value::Map(map), Some(Value::Map(own))) => {
                    let mut merged = map.clone();
                    self.tables(&mut merged, own.clone(), &join(prefix, key), Nulls::Keep);
                    below.insert(key.clone(), Value::Map(merged));
                }
                (Value::Map(_), Some(_)) => {
                    self.warn(format!(
                        "Conflict: cannot merge map onto non-map for {key:?}. Skipping."
                    ));
                }
                (_, Some(Value::Map(_))) => self.warn(format!("key {key} is table. Skipping")),
                _ => {
                    below.insert(key.clone(), value.clone());
                }
            }
        }
        child.insert(GLOBAL.to_owned(), Value::Map(below));
    }

    fn tables(&mut self, above: &mut Map, below: Map, prefix: &str, nulls: Nulls) {
        for (key, value) in below {
            match (above.get_mut(&key), value) {
                (None, value) => {
                    above.insert(key, value);
                }
                // Null over something is the user's wish to be rid of it; null over null stays.
                (Some(Value::Null), value) if nulls == Nulls::Remove && !value.is_null() => {
                    above.remove(&key);
                }
                (Some(Value::Null), _) => {}
                (Some(Value::Map(upper)), Value::Map(lower)) => {
                    self.tables(upper, lower, &join(prefix, &key), nulls);
                }
                (Some(_), value @ Value::Map(_)) => {
                    let (path, value) = (join(prefix, &key), go_text(&value));
                    self.warn(format!(
                        "warning: cannot overwrite table with non table for {path} ({value})"
                    ));
                }
                (Some(Value::Map(_)), value) if !value.is_null() => {
                    let (path, value) = (join(prefix, &key), go_text(&value));
                    self.warn(format!(
                        "warning: destination for {path} is a table. Ignoring non-table value ({value})"
                    ));
                }
                _ => {}
            }
        }
    }
}

/// Of the globals, Helm copies the maps on the first level only when it hands them to a subchart. Those below are one
/// and the same for all charts, so that what one chart's defaults add to them is seen by all.
fn share(from: &Map, to: &mut Map) {
    let Some(Value::Map(from)) = from.get(GLOBAL) else {
        return;
    };
    let Some(Value::Map(to)) = to.get_mut(GLOBAL) else {
        return;
    };
    for (key, value) in to {
        let (Value::Map(to), Some(Value::Map(from))) = (value, from.get(key)) else {
            continue;
        };
        for (key, value) in to {
            if let (Value::Map(to), Some(Value::Map(from))) = (value, from.get(key)) {
                to.clone_from(from);
            }
        }
    }
}

/// Gives the subcharts what later ones added to the globals that they share.
fn hand_down(chart: &Chart, values: &mut Map) {
    for child in chart.dependencies() {
        let Some(Value::Map(mut own)) = values.remove(child.name()) else {
            continue;
        };
        share(values, &mut own);
        hand_down(child, &mut own);
        values.insert(child.name().to_owned(), Value::Map(own));
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

fn remove_nulls(map: &mut Map) {
    map.retain(|_, value| {
        if let Value::Map(inner) = value {
            remove_nulls(inner);
        }
        !value.is_null()
    });
}

/// The map that a dotted path leads to.
pub(crate) fn table<'v>(values: &'v Map, path: &str) -> Option<&'v Map> {
    find_table(values, path).ok()
}

/// The map that a dotted path leads to, or the first key on it that leads to none.
pub(crate) fn find_table<'v, 'p>(values: &'v Map, path: &'p str) -> Result<&'v Map, &'p str> {
    path.split('.').try_fold(values, |map, key| {
        map.get(key).and_then(Value::as_map).ok_or(key)
    })
}

/// The value, no map, that a dotted path leads to.
pub(crate) fn scalar<'v>(values: &'v Map, path: &str) -> Option<&'v Value> {
    let (map, key) = match path.rsplit_once('.') {
        Some((above, key)) => (table(values, above)?, key),
        None => (values, path),
    };
    map.get(key).filter(|value| value.as_map().is_none())
}

/// Go's name of a value's type.
pub(crate) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Uint(_) => "uint64",
        Value::Float(_) => "float64",
        Value::Str(_) | Value::Bytes(_) => "string",
        Value::Seq(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

/// Go's `%v` of a value.
pub(crate) fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Float(number) => belay_yaml::float_g(*number),
        Value::Str(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Seq(items) => format!(
            "[{}]",
            items.iter().map(go_text).collect::<Vec<_>>().join(" ")
        ),
        Value::Map(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(k, v)| format!("{k}:{}", go_text(v)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// Go's `%t`, which Helm uses where it means the type.
fn go_verb_t(value: &Value) -> String {
    match value {
        Value::Null => "%!t(<nil>)".to_owned(),
        value => go_verb_t_inside(value),
    }
}

/// The same within a list or map, where Go prints nil as it is and asks each part by itself.
fn go_verb_t_inside(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Seq(items) => {
            let items: Vec<_> = items.iter().map(go_verb_t_inside).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("%!t(string={key}):{}", go_verb_t_inside(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        other => format!("%!t({}={})", go_type(other), go_text(other)),
    }
}

#[cfg(test)]
#[path = "tests/coalesce.rs"]
mod tests;
