//! Which token comes next, and the bookkeeping of indents and keys around it.

use super::{Mark, Scanned, Scanner, SimpleKey, Token, TokenKind};

impl Scanner<'_> {
    /// Adds at least one token to the queue.
    pub(super) fn fetch(&mut self) -> Scanned<()> {
        if !self.started {
            self.started = true;
            self.keys.push(SimpleKey::default());
            self.key_allowed = true;
            let mark = self.mark;
            self.push(TokenKind::StreamStart, mark);
            return Ok(());
        }
        self.skip_to_token();
        let column = self.mark.column as isize;
        self.unroll(column);
        if self.is_end() {
            return self.stream_end();
        }
        if self.mark.column == 0 && self.byte(0) == b'%' {
            self.leave_blocks()?;
            return self.directive();
        }
        if self.is_document_indicator() {
            self.leave_blocks()?;
            let kind = match self.byte(0) {
                b'-' => TokenKind::DocumentStart,
                _ => TokenKind::DocumentEnd,
            };
            self.indicator(kind, 3);
            return Ok(());
        }
        let flow = self.flow_level > 0;
        match self.byte(0) {
            b'[' => self.flow_start(TokenKind::FlowSeqStart),
            b'{' => self.flow_start(TokenKind::FlowMapStart),
            b']' => self.flow_end(TokenKind::FlowSeqEnd),
            b'}' => self.flow_end(TokenKind::FlowMapEnd),
            b',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.indicator(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.is_blank_or_end(1) => self.block_entry(),
            b'?' if flow || self.is_blank_or_end(1) => self.key(),
            b':' if flow || self.is_blank_or_end(1) => self.value(),
            b'*' | b'&' => self.anchor(),
            b'!' => self.tag(),
            style @ (b'|' | b'>') if !flow => {
                self.drop_key()?;
                self.key_allowed = true;
                self.block_scalar(style == b'|')
            }
            quote @ (b'\'' | b'"') => {
                self.save_key()?;
                self.key_allowed = false;
                self.quoted_scalar(quote == b'\'')
            }
            first => {
                if !self.begins_plain(first) {
                    return Err(self.problem("found character that cannot start any token"));
                }
                self.save_key()?;
                self.key_allowed = false;
                self.plain_scalar()
            }
        }
    }

    fn begins_plain(&mut self, first: u8) -> bool {
        match first {
            b'-' => !self.is_blank(1),
            b'?' | b':' => self.flow_level == 0 && !self.is_blank_or_end(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_blank_or_end(0),
        }
    }

    /// Goes over blanks, comments and line breaks. A tab may not stand where a key may begin.
    fn skip_to_token(&mut self) {
        loop {
            loop {
                match self.byte(0) {
                    b' ' => self.skip(),
                    b'\t' if self.flow_level > 0 || !self.key_allowed => self.skip(),
                    _ => break,
                }
            }
            self.skip_comment();
            if !self.is_break(0) {
                return;
            }
            self.skip_break();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    fn stream_end(&mut self) -> Scanned<()> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.leave_blocks()?;
        let mark = self.mark;
        self.push(TokenKind::StreamEnd, mark);
        Ok(())
    }

    fn leave_blocks(&mut self) -> Scanned<()> {
        self.unroll(-1);
        self.drop_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn indicator(&mut self, kind: TokenKind<'static>, chars: usize) {
        let start = self.mark;
        self.skip_many(chars);
        self.push(kind, start);
    }

    fn flow_start(&mut self, kind: TokenKind<'static>) -> Scanned<()> {
        self.save_key()?;
        let (token, mark) = (self.next_number(), self.mark);
        self.keys.push(SimpleKey {
            token,
            mark,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        self.key_allowed = true;
        self.indicator(kind, 1);
        Ok(())
    }

    fn flow_end(&mut self, kind: TokenKind<'static>) -> Scanned<()> {
        self.drop_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            let inner = self.keys.pop().unwrap_or_default();
            // go-yaml forgets to wait for an empty collection that is a key.
            if let Some(outer) = self
                .keys
                .last_mut()
                .filter(|outer| outer.token == inner.token)
            {
                outer.awaited = false;
            }
        }
        self.key_allowed = false;
        self.indicator(kind, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.problem("block sequence entries are not allowed in this context"));
            }
            self.roll(self.mark, None, TokenKind::BlockSeqStart);
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn key(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.problem("mapping keys are not allowed in this context"));
            }
            self.roll(self.mark, None, TokenKind::BlockMapStart);
        }
        self.drop_key()?;
        self.key_allowed = self.flow_level == 0;
        self.indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Scanned<()> {
        let level = self.keys.len().saturating_sub(1);
        if self.key_valid(level)? {
            let key = self.keys[level];
            self.keys[level].possible = false;
            self.insert(key.token, TokenKind::Key, key.mark);
            self.roll(key.mark, Some(key.token), TokenKind::BlockMapStart);
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.problem("mapping values are not allowed in this context"));
                }
                self.roll(self.mark, None, TokenKind::BlockMapStart);
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.indicator(TokenKind::Value, 1);
        Ok(())
    }

    fn anchor(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let alias = self.byte(0) == b'*';
        self.skip();
        let mut name = String::new();
        self.read_word(&mut name);
        let follows = matches!(
            self.byte(0),
            b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
        );
        if name.is_empty() || !(follows || self.is_blank_or_end(0)) {
            return Err(self.problem("did not find expected alphabetic or numeric character"));
        }
        self.push(
            if alias {
                TokenKind::Alias(name)
            } else {
                TokenKind::Anchor(name)
            },
            start,
        );
        Ok(())
    }

    fn tag(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        self.scan_tag()
    }

    /// Letters, digits, `_` and `-`.
    pub(super) fn read_word(&mut self, into: &mut String) {
        while matches!(self.byte(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-') {
            self.read(into);
        }
    }

    fn next_number(&self) -> usize {
        self.taken + self.queue.len()
    }

    /// Notes that the next token may begin a key.
    fn save_key(&mut self) -> Scanned<()> {
        if !self.key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.indent == self.mark.column as isize;
        self.drop_key()?;
        let key = SimpleKey {
            possible: true,
            required,
            awaited: true,
            token: self.next_number(),
            mark: self.mark,
        };
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    /// Gives up the key of this level.
    fn drop_key(&mut self) -> Scanned<()> {
        let problem = self.problem("could not find expected ':'");
        if let Some(key) = self.keys.last_mut() {
            if key.possible && key.required {
                return Err(problem);
            }
            key.possible = false;
        }
        Ok(())
    }

    /// Opens a block collection if the mark lies deeper than the current one.
    fn roll(&mut self, mark: Mark, number: Option<usize>, kind: TokenKind<'static>) {
        let column = mark.column as isize;
        if self.flow_level > 0 || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.insert(number.unwrap_or(self.next_number()), kind, mark);
    }

    /// Closes the block collections that lie deeper than `column`.
    fn unroll(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            let mark = self.mark;
            self.push(TokenKind::BlockEnd, mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn insert(&mut self, number: usize, kind: TokenKind<'static>, mark: Mark) {
        let end = self.queue.len();
        let index = number
            .checked_sub(self.taken)
            .map_or(end, |index| index.min(end));
        self.queue.insert(
            index,
            Token {
                kind,
                start: mark,
                end: mark,
            },
        );
    }
}
