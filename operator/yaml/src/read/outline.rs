//! Manifests so plainly written that what nobody wants of them need not be parsed.
//!
//! Rendered manifests are long, and a reader of heads wants a few lines of each. Where every line of a document is one of
//! a few forms that can only be right, the lines of unwanted keys are left out before it is parsed. Whatever looks
//! otherwise is parsed whole: what is wrong, and in which words, the parser alone decides.

use super::paths::Paths;

/// More levels than any manifest has; a document of more is parsed whole.
const LEVELS: usize = 64;
/// Far below the length from which on libyaml sees no key any more.
const KEY_BYTES: usize = 256;
/// Digits that fit any number.
const SAFE_DIGITS: usize = 18;

/// The lines of the document that hold the wanted of its topmost keys. Nothing when it is not plain enough to tell.
pub(super) fn wanted_lines(text: &str, wanted: &Paths<'_>) -> Option<String> {
    // Beyond ASCII there are more line breaks than one.
    if !text.is_ascii() || text.contains('\r') {
        return None;
    }
    let mut outline = Outline {
        open: Vec::new(),
        block: None,
    };
    let mut lines = String::new();
    let mut keep = false;
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        if let Line::Topmost(key) = outline.line(content)? {
            keep = wanted.begins_with(key);
        }
        if keep {
            lines.push_str(line);
        }
    }
    let is_whole = !outline.open.is_empty() && !matches!(outline.block, Some(Block::Begun));
    // Nothing wanted is an empty mapping, but no text at all is null.
    (is_whole && !lines.is_empty()).then_some(lines)
}

/// What a line is.
enum Line<'l> {
    /// The first of a topmost key.
    Topmost(&'l str),
    /// Of the entry before it.
    Within,
}

/// The collections that are open at a line.
struct Outline {
    open: Vec<Open>,
    block: Option<Block>,
}

struct Open {
    indent: usize,
    kind: Kind,
    /// Whether its last entry has no value yet, so that one may follow on deeper lines.
    waits: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Map,
    Seq,
}

/// A block scalar.
enum Block {
    /// Its first line comes next and tells the indent.
    Begun,
    Indented(usize),
}

impl Outline {
    /// Takes the next line. Nothing when it is of no plain form.
    fn line<'l>(&mut self, line: &'l str) -> Option<Line<'l>> {
        let bytes = line.as_bytes();
        let indent = bytes.iter().take_while(|byte| **byte == b' ').count();
        if self.in_block(indent, &bytes[indent..])? {
            return Some(Line::Within);
        }
        if bytes.iter().any(|byte| *byte < b' ') {
            return None;
        }
        if matches!(bytes.get(indent), None | Some(b'#')) {
            return Some(Line::Within);
        }
        let mut column = indent;
        while let Some(rest) = line[column..].strip_prefix("- ") {
            self.entry(column, Kind::Seq)?;
            let content = rest.trim_start_matches(' ');
            column = line.len() - content.len();
        }
        let content = line[column..].trim_end_matches(' ');
        let Some((key, value)) = key_and_value(content) else {
            if column == indent {
                return None;
            }
            return self.value(content).map(|()| Line::Within);
        };
        self.entry(column, Kind::Map)?;
        if !value.is_empty() {
            self.value(value)?;
        }
        Some(match column {
            0 => Line::Topmost(key),
            _ => Line::Within,
        })
    }

    /// Whether the line belongs to a block scalar.
    fn in_block(&mut self, indent: usize, content: &[u8]) -> Option<bool> {
        let least = match self.block {
            None => return Some(false),
            Some(Block::Indented(least)) => least,
            Some(Block::Begun) => {
                let outer = self.open.last()?.indent;
                if matches!(content.first(), None | Some(b'\t')) || indent <= outer {
                    return None;
                }
                self.block = Some(Block::Indented(indent));
                indent
            }
        };
        if indent < least && content.first() == Some(&b'\t') {
            return None;
        }
        let belongs = indent >= least || content.is_empty();
        if !belongs {
            self.block = None;
        }
        Some(belongs)
    }

    /// Begins an entry of a collection at the column.
    fn entry(&mut self, column: usize, kind: Kind) -> Option<()> {
        while self.open.last().is_some_and(|open| open.indent > column) {
            self.open.pop();
        }
        // A list may stand at the indent of the mapping that it is a value of.
        let beside = |open: &[Open]| {
            matches!(open, [.., map, list] if list.kind == Kind::Seq && map.kind == Kind::Map
                && map.indent == list.indent)
        };
        if kind == Kind::Map
            && beside(&self.open)
            && self.open.last().is_some_and(|list| list.indent == column)
        {
            self.open.pop();
        }
        match self.open.last_mut() {
            Some(open) if open.indent == column && open.kind == kind => {
                open.waits = true;
                return Some(());
            }
            Some(open) if open.waits && (open.indent < column || kind == Kind::Seq) => {
                open.waits = false;
            }
            None if column == 0 && kind == Kind::Map => {}
            _ => return None,
        }
        if self.open.len() >= LEVELS {
            return None;
        }
        self.open.push(Open {
            indent: column,
            kind,
            waits: true,
        });
        Some(())
    }

    /// The value of the entry that was begun last.
    fn value(&mut self, value: &str) -> Option<()> {
        self.open.last_mut()?.waits = false;
        match value {
            "|" | "|-" | "|+" | ">" | ">-" | ">+" => {
                self.block = Some(Block::Begun);
                return Some(());
            }
            _ => {}
        }
        let rest = match value.as_bytes().first()? {
            b'"' | b'\'' => quoted(value)?,
            b'{' | b'[' => flow(value, 0)?,
            _ => return is_plain(value).then_some(()),
        };
        rest.is_empty().then_some(())
    }
}

/// A key of letters and what follows its colon, without the blanks around.
fn key_and_value(content: &str) -> Option<(&str, &str)> {
    let end = content.bytes().position(|byte| !is_of_word(byte))?;
    let (key, rest) = content.split_at(end);
    let value = match rest.strip_prefix(':')? {
        "" => "",
        rest => rest.strip_prefix(' ')?.trim_start_matches(' '),
    };
    is_key(key).then_some((key, value))
}

/// Neither null, nor a number.
fn is_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.len() <= KEY_BYTES
        && !key.eq_ignore_ascii_case("null")
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// What follows a quoted text.
fn quoted(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let quote = *bytes.first()?;
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'\\' if quote == b'"' => {
                if !matches!(bytes.get(at + 1)?, b'"' | b'\\' | b'n' | b'r' | b't') {
                    return None;
                }
                at += 2;
            }
            byte if byte == quote => return Some(&text[at + 1..]),
            _ => at += 1,
        }
    }
}

/// What follows a collection in brackets.
fn flow(text: &str, depth: usize) -> Option<&str> {
    if depth > LEVELS {
        return None;
    }
    let is_map = text.starts_with('{');
    let close = if is_map { '}' } else { ']' };
    let mut rest = text[1..].trim_start_matches(' ');
    if let Some(rest) = rest.strip_prefix(close) {
        return Some(rest);
    }
    loop {
        if is_map {
            let end = rest.bytes().position(|byte| !is_of_word(byte))?;
            let (key, behind) = rest.split_at(end);
            rest = behind.strip_prefix(": ")?.trim_start_matches(' ');
            if !is_key(key) {
                return None;
            }
        }
        rest = match rest.as_bytes().first()? {
            b'"' | b'\'' => quoted(rest)?,
            b'{' | b'[' => flow(rest, depth + 1)?,
            _ => {
                let end = rest.bytes().position(|byte| !is_of_word(byte))?;
                let (word, behind) = rest.split_at(end);
                if !is_plain(word) {
                    return None;
                }
                behind
            }
        };
        rest = rest.trim_start_matches(' ');
        if let Some(rest) = rest.strip_prefix(close) {
            return Some(rest);
        }
        rest = rest.strip_prefix(", ")?.trim_start_matches(' ');
    }
}

/// A plain text on one line that means no infinite number and nothing that JSON lacks.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let second = bytes.get(1).copied().unwrap_or_default();
    let begins = match bytes.first() {
        Some(b'0') if matches!(second, b'x' | b'X' | b'o' | b'O' | b'b' | b'B') => false,
        Some(b'0'..=b'9') => is_number(bytes) || bytes.iter().any(|byte| is_of_no_number(*byte)),
        Some(b'-') => {
            let word = text.strip_prefix("--").unwrap_or(&text[1..]);
            word.starts_with(|c: char| c.is_ascii_alphabetic())
        }
        Some(b'.') => second == b'/',
        Some(first) => first.is_ascii_alphabetic() || matches!(first, b'_' | b'/' | b'$' | b'('),
        None => false,
    };
    begins && !text.ends_with(':') && bytes.windows(2).all(|pair| !matches!(pair, b": " | b" #"))
}

fn is_number(bytes: &[u8]) -> bool {
    bytes.len() <= SAFE_DIGITS && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// Letters that no number is written with, once what begins with `0x` and its like is out of the question.
fn is_of_no_number(byte: u8) -> bool {
    byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')
}

#[cfg(test)]
mod tests;
