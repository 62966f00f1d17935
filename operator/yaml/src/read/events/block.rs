//! The inside of block sequences and mappings.

use super::{EventKind, Events, Parsed, State, TokenKind, empty, event, problem};

impl Events<'_> {
    pub(super) fn block_seq_entry(&mut self) -> Parsed {
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

    pub(super) fn indentless_seq_entry(&mut self) -> Parsed {
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

    pub(super) fn block_map_key(&mut self) -> Parsed {
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

    pub(super) fn block_map_value(&mut self) -> Parsed {
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
}
