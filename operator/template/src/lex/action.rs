//! The tokens within an action.

use super::{Lexer, RIGHT, TRIM_MARKER, Token, TokenKind, find, has_right_trim, is_space, is_word};

impl Lexer<'_> {
    pub(super) fn action(&mut self) -> Token {
        let start = self.pos;
        if let Some(trims) = self.right_delim() {
            if self.paren_depth == 0 {
                return self.close(trims);
            }
            return self.error(start, "unclosed left paren");
        }
        let Some(c) = self.advance() else {
            return self.error(start, "unclosed action");
        };
        match c {
            ' ' | '\t' | '\r' | '\n' => self.space(start),
            '=' => self.emit(TokenKind::Assign, start),
            ':' => {
                if self.advance() == Some('=') {
                    return self.emit(TokenKind::Declare, start);
                }
                self.error(start, "expected :=")
            }
            '|' => self.emit(TokenKind::Pipe, start),
            '"' => self.delimited(start, '"', TokenKind::String, "unterminated quoted string"),
            '\'' => self.delimited(
                start,
                '\'',
                TokenKind::CharConstant,
                "unterminated character constant",
            ),
            '`' => self.raw_string(start),
            '$' => self.field_or_variable(start, TokenKind::Variable),
            '.' if self.rest().first().is_some_and(|b| !b.is_ascii_digit()) => {
                self.field_or_variable(start, TokenKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => self.number(start),
            '(' => {
                self.paren_depth += 1;
                self.emit(TokenKind::LeftParen, start)
            }
            ')' => {
                if self.paren_depth == 0 {
                    return self.error(start, "unexpected right paren");
                }
                self.paren_depth -= 1;
                self.emit(TokenKind::RightParen, start)
            }
            c if is_word(c) => self.word(start),
            c if c.is_ascii_graphic() => self.emit(TokenKind::Char, start),
            c => self.error(
                start,
                format!("unrecognized character in action: {}", code_point(c)),
            ),
        }
    }

    fn space(&mut self, start: usize) -> Token {
        self.skip_spaces();
        // The last space may belong to a delimiter that trims.
        let last = &self.text[self.pos - 1..];
        if has_right_trim(last) && last[TRIM_MARKER..].starts_with(RIGHT) {
            self.pos -= 1;
            if self.pos == start {
                return self.close(true);
            }
        }
        self.emit(TokenKind::Space, start)
    }

    fn at_terminator(&self) -> bool {
        match self.rest().first() {
            None => true,
            Some(&b) => {
                is_space(b)
                    || matches!(b, b'.' | b',' | b'|' | b':' | b')' | b'(')
                    || self.rest().starts_with(RIGHT)
            }
        }
    }

    fn skip_word(&mut self) {
        while self.peek().is_some_and(is_word) {
            self.advance();
        }
    }

    fn bad_character(&mut self, start: usize) -> Token {
        let shown = self
            .peek()
            .map_or_else(|| "U+FFFFFFFFFFFFFFFF".to_owned(), code_point);
        self.error(start, format!("bad character {shown}"))
    }

    fn word(&mut self, start: usize) -> Token {
        self.skip_word();
        if !self.at_terminator() {
            return self.bad_character(start);
        }
        let kind = TokenKind::of_word(&self.text[start..self.pos]);
        self.emit(kind, start)
    }

    fn field_or_variable(&mut self, start: usize, kind: TokenKind) -> Token {
        if self.at_terminator() {
            let kind = if kind == TokenKind::Variable {
                kind
            } else {
                TokenKind::Dot
            };
            return self.emit(kind, start);
        }
        self.skip_word();
        if !self.at_terminator() {
            return self.bad_character(start);
        }
        self.emit(kind, start)
    }

    fn delimited(&mut self, start: usize, quote: char, kind: TokenKind, unclosed: &str) -> Token {
        loop {
            match self.advance() {
                Some(c) if c == quote => return self.emit(kind, start),
                Some('\\') => {
                    if matches!(self.advance(), None | Some('\n')) {
                        return self.error(start, unclosed);
                    }
                }
                None | Some('\n') => return self.error(start, unclosed),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self, start: usize) -> Token {
        match find(self.rest(), b"`") {
            Some(length) => {
                self.pos += length + 1;
                self.emit(TokenKind::RawString, start)
            }
            None => self.error(start, "unterminated raw quoted string"),
        }
    }

    fn number(&mut self, start: usize) -> Token {
        self.pos = start;
        if !self.scan_number() {
            return self.bad_number(start);
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || self.text[self.pos - 1] != b'i' {
                return self.bad_number(start);
            }
            return self.emit(TokenKind::Complex, start);
        }
        self.emit(TokenKind::Number, start)
    }

    fn bad_number(&mut self, start: usize) -> Token {
        let shown = crate::fmt::quoted(&self.text[start..self.pos]);
        self.error(start, format!("bad number syntax: {shown}"))
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let hit = self.rest().first().is_some_and(|b| set.contains(b));
        if hit {
            self.pos += 1;
        }
        hit
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    fn scan_number(&mut self) -> bool {
        const DECIMAL: &[u8] = b"0123456789_";
        const HEX: &[u8] = b"0123456789abcdefABCDEF_";
        self.accept(b"+-");
        let mut digits = DECIMAL;
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = HEX;
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if digits == DECIMAL && self.accept(b"eE") || digits == HEX && self.accept(b"pP") {
            self.accept(b"+-");
            self.accept_run(DECIMAL);
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_word) {
            self.advance();
            return false;
        }
        true
    }
}

/// Go's `%#U`: the number and, when it can be shown, the character.
fn code_point(c: char) -> String {
    let number = u32::from(c);
    if crate::fmt::is_print(c) {
        format!("U+{number:04X} '{c}'")
    } else {
        format!("U+{number:04X}")
    }
}
