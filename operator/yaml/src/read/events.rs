//! Tokens to events: the grammar.

use std::borrow::Cow;

use super::reader::Readable;
use super::scan::{Mark, Problem, Scanner, Token, TokenKind};
use crate::{Error, Position};

pub(crate) struct Event {
    pub kind: EventKind,
    pub position: Position,
}

pub(crate) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        name: String,
    },
    Scalar {
        text: String,
        tag: Option<String>,
        anchor: Option<String>,
        implicit: bool,
    },
    SeqStart {
        anchor: Option<String>,
    },
    MapStart {
        anchor: Option<String>,
    },
    /// The end of a sequence or mapping.
    End,
}

/// What is expected next.
#[derive(Clone, Copy, PartialEq)]
enum State {
    StreamStart,
    FirstDocument,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSeqFirst,
    BlockSeqEntry,
    IndentlessSeqEntry,
    BlockMapFirst,
    BlockMapKey,
    BlockMapValue,
    FlowSeqFirst,
    FlowSeqEntry,
    FlowSeqMapKey,
    FlowSeqMapValue,
    FlowSeqMapEnd,
    FlowMapFirst,
    FlowMapKey,
    FlowMapValue,
    FlowMapEmptyValue,
    End,
}

/// A pull parser over one text.
pub(crate) struct Events<'s> {
    scanner: Scanner<'s>,
    refused: Option<&'static str>,
    state: State,
    /// Where to go on after the current node.
    after: Vec<State>,
    /// Handles and the prefixes that they stand for.
    tags: Vec<(String, String)>,
}

type Parsed = Result<Event, Problem>;

impl<'s> Events<'s> {
    pub(crate) fn new(source: &'s Readable<'_>) -> Self {
        Self {
            scanner: Scanner::new(&source.text),
            refused: source.refused,
            state: State::StreamStart,
            after: Vec::new(),
            tags: Vec::new(),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Event, Error> {
        let event = self.step();
        if let (Some(problem), true) = (self.refused, self.scanner.met_end) {
            return Err(Error::Syntax {
                problem: problem.into(),
                go_line: 0,
                position: None,
            });
        }
        event.map_err(|problem| {
            let line = problem.mark.line as u64;
            Error::Syntax {
                problem: Cow::Borrowed(problem.text),
                go_line: if line == 0 {
                    0
                } else {
                    line + u64::from(problem.scanner)
                },
                position: Some(position(problem.mark)),
            }
        })
    }

    fn step(&mut self) -> Parsed {
        match self.state {
            State::StreamStart => {
                let token = self.scanner.take()?;
                self.state = State::FirstDocument;
                Ok(event(EventKind::StreamStart, token.start))
            }
            State::FirstDocument => self.document_start(true),
            State::Document => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSeqFirst => {
                self.scanner.take()?;
                self.block_seq_entry()
            }
            State::BlockSeqEntry => self.block_seq_entry(),
            State::IndentlessSeqEntry => self.indentless_seq_entry(),
            State::BlockMapFirst => {
                self.scanner.take()?;
                self.block_map_key()
            }
            State::BlockMapKey => self.block_map_key(),
            State::BlockMapValue => self.block_map_value(),
            State::FlowSeqFirst => {
                self.scanner.take()?;
                self.flow_seq_entry(true)
            }
            State::FlowSeqEntry => self.flow_seq_entry(false),
            State::FlowSeqMapKey => self.flow_seq_map_key(),
            State::FlowSeqMapValue => {
                let ends = [TokenKind::FlowEntry, TokenKind::FlowSeqEnd];
                self.flow_value(&ends, State::FlowSeqMapEnd)
            }
            State::FlowSeqMapEnd => {
                let start = self.scanner.peek()?.start;
                self.state = State::FlowSeqEntry;
                Ok(event(EventKind::End, start))
            }
            State::FlowMapFirst => {
                self.scanner.take()?;
                self.flow_map_key(true)
            }
            State::FlowMapKey => self.flow_map_key(false),
            State::FlowMapValue => {
                let ends = [TokenKind::FlowEntry, TokenKind::FlowMapEnd];
                self.flow_value(&ends, State::FlowMapKey)
            }
            State::FlowMapEmptyValue => {
                let start = self.scanner.peek()?.start;
                self.state = State::FlowMapKey;
                Ok(empty(start))
            }
            State::End => {
                let start = self.scanner.peek()?.start;
                Ok(event(EventKind::StreamEnd, start))
            }
        }
    }

    fn document_start(&mut self, first: bool) -> Parsed {
        if !first {
            while self.scanner.peek()?.kind == TokenKind::DocumentEnd {
                self.scanner.take()?;
            }
        }
        let token = self.scanner.peek()?;
        let start = token.start;
        if token.kind == TokenKind::StreamEnd {
            self.state = State::End;
            return Ok(event(EventKind::StreamEnd, start));
        }
        let explicit = matches!(
            token.kind,
            TokenKind::Version { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart
        );
        self.directives()?;
        self.after.push(State::DocumentEnd);
        if first && !explicit {
            self.state = State::BlockNode;
            return Ok(event(EventKind::DocumentStart, start));
        }
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::DocumentStart {
            return Err(problem(
                "did not find expected <document start>",
                token.start,
            ));
        }
        self.scanner.take()?;
        self.state = State::DocumentContent;
        Ok(event(EventKind::DocumentStart, start))
    }

    fn directives(&mut self) -> Result<(), Problem> {
        let mut versions = 0;
        loop {
            let token = self.scanner.peek()?;
            let start = token.start;
            match &mut token.kind {
                TokenKind::Version { major, minor } => {
                    let known = (*major, *minor) == (1, 1);
                    versions += 1;
                    if versions > 1 {
                        return Err(problem("found duplicate %YAML directive", start));
                    }
                    if !known {
                        return Err(problem("found incompatible YAML document", start));
                    }
                }
                TokenKind::TagDirective { handle, prefix } => {
                    let (handle, prefix) = (std::mem::take(handle), std::mem::take(prefix));
                    if self.tags.iter().any(|(known, _)| *known == handle) {
                        return Err(problem("found duplicate %TAG directive", start));
                    }
                    self.tags.push((handle, prefix));
                }
                _ => break,
            }
            self.scanner.take()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tags.iter().any(|(known, _)| known == handle) {
                self.tags.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        let start = token.start;
        if matches!(
            token.kind,
            TokenKind::Version { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        ) {
            self.pop();
            return Ok(empty(start));
        }
        self.node(true, false)
    }

    fn document_end(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        let start = token.start;
        if token.kind == TokenKind::DocumentEnd {
            self.scanner.take()?;
        }
        self.tags.clear();
        self.state = State::Document;
        Ok(event(EventKind::DocumentEnd, start))
    }

    fn node(&mut self, block: bool, indentless: bool) -> Parsed {
        let token = self.scanner.peek()?;
        let mut start = token.start;
        if let TokenKind::Alias(name) = &mut token.kind {
            let name = std::mem::take(name);
            self.scanner.take()?;
            self.pop();
            return Ok(event(EventKind::Alias { name }, start));
        }
        let (anchor, tag) = self.properties(&mut start)?;
        let token = self.scanner.peek()?;
        match &mut token.kind {
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSeqEntry;
                Ok(event(EventKind::SeqStart { anchor }, start))
            }
            TokenKind::Scalar { text, plain } => {
                let text = std::mem::take(text);
                let implicit = tag.as_ref().map_or(*plain, |tag| tag == "!");
                self.scanner.take()?;
                self.pop();
                Ok(event(
                    EventKind::Scalar {
                        text,
                        tag,
                        anchor,
                        implicit,
                    },
                    start,
                ))
            }
            TokenKind::FlowSeqStart => {
                self.state = State::FlowSeqFirst;
                Ok(event(EventKind::SeqStart { anchor }, start))
            }
            TokenKind::FlowMapStart => {
                self.state = State::FlowMapFirst;
                Ok(event(EventKind::MapStart { anchor }, start))
            }
            TokenKind::BlockSeqStart if block => {
                self.state = State::BlockSeqFirst;
                Ok(event(EventKind::SeqStart { anchor }, start))
            }
            TokenKind::BlockMapStart if block => {
                self.state = State::BlockMapFirst;
                Ok(event(EventKind::MapStart { anchor }, start))
            }
            _ if anchor.is_some() || tag.is_some() => {
                self.pop();
                let implicit = tag.is_none();
                let text = String::new();
                Ok(event(
                    EventKind::Scalar {
                        text,
                        tag,
                        anchor,
                        implicit,
                    },
                    start,
                ))
            }
            _ => Err(problem("did not find expected node content", token.start)),
        }
    }

    /// An anchor and a tag, in any order.
    fn properties(
        &mut self,
        start: &mut Mark,
    ) -> Result<(Option<String>, Option<String>), Problem> {
        let mut anchor = None;
        let mut tag = None;
        loop {
            let token = self.scanner.peek()?;
            let mark = token.start;
            match &mut token.kind {
                TokenKind::Anchor(name) if anchor.is_none() => {
                    anchor = Some(std::mem::take(name));
                }
                TokenKind::Tag { handle, suffix } if tag.is_none() => {
                    tag = Some((std::mem::take(handle), std::mem::take(suffix), mark));
                }
                _ => break,
            }
            if anchor.is_none() || tag.is_none() {
                *start = mark;
            }
            self.scanner.take()?;
        }
        let Some((handle, suffix, mark)) = tag else {
            return Ok((anchor, None));
        };
        if handle.is_empty() {
            return Ok((anchor, Some(suffix)));
        }
        match self.tags.iter().find(|(known, _)| *known == handle) {
            Some((_, prefix)) => Ok((anchor, Some(format!("{prefix}{suffix}")))),
            None => Err(problem("found undefined tag handle", mark)),
        }
    }

    fn block_seq_entry(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let ends = [TokenKind::BlockEntry, TokenKind::BlockEnd];
                self.block_content(&ends, State::BlockSeqEntry, false)
            }
            TokenKind::BlockEnd => self.end(),
            _ => Err(problem("did not find expected '-' indicator", token.start)),
        }
    }

    fn indentless_seq_entry(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::BlockEntry {
            let ends = [
                TokenKind::BlockEntry,
                TokenKind::Key,
                TokenKind::Value,
                TokenKind::BlockEnd,
            ];
            return self.block_content(&ends, State::IndentlessSeqEntry, false);
        }
        let start = token.start;
        self.pop();
        Ok(event(EventKind::End, start))
    }

    fn block_map_key(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => {
                let ends = [TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd];
                self.block_content(&ends, State::BlockMapValue, true)
            }
            TokenKind::BlockEnd => self.end(),
            _ => Err(problem("did not find expected key", token.start)),
        }
    }

    fn block_map_value(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            let ends = [TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd];
            return self.block_content(&ends, State::BlockMapKey, true);
        }
        let start = token.start;
        self.state = State::BlockMapKey;
        Ok(empty(start))
    }

    /// Takes an indicator and what belongs to it: nothing, if one of `ends` follows.
    fn block_content(&mut self, ends: &[TokenKind], next: State, indentless: bool) -> Parsed {
        let mark = self.scanner.take()?.end;
        if ends.contains(&self.scanner.peek()?.kind) {
            self.state = next;
            return Ok(empty(mark));
        }
        self.after.push(next);
        self.node(true, indentless)
    }

    fn flow_seq_entry(&mut self, first: bool) -> Parsed {
        let mut token = self.scanner.peek()?;
        if token.kind == TokenKind::FlowSeqEnd {
            return self.end();
        }
        if !first {
            if token.kind != TokenKind::FlowEntry {
                return Err(problem("did not find expected ',' or ']'", token.start));
            }
            self.scanner.take()?;
            token = self.scanner.peek()?;
        }
        match token.kind {
            TokenKind::Key => {
                let start = token.start;
                self.scanner.take()?;
                self.state = State::FlowSeqMapKey;
                Ok(event(EventKind::MapStart { anchor: None }, start))
            }
            TokenKind::FlowSeqEnd => self.end(),
            _ => {
                self.after.push(State::FlowSeqEntry);
                self.node(false, false)
            }
        }
    }

    fn flow_seq_map_key(&mut self) -> Parsed {
        let token = self.scanner.peek()?;
        if matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSeqEnd
        ) {
            // libyaml takes the token even though it belongs to what follows.
            let mark = self.scanner.take()?.end;
            self.state = State::FlowSeqMapValue;
            return Ok(empty(mark));
        }
        self.after.push(State::FlowSeqMapValue);
        self.node(false, false)
    }

    fn flow_map_key(&mut self, first: bool) -> Parsed {
        let mut token = self.scanner.peek()?;
        if token.kind == TokenKind::FlowMapEnd {
            return self.end();
        }
        if !first {
            if token.kind != TokenKind::FlowEntry {
                return Err(problem("did not find expected ',' or '}'", token.start));
            }
            self.scanner.take()?;
            token = self.scanner.peek()?;
        }
        match token.kind {
            TokenKind::Key => {
                self.scanner.take()?;
                let token = self.scanner.peek()?;
                let start = token.start;
                if matches!(
                    token.kind,
                    TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMapEnd
                ) {
                    self.state = State::FlowMapValue;
                    return Ok(empty(start));
                }
                self.after.push(State::FlowMapValue);
                self.node(false, false)
            }
            TokenKind::FlowMapEnd => self.end(),
            _ => {
                self.after.push(State::FlowMapEmptyValue);
                self.node(false, false)
            }
        }
    }

    /// The value of a flow mapping's key, which may be missing with or without its colon.
    fn flow_value(&mut self, ends: &[TokenKind], next: State) -> Parsed {
        let token = self.scanner.peek()?;
        let mut start = token.start;
        if token.kind == TokenKind::Value {
            self.scanner.take()?;
            let token = self.scanner.peek()?;
            if !ends.contains(&token.kind) {
                self.after.push(next);
                return self.node(false, false);
            }
            start = token.start;
        }
        self.state = next;
        Ok(empty(start))
    }

    fn end(&mut self) -> Parsed {
        let Token { start, .. } = self.scanner.take()?;
        self.pop();
        Ok(event(EventKind::End, start))
    }

    fn pop(&mut self) {
        self.state = self.after.pop().unwrap_or(State::End);
    }
}

fn problem(text: &'static str, mark: Mark) -> Problem {
    Problem {
        text,
        mark,
        scanner: false,
    }
}

fn position(mark: Mark) -> Position {
    Position {
        line: mark.line as u64 + 1,
        column: mark.column as u64 + 1,
    }
}

fn event(kind: EventKind, start: Mark) -> Event {
    Event {
        kind,
        position: position(start),
    }
}

fn empty(mark: Mark) -> Event {
    let kind = EventKind::Scalar {
        text: String::new(),
        tag: None,
        anchor: None,
        implicit: true,
    };
    event(kind, mark)
}
