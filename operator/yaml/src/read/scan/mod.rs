//! Characters to tokens, by libyaml's rules.
//!
//! Whether a scalar is a key shows only at the colon behind it, so tokens wait in a queue until no key can come
//! before them any more.

mod block_scalar;
mod directive;
mod fetch;
mod flow_scalar;

use std::borrow::Cow;
use std::collections::VecDeque;

/// A place in the text, all counted from 0, in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, PartialEq)]
pub(super) enum TokenKind<'s> {
    StreamStart,
    StreamEnd,
    Version {
        major: u8,
        minor: u8,
    },
    TagDirective {
        handle: String,
        prefix: String,
    },
    DocumentStart,
    DocumentEnd,
    BlockSeqStart,
    BlockMapStart,
    BlockEnd,
    FlowSeqStart,
    FlowSeqEnd,
    FlowMapStart,
    FlowMapEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag {
        handle: String,
        suffix: String,
    },
    /// Borrowed where it stands in the text as it is meant.
    Scalar {
        text: Cow<'s, str>,
        plain: bool,
    },
}

#[derive(Debug)]
pub(super) struct Token<'s> {
    pub kind: TokenKind<'s>,
    pub start: Mark,
    pub end: Mark,
}

/// What is wrong, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem {
    pub text: &'static str,
    pub mark: Mark,
    /// Whether the scanner found it; go-yaml counts its lines differently.
    pub scanner: bool,
}

/// A place where a key may have begun.
#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// Whether it must be one, as nothing else can stand at this indent.
    required: bool,
    /// Whether the token that it begins with has to wait for it.
    awaited: bool,
    /// The number of the token that it begins with.
    token: usize,
    mark: Mark,
}

/// How many characters may lie between the start of a key and its colon.
const KEY_CHARS: usize = 1024;

pub(super) struct Scanner<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    mark: Mark,
    queue: VecDeque<Token<'s>>,
    /// Whether the first of the queue is known to be next: no key can come before it.
    ready: bool,
    /// How many tokens have left the queue.
    taken: usize,
    started: bool,
    /// The column of the innermost block collection, -1 for none.
    indent: isize,
    indents: Vec<isize>,
    /// One for each flow level, and one for the blocks. Their token numbers never decrease.
    keys: Vec<SimpleKey>,
    key_allowed: bool,
    flow_level: usize,
    /// Whether the end of the text was looked at.
    pub met_end: bool,
}

type Scanned<T> = Result<T, Problem>;

impl<'s> Scanner<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            mark: Mark::default(),
            queue: VecDeque::new(),
            ready: false,
            taken: 0,
            started: false,
            indent: -1,
            indents: Vec::new(),
            keys: Vec::new(),
            key_allowed: false,
            flow_level: 0,
            met_end: false,
        }
    }

    /// The next token, which stays next; after the end of the stream, that end again.
    pub(super) fn peek(&mut self) -> Scanned<&mut Token<'s>> {
        self.fill()?;
        let mark = self.mark;
        if self.queue.is_empty() {
            self.queue.push_back(Token {
                kind: TokenKind::StreamEnd,
                start: mark,
                end: mark,
            });
        }
        Ok(&mut self.queue[0])
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Scanned<Token<'s>> {
        self.fill()?;
        self.ready = false;
        self.taken += 1;
        let mark = self.mark;
        Ok(self.queue.pop_front().unwrap_or(Token {
            kind: TokenKind::StreamEnd,
            start: mark,
            end: mark,
        }))
    }

    fn fill(&mut self) -> Scanned<()> {
        if self.ready {
            return Ok(());
        }
        while self.queue.is_empty() || self.key_pending()? {
            self.fetch()?;
        }
        self.ready = true;
        Ok(())
    }

    /// Whether the next token may still turn out to begin a key.
    fn key_pending(&mut self) -> Scanned<bool> {
        let first = self.keys.partition_point(|key| key.token < self.taken);
        let mut index = first;
        while self
            .keys
            .get(index)
            .is_some_and(|key| key.token == self.taken)
        {
            if self.keys[index].awaited && self.key_valid(index)? {
                return Ok(true);
            }
            index += 1;
        }
        Ok(false)
    }

    /// Whether the key of that level can still be one: it has to end on its line, within 1024 characters.
    fn key_valid(&mut self, index: usize) -> Scanned<bool> {
        let mark = self.mark;
        let problem = self.problem("could not find expected ':'");
        let Some(key) = self.keys.get_mut(index) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < mark.line || key.mark.index + KEY_CHARS < mark.index {
            if key.required {
                return Err(problem);
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn problem(&self, text: &'static str) -> Problem {
        Problem {
            text,
            mark: self.mark,
            scanner: true,
        }
    }

    /// The byte `ahead` of the current one, 0 past the end.
    fn byte(&mut self, ahead: usize) -> u8 {
        if let Some(byte) = self.bytes.get(self.at + ahead) {
            return *byte;
        }
        self.met_end = true;
        0
    }

    fn is_end(&mut self) -> bool {
        self.at >= self.bytes.len() && {
            self.met_end = true;
            true
        }
    }

    fn is_blank(&mut self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// The width in bytes of the line break there, 0 if there is none.
    fn break_width(&mut self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' => 1,
            b'\r' => 1 + usize::from(self.byte(ahead + 1) == b'\n'),
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => {
                3
            }
            _ => 0,
        }
    }

    fn is_break(&mut self, ahead: usize) -> bool {
        self.break_width(ahead) > 0
    }

    fn is_break_or_end(&mut self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.is_break(ahead)
    }

    fn is_blank_or_end(&mut self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Whether a line that opens or ends a document begins here.
    fn is_document_indicator(&mut self) -> bool {
        self.mark.column == 0
            && (self.bytes[self.at..].starts_with(b"---")
                || self.bytes[self.at..].starts_with(b"..."))
            && self.is_blank_or_end(3)
    }

    /// Goes over one character of this line.
    fn skip(&mut self) {
        let width = match self.bytes.get(self.at) {
            None => return,
            Some(0..=0x7f) => 1,
            Some(0x80..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..) => 4,
        };
        self.at += width;
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Goes over the ASCII characters from here on that `accepted` takes; they must not hold line breaks.
    fn skip_run(&mut self, accepted: impl Fn(u8) -> bool) {
        let run = self.bytes[self.at..]
            .iter()
            .take_while(|b| b.is_ascii() && accepted(**b))
            .count();
        self.at += run;
        self.mark.index += run;
        self.mark.column += run;
    }

    fn skip_many(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    /// Appends the current character.
    fn read(&mut self, into: &mut String) {
        let start = self.at;
        self.skip();
        into.push_str(&self.text[start..self.at]);
    }

    fn skip_break(&mut self) {
        let width = self.break_width(0);
        if width == 0 {
            return;
        }
        let two = self.bytes[self.at] == b'\r' && width == 2;
        self.at += width;
        self.mark.index += 1 + usize::from(two);
        self.mark.column = 0;
        self.mark.line += 1;
    }

    /// Goes over the current line break, and says what it stands for: a line feed, unless it is one of Unicode's own.
    fn take_break(&mut self) -> &'s str {
        let meant = match self.break_width(0) {
            0 => return "",
            3 => &self.text[self.at..self.at + 3],
            _ => "\n",
        };
        self.skip_break();
        meant
    }

    /// Appends what the current line break stands for.
    fn read_break(&mut self, into: &mut String) {
        into.push_str(self.take_break());
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            self.skip_line();
        }
    }

    /// Goes to the end of the line.
    fn skip_line(&mut self) {
        loop {
            self.skip_run(|b| b >= b' ' || b == b'\t');
            if self.is_break_or_end(0) {
                return;
            }
            self.skip();
        }
    }

    fn push(&mut self, kind: TokenKind<'s>, start: Mark) {
        let end = self.mark;
        self.queue.push_back(Token { kind, start, end });
    }
}
