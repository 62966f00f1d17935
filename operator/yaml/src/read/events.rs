//! The parser's events, with its differences to go-yaml evened out.

use std::borrow::Cow;

use libyaml_safer::{ErrorKind, EventData, Parser};

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
    Alias { name: String },
    Scalar { text: String, tag: Option<String>, anchor: Option<String>, implicit: bool },
    SeqStart { anchor: Option<String> },
    MapStart { anchor: Option<String> },
    /// The end of a sequence or mapping.
    End,
}

/// A pull parser over one text.
pub(crate) struct Events<'s> {
    parser: Parser<&'s [u8]>,
}

impl<'s> Events<'s> {
    pub(crate) fn new(source: &'s [u8], _depth: usize) -> Self {
        let mut parser = Parser::new();
        parser.set_input(if source.is_empty() { b"\n" } else { source });
        Self { parser }
    }

    pub(crate) fn next(&mut self) -> Result<Event, Error> {
        let event = self.parser.parse().map_err(|error| syntax(&error))?;
        let position = Position {
            line: event.start_mark.line + 1,
            column: event.start_mark.column + 1,
        };
        let kind = match event.data {
            EventData::StreamStart { .. } => EventKind::StreamStart,
            EventData::StreamEnd => EventKind::StreamEnd,
            EventData::DocumentStart { .. } => EventKind::DocumentStart,
            EventData::DocumentEnd { .. } => EventKind::DocumentEnd,
            EventData::Alias { anchor } => EventKind::Alias { name: anchor },
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                EventKind::Scalar { text: value, tag, anchor, implicit: plain_implicit }
            }
            EventData::SequenceStart { anchor, .. } => EventKind::SeqStart { anchor },
            EventData::MappingStart { anchor, .. } => EventKind::MapStart { anchor },
            EventData::SequenceEnd | EventData::MappingEnd => EventKind::End,
        };
        Ok(Event { kind, position })
    }
}

fn syntax(error: &libyaml_safer::Error) -> Error {
    let problem = error.problem_mark().unwrap_or_default();
    let context = error.context_mark().unwrap_or_default();
    let go_line = if problem.line != 0 {
        problem.line + u64::from(error.kind() == ErrorKind::Scanner)
    } else {
        context.line
    };
    Error::Syntax {
        problem: Cow::Borrowed(error.problem()),
        go_line,
        position: error
            .problem_mark()
            .map(|mark| Position { line: mark.line + 1, column: mark.column + 1 }),
    }
}
