//! What a value becomes when it is printed as JSON and read back by go-yaml, as `sigs.k8s.io/yaml` does.

use std::borrow::Cow;

use crate::{Error, Limits, Map, Value, json, number};

/// Characters of a key, as JSON writes it, past which libyaml sees no key any more.
const SIMPLE_KEY_CHARS: usize = 1024;

pub(super) fn through_json(value: &Value) -> Result<Cow<'_, Value>, Error> {
    convert(value, 0)
}

/// Borrows what stays the same, as nearly everything does.
fn convert(value: &Value, depth: usize) -> Result<Cow<'_, Value>, Error> {
    let limit = Limits::DEFAULT.depth;
    if depth > limit {
        return Err(Error::Limit { what: "levels of nesting", limit });
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) => Ok(Cow::Borrowed(value)),
        Value::Float(number) => float(*number).map(Cow::Owned),
        Value::Str(text) => Ok(match through_text(text)? {
            Cow::Borrowed(_) => Cow::Borrowed(value),
            Cow::Owned(text) => Cow::Owned(Value::Str(text)),
        }),
        Value::Bytes(bytes) => {
            let text = json::utf8_lossy(bytes);
            Ok(Cow::Owned(Value::Str(through_text(&text)?.into_owned())))
        }
        Value::Seq(items) => {
            let mut changed: Option<Vec<Value>> = None;
            for (index, item) in items.iter().enumerate() {
                let item = convert(item, depth + 1)?;
                match (&mut changed, item) {
                    (None, Cow::Borrowed(_)) => {}
                    (None, Cow::Owned(item)) => {
                        let mut head = items[..index].to_vec();
                        head.push(item);
                        changed = Some(head);
                    }
                    (Some(list), item) => list.push(item.into_owned()),
                }
            }
            Ok(changed.map_or(Cow::Borrowed(value), |list| Cow::Owned(Value::Seq(list))))
        }
        Value::Map(entries) => {
            let mut changes: Vec<(&String, Cow<'_, str>, Cow<'_, Value>)> = Vec::new();
            for (key, item) in entries {
                let name = through_text(key)?;
                if json::encoded_chars(key) > SIMPLE_KEY_CHARS {
                    return Err(Error::Unprintable("did not find expected ',' or '}'"));
                }
                let item = convert(item, depth + 1)?;
                if matches!(name, Cow::Owned(_)) || matches!(item, Cow::Owned(_)) {
                    changes.push((key, name, item));
                }
            }
            if changes.is_empty() {
                return Ok(Cow::Borrowed(value));
            }
            let mut copy: Map = entries.clone();
            for (key, name, item) in changes {
                if matches!(name, Cow::Owned(_)) {
                    copy.remove(key);
                }
                copy.insert(name.into_owned(), item.into_owned());
            }
            Ok(Cow::Owned(Value::Map(copy)))
        }
    }
}

fn float(value: f64) -> Result<Value, Error> {
    let Some(text) = number::float_json(value) else {
        let value = number::special(value).unwrap_or("NaN");
        return Err(Error::UnsupportedFloat { value, yaml: true });
    };
    Ok(text
        .parse()
        .map(Value::Int)
        .or_else(|_| text.parse().map(Value::Uint))
        .unwrap_or(Value::Float(value)))
}

/// JSON leaves a few characters unescaped that mean something to a YAML reader.
fn through_text(text: &str) -> Result<Cow<'_, str>, Error> {
    // They all begin with one of these bytes.
    if !text.bytes().any(|b| matches!(b, 0x7f | 0xc2 | 0xef)) {
        return Ok(Cow::Borrowed(text));
    }
    if text.chars().any(refused) {
        return Err(Error::Unprintable("control characters are not allowed"));
    }
    if !text.contains(NEXT_LINE) {
        return Ok(Cow::Borrowed(text));
    }
    fold(text).map(Cow::Owned)
}

const NEXT_LINE: char = '\u{85}';

fn refused(c: char) -> bool {
    matches!(c, '\x7f'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

/// A line break within double quotes: blanks around it go, one break becomes a blank, n breaks become n-1 lines.
fn fold(text: &str) -> Result<String, Error> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find(NEXT_LINE) {
        out.push_str(rest[..index].trim_end_matches(' '));
        let after = rest[index..].trim_start_matches([NEXT_LINE, ' ']);
        let breaks = rest[index..rest.len() - after.len()].matches(NEXT_LINE).count();
        if breaks == 1 {
            out.push(' ');
        } else {
            out.extend(std::iter::repeat_n('\n', breaks - 1));
        }
        let directly = rest[..rest.len() - after.len()].ends_with(NEXT_LINE);
        if directly && (after.starts_with("---") || after.starts_with("...")) {
            let next = after[3..].chars().next();
            if next.is_some_and(|c| c == ' ') {
                return Err(Error::Unprintable("found unexpected document indicator"));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
