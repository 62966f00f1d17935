//! What a backslash introduces, inside of classes and out of them.

use super::{BAD_CLASS, BAD_ESCAPE, RegexError};

pub(super) fn class_char<'t>(text: &'t str, class: &str) -> Result<(char, &'t str), RegexError> {
    match text.chars().next() {
        None => Err(RegexError::new("missing closing ]", class)),
        Some('\\') => escape(text),
        Some(c) => Ok((c, &text[c.len_utf8()..])),
    }
}

/// One escaped character; `text` starts at the backslash.
pub(super) fn escape(text: &str) -> Result<(char, &str), RegexError> {
    let mut chars = text[1..].chars();
    let Some(c) = chars.next() else {
        return Err(RegexError::new(
            "trailing backslash at end of expression",
            "",
        ));
    };
    let bad = |rest: &str| RegexError::new(BAD_ESCAPE, &text[..text.len() - rest.len()]);
    let octal = |c: &char| c.is_digit(8);
    let found = match c {
        '1'..='7' if !chars.clone().next().as_ref().is_some_and(octal) => {
            return Err(bad(chars.as_str()));
        }
        '0'..='7' => {
            let mut value = c.to_digit(8).unwrap_or_default();
            for _ in 0..2 {
                let Some(digit) = chars.clone().next().and_then(|c| c.to_digit(8)) else {
                    break;
                };
                value = value * 8 + digit;
                chars.next();
            }
            char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        'x' => return hex(text, chars),
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(bad(chars.as_str())),
    };
    Ok((found, chars.as_str()))
}

fn hex<'t>(text: &'t str, mut chars: std::str::Chars<'t>) -> Result<(char, &'t str), RegexError> {
    let bad = |rest: &str| RegexError::new(BAD_ESCAPE, &text[..text.len() - rest.len()]);
    let mut value: u32 = 0;
    match chars.next() {
        Some('{') => {
            let mut digits = 0;
            loop {
                match chars.next() {
                    Some('}') if digits > 0 => break,
                    Some(c) => {
                        let Some(digit) = c.to_digit(16) else {
                            return Err(bad(chars.as_str()));
                        };
                        value = value * 16 + digit;
                        digits += 1;
                    }
                    None => return Err(bad("")),
                }
                if value > 0x0010_FFFF {
                    return Err(bad(chars.as_str()));
                }
            }
        }
        first => {
            let second = chars.next();
            let (Some(high), Some(low)) = (
                first.and_then(|c| c.to_digit(16)),
                second.and_then(|c| c.to_digit(16)),
            ) else {
                return Err(bad(chars.as_str()));
            };
            value = high * 16 + low;
        }
    }
    Ok((
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
        chars.as_str(),
    ))
}

/// `\d`, `\s`, `\w` and their opposites know ASCII only, and `\s` no vertical tab.
pub(super) fn perl_class(text: &str) -> Option<(&'static str, &str)> {
    let class = match text.get(..2)? {
        r"\d" => "[0-9]",
        r"\D" => "[^0-9]",
        r"\s" => r"[\t\n\x0C\r\x20]",
        r"\S" => r"[^\t\n\x0C\r\x20]",
        r"\w" => "[0-9A-Za-z_]",
        r"\W" => "[^0-9A-Za-z_]",
        _ => return None,
    };
    Some((class, &text[2..]))
}

/// `\pN`, `\p{Greek}`, `\P{^Greek}`.
pub(super) fn unicode_class(text: &str) -> Result<Option<(String, &str)>, RegexError> {
    let Some(rest) = text
        .strip_prefix("\\p")
        .or_else(|| text.strip_prefix("\\P"))
    else {
        return Ok(None);
    };
    let mut negated = text.starts_with("\\P");
    let (name, rest) = if let Some(braced) = rest.strip_prefix('{') {
        let Some(end) = braced.find('}') else {
            return Err(RegexError::new(BAD_CLASS, text));
        };
        (&braced[..end], &braced[end + 1..])
    } else {
        let Some(c) = rest.chars().next() else {
            return Err(RegexError::new(BAD_CLASS, text));
        };
        rest.split_at(c.len_utf8())
    };
    let bad = || RegexError::new(BAD_CLASS, &text[..text.len() - rest.len()]);
    let plain = match name.strip_prefix('^') {
        Some(plain) => {
            negated = !negated;
            plain
        }
        None => name,
    };
    // Only names: the regex crate would also read `gc=Lu` and the like here.
    if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(bad());
    }
    let class = format!("\\{}{{{plain}}}", if negated { 'P' } else { 'p' });
    regex_syntax::parse(&class).map_err(|_| bad())?;
    Ok(Some((class, rest)))
}

pub(super) fn is_posix(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
        "space", "upper", "word", "xdigit",
    ];
    NAMES.contains(&name.strip_prefix('^').unwrap_or(name))
}
