//! Prints `docs/fields.md`: every field of the two kinds with its default, from the definitions themselves.
//!
//! `fields > docs/fields.md`

use std::fmt::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

const HEAD: &str = "\
# Fields

Every field of the two kinds, with its default. Printed from the definitions in `crds/` by
`cargo run --package belay-api --bin fields > docs/fields.md`; a test fails when this page is stale.

- A **duration** is written as Go writes it: `90s`, `5m`, `1h30m`. An **instant** is RFC 3339: `2026-01-31T08:00:00Z`.
- `list[]` means: in each item of the list. Fields marked **required** are required within what they stand in.
- A field without a default is absent unless it is set.
";

fn main() -> ExitCode {
    match page() {
        Ok(page) => {
            print!("{page}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn page() -> Result<String, Box<dyn std::error::Error>> {
    let mut page = HEAD.to_owned();
    for (_, text) in belay_api::crds()? {
        let definition: Value = serde_yaml::from_str(&text)?;
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let kind = definition["spec"]["names"]["kind"]
            .as_str()
            .unwrap_or_default();
        writeln!(page, "\n## {kind}\n\n{}\n", about(schema))?;
        names(&definition, &mut page)?;
        for part in ["spec", "status"] {
            writeln!(page, "\n### `{part}` of a {kind}\n")?;
            writeln!(page, "| field | type | default | what it is |")?;
            writeln!(page, "|---|---|---|---|")?;
            rows(&schema["properties"][part], "", &mut page)?;
        }
        writeln!(page, "\n### What the API server refuses of a {kind}\n")?;
        refusals(schema, "", &mut page)?;
    }
    Ok(page)
}

fn names(definition: &Value, page: &mut String) -> fmt::Result {
    let names = &definition["spec"]["names"];
    let list = |field: &str| quoted(&names[field]).join(", ");
    writeln!(
        page,
        "With kubectl: `{}`, short {}, and all of Belay's kinds together as {}.",
        names["plural"].as_str().unwrap_or_default(),
        list("shortNames"),
        list("categories"),
    )
}

/// One row for each field below `schema`, parents before their children.
fn rows(schema: &Value, place: &str, page: &mut String) -> fmt::Result {
    let required = quoted(&schema["required"]);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = within(place, name);
        let default = if required.contains(&format!("`{name}`")) {
            "**required**".to_owned()
        } else {
            default_of(field)
        };
        writeln!(
            page,
            "| `{path}` | {} | {default} | {} |",
            type_of(field),
            about(field)
        )?;
        rows(field, &path, page)?;
        rows(&field["items"], &format!("{path}[]"), page)?;
    }
    Ok(())
}

/// The rules of `schema` and all that is in it: where they hold, and what they say when broken.
fn refusals(schema: &Value, place: &str, page: &mut String) -> fmt::Result {
    let rules = schema["x-kubernetes-validations"].as_array();
    for rule in rules.into_iter().flatten() {
        let shown = match place {
            "" => "the object".to_owned(),
            place => format!("`{place}`"),
        };
        let message = rule["message"].as_str().unwrap_or_default();
        writeln!(page, "- {shown}: {message}")?;
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = within(place, name);
        refusals(field, &path, page)?;
        refusals(&field["items"], &format!("{path}[]"), page)?;
    }
    Ok(())
}

fn within(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

fn quoted(words: &Value) -> Vec<String> {
    let words = words.as_array().into_iter().flatten();
    words
        .filter_map(Value::as_str)
        .map(|word| format!("`{word}`"))
        .collect()
}

/// The default, unless it only repeats those of the fields within.
fn default_of(field: &Value) -> String {
    match &field["default"] {
        Value::Null | Value::Object(_) => String::new(),
        Value::String(text) if text.is_empty() => String::new(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

fn type_of(field: &Value) -> String {
    if field["enum"].is_array() {
        return quoted(&field["enum"]).join(" or ");
    }
    let bounds = bounds(field);
    match field["type"].as_str().unwrap_or_default() {
        "string" if field["format"] == "date-time" => "instant".to_owned(),
        "string" if is_duration(field) => "duration".to_owned(),
        "array" => format!("list of {}{bounds}", type_of(&field["items"])),
        "object" if field["additionalProperties"].is_object() => {
            format!("map of {}{bounds}", type_of(&field["additionalProperties"]))
        }
        "object" if field["x-kubernetes-preserve-unknown-fields"] == true => {
            "any object".to_owned()
        }
        "" if field["x-kubernetes-preserve-unknown-fields"] == true => "anything".to_owned(),
        other => format!("{other}{bounds}"),
    }
}

fn is_duration(field: &Value) -> bool {
    field["pattern"]
        .as_str()
        .is_some_and(|pattern| pattern.contains("(ms|s|m|h)"))
}

fn bounds(field: &Value) -> String {
    let number = |name: &str| field[name].as_f64();
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => return format!(", {least} to {most}"),
        (Some(least), None) if least > 0.0 => return format!(", at least {least}"),
        _ => {}
    }
    ["maxLength", "maxItems", "maxProperties"]
        .into_iter()
        .find_map(|name| number(name).map(|most| format!(", at most {most}")))
        .unwrap_or_default()
}

fn about(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace('|', "\\|")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
