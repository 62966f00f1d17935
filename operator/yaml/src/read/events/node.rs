//! Nodes: scalars, aliases, and the starts of collections.

use std::borrow::Cow;

use super::{EventKind, Events, Mark, Parsed, Problem, State, TokenKind, event, problem};

impl<'s> Events<'s> {
    pub(super) fn node(&mut self, block: bool, indentless: bool) -> Parsed<'s> {
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
                let text = Cow::Borrowed("");
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
}
