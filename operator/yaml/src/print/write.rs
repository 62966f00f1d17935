//! libyaml's output primitives: columns, indents, and the five scalar styles.

use std::fmt::Write as _;

use super::analyse::{is_break, is_printable};
use crate::read::Dialect;

/// Spaces a level.
pub(super) const INDENT: i32 = 2;

pub(super) struct Output {
    pub text: String,
    pub dialect: Dialect,
    /// The current indent, -1 outside of any collection.
    pub indent: i32,
    column: i32,
    /// Whether the last thing written was a blank.
    whitespace: bool,
    /// Whether only indentation and indicators that count as such stand on the line.
    pub indention: bool,
    width: i32,
}

impl Output {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            text: String::new(),
            dialect,
            indent: -1,
            column: 0,
            whitespace: true,
            indention: true,
            width: match dialect {
                Dialect::V2 => 80,
                Dialect::V3 => i32::MAX,
            },
        }
    }

    fn put(&mut self, c: char) {
        self.text.push(c);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.text.push('\n');
        self.column = 0;
        self.indention |= self.dialect == Dialect::V3;
    }

    /// A line break of the text itself, kept as it is.
    fn write_break(&mut self, c: char) {
        self.text.push(c);
        self.column = 0;
        self.indention = true;
    }

    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.max(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention |= self.dialect == Dialect::V2;
    }

    pub(super) fn indicator(&mut self, text: &str, needs_blank: bool, blank: bool, indents: bool) {
        if needs_blank && !self.whitespace {
            self.put(' ');
        }
        self.text.push_str(text);
        self.column += text.chars().count() as i32;
        self.whitespace = blank;
        self.indention = self.indention && indents;
    }

    pub(super) fn plain(&mut self, text: &str, foldable: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.folded_words(text, foldable, Self::put);
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, foldable: bool) {
        self.indicator("'", true, false, false);
        self.folded_words(text, foldable, |out, c| {
            if c == '\'' {
                out.put('\'');
            }
            out.put(c);
        });
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// Text in a style that cannot escape: single blanks past the width become line breaks.
    fn folded_words(&mut self, text: &str, foldable: bool, put: impl Fn(&mut Self, char)) {
        let bytes = text.as_bytes();
        let mut spaces = false;
        let mut breaks = false;
        let fits = !foldable || self.column.saturating_add(bytes.len() as i32) <= self.width;
        if fits && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'\'') {
            self.text.push_str(text);
            self.column += bytes.len() as i32;
            return;
        }
        for (index, c) in text.char_indices() {
            if c == ' ' {
                let inner = index > 0 && index + 1 < bytes.len() && bytes[index + 1] != b' ';
                if foldable && !spaces && self.column > self.width && inner {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break();
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                put(self, c);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
    }

    pub(super) fn double_quoted(&mut self, text: &str, foldable: bool) {
        let bytes = text.as_bytes();
        // libyaml looks for a byte order mark at the start of the text, whatever character it is at.
        let all = text.starts_with('\u{feff}');
        let mut spaces = false;
        self.indicator("\"", true, false, false);
        for (index, c) in text.char_indices() {
            if all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                let inner = index > 0 && index + 1 < bytes.len();
                if foldable && !spaces && self.column > self.width && inner {
                    self.write_indent();
                    if bytes[index + 1] == b' ' {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        let start = self.text.len();
        self.text.push('\\');
        match c {
            '\0' => self.text.push('0'),
            '\x07' => self.text.push('a'),
            '\x08' => self.text.push('b'),
            '\t' => self.text.push('t'),
            '\n' => self.text.push('n'),
            '\x0b' => self.text.push('v'),
            '\x0c' => self.text.push('f'),
            '\r' => self.text.push('r'),
            '\x1b' => self.text.push('e'),
            '"' | '\\' => self.text.push(c),
            '\u{85}' => self.text.push('N'),
            '\u{a0}' => self.text.push('_'),
            '\u{2028}' => self.text.push('L'),
            '\u{2029}' => self.text.push('P'),
            c => {
                // Writing to a string cannot fail.
                let _ = match c as u32 {
                    code @ 0..=0xff => write!(self.text, "x{code:02X}"),
                    code @ 0x100..=0xffff => write!(self.text, "u{code:04X}"),
                    code => write!(self.text, "U{code:08X}"),
                };
            }
        }
        self.column += (self.text.len() - start) as i32;
    }

    pub(super) fn literal(&mut self, text: &str) {
        self.indicator("|", true, false, false);
        if text.starts_with(' ') || text.starts_with(is_break) {
            self.indicator(&INDENT.to_string(), false, false, false);
        }
        let mut tail = text.chars().rev();
        let last_breaks = tail.next().is_some_and(is_break);
        if !last_breaks {
            self.indicator("-", false, false, false);
        } else if tail.next().is_none_or(is_break) {
            self.indicator("+", false, false, false);
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }
}
