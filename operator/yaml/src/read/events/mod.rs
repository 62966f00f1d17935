//! Tokens to events: the grammar.

mod block;
mod document;
mod flow;
mod node;

use std::borrow::Cow;

use super::reader::Readable;
use super::scan::{Mark, Problem, Scanner, Token, TokenKind};
use crate::{Error, Position};

pub(crate) struct Event<'s> {
    pub kind: EventKind<'s>,
    pub position: Position,
}

pub(crate) enum EventKind<'s> {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        name: String,
    },
    Scalar {
        text: Cow<'s, str>,
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

/// Whether a token ends what has no content.
type Ends = fn(&TokenKind<'_>) -> bool;

type Parsed<'s> = Result<Event<'s>, Problem>;

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

    pub(crate) fn next(&mut self) -> Result<Event<'s>, Error> {
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

    fn step(&mut self) -> Parsed<'s> {
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
            State::FlowSeqMapValue => self.flow_value(
                |kind| matches!(kind, TokenKind::FlowEntry | TokenKind::FlowSeqEnd),
                State::FlowSeqMapEnd,
            ),
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
            State::FlowMapValue => self.flow_value(
                |kind| matches!(kind, TokenKind::FlowEntry | TokenKind::FlowMapEnd),
                State::FlowMapKey,
            ),
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

    fn end(&mut self) -> Parsed<'s> {
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

fn event(kind: EventKind<'_>, start: Mark) -> Event<'_> {
    Event {
        kind,
        position: position(start),
    }
}

fn empty(mark: Mark) -> Event<'static> {
    let kind = EventKind::Scalar {
        text: Cow::Borrowed(""),
        tag: None,
        anchor: None,
        implicit: true,
    };
    event(kind, mark)
}
