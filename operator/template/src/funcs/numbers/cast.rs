//! How any value becomes a number: what cannot become one is 0.

use crate::value::{IntKind, Value};

/// A text read as a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// It is one.
    Number(i64),
    /// It is one beyond 64 bits; the nearest one that fits.
    Clamped(i64),
    /// It is none.
    Nothing,
}

impl Parsed {
    /// The number, if it is one that fits.
    pub(crate) fn exact(self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Clamped(_) | Self::Nothing => None,
        }
    }

    /// The number, the nearest one, or 0.
    pub(crate) fn clamped(self) -> i64 {
        match self {
            Self::Number(number) | Self::Clamped(number) => number,
            Self::Nothing => 0,
        }
    }
}

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

/// Go's `strconv.ParseInt`; base 0 reads prefixes (`0x`, `0o`, `0b`, `0`) and underscores between digits.
pub(crate) fn parse_int(text: &[u8], base: u32) -> Parsed {
    let (negative, digits) = sign(text);
    let (digits, radix) = match (base, digits) {
        (0, _) if digits.contains(&b'_') && !underscores_ok(digits) => return Parsed::Nothing,
        (0, [b'0', b'x' | b'X', rest @ ..]) => (rest, 16),
        (0, [b'0', b'o' | b'O', rest @ ..]) => (rest, 8),
        (0, [b'0', b'b' | b'B', rest @ ..]) => (rest, 2),
        (0, [b'0', rest @ ..]) if !rest.is_empty() => (rest, 8),
        (0, _) => (digits, 10),
        _ => (digits, base),
    };
    let mut number: Option<i128> = Some(0);
    let mut some = false;
    for &byte in digits.iter().filter(|&&byte| !(base == 0 && byte == b'_')) {
        let Some(digit) = char::from(byte).to_digit(radix) else {
            return Parsed::Nothing;
        };
        some = true;
        number = number
            .map(|all| all * i128::from(radix) + i128::from(digit))
            .filter(|&all| all <= i128::from(u64::MAX));
    }
    if !some {
        return Parsed::Nothing;
    }
    let signed = number.map(|number| if negative { -number } else { number });
    match signed.and_then(|number| i64::try_from(number).ok()) {
        Some(number) => Parsed::Number(number),
        None => Parsed::Clamped(if negative { i64::MIN } else { i64::MAX }),
    }
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Underscores may stand between digits, and between a prefix and the first digit.
fn underscores_ok(digits: &[u8]) -> bool {
    let prefixed = matches!(digits, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let hex = matches!(digits, [b'0', b'x' | b'X', ..]);
    let is_digit = |byte: u8| byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit();
    let rest = if prefixed { &digits[2..] } else { digits };
    // A prefix counts as a digit.
    let mut before = if prefixed { b'0' } else { b'!' };
    for &byte in rest {
        let ok = match (before, byte) {
            (b'_', _) => is_digit(byte),
            (_, b'_') => is_digit(before),
            _ => true,
        };
        if !ok {
            return false;
        }
        before = byte;
    }
    before != b'_'
}

/// Go's `strconv.ParseFloat`: hexadecimal floats and underscores included; too large is nothing.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let (negative, body) = sign(text);
    if body.contains(&b'_') && !underscores_ok(body) {
        return None;
    }
    let clean: String = body
        .iter()
        .filter(|&&b| b != b'_')
        .map(|&b| char::from(b))
        .collect();
    let lower = clean.to_ascii_lowercase();
    let value = match lower.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" if body.len() == text.len() => f64::NAN,
        _ if lower.starts_with("0x") => hex_float(&lower[2..])?,
        _ if lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            lower.parse().ok().filter(|value: &f64| value.is_finite())?
        }
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// `1.8p3`, behind its `0x`; the exponent is required.
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() {
        return None;
    }
    let value = digits.chars().try_fold(0.0, |all: f64, c| {
        Some(all * 16.0 + f64::from(c.to_digit(16)?))
    })?;
    let exponent: i32 = exponent.parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let value = value * 2_f64.powi(exponent.checked_sub(4 * places)?);
    value.is_finite().then_some(value)
}
