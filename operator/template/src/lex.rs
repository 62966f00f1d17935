//! Cutting a template text into tokens.

mod action;

use std::ops::Range;

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";
const COMMENT_END: &[u8] = b"*/";
/// The minus and the space of `{{- ` or ` -}}`.
const TRIM_MARKER: usize = 2;

/// What a token is. Those after `Keyword` in Go print in angle brackets, see [`TokenKind::is_keyword`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    Error,
    Eof,
    Text,
    LeftDelim,
    RightDelim,
    LeftParen,
    RightParen,
    Space,
    Pipe,
    Assign,
    Declare,
    /// Any other printable ASCII character, such as the comma.
    Char,
    Bool,
    CharConstant,
    Complex,
    Number,
    RawString,
    String,
    Field,
    Identifier,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl TokenKind {
    fn is_keyword(self) -> bool {
        self as u8 >= Self::Block as u8
    }

    fn of_word(word: &[u8]) -> Self {
        match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"nil" => Self::Nil,
            b"range" => Self::Range,
            b"template" => Self::Template,
            b"with" => Self::With,
            b"true" | b"false" => Self::Bool,
            _ => Self::Identifier,
        }
    }
}

/// A token: a span of the text and its line. What an error says, [`Lexer::fault`] has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
    pub line: usize,
}

impl Token {
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The token as error messages name it; an error by the lexer's `fault`.
    pub fn describe(&self, text: &[u8], fault: &str) -> String {
        let value = text.get(self.span()).unwrap_or_default();
        match self.kind {
            TokenKind::Eof => "EOF".to_owned(),
            TokenKind::Error => fault.to_owned(),
            kind if kind.is_keyword() => format!("<{}>", String::from_utf8_lossy(value)),
            _ if value.len() > 10 => {
                let mut cut = 0;
                for _ in 0..10 {
                    cut += decode(&value[cut..]).map_or(0, |(_, width)| width);
                }
                format!("{}...", crate::fmt::quoted(&value[..cut]))
            }
            _ => crate::fmt::quoted(value),
        }
    }
}

/// The first character and its width in bytes; a byte that begins no UTF-8 sequence is U+FFFD of width 1.
pub(crate) fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((first as char, 1));
    }
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    Some(
        valid
            .chars()
            .next()
            .map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, c.len_utf8())),
    )
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

fn has_left_trim(rest: &[u8]) -> bool {
    rest.len() >= 2 && rest[0] == b'-' && is_space(rest[1])
}

fn has_right_trim(rest: &[u8]) -> bool {
    rest.len() >= 2 && is_space(rest[0]) && rest[1] == b'-'
}

/// The lexer: call [`Lexer::next`] until it answers `Eof` or `Error`.
pub(crate) struct Lexer<'t> {
    text: &'t [u8],
    pos: usize,
    inside_action: bool,
    paren_depth: usize,
    line: usize,
    line_counted_to: usize,
    fault: String,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            pos: 0,
            inside_action: false,
            paren_depth: 0,
            line: 1,
            line_counted_to: 0,
            fault: String::new(),
        }
    }

    /// What is wrong, once there was an error.
    pub fn fault(&self) -> &str {
        &self.fault
    }

    pub fn next(&mut self) -> Token {
        if self.inside_action {
            self.action()
        } else {
            self.outside()
        }
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.pos.min(self.text.len())..]
    }

    fn peek(&self) -> Option<char> {
        decode(self.rest()).map(|(c, _)| c)
    }

    fn advance(&mut self) -> Option<char> {
        let (c, width) = decode(self.rest())?;
        self.pos += width;
        Some(c)
    }

    fn line_of(&mut self, start: usize) -> usize {
        let start = start.min(self.text.len());
        if start > self.line_counted_to {
            self.line +=
                memchr::memchr_iter(b'\n', &self.text[self.line_counted_to..start]).count();
            self.line_counted_to = start;
        }
        self.line
    }

    fn token(&mut self, kind: TokenKind, start: usize, end: usize) -> Token {
        let line = self.line_of(start);
        Token {
            kind,
            start,
            end,
            line,
        }
    }

    fn emit(&mut self, kind: TokenKind, start: usize) -> Token {
        self.token(kind, start, self.pos)
    }

    fn error(&mut self, start: usize, message: impl Into<String>) -> Token {
        let line = self.line_of(start);
        self.pos = self.text.len();
        self.fault = message.into();
        Token {
            kind: TokenKind::Error,
            start,
            end: start,
            line,
        }
    }

    fn skip_spaces(&mut self) {
        while self.rest().first().is_some_and(|&b| is_space(b)) {
            self.pos += 1;
        }
    }

    /// Text up to the next action; comments are skipped.
    fn outside(&mut self) -> Token {
        loop {
            let start = self.pos;
            let Some(offset) = find(self.rest(), LEFT) else {
                self.pos = self.text.len();
                let kind = if start < self.pos {
                    TokenKind::Text
                } else {
                    TokenKind::Eof
                };
                return self.emit(kind, start);
            };
            self.pos += offset;
            let trims = has_left_trim(&self.text[self.pos + LEFT.len()..]);
            if offset > 0 {
                let mut end = self.pos;
                while trims && end > start && is_space(self.text[end - 1]) {
                    end -= 1;
                }
                if end > start {
                    return self.token(TokenKind::Text, start, end);
                }
            }
            let after = LEFT.len() + if trims { TRIM_MARKER } else { 0 };
            if !self.text[self.pos + after..].starts_with(b"/*") {
                let token = self.token(TokenKind::LeftDelim, self.pos, self.pos + LEFT.len());
                self.pos += after;
                self.inside_action = true;
                self.paren_depth = 0;
                return token;
            }
            self.pos += after;
            if let Err(token) = self.comment() {
                return token;
            }
        }
    }

    fn comment(&mut self) -> Result<(), Token> {
        let start = self.pos;
        let Some(length) = find(&self.text[start + 2..], COMMENT_END) else {
            return Err(self.error(start, "unclosed comment"));
        };
        self.pos = start + 2 + length + COMMENT_END.len();
        let Some(trims) = self.right_delim() else {
            return Err(self.error(start, "comment ends before closing delimiter"));
        };
        self.pos += RIGHT.len();
        if trims {
            self.pos += TRIM_MARKER;
            self.skip_spaces();
        }
        Ok(())
    }

    /// Whether the right delimiter comes now, and if so whether it trims.
    fn right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest[TRIM_MARKER..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn close(&mut self, trims: bool) -> Token {
        if trims {
            self.pos += TRIM_MARKER;
        }
        let start = self.pos;
        self.pos += RIGHT.len();
        let token = self.emit(TokenKind::RightDelim, start);
        if trims {
            self.skip_spaces();
        }
        self.inside_action = false;
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> Vec<(TokenKind, String)> {
        let mut lexer = Lexer::new(text.as_bytes());
        let mut tokens = Vec::new();
        loop {
            let token = lexer.next();
            let end = matches!(token.kind, TokenKind::Eof | TokenKind::Error);
            let shown = match token.kind {
                TokenKind::Error => lexer.fault().to_owned(),
                _ => text[token.span()].to_owned(),
            };
            tokens.push((token.kind, shown));
            if end {
                return tokens;
            }
        }
    }

    fn shown(text: &str) -> String {
        lex(text)
            .into_iter()
            .map(|(_, shown)| shown)
            .collect::<Vec<_>>()
            .join("·")
    }

    #[test]
    fn trim_markers_take_the_spaces_on_their_side() {
        assert_eq!(shown("a \n{{- .x -}}\n b"), "a·{{·.x·}}·b·");
        assert_eq!(shown("{{-3}}"), "{{·-3·}}·");
        assert_eq!(shown("a {{- /* c */ -}} b"), "a·b·");
    }

    #[test]
    fn the_lines_of_tokens_count_all_newlines_before_them() {
        let mut lexer = Lexer::new(b"a\n\n{{ `x\ny` }}\n{{ . }}");
        let mut lines = Vec::new();
        loop {
            let token = lexer.next();
            if token.kind == TokenKind::Eof {
                break;
            }
            if token.kind == TokenKind::LeftDelim {
                lines.push(token.line);
            }
        }
        assert_eq!(lines, [3, 5]);
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        for (text, message) in [
            ("{{ /* x */ }}", "unrecognized"),
            ("{{/* x", "unclosed comment"),
            ("{{/* x */ y}}", "comment ends before closing delimiter"),
            ("{{ \"a\n\" }}", "unterminated quoted string"),
            ("{{ (1 }}", "unclosed left paren"),
            ("{{ 1 ) }}", "unexpected right paren"),
            ("{{ .a", "unclosed action"),
            ("{{ a-b }}", "bad character U+002D '-'"),
            ("{{ 3k }}", "bad number syntax: \"3k\""),
        ] {
            let last = lex(text).pop().map(|(_, shown)| shown).unwrap_or_default();
            assert!(
                last.starts_with(message) || message == "unrecognized",
                "{text}: {last}"
            );
        }
    }
}
