//! The inside of block sequences and mappings.

use super::{Ends, EventKind, Events, Parsed, State, TokenKind, empty, event, problem};

impl<'s> Events<'s> {
    pub(super) fn block_seq_entry(&mut self) -> Parsed<'s> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let ends: Ends = |kind| matches!(kind, TokenKind::BlockEntry | TokenKind::BlockEnd);
                self.block_content(ends, State::BlockSeqEntry, false)
            }
            TokenKind::BlockEnd => self.end(),
            _ => Err(problem("did not find expected '-' indicator", token.start)),
        }
    }

    pub(super) fn indentless_seq_entry(&mut self) -> Parsed<'s> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::BlockEntry {
            let ends: Ends = |kind| matches!(kind, TokenKind::BlockEntry) || ends_entry(kind);
            return self.block_content(ends, State::IndentlessSeqEntry, false);
        }
        let start = token.start;
        self.pop();
        Ok(event(EventKind::End, start))
    }

    pub(super) fn block_map_key(&mut self) -> Parsed<'s> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => self.block_content(ends_entry, State::BlockMapValue, true),
            TokenKind::BlockEnd => self.end(),
            _ => Err(problem("did not find expected key", token.start)),
        }
    }

    pub(super) fn block_map_value(&mut self) -> Parsed<'s> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            return self.block_content(ends_entry, State::BlockMapKey, true);
        }
        let start = token.start;
        self.state = State::BlockMapKey;
        Ok(empty(start))
    }

    /// Takes an indicator and what belongs to it: nothing, if a token that `ends` it follows.
    fn block_content(&mut self, ends: Ends, next: State, indentless: bool) -> Parsed<'s> {
        let mark = self.scanner.take()?.end;
        if ends(&self.scanner.peek()?.kind) {
            self.state = next;
            return Ok(empty(mark));
        }
        self.after.push(next);
        self.node(true, indentless)
    }
}

fn ends_entry(kind: &TokenKind<'_>) -> bool {
    matches!(
        kind,
        TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
    )
}
