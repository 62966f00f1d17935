//! `camelcase`, `snakecase`, `kebabcase`: where words begin is decided by the rules of the library that sprig uses.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::runes::{first, lower, runes, upper};

/// Words with a capital each and nothing between them; blanks, `-` and `_` at the beginning stay.
pub(super) fn pascal(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = runes(text).peekable();
    while let Some(c) = chars.next_if(|&c| is_connector(c)) {
        out.push(c);
    }
    let Some(start) = chars.next() else {
        // Text of nothing but connectors: the last of them was both seen and kept, so it comes twice.
        out.extend(out.chars().next_back());
        return out;
    };
    let mut shouting = start.is_uppercase();
    let mut held = upper(start);
    for c in chars {
        let previous = std::mem::replace(&mut held, c);
        if is_connector(previous) {
            if is_connector(c) {
                out.push(previous);
                continue;
            }
            shouting = c.is_uppercase();
            held = upper(c);
            continue;
        }
        if is_connector(c) {
            out.push(previous);
            continue;
        }
        if shouting {
            if c.is_uppercase() {
                held = lower(c);
            } else {
                shouting = false;
            }
        }
        out.push(previous);
    }
    out.push(held);
    out
}

/// Lower case words joined by `connector`.
pub(super) fn joined(text: &[u8], connector: char) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    if text.is_empty() {
        return out;
    }
    let mut mark = [0; 4];
    let mark = connector.encode_utf8(&mut mark).as_bytes();
    let put = |out: &mut Vec<u8>, word: &Word<'_>| word.write_lower(out, connector);
    let (mut word, mut rest) = Word::take(text);
    while !rest.is_empty() {
        if word.kind != Kind::Connector {
            put(&mut out, &word);
        }
        let previous = word;
        (word, rest) = Word::take(rest);
        match previous.kind {
            Kind::Number => {
                while matches!(word.kind, Kind::Letters | Kind::Number) {
                    put(&mut out, &word);
                    (word, rest) = Word::take(rest);
                }
                if !matches!(word.kind, Kind::None | Kind::Punctuation | Kind::Connector) {
                    out.extend_from_slice(mark);
                }
            }
            Kind::Connector => put(&mut out, &previous),
            Kind::Punctuation => {}
            _ if word.kind != Kind::Number => {
                if !matches!(word.kind, Kind::Connector | Kind::Punctuation) {
                    out.extend_from_slice(mark);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (word, rest) = Word::take(rest);
                if word.kind != Kind::Letters {
                    // The number belongs to the word before it: `Bld4Floor`.
                    put(&mut out, &number);
                    if !matches!(word.kind, Kind::Connector | Kind::Punctuation) {
                        out.extend_from_slice(mark);
                    }
                    continue;
                }
                // Small letters follow, so a new word begins with the number: `HTTP2xx`.
                out.extend_from_slice(mark);
                put(&mut out, &number);
                while matches!(word.kind, Kind::Letters | Kind::Number) {
                    put(&mut out, &word);
                    (word, rest) = Word::take(rest);
                }
                if !matches!(word.kind, Kind::None | Kind::Connector | Kind::Punctuation) {
                    out.extend_from_slice(mark);
                }
            }
        }
    }
    put(&mut out, &word);
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Number,
    Capitals,
    Letters,
    Connector,
    Punctuation,
    Other,
}

struct Word<'t> {
    kind: Kind,
    text: &'t [u8],
}

impl<'t> Word<'t> {
    /// The word at the beginning and what follows it.
    fn take(text: &'t [u8]) -> (Self, &'t [u8]) {
        let Some((c, size)) = valid(text, char::REPLACEMENT_CHARACTER) else {
            return (
                Self {
                    kind: Kind::None,
                    text,
                },
                &text[text.len()..],
            );
        };
        let (kind, len) = if c == char::REPLACEMENT_CHARACTER {
            (Kind::None, size)
        } else if is_connector(c) {
            (Kind::Connector, run(text, size, c, is_connector))
        } else if is_punctuation(c) {
            (Kind::Punctuation, run(text, size, c, is_punctuation))
        } else if c.is_uppercase() {
            (Kind::Capitals, capitals(text, size, c))
        } else if is_alphabet(c) {
            (Kind::Letters, run(text, size, c, is_small))
        } else if c.is_numeric() {
            (Kind::Number, run(text, size, c, char::is_numeric))
        } else {
            let other =
                |c| !(is_connector(c) || is_alphabet(c) || c.is_numeric() || is_punctuation(c));
            (Kind::Other, run(text, size, c, other))
        };
        let (word, rest) = text.split_at(len);
        (Self { kind, text: word }, rest)
    }

    fn write_lower(&self, out: &mut Vec<u8>, connector: char) {
        if !matches!(self.kind, Kind::Capitals | Kind::Connector) {
            out.extend_from_slice(self.text);
            return;
        }
        let small = runes(self.text).map(|c| if is_connector(c) { connector } else { lower(c) });
        out.extend_from_slice(small.collect::<String>().as_bytes());
    }
}

/// The next valid character, with the broken bytes before it; `previous` where nothing but those is left.
fn valid(text: &[u8], previous: char) -> Option<(char, usize)> {
    if text.is_empty() {
        return None;
    }
    let mut size = 0;
    while let Some((c, len)) = first(&text[size..]) {
        size += len;
        if c != char::REPLACEMENT_CHARACTER {
            return Some((c, size));
        }
    }
    Some((previous, size))
}

/// How far a run of characters of one kind goes.
fn run(text: &[u8], start: usize, c: char, belongs: impl Fn(char) -> bool) -> usize {
    let (mut len, mut previous) = (start, c);
    while let Some((c, size)) = valid(&text[len..], previous).filter(|&(c, _)| belongs(c)) {
        len += size;
        previous = c;
    }
    len
}

/// Capitals, the last of which begins the next word when small letters follow it; or one capital and small letters.
fn capitals(text: &[u8], start: usize, c: char) -> usize {
    let Some((second, size)) = valid(&text[start..], c) else {
        return start;
    };
    if !second.is_uppercase() {
        return if is_alphabet(second) {
            run(text, start, c, is_small)
        } else {
            start
        };
    }
    let (mut len, mut last, mut previous) = (start + size, size, second);
    while let Some((c, size)) = valid(&text[len..], previous) {
        if !c.is_uppercase() {
            return if is_alphabet(c) { len - last } else { len };
        }
        len += size;
        last = size;
        previous = c;
    }
    len
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

fn is_small(c: char) -> bool {
    is_alphabet(c) && !c.is_uppercase()
}

/// Letters, but not those of Chinese, Japanese and Korean, which make no words by case.
fn is_alphabet(c: char) -> bool {
    use GeneralCategory as G;
    let ideograph = matches!(u32::from(c), 0x3400..=0x4d85 | 0x4e00..=0x9fcc | 0x20000..=0x2b81d);
    !ideograph
        && matches!(
            get_general_category(c),
            G::UppercaseLetter
                | G::LowercaseLetter
                | G::TitlecaseLetter
                | G::ModifierLetter
                | G::OtherLetter
        )
}

fn is_punctuation(c: char) -> bool {
    use GeneralCategory as G;
    matches!(
        get_general_category(c),
        G::ConnectorPunctuation
            | G::DashPunctuation
            | G::OpenPunctuation
            | G::ClosePunctuation
            | G::InitialPunctuation
            | G::FinalPunctuation
            | G::OtherPunctuation
    )
}
