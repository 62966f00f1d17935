//! What a value becomes when it is printed as JSON and read back by go-yaml, as `sigs.k8s.io/yaml` does.

use std::borrow::Cow;

use crate::{Error, Limits, Numbers, ParseOptions, Value, json, number, parse_with};

/// Characters of a key, as JSON writes it, past which libyaml sees no key any more.
const SIMPLE_KEY_CHARS: usize = 1024;

/// Borrows what stays the same, as nearly everything does.
pub(super) fn through_json(value: &Value) -> Result<Cow<'_, Value>, Error> {
    match survey(value, 0)? {
        Effect::None => Ok(Cow::Borrowed(value)),
        Effect::Text => reread(value).map(Cow::Owned),
    }
}

/// Whether the round trip changes a value, but for its floats: [`float`] is for them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    None,
    /// Some text means something else, or is refused, when read back; the trip has to be made.
    Text,
}

fn survey(value: &Value, depth: usize) -> Result<Effect, Error> {
    let limit = Limits::DEFAULT.depth;
    if depth > limit {
        return Err(Error::Limit {
            what: "levels of nesting",
            limit,
        });
    }
    let mut effect = Effect::None;
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) => {}
        Value::Float(float) => {
            if let Some(value) = number::special(*float) {
                return Err(Error::UnsupportedFloat { value, yaml: true });
            }
        }
        Value::Str(text) => effect = survey_text(text),
        Value::Bytes(_) => effect = Effect::Text,
        Value::Seq(items) => {
            for item in items {
                effect = effect.max(survey(item, depth + 1)?);
            }
        }
        Value::Map(entries) => {
            for (key, item) in entries {
                effect = effect.max(survey_text(key)).max(survey(item, depth + 1)?);
                if key.len() * 6 > SIMPLE_KEY_CHARS && json::encoded_chars(key) > SIMPLE_KEY_CHARS {
                    effect = Effect::Text;
                }
            }
        }
    }
    Ok(effect)
}

/// JSON leaves characters unescaped that YAML refuses, or takes for a line break.
fn survey_text(text: &str) -> Effect {
    // They all begin with one of these bytes.
    if !text.bytes().any(|b| matches!(b, 0x7f | 0xc2 | 0xef)) {
        return Effect::None;
    }
    let altered = |c: char| matches!(c, '\x7f'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if text.chars().any(altered) {
        Effect::Text
    } else {
        Effect::None
    }
}

/// A float as go-yaml prints what it read from the float's JSON: a whole number that fits 64 bits is an integer.
pub(super) fn float(value: f64) -> String {
    match number::float_json(value) {
        Some(text) if text == "-0" => "0".to_owned(),
        Some(text) if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() => text,
        _ => number::float_yaml(value),
    }
}

fn reread(value: &Value) -> Result<Value, Error> {
    let text = json::to_json(value)?;
    let options = ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    };
    parse_with(text.as_bytes(), &options).map_err(|error| match error {
        Error::Syntax { .. } => Error::Unprintable(Box::new(error)),
        error => error,
    })
}
