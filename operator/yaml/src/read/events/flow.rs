//! The inside of flow sequences and mappings.

use super::{Ends, EventKind, Events, Parsed, State, TokenKind, empty, event, problem};

impl<'s> Events<'s> {
    pub(super) fn flow_seq_entry(&mut self, first: bool) -> Parsed<'s> {
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

    pub(super) fn flow_seq_map_key(&mut self) -> Parsed<'s> {
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

    pub(super) fn flow_map_key(&mut self, first: bool) -> Parsed<'s> {
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
    pub(super) fn flow_value(&mut self, ends: Ends, next: State) -> Parsed<'s> {
        let token = self.scanner.peek()?;
        let mut start = token.start;
        if token.kind == TokenKind::Value {
            self.scanner.take()?;
            let token = self.scanner.peek()?;
            if !ends(&token.kind) {
                self.after.push(next);
                return self.node(false, false);
            }
            start = token.start;
        }
        self.state = next;
        Ok(empty(start))
    }
}
