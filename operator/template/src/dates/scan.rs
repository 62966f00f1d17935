//! Reading the small pieces of a time: digits, names, abbreviations of zones.

use std::fmt::Write as _;

/// A part of the text is not what the layout wants there.
pub(super) struct Bad;

/// Literal text of the layout: blanks match any number of blanks. What could not be read comes back as the error.
pub(super) fn skip<'v>(mut value: &'v [u8], mut prefix: &[u8]) -> Result<&'v [u8], &'v [u8]> {
    while let Some(&want) = prefix.first() {
        if want == b' ' {
            if value.first().is_some_and(|&b| b != b' ') {
                return Err(value);
            }
            prefix = trim_blanks(prefix);
            value = trim_blanks(value);
        } else if value.first() == Some(&want) {
            (prefix, value) = (&prefix[1..], &value[1..]);
        } else {
            return Err(value);
        }
    }
    Ok(value)
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|&&b| b == b' ').count();
    &text[blanks..]
}

pub(super) fn fixed(value: &[u8], digits: usize) -> Result<(u32, &[u8]), Bad> {
    let (text, rest) = value.split_at_checked(digits).ok_or(Bad)?;
    let number = text.iter().try_fold(0, |all, b| {
        b.is_ascii_digit().then(|| all * 10 + u32::from(b - b'0'))
    });
    Ok((number.ok_or(Bad)?, rest))
}

/// One or two digits, exactly two when `exact`.
pub(super) fn two(value: &[u8], exact: bool) -> Result<(u32, &[u8]), Bad> {
    let second = value.get(1).is_some_and(u8::is_ascii_digit);
    if exact && !second {
        return Err(Bad);
    }
    fixed(value, 1 + usize::from(second))
}

pub(super) fn name<'v>(
    names: &[&str],
    value: &'v [u8],
    short: bool,
) -> Result<(u32, &'v [u8]), Bad> {
    for (index, name) in names.iter().enumerate() {
        let name = if short { &name[..3] } else { name };
        if let Some((start, rest)) = value.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name.as_bytes())
        {
            return Ok((index as u32, rest));
        }
    }
    Err(Bad)
}

/// How many digits stand behind a decimal mark.
pub(super) fn fraction_digits(value: &[u8]) -> usize {
    match value {
        [b'.' | b',', digits @ ..] => digits.iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    }
}

pub(super) fn nanos(fraction: &[u8]) -> Result<i32, Bad> {
    let [b'.' | b',', digits @ ..] = fraction else {
        return Err(Bad);
    };
    let digits = &digits[..digits.len().min(9)];
    let (number, _) = fixed(digits, digits.len())?;
    Ok(number as i32 * 10_i32.pow(9 - digits.len() as u32))
}

/// How long the abbreviation at the beginning is: three to five capital letters, `GMT+3`, `+03`.
pub(super) fn zone_name(value: &[u8]) -> Option<usize> {
    if value.len() < 3 {
        return None;
    }
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest));
    }
    if matches!(value[0], b'+' | b'-') {
        return Some(signed_hours(value)).filter(|&len| len > 0);
    }
    match value
        .iter()
        .take(6)
        .take_while(|b| b.is_ascii_uppercase())
        .count()
    {
        3 => Some(3),
        4 if value[3] == b'T' || value.starts_with(b"WITA") => Some(4),
        5 if value[4] == b'T' => Some(5),
        _ => None,
    }
}

fn signed_hours(value: &[u8]) -> usize {
    let [b'+' | b'-', digits @ ..] = value else {
        return 0;
    };
    let len = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let hours = digits[..len]
        .iter()
        .fold(0u32, |all, b| (all * 10 + u32::from(b - b'0')).min(1000));
    if len == 0 || hours > 23 { 0 } else { 1 + len }
}

/// Quotes as Go's time package does: plainly, with bytes beyond ASCII in hexadecimal.
pub(super) fn quote(text: &[u8]) -> String {
    let mut out = String::from('"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7f => out.push(char::from(byte)),
            _ => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}
