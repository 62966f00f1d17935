//! `strconv.ParseInt`, `ParseUint` and `ParseFloat`, as far as scalars need them.

/// An integer with an optional sign in the given base; base 0 reads Go's prefixes `0x`, `0o`, `0b` and `0`.
pub(super) fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let size = parse_uint(digits, base)?;
    if negative {
        0_i64.checked_sub_unsigned(size)
    } else {
        i64::try_from(size).ok()
    }
}

/// An integer without sign; see [`parse_int`].
pub(super) fn parse_uint(text: &str, base: u32) -> Option<u64> {
    let (digits, base) = if base == 0 {
        prefix(text)
    } else {
        (text, base)
    };
    // `from_str_radix` would accept a sign.
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, base).ok()
}

fn prefix(text: &str) -> (&str, u32) {
    let bytes = text.as_bytes();
    if bytes.len() > 1 && bytes[0] == b'0' {
        let base = match bytes[1] {
            b'x' | b'X' if bytes.len() > 2 => Some(16),
            b'o' | b'O' if bytes.len() > 2 => Some(8),
            b'b' | b'B' if bytes.len() > 2 => Some(2),
            _ => None,
        };
        return base.map_or((&text[1..], 8), |base| (&text[2..], base));
    }
    (text, 10)
}

/// A decimal float by YAML's grammar: digits on at least one side of the point, an optional exponent.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    let whole = leading_digits(unsigned);
    let mut rest = &unsigned[whole..];
    if let Some(after) = rest.strip_prefix(b".") {
        let fraction = leading_digits(after);
        if whole == 0 && fraction == 0 {
            return None;
        }
        rest = &after[fraction..];
    } else if whole == 0 {
        return None;
    }
    if let [b'e' | b'E', after @ ..] = rest {
        let after = after
            .strip_prefix(b"+")
            .or_else(|| after.strip_prefix(b"-"))
            .unwrap_or(after);
        if after.is_empty() || leading_digits(after) != after.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    // Go reports a number out of range as an error, Rust as an infinity.
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// As [`parse_float`], with underscores between digits as in Go's literals.
pub(super) fn parse_float_underscored(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return parse_float(text);
    }
    let bytes = text.as_bytes();
    let between_digits = |index: usize| {
        index > 0
            && bytes[index - 1].is_ascii_digit()
            && bytes.get(index + 1).is_some_and(u8::is_ascii_digit)
    };
    if !(0..bytes.len()).all(|index| bytes[index] != b'_' || between_digits(index)) {
        return None;
    }
    parse_float(&text.replace('_', ""))
}

fn leading_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}
