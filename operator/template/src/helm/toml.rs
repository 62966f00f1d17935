//! TOML as BurntSushi's Go library writes it.

use std::fmt::Write;

use crate::convert;
use crate::value::{Map, Str, Value};

/// The value as a TOML document.
///
/// # Errors
/// The Go library's text when the value is no table or has no counterpart in TOML.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    let Value::Map(map) = value else {
        return Err("toml: top-level values must be Go maps or structs".to_owned());
    };
    let mut out = String::new();
    table(&mut out, &[], map)?;
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

fn is_table(value: &Value) -> bool {
    matches!(value, Value::Map(_))
}

/// A list of tables is written as `[[key]]`.
fn is_table_list(value: &Value) -> bool {
    matches!(value, Value::List(list) if !list.is_empty() && list.iter().all(is_table))
}

fn table(out: &mut String, path: &[String], map: &Map) -> Result<(), String> {
    if path.len() > convert::MAX_DEPTH {
        return Err("toml: tables are nested too deeply".to_owned());
    }
    let entries = map.snapshot();
    let (tables, plain): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|(_, value)| is_table(value) || is_table_list(value));
    for (key, value) in &plain {
        if value.is_nil() {
            continue;
        }
        let indent = "  ".repeat(path.len().saturating_sub(1));
        let _ = write!(out, "{indent}{} = ", key_text(key));
        inline(out, value, 0)?;
        out.push('\n');
    }
    for (key, value) in &tables {
        let mut path = path.to_vec();
        path.push(key_text(key));
        let indent = "  ".repeat(path.len() - 1);
        match value {
            Value::Map(map) => {
                if path.len() == 1 && !out.is_empty() {
                    out.push('\n');
                }
                let _ = writeln!(out, "{indent}[{}]", path.join("."));
                table(out, &path, map)?;
            }
            Value::List(list) => {
                for item in list.iter() {
                    if let Value::Map(map) = item {
                        if !out.is_empty() {
                            out.push('\n');
                        }
                        let _ = writeln!(out, "{indent}[[{}]]", path.join("."));
                        table(out, &path, map)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn inline(out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if depth > convert::MAX_DEPTH {
        return Err("toml: values are nested too deeply".to_owned());
    }
    match value {
        Value::Nil => return Err("toml: cannot encode array with nil element".to_owned()),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(kind, number) if kind.is_unsigned() => {
            let _ = write!(out, "{}", *number as u64);
        }
        Value::Int(_, number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Str(text) => quote(out, text),
        Value::Bytes(_) => return Err("toml: cannot encode bytes".to_owned()),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                inline(out, item, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            let entries = map.snapshot();
            for (i, (key, value)) in entries
                .iter()
                .filter(|(_, value)| !value.is_nil())
                .enumerate()
            {
                if i > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{} = ", key_text(key));
                inline(out, value, depth + 1)?;
            }
            out.push('}');
        }
        Value::Object(object) => inline(out, &object.plain(), depth + 1)?,
    }
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
