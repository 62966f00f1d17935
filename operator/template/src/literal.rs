//! Go's literals: numbers, characters and quoted strings.

use std::ops::Range;

use crate::ast::Number;
use crate::lex::decode;
use crate::strconv::{parse_float, parse_int, parse_uint};

/// The first float beyond a signed integer.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// Reads a number literal as all types that it fits, or says what is wrong with it.
pub(crate) fn number(text: &str, span: Range<usize>) -> Result<Number, String> {
    if text.ends_with('i') {
        return Err(format!(
            "complex numbers are not supported: {}",
            crate::fmt::quoted(text.as_bytes())
        ));
    }
    let mut number = Number {
        text: span,
        int: parse_int(text.as_bytes(), 0).exact(),
        uint: parse_uint(text.as_bytes(), 0),
        float: None,
        looks_float: false,
    };
    if number.int == Some(0) {
        number.uint = Some(0); // also for -0
    }
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text.as_bytes()) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!(
                "integer overflow: {}",
                crate::fmt::quoted(text.as_bytes())
            ));
        }
        number.float = Some(float);
        let whole = float.trunc() == float;
        number.int = (whole && (-TWO_63..TWO_63).contains(&float)).then_some(float as i64);
        number.uint = (whole && (0.0..2.0 * TWO_63).contains(&float)).then_some(float as u64);
    } else {
        return Err(format!(
            "illegal number syntax: {}",
            crate::fmt::quoted(text.as_bytes())
        ));
    }
    let hex_int = text.len() > 2
        && (text.starts_with("0x") || text.starts_with("0X"))
        && !text.contains(['p', 'P']);
    number.looks_float = !hex_int && text.contains(['.', 'e', 'E', 'p', 'P']);
    Ok(number)
}

/// Reads a character constant, quotes included.
pub(crate) fn character(text: &[u8], span: Range<usize>) -> Result<Number, String> {
    let inner = text.get(1..).unwrap_or_default();
    let (c, rest) = unquote_char(inner, b'\'').ok_or("invalid syntax")?;
    if rest != b"'" {
        return Err(format!(
            "malformed character constant: {}",
            String::from_utf8_lossy(text)
        ));
    }
    let code = match c {
        Unquoted::Char(c) => u32::from(c),
        Unquoted::Byte(b) => u32::from(b),
    };
    Ok(Number {
        text: span,
        int: Some(i64::from(code)),
        uint: Some(u64::from(code)),
        float: Some(f64::from(code)),
        looks_float: false,
    })
}

/// The bytes that a quoted or raw string literal of Go stands for, its quotes included in `text`; nothing when it is
/// none, or an escape in it is none. Single quotes may hold more than one character.
pub fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let (&quote, rest) = text.split_first()?;
    let (&last, mut body) = rest.split_last()?;
    if last != quote {
        return None;
    }
    if quote == b'`' {
        return Some(body.iter().copied().filter(|&b| b != b'\r').collect());
    }
    let mut value = Vec::with_capacity(body.len());
    while !body.is_empty() {
        let (c, rest) = unquote_char(body, quote)?;
        match c {
            Unquoted::Char(c) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unquoted::Byte(b) => value.push(b),
        }
        body = rest;
    }
    Some(value)
}

enum Unquoted {
    Char(char),
    Byte(u8),
}

fn unquote_char(text: &[u8], quote: u8) -> Option<(Unquoted, &[u8])> {
    let first = *text.first()?;
    if first == quote {
        return None;
    }
    if first != b'\\' {
        if first < 0x80 {
            return Some((Unquoted::Byte(first), &text[1..]));
        }
        let (c, width) = decode(text)?;
        return Some((Unquoted::Char(c), &text[width..]));
    }
    let (&escape, rest) = text[1..].split_first()?;
    let byte = |b: u8| Some((Unquoted::Byte(b), rest));
    match escape {
        b'a' => byte(7),
        b'b' => byte(8),
        b'f' => byte(12),
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'v' => byte(11),
        b'\\' => byte(b'\\'),
        b'\'' | b'"' if escape == quote => byte(escape),
        b'x' => {
            let (code, rest) = digits(rest, 2, 16)?;
            Some((Unquoted::Byte(code as u8), rest))
        }
        b'u' | b'U' => {
            let (code, rest) = digits(rest, if escape == b'u' { 4 } else { 8 }, 16)?;
            Some((Unquoted::Char(char::from_u32(code)?), rest))
        }
        b'0'..=b'7' => {
            let (code, rest) = digits(&text[1..], 3, 8)?;
            Some((Unquoted::Byte(u8::try_from(code).ok()?), rest))
        }
        _ => None,
    }
}

fn digits(text: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let mut code: u32 = 0;
    for &b in text.get(..count)? {
        code = code
            .checked_mul(radix)?
            .checked_add((b as char).to_digit(radix)?)?;
    }
    Some((code, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_keep_bytes_that_are_no_text() {
        assert_eq!(
            unquote(br#""a\n\x41\u00e9\377""#),
            Some(b"a\nA\xc3\xa9\xff".to_vec())
        );
        assert_eq!(unquote(b"`a\\n\r\nb`"), Some(b"a\\n\nb".to_vec()));
        assert_eq!(unquote(br#""\q""#), None);
        assert_eq!(unquote(br#""\'""#), None);
    }

    #[test]
    fn numbers_are_read_as_all_types_that_they_fit() {
        let read = |text: &str| number(text, 0..0).map(|n| (n.int, n.float, n.looks_float));
        assert_eq!(read("0x10"), Ok((Some(16), Some(16.0), false)));
        assert_eq!(read("010"), Ok((Some(8), Some(8.0), false)));
        assert_eq!(read("1_000"), Ok((Some(1000), Some(1000.0), false)));
        assert_eq!(read("-3"), Ok((Some(-3), Some(-3.0), false)));
        assert_eq!(read("1e3"), Ok((Some(1000), Some(1000.0), true)));
        assert_eq!(read("1.5"), Ok((None, Some(1.5), true)));
        assert_eq!(read("0x1p4"), Ok((Some(16), Some(16.0), true)));
        assert_eq!(read("0x1.8p-1"), Ok((None, Some(0.75), true)));
        assert_eq!(read("0x1p63").map(|n| n.0), Ok(None));
        assert_eq!(read("089"), Err("integer overflow: \"089\"".to_owned()));
        assert_eq!(
            read("99999999999999999999"),
            Err("integer overflow: \"99999999999999999999\"".to_owned())
        );
    }

    #[test]
    fn a_character_is_its_number() {
        assert_eq!(character(b"'a'", 0..0).map(|n| n.int), Ok(Some(97)));
        assert_eq!(character(b"'\\n'", 0..0).map(|n| n.int), Ok(Some(10)));
        assert!(character(b"'ab'", 0..0).is_err());
    }
}
