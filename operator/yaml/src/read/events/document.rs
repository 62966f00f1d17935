//! Where documents begin and end.

use super::{EventKind, Events, Parsed, Problem, State, TokenKind, empty, event, problem};

impl<'s> Events<'s> {
    pub(super) fn document_start(&mut self, first: bool) -> Parsed<'s> {
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

    pub(super) fn document_content(&mut self) -> Parsed<'s> {
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

    pub(super) fn document_end(&mut self) -> Parsed<'s> {
        let token = self.scanner.peek()?;
        let start = token.start;
        if token.kind == TokenKind::DocumentEnd {
            self.scanner.take()?;
        }
        self.tags.clear();
        self.state = State::Document;
        Ok(event(EventKind::DocumentEnd, start))
    }
}
