//! TOML as Helm's Go library for it (the one of Burnt Sushi) writes it.

use std::io::Write;

use jiff::tz::TimeZone;

use crate::convert;
use crate::dates::{Time, Zone};
use crate::limits::MAX_TOML_BYTES;
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
pub(super) fn encode(value: &Value) -> Result<Vec<u8>, String> {
    accept(value)?;
    let mut out = Vec::new();
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

/// The document as a map; an error is its text under the key `Error`. Times without a zone are in the local one.
pub(super) fn decode(text: &Str, local: &TimeZone) -> Value {
    let problem = |text: &str| Value::map([("Error", Value::str(format!("toml: {text}")))]);
    let Ok(text) = std::str::from_utf8(text) else {
        return problem("invalid UTF-8");
    };
    match text.parse::<toml::Table>() {
        Ok(table) => from_table(&table, local),
        Err(error) => problem(error.message()),
    }
}

fn from_table(table: &toml::Table, local: &TimeZone) -> Value {
    Value::map(
        table
            .iter()
            .map(|(key, value)| (key.as_str(), from_toml(value, local))),
    )
}

fn from_toml(value: &toml::Value, local: &TimeZone) -> Value {
    match value {
        toml::Value::String(text) => Value::str(text.as_str()),
        toml::Value::Integer(number) => Value::int64(*number),
        toml::Value::Float(number) => Value::Float(*number),
        toml::Value::Boolean(b) => Value::Bool(*b),
        toml::Value::Datetime(time) => from_time(time, local),
        toml::Value::Array(items) => {
            Value::list(items.iter().map(|item| from_toml(item, local)).collect())
        }
        toml::Value::Table(table) => from_table(table, local),
    }
}

/// A time; the Go library names the zones of those that have none after what is missing.
fn from_time(time: &toml::value::Datetime, local: &TimeZone) -> Value {
    let text = time.to_string();
    let (layout, zone) = match (time.date, time.time, time.offset) {
        (Some(_), Some(_), None) => ("2006-01-02T15:04:05.999999999", "datetime-local"),
        (Some(_), None, _) => ("2006-01-02", "date-local"),
        (None, _, _) => ("15:04:05.999999999", "time-local"),
        (Some(_), Some(_), Some(_)) => ("2006-01-02T15:04:05.999999999Z07:00", ""),
    };
    let Ok(parsed) = Time::parse(layout.as_bytes(), text.as_bytes(), local) else {
        return Value::str(text);
    };
    if zone.is_empty() {
        return Value::object(parsed);
    }
    let (_, offset) = parsed.offset();
    Value::object(parsed.within(Zone::Fixed {
        name: zone.to_owned(),
        offset,
    }))
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

fn table(out: &mut Vec<u8>, path: &mut Vec<Str>, map: &Map) -> Result<(), String> {
    if path.len() > convert::MAX_DEPTH {
        return Err("toml: tables are nested too deeply".to_owned());
    }
    check_length(out)?;
    let indent = "  ".repeat(path.len());
    let (plain, headed) = split(map)?;
    for (key, value) in plain.iter().filter(|(_, value)| !is_nil(value)) {
        out.extend_from_slice(indent.as_bytes());
        out.extend_from_slice(&key_text(key));
        out.extend_from_slice(b" = ");
        element(out, value, 0)?;
        out.push(b'\n');
    }
    for (key, value) in &headed {
        path.push(Str::from(key_text(key)));
        match value {
            Value::Map(map) => {
                if path.len() == 1 && !out.is_empty() {
                    out.push(b'\n');
                }
                header(out, &indent, "[", path, "]");
                table(out, path, map)?;
            }
            Value::List(list) => {
                for map in list.iter().filter_map(Value::as_map) {
                    if !out.is_empty() {
                        out.push(b'\n');
                    }
                    header(out, &indent, "[[", path, "]]");
                    table(out, path, map)?;
                }
            }
            _ => {}
        }
        path.pop();
    }
    Ok(())
}

fn element(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), String> {
    if depth > convert::MAX_DEPTH {
        return Err("toml: values are nested too deeply".to_owned());
    }
    check_length(out)?;
    match value {
        Value::Nil => return Err("toml: cannot encode array with nil element".to_owned()),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(IntKind::Duration, _) => quote(out, &Str::from(crate::fmt::display(value))),
        Value::Int(kind, number) if kind.is_unsigned() => {
            let _ = write!(out, "{}", *number as u64);
        }
        Value::Int(_, number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.extend_from_slice(float(*number).as_bytes()),
        Value::Str(text) => quote(out, text),
        Value::Bytes(bytes) => {
            let shown: Vec<String> = bytes.iter().map(u8::to_string).collect();
            let _ = write!(out, "[{}]", shown.join(", "));
        }
        Value::List(list) => {
            out.push(b'[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                element(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Map(map) => inline(out, map, depth)?,
        Value::Object(object) => match value.downcast::<Time>() {
            Some(time) => out.extend_from_slice(&time_text(time)),
            None => element(out, &object.plain(), depth + 1)?,
        },
    }
    Ok(())
}

/// A time in TOML's own form, without what [`from_time`] found missing.
fn time_text(time: &Time) -> Vec<u8> {
    let (zone, _) = time.offset();
    time.format(match zone.as_str() {
        "datetime-local" => b"2006-01-02T15:04:05.999999999".as_slice(),
        "date-local" => b"2006-01-02",
        "time-local" => b"15:04:05.999999999",
        _ => b"2006-01-02T15:04:05.999999999Z07:00",
    })
}

/// Lists that hold one another twice double with each level.
fn check_length(out: &[u8]) -> Result<(), String> {
    if out.len() > MAX_TOML_BYTES {
        return Err(format!("toml: exceeded {MAX_TOML_BYTES} bytes"));
    }
    Ok(())
}

/// `{a = 1, b = 2}`; as in Go, what is nil at the end leaves its comma.
fn inline(out: &mut Vec<u8>, map: &Map, depth: usize) -> Result<(), String> {
    let (plain, headed) = split(map)?;
    out.push(b'{');
    for (entries, more) in [(&plain, !headed.is_empty()), (&headed, false)] {
        for (i, (key, value)) in entries.iter().enumerate() {
            if is_nil(value) {
                continue;
            }
            out.extend_from_slice(&key_text(key));
            out.extend_from_slice(b" = ");
            element(out, value, depth + 1)?;
            if more || i + 1 < entries.len() {
                out.extend_from_slice(b", ");
            }
        }
    }
    out.push(b'}');
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

fn header(out: &mut Vec<u8>, indent: &str, open: &str, path: &[Str], close: &str) {
    out.extend_from_slice(indent.as_bytes());
    out.extend_from_slice(open.as_bytes());
    for (i, key) in path.iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(key);
    }
    out.extend_from_slice(close.as_bytes());
    out.push(b'\n');
}

fn key_text(key: &Str) -> Vec<u8> {
    let bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.iter().all(bare) {
        return key.to_vec();
    }
    let mut out = Vec::new();
    quote(&mut out, key);
    out
}

/// Bytes that are no UTF-8 stay as they are.
fn quote(out: &mut Vec<u8>, text: &Str) {
    out.push(b'"');
    for &byte in text.iter() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\x08' => out.extend_from_slice(b"\\b"),
            b'\x0c' => out.extend_from_slice(b"\\f"),
            0..=0x1f | 0x7f => {
                // Writing to a vector cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}
