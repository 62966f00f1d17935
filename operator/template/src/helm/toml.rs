//! TOML as Helm's Go library for it (the one of Burnt Sushi) writes it.

use std::fmt::Write;

use crate::convert;
use crate::value::{IntKind, Map, Str, Value};

/// Refuses nil, over which the Go library panics: then even `toToml` fails.
pub(super) fn accept(value: &Value) -> Result<(), String> {
    match value {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        _ => Ok(()),
    }
}

/// The value as a TOML document; what is no table is written bare, as the Go library does.
///
/// # Errors
/// The Go library's text when the value has no counterpart in TOML.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    accept(value)?;
    let mut out = String::new();
    match value {
        Value::Map(map) => table(&mut out, &mut Vec::new(), map)?,
        // What prints itself, as versions and times do, is no table.
        Value::Object(object) if object.text().is_none() => {
            if let Value::Map(map) = object.plain() {
                table(&mut out, &mut Vec::new(), &map)?;
            }
        }
        Value::List(_) if has_header(value)? => {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        value => element(&mut out, value, 0)?,
    }
    Ok(out)
}

/// The document as a map; an error is its text under the key `Error`.
pub(super) fn decode(text: &Str) -> Value {
    match text.to_text().parse::<toml::Table>() {
        Ok(table) => from_table(&table),
        Err(error) => Value::map([("Error", Value::str(format!("toml: {}", error.message())))]),
    }
}

fn from_table(table: &toml::Table) -> Value {
    Value::map(
        table
            .iter()
            .map(|(key, value)| (key.as_str(), from_toml(value))),
    )
}

fn from_toml(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::str(text.as_str()),
        toml::Value::Integer(number) => Value::int64(*number),
        toml::Value::Float(number) => Value::Float(*number),
        toml::Value::Boolean(b) => Value::Bool(*b),
        toml::Value::Datetime(time) => Value::str(time.to_string()),
        toml::Value::Array(items) => Value::list(items.iter().map(from_toml).collect()),
        toml::Value::Table(table) => from_table(table),
    }
}

/// Whether the value gets a header of its own: `[key]`, or `[[key]]` for a list of tables.
fn has_header(value: &Value) -> Result<bool, String> {
    match value {
        Value::Map(map) => Ok(!map.is_nil()),
        Value::List(list) => {
            if list.iter().any(Value::is_nil) {
                return Err("toml: cannot encode array with nil element".to_owned());
            }
            Ok(!list.is_empty()
                && list
                    .iter()
                    .all(|item| matches!(item, Value::Map(map) if !map.is_nil())))
        }
        _ => Ok(false),
    }
}

type Entries = Vec<(Str, Value)>;

/// The entries without a header, which have to come first, and those with one.
fn split(map: &Map) -> Result<(Entries, Entries), String> {
    let (mut plain, mut headed) = (Vec::new(), Vec::new());
    for (key, value) in map.snapshot() {
        let list = if has_header(&value)? {
            &mut headed
        } else {
            &mut plain
        };
        list.push((key, value));
    }
    Ok((plain, headed))
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Map(map) => map.is_nil(),
        Value::List(list) => list.is_nil(),
        _ => false,
    }
}

fn table(out: &mut String, path: &mut Vec<String>, map: &Map) -> Result<(), String> {
    if path.len() > convert::MAX_DEPTH {
        return Err("toml: tables are nested too deeply".to_owned());
    }
    let indent = "  ".repeat(path.len());
    let (plain, headed) = split(map)?;
    for (key, value) in plain.iter().filter(|(_, value)| !is_nil(value)) {
        let _ = write!(out, "{indent}{} = ", key_text(key));
        element(out, value, 0)?;
        out.push('\n');
    }
    for (key, value) in &headed {
        path.push(key_text(key));
        match value {
            Value::Map(map) => {
                if path.len() == 1 && !out.is_empty() {
                    out.push('\n');
                }
                let _ = writeln!(out, "{indent}[{}]", path.join("."));
                table(out, path, map)?;
            }
            Value::List(list) => {
                for map in list.iter().filter_map(Value::as_map) {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    let _ = writeln!(out, "{indent}[[{}]]", path.join("."));
                    table(out, path, map)?;
                }
            }
            _ => {}
        }
        path.pop();
    }
    Ok(())
}

fn element(out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if depth > convert::MAX_DEPTH {
        return Err("toml: values are nested too deeply".to_owned());
    }
    match value {
        Value::Nil => return Err("toml: cannot encode array with nil element".to_owned()),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(IntKind::Duration, _) => quote(out, &Str::from(crate::fmt::display(value))),
        Value::Int(kind, number) if kind.is_unsigned() => {
            let _ = write!(out, "{}", *number as u64);
        }
        Value::Int(_, number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Str(text) => quote(out, text),
        Value::Bytes(bytes) => {
            let shown: Vec<String> = bytes.iter().map(u8::to_string).collect();
            let _ = write!(out, "[{}]", shown.join(", "));
        }
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                element(out, item, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => inline(out, map, depth)?,
        Value::Object(object) => element(out, &object.plain(), depth + 1)?,
    }
    Ok(())
}

/// `{a = 1, b = 2}`; as in Go, what is nil at the end leaves its comma.
fn inline(out: &mut String, map: &Map, depth: usize) -> Result<(), String> {
    let (plain, headed) = split(map)?;
    out.push('{');
    for (entries, more) in [(&plain, !headed.is_empty()), (&headed, false)] {
        for (i, (key, value)) in entries.iter().enumerate() {
            if is_nil(value) {
                continue;
            }
            let _ = write!(out, "{} = ", key_text(key));
            element(out, value, depth + 1)?;
            if more || i + 1 < entries.len() {
                out.push_str(", ");
            }
        }
    }
    out.push('}');
    Ok(())
}

/// A float always shows that it is one.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text =
        String::from_utf8_lossy(&crate::fmt::printf(b"%v", &[Value::Float(number)])).into_owned();
    if text.contains(['e', '.']) {
        text
    } else {
        text + ".0"
    }
}

fn key_text(key: &Str) -> String {
    let bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.iter().all(bare) {
        return key.to_text().into_owned();
    }
    let mut out = String::new();
    quote(&mut out, key);
    out
}

fn quote(out: &mut String, text: &Str) {
    out.push('"');
    for c in text.to_text().chars() {
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            '\t' => out.write_str("\\t"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\x08' => out.write_str("\\b"),
            '\x0c' => out.write_str("\\f"),
            c if c < ' ' || c == '\x7f' => write!(out, "\\u{:04x}", u32::from(c)),
            c => out.write_char(c),
        };
    }
    out.push('"');
}
