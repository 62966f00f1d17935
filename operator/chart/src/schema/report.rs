//! The faults of values as a text, in the words of the validator that Helm uses.

use boon::{ErrorKind, ValidationError};

use super::place::{Combined, collapsed};

/// One line for each fault, indented below the rule that holds it. The top itself has no line.
pub(super) fn report(error: &ValidationError<'_, '_>) -> String {
    let mut lines = Vec::new();
    for cause in &error.causes {
        show(cause, error, 0, &mut lines);
    }
    lines.join("\n")
}

fn show(
    error: &ValidationError<'_, '_>,
    parent: &ValidationError<'_, '_>,
    depth: usize,
    lines: &mut Vec<String>,
) {
    let place = error.instance_location.to_string();
    let mut depth = depth;
    let mut line = |depth: usize, place: &str, text: &str| {
        lines.push(format!(
            "{}- at {}: {text}",
            "  ".repeat(depth),
            quote(place)
        ));
    };
    let base = match &parent.kind {
        ErrorKind::Reference { url, .. } => url,
        _ => parent.schema_url,
    };
    let shown = matches!(
        parent.kind,
        ErrorKind::AllOf | ErrorKind::AnyOf | ErrorKind::OneOf(_)
    );
    for combined in collapsed(base, error.schema_url, &place, shown) {
        let Combined { keyword, place } = combined;
        let none = if keyword == "oneOf" {
            ", none matched"
        } else {
            ""
        };
        line(depth, place, &format!("'{keyword}' failed{none}"));
        depth += 1;
    }
    let through = error.causes.len() == 1 && matches!(error.kind, ErrorKind::Reference { .. });
    if !through {
        line(depth, &place, &describe(&error.kind));
        depth += 1;
    }
    for cause in &error.causes {
        show(cause, error, depth, lines);
    }
}

fn describe(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|t| t.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => {
            if want
                .iter()
                .any(|value| value.is_array() || value.is_object())
            {
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
        ErrorKind::Format { got, want, err } => {
            format!("{} is not valid {want}: {err}", display(got))
        }
        ErrorKind::Required { want } => match want.as_slice() {
            [one] => format!("missing property {}", quote(one)),
            many => format!("missing properties {}", quoted(many)),
        },
        ErrorKind::AdditionalProperties { got } => {
            let mut names: Vec<&str> = got.iter().map(AsRef::as_ref).collect();
            names.sort_unstable();
            format!("additional properties {} not allowed", quoted(&names))
        }
        ErrorKind::Dependency { prop, missing }
        | ErrorKind::DependentRequired { prop, missing } => {
            format!(
                "properties {} required, if {} exists",
                quoted(missing),
                quote(prop)
            )
        }
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quote(prop)),
        ErrorKind::Pattern { got, want } => {
            format!("{} does not match pattern {}", quote(got), quote(want))
        }
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
        ErrorKind::AdditionalItems { got } => {
            format!("last {} additionalItem(s) not allowed", grouped(*got))
        }
        ErrorKind::MinContains { got, want } => {
            let want = grouped(*want);
            if got.is_empty() {
                return format!(
                    "min {want} items required to match contains schema, but none matched"
                );
            }
            let (count, at) = positions(got);
            format!(
                "min {want} items required to match contains schema, but matched {count} items at {at}"
            )
        }
        ErrorKind::MaxContains { got, want } => {
            let (count, at) = positions(got);
            let want = grouped(*want);
            format!(
                "max {want} items required to match contains schema, but matched {count} items at {at}"
            )
        }
        ErrorKind::Not => "'not' failed".to_owned(),
        ErrorKind::AllOf => "'allOf' failed".to_owned(),
        ErrorKind::AnyOf => "'anyOf' failed".to_owned(),
        ErrorKind::OneOf(None) => "'oneOf' failed, none matched".to_owned(),
        ErrorKind::OneOf(Some((first, second))) => {
            format!(
                "'oneOf' failed, subschemas {}, {} matched",
                grouped(*first),
                grouped(*second)
            )
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
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
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
        let (whole, fraction) = plain
            .split_once('.')
            .map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
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
            other => {
                char::from_u32(u32::from(other) - u32::from('4') + u32::from('⁴')).unwrap_or(other)
            }
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
    texts
        .iter()
        .map(|text| quote(text.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn quote(text: &str) -> String {
    let debug = format!("{text:?}");
    let inner = debug[1..debug.len() - 1]
        .replace("\\\"", "\"")
        .replace("\\'", "'")
        .replace('\'', "\\'");
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
