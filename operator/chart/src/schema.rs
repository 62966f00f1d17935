//! `values.schema.json`: whether values are what the chart's makers meant.
//!
//! The validator is by the author of the one that Helm uses and finds the same faults in the same order; this module
//! gives them the texts that Helm prints. References that leave the schema are not followed: rendering reads no
//! network and no files.

mod compile;
mod place;
mod report;

use std::fmt::Write as _;

use belay_yaml::{Map, Value};
use boon::{Compiler, Schemas, UrlLoader};

use crate::chart::Chart;
use crate::warning::Warning;
use report::report;

/// Where the schema seems to lie; Helm's messages show it.
const LOCATION: &str = "file:///values.schema.json";

/// Checks the values of the chart and of its subcharts, each against its own schema.
///
/// # Errors
/// What is wrong in all of them, as Helm prints it.
pub(crate) fn validate(
    chart: &Chart,
    values: &Map,
    warnings: &mut Vec<Warning>,
) -> Result<(), String> {
    let mut report = String::new();
    let own = chart
        .schema()
        .map_or(Ok(()), |schema| validate_one(values, schema, warnings));
    if let Err(text) = own {
        let _ = write!(report, "{}:\n{text}", chart.name());
    }
    for child in chart.dependencies() {
        match values.get(child.name()) {
            None | Some(Value::Null) => {}
            Some(Value::Map(own)) => {
                if let Err(text) = validate(child, own, warnings) {
                    report.push_str(&text);
                }
            }
            Some(other) => {
                let found = crate::coalesce::go_type(other);
                let name = child.name();
                let _ = writeln!(
                    report,
                    "{name}:\ninvalid type for values: expected object (map), got {found}"
                );
            }
        }
    }
    if report.is_empty() {
        Ok(())
    } else {
        Err(report)
    }
}

pub(crate) fn validate_one(
    values: &Map,
    schema: &[u8],
    warnings: &mut Vec<Warning>,
) -> Result<(), String> {
    let schema = belay_yaml::parse_json(schema).map_err(|error| compile::syntax(&error, schema))?;
    let schema = belay_yaml::to_serde(&schema);
    let mut urns = Vec::new();
    find_urns(&schema, &mut urns);
    warnings.extend(urns.into_iter().map(|urn| {
        Warning::warn("unresolved URN reference ignored; using permissive schema").with("urn", urn)
    }));
    let dialect = schema.get("$schema").and_then(|dialect| dialect.as_str());
    let dialect = dialect.map(str::to_owned);
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(LocalOnly));
    compiler
        .add_resource(LOCATION, schema)
        .map_err(|error| compile::text(&error, dialect.as_deref()))?;
    let index = compiler
        .compile(LOCATION, &mut schemas)
        .map_err(|error| compile::text(&error, dialect.as_deref()))?;
    let instance = belay_yaml::to_serde(&Value::Map(values.clone()));
    schemas.validate(&instance, index).map_err(|error| {
        let mut text = report(&error);
        text.push('\n');
        text
    })
}

/// Follows no reference; a URN, which names and does not locate, allows everything, as with Helm.
struct LocalOnly;

impl UrlLoader for LocalOnly {
    fn load(&self, url: &str) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
        if url.starts_with("urn:") {
            return Ok(serde_json::Value::Bool(true));
        }
        if !["file:", "http:", "https:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(compile::not_loadable(url).into());
        }
        Err(
            "references to other files are not followed; put the definition into the schema itself"
                .into(),
        )
    }
}

fn find_urns(schema: &serde_json::Value, found: &mut Vec<String>) {
    match schema {
        serde_json::Value::Array(items) => items.iter().for_each(|item| find_urns(item, found)),
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                match value.as_str() {
                    Some(urn) if key == "$ref" && urn.starts_with("urn:") => {
                        found.push(urn.to_owned());
                    }
                    _ => find_urns(value, found),
                }
            }
        }
        _ => {}
    }
}
