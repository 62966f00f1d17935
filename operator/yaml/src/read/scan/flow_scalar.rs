//! Plain and quoted scalars.

use std::borrow::Cow;

use super::{Scanned, Scanner, TokenKind};

/// The blanks and line breaks between two words.
#[derive(Default)]
struct Gap<'s> {
    blanks: &'s str,
    first_break: &'s str,
    more_breaks: String,
    /// Whether a line break was met, after which blanks mean nothing.
    broken: bool,
}

impl Gap<'_> {
    /// Adds to the text what the gap stands for: its blanks, or its breaks but for the first, or one blank for a
    /// single break. A gap whose first break was escaped stands for the other breaks.
    fn close(&mut self, text: &mut String) {
        if !self.broken {
            text.push_str(self.blanks);
        } else if !self.first_break.starts_with('\n') {
            text.push_str(self.first_break);
            text.push_str(&self.more_breaks);
        } else if self.more_breaks.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.more_breaks);
        }
        self.blanks = "";
        self.first_break = "";
        self.more_breaks.clear();
        self.broken = false;
    }
}

impl<'s> Scanner<'s> {
    /// Reads the blanks here, or one line break, into the gap.
    fn read_gap(&mut self, gap: &mut Gap<'s>) {
        if self.is_blank(0) {
            let start = self.at;
            self.skip();
            if !gap.broken {
                // They follow one another.
                let from = start - gap.blanks.len();
                gap.blanks = &self.text[from..self.at];
            }
        } else if gap.broken {
            self.read_break(&mut gap.more_breaks);
        } else {
            gap.blanks = "";
            gap.first_break = self.take_break();
            gap.broken = true;
        }
    }

    pub(super) fn plain_scalar(&mut self) -> Scanned<()> {
        let source = self.text;
        let start = self.mark;
        let mut end = start;
        let indent = self.indent + 1;
        let from = self.at;
        let mut text = Cow::Borrowed("");
        let mut gap = Gap::default();
        loop {
            if self.is_document_indicator() || self.byte(0) == b'#' {
                break;
            }
            let word = self.at;
            loop {
                self.skip_run(|b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_' | b'=')
                });
                if self.ends_plain() {
                    break;
                }
                self.skip();
            }
            if self.at > word {
                match &mut text {
                    Cow::Borrowed(words) if !gap.broken => {
                        *words = &source[from..self.at];
                        gap.blanks = "";
                    }
                    text => {
                        let text = text.to_mut();
                        gap.close(text);
                        text.push_str(&source[word..self.at]);
                    }
                }
                end = self.mark;
            }
            if !self.is_blank(0) && !self.is_break(0) {
                break;
            }
            while self.is_blank(0) || self.is_break(0) {
                let outside = gap.broken && (self.mark.column as isize) < indent;
                if outside && self.byte(0) == b'\t' {
                    return Err(self.problem("found a tab character that violates indentation"));
                }
                self.read_gap(&mut gap);
            }
            if self.flow_level == 0 && (self.mark.column as isize) < indent {
                break;
            }
        }
        // What follows on a line of its own may be a key.
        if gap.broken {
            self.key_allowed = true;
        }
        self.push(TokenKind::Scalar { text, plain: true }, start);
        if let Some(token) = self.queue.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    /// Whether a word of a plain scalar ends here.
    fn ends_plain(&mut self) -> bool {
        match self.byte(0) {
            b':' => self.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            b' ' | b'\t' | 0 => true,
            _ => self.is_break(0),
        }
    }

    pub(super) fn quoted_scalar(&mut self, single: bool) -> Scanned<()> {
        let source = self.text;
        let start = self.mark;
        let quote = if single { b'\'' } else { b'"' };
        self.skip();
        let from = self.at;
        let mut text = Cow::Borrowed("");
        let mut gap = Gap::default();
        loop {
            if self.is_document_indicator() {
                return Err(self.problem("found unexpected document indicator"));
            }
            if self.is_end() {
                return Err(self.problem("found unexpected end of stream"));
            }
            while !self.is_blank_or_end(0) {
                match self.byte(0) {
                    b'\'' if single && self.byte(1) == b'\'' => {
                        text.to_mut().push('\'');
                        self.skip_many(2);
                    }
                    byte if byte == quote => break,
                    b'\\' if !single && self.is_break(1) => {
                        self.skip();
                        self.skip_break();
                        gap.broken = true;
                        break;
                    }
                    b'\\' if !single => self.escape(text.to_mut())?,
                    _ => {
                        let start = self.at;
                        self.skip();
                        self.skip_run(|b| b > b' ' && !matches!(b, b'\'' | b'"' | b'\\'));
                        match &mut text {
                            Cow::Borrowed(text) => *text = &source[from..self.at],
                            Cow::Owned(text) => text.push_str(&source[start..self.at]),
                        }
                    }
                }
            }
            if self.byte(0) == quote {
                break;
            }
            while self.is_blank(0) || self.is_break(0) {
                self.read_gap(&mut gap);
            }
            match &mut text {
                Cow::Borrowed(text) if !gap.broken => {
                    *text = &source[from..self.at];
                    gap.blanks = "";
                }
                text => gap.close(text.to_mut()),
            }
        }
        self.skip();
        self.push(TokenKind::Scalar { text, plain: false }, start);
        Ok(())
    }

    fn escape(&mut self, text: &mut String) -> Scanned<()> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let c = match other {
                    b'0' => '\0',
                    b'a' => '\x07',
                    b'b' => '\x08',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\x0b',
                    b'f' => '\x0c',
                    b'r' => '\r',
                    b'e' => '\x1b',
                    b' ' | b'"' | b'\'' | b'\\' => char::from(other),
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.problem("found unknown escape character")),
                };
                text.push(c);
                self.skip_many(2);
                return Ok(());
            }
        };
        self.skip_many(2);
        let mut code = 0_u32;
        for ahead in 0..digits {
            let Some(digit) = char::from(self.byte(ahead)).to_digit(16) else {
                return Err(self.problem("did not find expected hexdecimal number"));
            };
            code = code.wrapping_shl(4) | digit;
        }
        let Some(c) = char::from_u32(code) else {
            return Err(self.problem("found invalid Unicode character escape code"));
        };
        text.push(c);
        self.skip_many(digits);
        Ok(())
    }
}
