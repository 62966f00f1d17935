//! `values.schema.json`: whether values are what the chart's makers meant.
//!
//! The validator is by the author of the one that Helm uses and finds the same faults in the same order; this module
//! gives them the texts that Helm prints. References that leave the schema are not followed: rendering reads no
//! network and no files.

use std::fmt::Write as _;

use belay_yaml::{Map, Value};
use boon::{CompileError, Compiler, ErrorKind, Schemas, UrlLoader, ValidationError};

use crate::chart::Chart;

/// Where the schema seems to lie; Helm's messages show it.
const LOCATION: &str = "file:///values.schema.json";

/// Checks the values of the chart and of its subcharts, each against its own schema.
///
/// # Errors
/// What is wrong in all of them, as Helm prints it.
pub(crate) fn validate(chart: &Chart, values: &Map, warnings: &mut Vec<String>) -> Result<(), String> {
    let mut report = String::new();
    if let Some(schema) = chart.schema() {
        if let Err(text) = validate_one(values, schema, warnings) {
            let _ = write!(report, "{}:\n{text}", chart.name());
        }
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
                let _ =
                    writeln!(report, "{name}:\ninvalid type for values: expected object (map), got {found}");
            }
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

fn validate_one(values: &Map, schema: &[u8], warnings: &mut Vec<String>) -> Result<(), String> {
    let schema = belay_yaml::parse_json(schema).map_err(|e| e.to_string())?;
    let schema = belay_yaml::to_serde(&schema);
    let mut urns = Vec::new();
    find_urns(&schema, &mut urns);
    warnings.extend(
        urns.into_iter().map(|urn| format!("unresolved URN reference ignored; using permissive schema urn={urn}")),
    );
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(LocalOnly));
    compiler.add_resource(LOCATION, schema).map_err(|e| compile_text(&e))?;
    let index = compiler.compile(LOCATION, &mut schemas).map_err(|e| compile_text(&e))?;
    let instance = belay_yaml::to_serde(&Value::Map(values.clone()));
    schemas.validate(&instance, index).map_err(|error| {
        let mut text = String::new();
        show(&error, 0, &mut text);
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
        Err("references to other files are not followed; put the definition into the schema itself".into())
    }
}

fn find_urns(schema: &serde_json::Value, found: &mut Vec<String>) {
    match schema {
        serde_json::Value::Array(items) => items.iter().for_each(|item| find_urns(item, found)),
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                match value.as_str() {
                    Some(urn) if key == "$ref" && urn.starts_with("urn:") => found.push(urn.to_owned()),
                    _ => find_urns(value, found),
                }
            }
        }
        _ => {}
    }
}

fn compile_text(error: &CompileError) -> String {
    match error {
        CompileError::ValidationError { url, src } => {
            let mut text = format!("'{url}#' is not valid against metaschema: jsonschema validation failed with ");
            text.push_str(&quote(src.schema_url));
            let mut below = String::new();
            show(src, 0, &mut below);
            let _ = write!(text, "\n{below}");
            text
        }
        CompileError::LoadUrlError { url, src } => format!("failing loading {url:?}: {src}"),
        other => other.to_string(),
    }
}

/// One line for each fault, indented below the rule that holds it. The top itself has no line.
fn show(error: &ValidationError<'_, '_>, depth: usize, text: &mut String) {
    let through = error.causes.len() == 1 && matches!(error.kind, ErrorKind::Reference { .. });
    let mut below = depth;
    if !through {
        if depth > 0 {
            if !text.is_empty() {
                text.push('\n');
            }
            for _ in 1..depth {
                text.push_str("  ");
            }
            let place = quote(&error.instance_location.to_string());
            let _ = write!(text, "- at {place}: {}", describe(&error.kind));
        }
        below += 1;
    }
    for cause in &error.causes {
        show(cause, below, text);
    }
}

fn describe(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|t| t.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => {
            if want.iter().any(|value| value.is_array() || value.is_object()) {
                return "'enum' failed".to_owned();
            }
            let shown: Vec<String> = want.iter().map(display).collect();
            if let [only] = shown.as_slice() {
                return format!("value must be {only}");
            }
            format!("value must be one of {}", shown.join(", "))
        }
        ErrorKind::Const { want } => {
            if want.is_array() || want.is_object() {
                return "'const' failed".to_owned();
            }
            format!("value must be {}", display(want))
        }
        ErrorKind::Format { got, want, err } => format!("{} is not valid {want}: {err}", display(got)),
        ErrorKind::Required { want } => match want.as_slice() {
            [one] => format!("missing property {}", quote(one)),
            many => format!("missing properties {}", quoted(many)),
        },
        ErrorKind::AdditionalProperties { got } => {
            let mut names: Vec<&str> = got.iter().map(AsRef::as_ref).collect();
            names.sort_unstable();
            format!("additional properties {} not allowed", quoted(&names))
        }
        ErrorKind::Dependency { prop, missing } | ErrorKind::DependentRequired { prop, missing } => {
            format!("properties {} required, if {} exists", quoted(missing), quote(prop))
        }
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quote(prop)),
        ErrorKind::Pattern { got, want } => format!("{} does not match pattern {}", quote(got), quote(want)),
        ErrorKind::MinProperties { got, want } => count("minProperties", *got, *want),
        ErrorKind::MaxProperties { got, want } => count("maxProperties", *got, *want),
        ErrorKind::MinItems { got, want } => count("minItems", *got, *want),
        ErrorKind::MaxItems { got, want } => count("maxItems", *got, *want),
        ErrorKind::MinLength { got, want } => count("minLength", *got, *want),
        ErrorKind::MaxLength { got, want } => count("maxLength", *got, *want),
        ErrorKind::Minimum { got, want } => bound("minimum", got, want),
        ErrorKind::Maximum { got, want } => bound("maximum", got, want),
        ErrorKind::ExclusiveMinimum { got, want } => bound("exclusiveMinimum", got, want),
        ErrorKind::ExclusiveMaximum { got, want } => bound("exclusiveMaximum", got, want),
        ErrorKind::MultipleOf { got, want } => bound("multipleOf", got, want),
        ErrorKind::AdditionalItems { got } => format!("last {} additionalItem(s) not allowed", grouped(*got)),
        ErrorKind::MinContains { got, want } => {
            let want = grouped(*want);
            if got.is_empty() {
                return format!("min {want} items required to match contains schema, but none matched");
            }
            let (count, at) = positions(got);
            format!("min {want} items required to match contains schema, but matched {count} items at {at}")
        }
        ErrorKind::MaxContains { got, want } => {
            let (count, at) = positions(got);
            let want = grouped(*want);
            format!("max {want} items required to match contains schema, but matched {count} items at {at}")
        }
        ErrorKind::Not => "'not' failed".to_owned(),
        ErrorKind::AllOf => "'allOf' failed".to_owned(),
        ErrorKind::AnyOf => "'anyOf' failed".to_owned(),
        ErrorKind::OneOf(None) => "'oneOf' failed, none matched".to_owned(),
        ErrorKind::OneOf(Some((first, second))) => {
            format!("'oneOf' failed, subschemas {}, {} matched", grouped(*first), grouped(*second))
        }
        ErrorKind::ContentSchema => "'contentSchema' failed".to_owned(),
        other => other.to_string(),
    }
}

fn positions(at: &[usize]) -> (String, String) {
    let list: Vec<String> = at.iter().map(ToString::to_string).collect();
    (grouped(at.len()), list.join(" "))
}

fn count(rule: &str, got: usize, want: usize) -> String {
    format!("{rule}: got {}, want {}", grouped(got), grouped(want))
}

fn bound(rule: &str, got: &serde_json::Number, want: &serde_json::Number) -> String {
    let show = |number: &serde_json::Number| english(number.as_f64().unwrap_or_default());
    format!("{rule}: got {}, want {}", show(got), show(want))
}

fn grouped(number: usize) -> String {
    thousands(&number.to_string())
}

/// Puts a comma before every third digit from the right.
fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number as an English reader expects it, which is how the validator of Helm prints bounds: `12,345.5`, and from a
/// million on `1.5×10⁰⁶`.
fn english(number: f64) -> String {
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if number < 0.0 { "-" } else { "" };
    if number == 0.0 || (-4..6).contains(&exponent) {
        let plain = number.abs().to_string();
        let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
        let fraction = fraction.map_or_else(String::new, |f| format!(".{f}"));
        return format!("{sign}{}{fraction}", thousands(whole));
    }
    let raised: String = format!("{:02}", exponent.unsigned_abs())
        .chars()
        .map(|digit| match digit {
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '0' => '⁰',
            other => char::from_u32(u32::from(other) - u32::from('4') + u32::from('⁴')).unwrap_or(other),
        })
        .collect();
    let minus = if exponent < 0 { "⁻" } else { "" };
    format!("{sign}{mantissa}×10{minus}{raised}")
}

fn display(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => quote(text),
        serde_json::Value::Null => "<nil>".to_owned(),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => "value".to_owned(),
        other => other.to_string(),
    }
}

fn quoted<S: AsRef<str>>(texts: &[S]) -> String {
    texts.iter().map(|text| quote(text.as_ref())).collect::<Vec<_>>().join(", ")
}

fn quote(text: &str) -> String {
    let debug = format!("{text:?}");
    let inner = debug[1..debug.len() - 1].replace("\\\"", "\"").replace("\\'", "'").replace('\'', "\\'");
    format!("'{inner}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_large_ones_raised() {
        for (number, text) in [
            (12_345.5, "12,345.5"),
            (-1_234_567.0, "-1.234567×10⁰⁶"),
            (1e21, "1×10²¹"),
            (999_999.0, "999,999"),
            (0.0, "0"),
            (0.123_456_789, "0.123456789"),
            (1e-5, "1×10⁻⁰⁵"),
        ] {
            assert_eq!(english(number), text);
        }
    }

    #[test]
    fn quotes_are_single_and_only_single_ones_escaped() {
        assert_eq!(quote("it\"s'"), "'it\"s\\''");
    }
}
