//! Functions over words: titles, initials, wrapping, abbreviating. Widths and offsets count bytes, as sprig's do.

use super::runes::{self, is_title};

/// Each word's first letter in title case.
pub(super) fn title(text: &[u8]) -> Vec<u8> {
    let mut previous = ' ';
    runes::map(text, |c| {
        let starts = ends_word(previous);
        previous = c;
        if starts { runes::title(c) } else { c }
    })
}

/// ASCII knows letters, digits and `_` as parts of words; beyond it only blanks end one.
fn ends_word(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    c.is_whitespace()
}

/// Each word's first letter in lower case; only blanks separate words.
pub(super) fn untitle(text: &[u8]) -> Vec<u8> {
    let mut starts = true;
    runes::map(text, |c| {
        let change = starts && !c.is_whitespace();
        starts = c.is_whitespace();
        if change { runes::lower(c) } else { c }
    })
}

/// Upper to lower and back; a small letter at a word's beginning gets title case.
pub(super) fn swap_case(text: &[u8]) -> Vec<u8> {
    let mut starts = true;
    runes::map(text, |c| {
        if c.is_uppercase() || is_title(c) {
            starts = false;
            return runes::lower(c);
        }
        if c.is_lowercase() {
            let first = std::mem::replace(&mut starts, false);
            return if first {
                runes::title(c)
            } else {
                runes::upper(c)
            };
        }
        starts = c.is_whitespace();
        c
    })
}

/// Each word's first byte, read as a Latin-1 character.
pub(super) fn initials(text: &[u8]) -> String {
    let mut out = String::new();
    let mut gap = true;
    for c in text.iter().copied().map(char::from) {
        if c.is_whitespace() {
            gap = true;
        } else if gap {
            out.push(c);
            gap = false;
        }
    }
    out
}

/// Without blanks. When there are any, the other bytes are read as Latin-1 characters, as sprig does.
pub(super) fn nospace(text: &[u8]) -> Vec<u8> {
    let kept: String = text
        .iter()
        .copied()
        .map(char::from)
        .filter(|c| !c.is_whitespace())
        .collect();
    if kept.chars().count() == text.len() {
        text.to_vec()
    } else {
        kept.into_bytes()
    }
}

/// Breaks a line so that it has at most `width` bytes where blanks allow it, or everywhere when `cut` is set.
pub(super) fn wrap(text: &[u8], width: i64, line_end: &[u8], cut: bool) -> Vec<u8> {
    let line_end = if line_end.is_empty() { b"\n" } else { line_end };
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = Vec::with_capacity(text.len() + text.len() / width);
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let blank = |byte: &u8| *byte == b' ';
        let at = match rest[..=width].iter().rposition(blank) {
            Some(at) => at,
            None if cut => {
                out.extend_from_slice(&rest[..width]);
                out.extend_from_slice(line_end);
                rest = &rest[width..];
                continue;
            }
            None => match rest[width..].iter().position(blank) {
                Some(at) => width + at,
                None => break,
            },
        };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(line_end);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out
}

/// Shortens to `width` bytes with an ellipsis; what lies before `offset` gives way to one, too.
pub(super) fn abbrev(offset: i64, width: i64, text: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = b"...";
    let len = text.len() as i64;
    if width < 4 || len <= width {
        return text.to_vec();
    }
    let room = width - 3;
    let offset = offset.min(len - room);
    if offset <= 4 {
        return [&text[..room as usize], MARK].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + room < len {
        let rest = &text[offset as usize..];
        let inner = if room < 4 {
            Vec::new()
        } else {
            abbrev(0, room, rest)
        };
        return [MARK, &inner].concat();
    }
    [MARK, &text[(len - room) as usize..]].concat()
}
