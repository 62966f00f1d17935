//! To and from `serde_json`, for custom resources and Rust structs.

use serde_json::Number;

use crate::Value;

/// The same value for `serde_json`.
///
/// Floats that are whole numbers of at most 53 bits become integers, so that values which Helm read as `float64`
/// fill integer fields, as Go's decoder fills them. NaN and the infinities become null; bytes that are not UTF-8
/// become replacement characters.
pub fn to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => serde_json::Value::Bool(*value),
        Value::Int(value) => serde_json::Value::Number((*value).into()),
        Value::Uint(value) => serde_json::Value::Number((*value).into()),
        Value::Float(value) if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 => {
            serde_json::Value::Number((*value as i64).into())
        }
        Value::Float(value) => {
            Number::from_f64(*value).map_or(serde_json::Value::Null, serde_json::Value::Number)
        }
        Value::Str(text) => serde_json::Value::String(text.clone()),
        Value::Bytes(bytes) => {
            serde_json::Value::String(String::from_utf8_lossy(bytes).into_owned())
        }
        Value::Seq(items) => serde_json::Value::Array(items.iter().map(to_serde).collect()),
        Value::Map(entries) => serde_json::Value::Object(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), to_serde(item)))
                .collect(),
        ),
    }
}

/// The same value from `serde_json`, integers kept as integers.
pub fn from_serde(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::Uint))
            .or_else(|| number.as_f64().map(Value::Float))
            .unwrap_or_default(),
        serde_json::Value::String(text) => Value::Str(text.clone()),
        serde_json::Value::Array(items) => Value::Seq(items.iter().map(from_serde).collect()),
        serde_json::Value::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), from_serde(item)))
                .collect(),
        ),
    }
}
