//! Between template values and documents.
//!
//! ```
//! use belay_template::convert::{from_data, to_data};
//!
//! let data = belay_yaml::parse(b"{ports: [80, 443], name: web}")?;
//! let value = from_data(&data);
//! assert_eq!(value.as_map().and_then(|map| map.get(b"name")).unwrap().as_str().unwrap().as_bytes(), b"web");
//! assert_eq!(to_data(&value).unwrap(), data);
//! # Ok::<(), belay_yaml::Error>(())
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belay_yaml as yaml;

use crate::error::FuncError;
use crate::limits::MAX_CONVERTED_VALUES;
use crate::value::{IntKind, Map, MapType, Str, Value};

/// Values nested deeper than this are taken for a map that holds itself.
pub const MAX_DEPTH: usize = 1000;

/// What JSON and YAML see of the value: nil lists and maps are null, bytes are base64, objects their fields.
///
/// # Errors
/// When a map holds itself, in the words of Go's encoding/json, and for more than [`MAX_CONVERTED_VALUES`].
pub fn to_data(value: &Value) -> Result<yaml::Value, FuncError> {
    data(value, 0, Nils::Null, &mut 0)
}

/// The same as [`to_data`] for go-yaml v3, which prints nil lists and maps as empty ones and bytes as numbers.
///
/// # Errors
/// As [`to_data`].
pub(crate) fn to_plain_data(value: &Value) -> Result<yaml::Value, FuncError> {
    data(value, 0, Nils::Empty, &mut 0)
}

/// What nil lists and maps become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nils {
    Null,
    Empty,
}

fn data(
    value: &Value,
    depth: usize,
    nils: Nils,
    visited: &mut usize,
) -> Result<yaml::Value, FuncError> {
    count(visited)?;
    if depth > MAX_DEPTH {
        let name = value.type_name();
        return Err(format!("json: unsupported value: encountered a cycle via {name}").into());
    }
    Ok(match value {
        Value::Nil => yaml::Value::Null,
        Value::Bool(b) => yaml::Value::Bool(*b),
        Value::Int(kind, number) if kind.is_unsigned() => yaml::Value::Uint(*number as u64),
        Value::Int(_, number) => yaml::Value::Int(*number),
        Value::Float(number) => yaml::Value::Float(*number),
        Value::Str(text) => yaml::Value::from_bytes(text.to_vec()),
        Value::Bytes(bytes) if nils == Nils::Empty => yaml::Value::Seq(
            bytes
                .iter()
                .map(|&byte| yaml::Value::Uint(u64::from(byte)))
                .collect(),
        ),
        Value::Bytes(bytes) => yaml::Value::Str(STANDARD.encode(bytes.as_bytes())),
        Value::List(list) if list.is_nil() && nils == Nils::Null => yaml::Value::Null,
        Value::List(list) => yaml::Value::Seq(
            list.iter()
                .map(|item| data(item, depth + 1, nils, visited))
                .collect::<Result<_, _>>()?,
        ),
        Value::Map(map) if map.is_nil() && nils == Nils::Null => yaml::Value::Null,
        Value::Map(map) => {
            let entries = map.entries();
            let pairs = entries.iter().map(|(key, item)| {
                Ok((
                    key.to_text().into_owned(),
                    data(item, depth + 1, nils, visited)?,
                ))
            });
            yaml::Value::Map(pairs.collect::<Result<_, FuncError>>()?)
        }
        Value::Object(object) => data(&object.plain(), depth + 1, nils, visited)?,
    })
}

/// Counts one more value.
///
/// # Errors
/// From the first one on that is too many.
pub(crate) fn count(visited: &mut usize) -> Result<(), FuncError> {
    *visited += 1;
    if *visited > MAX_CONVERTED_VALUES {
        return Err(format!("exceeded {MAX_CONVERTED_VALUES} values in one conversion").into());
    }
    Ok(())
}

/// The document as a template value: maps are `map[string]interface {}`, lists `[]interface {}`, integers `int64`.
pub fn from_data(data: &yaml::Value) -> Value {
    match data {
        yaml::Value::Null => Value::Nil,
        yaml::Value::Bool(b) => Value::Bool(*b),
        yaml::Value::Int(number) => Value::int64(*number),
        yaml::Value::Uint(number) => Value::Int(IntKind::Uint64, *number as i64),
        yaml::Value::Float(number) => Value::Float(*number),
        yaml::Value::Str(text) => Value::str(text.as_str()),
        yaml::Value::Bytes(bytes) => Value::str(bytes.as_slice()),
        yaml::Value::Seq(items) => Value::list(items.iter().map(from_data).collect()),
        yaml::Value::Map(entries) => Value::Map(map_from_data(entries, MapType::Any)),
    }
}

/// The mapping as a map of this type; maps within it are `map[string]interface {}`.
pub fn map_from_data(entries: &yaml::Map, kind: MapType) -> Map {
    Map::with(
        kind,
        entries
            .iter()
            .map(|(key, value)| (Str::from(key.as_str()), from_data(value)))
            .collect(),
    )
}
