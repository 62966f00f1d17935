//! Bytes to characters: encodings, and what libyaml refuses to read.

use std::borrow::Cow;

/// libyaml reads its input in pieces of this size, so that it meets a bad character only when it needs the piece
/// that holds it.
const PIECE: usize = 512;

/// The readable part of a text.
pub(super) struct Readable<'s> {
    pub text: Cow<'s, str>,
    /// Why the text ends here, if not for its own end.
    pub refused: Option<&'static str>,
}

/// Decodes UTF-8, or UTF-16 behind a byte order mark, up to the first piece with a character that YAML forbids.
pub(super) fn read(source: &[u8]) -> Readable<'_> {
    match source {
        [] => Readable {
            text: Cow::Borrowed("\n"),
            refused: None,
        },
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(source),
    }
}

fn utf8(source: &[u8]) -> Readable<'_> {
    let mark = if source.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let (text, invalid) = match std::str::from_utf8(source) {
        Ok(text) => (text, None),
        Err(error) => {
            let (head, tail) = source.split_at(error.valid_up_to());
            // It was found valid just now.
            (
                std::str::from_utf8(head).unwrap_or_default(),
                Some(invalid_utf8(tail)),
            )
        }
    };
    let refused = forbidden(text).map(|at| (at, CONTROL));
    let Some((at, problem)) = refused.or(invalid.map(|problem| (text.len(), problem))) else {
        return Readable {
            text: Cow::Borrowed(&text[mark..]),
            refused: None,
        };
    };
    // A character that is cut off is met only when the text before it is used up.
    let mut end = if problem == INCOMPLETE {
        at
    } else {
        (at - at % PIECE).max(mark)
    };
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Readable {
        text: Cow::Borrowed(&text[mark..end]),
        refused: Some(problem),
    }
}

const INCOMPLETE: &str = "incomplete UTF-8 octet sequence";
const CONTROL: &str = "control characters are not allowed";

/// Where the first character stands that YAML does not allow.
fn forbidden(text: &str) -> Option<usize> {
    // All of them begin with one of these bytes, most texts hold none. A piece is looked at as a whole, which takes a
    // fraction of the time that looking byte by byte takes.
    let suspicious =
        |b: &u8| (*b < 0x20 && !matches!(b, 9 | 10 | 13)) || matches!(b, 0x7f | 0xc2 | 0xef);
    let is_suspicious = |piece: &[u8]| {
        piece
            .iter()
            .fold(false, |found, byte| found | suspicious(byte))
    };
    if !text.as_bytes().chunks(PIECE).any(is_suspicious) {
        return None;
    }
    text.char_indices()
        .find(|(_, c)| match c {
            '\t' | '\n' | '\r' | '\u{85}' => false,
            '\u{fffe}' | '\u{ffff}' => true,
            c => c.is_control(),
        })
        .map(|(at, _)| at)
}

fn invalid_utf8(tail: &[u8]) -> &'static str {
    let Some(first) = tail.first() else {
        return CONTROL;
    };
    let width = match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    if tail.len() < width {
        return INCOMPLETE;
    }
    if tail[1..width].iter().any(|b| b & 0xc0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    let overlong = matches!(first, 0xc0 | 0xc1)
        || *first == 0xe0 && tail[1] < 0xa0
        || *first == 0xf0 && tail[1] < 0x90;
    if overlong {
        "invalid length of a UTF-8 sequence"
    } else {
        "invalid Unicode character"
    }
}

fn utf16(source: &[u8], unit: fn([u8; 2]) -> u16) -> Readable<'static> {
    let mut text = String::with_capacity(source.len());
    let pairs = source.chunks_exact(2);
    let mut refused = (!pairs.remainder().is_empty()).then_some("incomplete UTF-16 character");
    for c in char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]]))) {
        match c {
            Ok(c) => text.push(c),
            Err(error) => {
                refused = Some(if error.unpaired_surrogate() >= 0xdc00 {
                    "unexpected low surrogate area"
                } else {
                    "expected low surrogate area"
                });
                break;
            }
        }
    }
    if let Some(at) = forbidden(&text) {
        refused = Some(CONTROL);
        text.truncate(at);
    }
    Readable {
        text: Cow::Owned(text),
        refused,
    }
}
