//! Which subcharts take part in a release, under which names, and what they hand up to their parents.

use std::sync::Arc;

use belay_template::semver::{Constraints, Version};
use belay_yaml::{Map, Value};

use crate::chart::Chart;
use crate::coalesce::{self, Nulls, go_text, merge_tables};
use crate::error::ChartError;
use crate::metadata::Dependency;
use crate::warning::Warning;

/// The chart as it takes part: aliases applied, disabled subcharts gone, imported values in place.
pub(crate) fn process(
    chart: &Chart,
    values: &Map,
    warnings: &mut Vec<Warning>,
) -> Result<Chart, ChartError> {
    let mut chart = chart.clone();
    enable(&mut chart, values, "", warnings)?;
    import(&mut chart, warnings)?;
    Ok(chart)
}

/// Whether the version is one that the range allows; what cannot be read allows nothing.
pub(crate) fn in_range(range: &str, version: &str) -> bool {
    match (Constraints::parse(range), Version::parse(version)) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => false,
    }
}

fn enable(
    chart: &mut Chart,
    values: &Map,
    path: &str,
    warnings: &mut Vec<Warning>,
) -> Result<(), ChartError> {
    // Without a list of dependencies Helm looks no further, not even into the subcharts.
    let Some(mut listed) = chart.metadata.dependencies.take() else {
        return Ok(());
    };
    let wanted = |child: &Chart, by: &Dependency| {
        child.name() == by.name && in_range(&by.version, &child.metadata.version)
    };
    let mut children: Vec<Arc<Chart>> = chart
        .dependencies
        .iter()
        .filter(|child| !listed.iter().any(|dependency| wanted(child, dependency)))
        .cloned()
        .collect();
    for dependency in &mut listed {
        if let Some(found) = chart
            .dependencies
            .iter()
            .find(|child| wanted(child, dependency))
        {
            let mut child = (**found).clone();
            if !dependency.alias.is_empty() {
                child.metadata.name.clone_from(&dependency.alias);
            }
            children.push(Arc::new(child));
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    chart.dependencies = children;

    let mut coalesced = values.clone();
    coalesce::coalesce(chart, &mut coalesced, Nulls::Remove, warnings)?;
    for dependency in &mut listed {
        by_tags(dependency, &coalesced, warnings);
        by_condition(dependency, &coalesced, path, warnings);
    }
    let off: Vec<String> = listed
        .iter()
        .filter(|d| !d.enabled)
        .map(|d| d.name.clone())
        .collect();
    chart
        .dependencies
        .retain(|child| !off.iter().any(|name| name == child.name()));
    listed.retain(|dependency| !off.contains(&dependency.name));

    for child in &mut chart.dependencies {
        let child = Arc::make_mut(child);
        let path = format!("{path}{}.", child.name());
        enable(child, &coalesced, &path, warnings)?;
    }
    chart.metadata.dependencies = (!listed.is_empty()).then_some(listed);
    Ok(())
}

/// One true tag keeps a chart; without any, a false one drops it.
fn by_tags(dependency: &mut Dependency, values: &Map, warnings: &mut Vec<Warning>) {
    let Some(tags) = coalesce::table(values, "tags") else {
        return;
    };
    let (mut any_true, mut any_false) = (false, false);
    for tag in &dependency.tags {
        match tags.get(tag) {
            Some(Value::Bool(true)) => any_true = true,
            Some(Value::Bool(false)) => any_false = true,
            Some(_) => warnings.push(
                Warning::warn("returned non-bool value")
                    .with("tag", tag)
                    .with("chart", &dependency.name),
            ),
            None => {}
        }
    }
    dependency.enabled = any_true || !any_false;
}

/// The first path that holds a boolean decides, over all tags.
fn by_condition(
    dependency: &mut Dependency,
    values: &Map,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for condition in dependency
        .condition
        .trim()
        .split(',')
        .filter(|c| !c.is_empty())
    {
        match coalesce::scalar(values, &format!("{path}{condition}")) {
            Some(Value::Bool(enabled)) => {
                dependency.enabled = *enabled;
                return;
            }
            Some(_) => {
                warnings.push(
                    Warning::warn("returned non-bool value")
                        .with("path", condition)
                        .with("chart", &dependency.name),
                );
            }
            None => {}
        }
    }
}

/// Takes what `import-values` names from the children's values, innermost charts first.
fn import(chart: &mut Chart, warnings: &mut Vec<Warning>) -> Result<(), ChartError> {
    for child in &mut chart.dependencies {
        import(Arc::make_mut(child), warnings)?;
    }
    let Some(mut listed) = chart.metadata.dependencies.take() else {
        return Ok(());
    };
    let mut values = Map::new();
    coalesce::coalesce(chart, &mut values, Nulls::Keep, warnings)?;
    let mut imported = Map::new();
    for dependency in &mut listed {
        let mut processed = Vec::new();
        for entry in &dependency.import_values {
            let (child, parent, missing) = match entry {
                Value::Map(map) => {
                    let text = |key| go_text(map.get(key).unwrap_or(&Value::Null));
                    let missing = Warning::warn("ImportValues missing table from chart")
                        .with("chart", &dependency.name);
                    (text("child"), text("parent"), missing)
                }
                Value::Str(name) => (
                    format!("exports.{name}"),
                    ".".to_owned(),
                    Warning::warn("ImportValues missing table"),
                ),
                _ => continue,
            };
            match coalesce::find_table(&values, &format!("{}.{child}", dependency.name)) {
                Ok(found) => merge_tables(&mut imported, below(&parent, found.clone()), warnings),
                Err(key) => {
                    warnings.push(missing.with("error", format!("{key:?} is not a table")));
                }
            }
            let pair = [
                ("child".to_owned(), Value::from(child)),
                ("parent".to_owned(), Value::from(parent)),
            ];
            processed.push(Value::Map(pair.into_iter().collect()));
        }
        dependency.import_values = processed;
    }
    // The parent's own values win over what it imports.
    merge_tables(&mut values, imported, warnings);
    chart.values = Some(Arc::new(values));
    chart.metadata.dependencies = Some(listed);
    Ok(())
}

/// A map that holds `values` at a dotted path; "." is the top.
fn below(path: &str, values: Map) -> Map {
    if path == "." {
        return values;
    }
    path.split('.').rev().fold(values, |inner, key| {
        Map::from([(key.to_owned(), Value::Map(inner))])
    })
}

#[cfg(test)]
#[path = "tests/dependencies.rs"]
mod tests;
