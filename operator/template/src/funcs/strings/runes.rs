//! Characters as Go sees them: any bytes are text, those that are no UTF-8 read as U+FFFD, and changing case
//! replaces one character by one.

/// The characters of a text.
pub(crate) fn runes(text: &[u8]) -> impl Iterator<Item = char> + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        let broken = chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(broken)
    })
}

/// Replaces each character.
pub(crate) fn map(text: &[u8], change: impl FnMut(char) -> char) -> Vec<u8> {
    runes(text).map(change).collect::<String>().into_bytes()
}

/// The upper case of one character; `ß` has none that is one character.
pub(crate) fn upper(c: char) -> char {
    match u32::from(c) {
        // Greek letters with iota: their simple upper case is the title case letter.
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => shift(c, 8),
        0x1fb3 | 0x1fc3 | 0x1ff3 => shift(c, 9),
        _ => single(c, c.to_uppercase()),
    }
}

/// The lower case of one character.
pub(crate) fn lower(c: char) -> char {
    if c == 'İ' {
        'i'
    } else {
        single(c, c.to_lowercase())
    }
}

/// The title case of one character; it differs from the upper case in a few digraphs.
pub(crate) fn title(c: char) -> char {
    match u32::from(c) {
        0x01c4..=0x01c6 => '\u{01c5}',
        0x01c7..=0x01c9 => '\u{01c8}',
        0x01ca..=0x01cc => '\u{01cb}',
        0x01f1..=0x01f3 => '\u{01f2}',
        0x10d0..=0x10fa | 0x10fd..=0x10ff => c,
        _ => upper(c),
    }
}

/// Letters that are title case, neither upper nor lower.
pub(crate) fn is_title(c: char) -> bool {
    matches!(
        u32::from(c),
        0x01c5 | 0x01c8 | 0x01cb | 0x01f2 | 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf | 0x1fbc | 0x1fcc
            | 0x1ffc
    )
}

fn shift(c: char, by: u32) -> char {
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

fn single(c: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Without blanks at both ends.
pub(crate) fn trim_space(text: &[u8]) -> &[u8] {
    trim_matches(text, char::is_whitespace)
}

/// Without the characters of `cut` at both ends.
pub(crate) fn trim_set<'t>(text: &'t [u8], cut: &[u8]) -> &'t [u8] {
    let cut: Vec<char> = runes(cut).collect();
    trim_matches(text, |c| cut.contains(&c))
}

fn trim_matches(text: &[u8], matches: impl Fn(char) -> bool) -> &[u8] {
    let mut rest = text;
    while let Some((c, len)) = first(rest).filter(|&(c, _)| matches(c)) {
        let _ = c;
        rest = &rest[len..];
    }
    while let Some((c, len)) = last(rest).filter(|&(c, _)| matches(c)) {
        let _ = c;
        rest = &rest[..rest.len() - len];
    }
    rest
}

/// The first character and how many bytes it has.
pub(crate) fn first(text: &[u8]) -> Option<(char, usize)> {
    let chunk = text[..text.len().min(4)].utf8_chunks().next()?;
    let c = chunk.valid().chars().next();
    Some(c.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, c.len_utf8())))
}

fn last(text: &[u8]) -> Option<(char, usize)> {
    let end = text.len();
    if end == 0 {
        return None;
    }
    for start in (end.saturating_sub(4)..end).rev() {
        if let Ok(one) = std::str::from_utf8(&text[start..]) {
            return one.chars().next().map(|c| (c, c.len_utf8()));
        }
    }
    Some((char::REPLACEMENT_CHARACTER, 1))
}
