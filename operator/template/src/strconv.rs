//! How Go's `strconv` reads numbers. Literals of templates and the functions that take any text read them alike.

use std::borrow::Cow;

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

/// `ParseInt`; base 0 reads prefixes (`0x`, `0o`, `0b`, `0`) and underscores between digits.
pub(crate) fn parse_int(text: &[u8], base: u32) -> Parsed {
    let (negative, digits) = sign(text);
    let Some(size) = magnitude(digits, base) else {
        return Parsed::Nothing;
    };
    match i64::try_from(if negative { -size } else { size }) {
        Ok(number) => Parsed::Number(number),
        Err(_) => Parsed::Clamped(if negative { i64::MIN } else { i64::MAX }),
    }
}

/// `ParseUint`; no sign may stand before it.
pub(crate) fn parse_uint(text: &[u8], base: u32) -> Option<u64> {
    u64::try_from(magnitude(text, base)?).ok()
}

/// The digits as a number, everything beyond 64 bits as the same number beyond.
fn magnitude(digits: &[u8], base: u32) -> Option<i128> {
    const BEYOND: i128 = 1 << 64;
    let (digits, radix) = match (base, digits) {
        (0, _) if digits.contains(&b'_') && !underscores_ok(digits) => return None,
        (0, [b'0', b'x' | b'X', rest @ ..]) => (rest, 16),
        (0, [b'0', b'o' | b'O', rest @ ..]) => (rest, 8),
        (0, [b'0', b'b' | b'B', rest @ ..]) => (rest, 2),
        (0, [b'0', rest @ ..]) if !rest.is_empty() => (rest, 8),
        (0, _) => (digits, 10),
        _ => (digits, base),
    };
    let mut number = None;
    for &byte in digits.iter().filter(|&&byte| base != 0 || byte != b'_') {
        let digit = char::from(byte).to_digit(radix)?;
        let before = number.unwrap_or(0);
        number = Some(BEYOND.min(before * i128::from(radix) + i128::from(digit)));
    }
    number
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

/// `ParseFloat`: decimal and hexadecimal floats with underscores between digits, `inf`, `infinity` and `nan`. What is
/// too large for a float is nothing.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let (negative, body) = sign(text);
    let clean: Cow<'_, [u8]> = if body.contains(&b'_') {
        if !underscores_ok(body) {
            return None;
        }
        body.iter().copied().filter(|&byte| byte != b'_').collect()
    } else {
        Cow::Borrowed(body)
    };
    let lower = std::str::from_utf8(&clean).ok()?.to_ascii_lowercase();
    let value = match lower.as_bytes() {
        b"inf" | b"infinity" => f64::INFINITY,
        b"nan" if body.len() == text.len() => f64::NAN,
        [b'0', b'x', digits @ ..] => hex_float(digits)?,
        [b'0'..=b'9' | b'.', ..] => lower.parse().ok().filter(|value: &f64| value.is_finite())?,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// `1.8p3`, behind its `0x` and in lower case; the exponent is required.
fn hex_float(text: &[u8]) -> Option<f64> {
    /// Any exponent beyond this overflows or vanishes, however long the digits are that a template can hold.
    const FAR: i64 = 1 << 40;
    let split = text.iter().position(|&byte| byte == b'p')?;
    let (mantissa, exponent) = (&text[..split], &text[split + 1..]);
    let (below, exponent) = sign(exponent);
    let mut power = 0;
    for &byte in Some(exponent).filter(|digits| !digits.is_empty())? {
        power = FAR.min(power * 10 + i64::from(char::from(byte).to_digit(10)?));
    }
    if below {
        power = -power;
    }
    let (mut bits, mut lost, mut point, mut some) = (0_u64, false, false, false);
    for &byte in mantissa {
        if byte == b'.' && !point {
            point = true;
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        some = true;
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            power -= if point { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            power += if point { 0 } else { 4 };
        }
    }
    some.then(|| rounded(bits, power, lost)).flatten()
}

/// `bits` times two to the `power`, rounded to even; `lost` says that bits below those were not zero.
fn rounded(bits: u64, power: i64, lost: bool) -> Option<f64> {
    const SMALLEST: i64 = -1074;
    if bits == 0 {
        return Some(0.0);
    }
    let zeros = bits.leading_zeros();
    let bits = u128::from(bits << zeros);
    let power = power - i64::from(zeros);
    // 53 bits remain, fewer among the subnormal numbers.
    let drop = (SMALLEST - power).clamp(11, 66);
    let kept = bits >> drop;
    let rest = bits & ((1 << drop) - 1);
    let half = 1_u128 << (drop - 1);
    let up = rest > half || rest == half && (lost || kept & 1 == 1);
    let kept = (kept + u128::from(up)) as u64;
    // Both factors are exact, and so is their product if it fits.
    let value = kept as f64 * power_of_two(power + drop)?;
    value.is_finite().then_some(value)
}

fn power_of_two(power: i64) -> Option<f64> {
    match power {
        ..-1074 => Some(0.0),
        -1074..-1022 => Some(f64::from_bits(1 << (power + 1074))),
        -1022..=1023 => Some(f64::from_bits(((power + 1023) as u64) << 52)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_floats_are_rounded_once() {
        for (text, value) in [
            ("0x1p60", Some(1_152_921_504_606_846_976.0)),
            ("0X1.8P3", Some(12.0)),
            ("-0x.8p0", Some(-0.5)),
            ("0x1_0.p+0_1", Some(32.0)),
            ("0x1p-1074", Some(f64::from_bits(1))),
            ("0x1p-1075", Some(0.0)),
            ("0x1.8p-1075", Some(f64::from_bits(1))),
            ("0x1.fffffffffffff8p0", Some(2.0)),
            ("0x1.fffffffffffff7p0", Some(2.0 - f64::EPSILON)),
            ("0x20000000000001p0", Some(9_007_199_254_740_992.0)),
            (
                "0x20000000000001000000001p-36",
                Some(9_007_199_254_740_994.0),
            ),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1p1024", None),
            ("0x1p99999999999999999999", None),
            ("0x0p99999999999999999999", Some(0.0)),
            ("0x1p-99999999999999999999", Some(0.0)),
            ("0x1", None),
            ("0x1.8", None),
            ("0xp1", None),
            ("0x1p", None),
            ("0x1p+", None),
            ("0x_1p0", Some(1.0)),
            ("0x1_p0", None),
        ] {
            assert_eq!(parse_float(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn decimal_floats_follow_go_s_grammar() {
        for (text, value) in [
            ("1_000.5", Some(1000.5)),
            ("1__0", None),
            ("1_", None),
            ("1.e2", Some(100.0)),
            (".5", Some(0.5)),
            (".", None),
            ("1e400", None),
            ("+Inf", Some(f64::INFINITY)),
            ("-infinity", Some(f64::NEG_INFINITY)),
            ("infinit", None),
            ("+nan", None),
            ("++1", None),
            ("0b1", None),
        ] {
            assert_eq!(parse_float(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn whole_numbers_have_prefixes_and_bounds() {
        assert_eq!(
            parse_int(b"-0x8000000000000000", 0),
            Parsed::Number(i64::MIN)
        );
        assert_eq!(
            parse_int(b"0x8000000000000000", 0),
            Parsed::Clamped(i64::MAX)
        );
        assert_eq!(
            parse_int(b"-99999999999999999999999999999999999999999999", 0),
            Parsed::Clamped(i64::MIN)
        );
        assert_eq!(parse_uint(b"0xffff_ffff_ffff_ffff", 0), Some(u64::MAX));
        assert_eq!(parse_uint(b"18446744073709551616", 0), None);
        assert_eq!(parse_uint(b"+1", 0), None);
        assert_eq!(parse_int(b"1_0", 10), Parsed::Nothing);
        assert_eq!(parse_int(b"0_7", 0), Parsed::Number(7));
        assert_eq!(parse_int(b"0x", 0), Parsed::Nothing);
        assert_eq!(parse_int(b"08", 0), Parsed::Nothing);
    }
}
