//! How any value becomes a number: what cannot become one is 0.

use crate::strconv::{parse_float, parse_int};
use crate::value::{IntKind, Value};

/// Any value as an `int64`.
pub(crate) fn to_i64(value: &Value) -> i64 {
    match value {
        // The type is not on the list of the library that sprig asks.
        Value::Int(IntKind::Duration, _) => 0,
        Value::Int(_, number) => *number,
        Value::Float(number) => truncate(*number),
        Value::Bool(b) => i64::from(*b),
        Value::Str(text) => parse_int(without_zero_decimals(text), 0)
            .exact()
            .unwrap_or_default(),
        _ => 0,
    }
}

/// Any value as a `float64`.
pub(crate) fn to_f64(value: &Value) -> f64 {
    match value {
        Value::Int(IntKind::Duration, _) => 0.0,
        Value::Int(kind, number) if kind.is_unsigned() => *number as u64 as f64,
        Value::Int(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Str(text) => parse_float(text).unwrap_or_default(),
        _ => 0.0,
    }
}

/// What a 64-bit Intel processor, and so Helm there, makes of a float: the lowest number when it does not fit.
fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// `10.00` is the integer 10; any other decimals make it none.
fn without_zero_decimals(text: &[u8]) -> &[u8] {
    let kept = text
        .iter()
        .rposition(|&byte| byte != b'0')
        .map_or(0, |at| at + 1);
    match text[..kept] {
        [ref whole @ .., b'.'] if kept < text.len() => whole,
        _ => text,
    }
}
