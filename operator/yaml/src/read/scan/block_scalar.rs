//! Literal and folded scalars.

use super::{Scanned, Scanner, TokenKind};

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn block_scalar(&mut self, literal: bool) -> Scanned<()> {
        let start = self.mark;
        self.skip();
        let (chomp, increment) = self.block_header()?;
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break"));
        }
        self.skip_break();
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) as usize + increment,
        };
        let mut text = String::new();
        let mut leading_break = String::new();
        let mut breaks = String::new();
        let mut end = self.block_breaks(&mut indent, &mut breaks)?;
        let mut after_blank = false;
        while self.mark.column == indent && !self.is_end() {
            let blank = self.is_blank(0);
            // Lines that begin with a blank keep their breaks.
            if !literal && !after_blank && !blank && leading_break.starts_with('\n') {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&leading_break);
            }
            leading_break.clear();
            text.push_str(&breaks);
            breaks.clear();
            after_blank = blank;
            let line = self.at;
            self.skip_line();
            text.push_str(&self.text[line..self.at]);
            self.read_break(&mut leading_break);
            end = self.block_breaks(&mut indent, &mut breaks)?;
        }
        if chomp != Chomp::Strip {
            text.push_str(&leading_break);
        }
        if chomp == Chomp::Keep {
            text.push_str(&breaks);
        }
        let text = text.into();
        self.push(TokenKind::Scalar { text, plain: false }, start);
        if let Some(token) = self.queue.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    /// The indicators behind `|` or `>`, in any order; an increment of 0 means that there was none.
    fn block_header(&mut self) -> Scanned<(Chomp, usize)> {
        let mut chomp = self.chomp();
        let increment = match self.byte(0) {
            b'0' => return Err(self.problem("found an indentation indicator equal to 0")),
            digit @ b'1'..=b'9' => {
                self.skip();
                usize::from(digit - b'0')
            }
            _ => 0,
        };
        if chomp.is_none() && increment > 0 {
            chomp = self.chomp();
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment))
    }

    fn chomp(&mut self) -> Option<Chomp> {
        let chomp = match self.byte(0) {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return None,
        };
        self.skip();
        Some(chomp)
    }

    /// Goes over empty lines and the indent of the next one; finds out the indent if it is still 0. Answers where
    /// the last line break ended.
    fn block_breaks(&mut self, indent: &mut usize, breaks: &mut String) -> Scanned<super::Mark> {
        let mut end = self.mark;
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            deepest = deepest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b'\t' {
                return Err(
                    self.problem("found a tab character where an indentation space is expected")
                );
            }
            if !self.is_break(0) {
                break;
            }
            self.read_break(breaks);
            end = self.mark;
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1).max(1) as usize);
        }
        Ok(end)
    }
}
