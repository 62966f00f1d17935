//! What a value becomes when it is printed as JSON and read back by go-yaml, as `sigs.k8s.io/yaml` does.

use std::borrow::Cow;

use crate::{Error, Limits, Numbers, ParseOptions, Value, json, number, parse_with};

/// Characters of a key, as JSON writes it, past which libyaml sees no key any more.
const SIMPLE_KEY_CHARS: usize = 1024;

/// Borrows what stays the same, as nearly everything does but floats.
pub(super) fn through_json(value: &Value) -> Result<Cow<'_, Value>, Error> {
    match survey(value, 0)? {
        Effect::None => Ok(Cow::Borrowed(value)),
        Effect::Numbers => Ok(Cow::Owned(renumber(value))),
        Effect::Text => reread(value).map(Cow::Owned),
    }
}

/// How far the round trip changes a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    None,
    /// Floats become what their JSON reads as.
    Numbers,
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
            effect = Effect::Numbers;
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

fn renumber(value: &Value) -> Value {
    match value {
        Value::Float(float) => number::float_json(*float)
            .and_then(|text| {
                text.parse()
                    .map(Value::Int)
                    .or_else(|_| text.parse().map(Value::Uint))
                    .ok()
            })
            .unwrap_or(Value::Float(*float)),
        Value::Seq(items) => Value::Seq(items.iter().map(renumber).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), renumber(item)))
                .collect(),
        ),
        other => other.clone(),
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
