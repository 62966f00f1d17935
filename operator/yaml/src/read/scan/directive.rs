//! Directives and tags.

use super::{Scanned, Scanner, TokenKind};

impl Scanner<'_> {
    pub(super) fn directive(&mut self) -> Scanned<()> {
        let start = self.mark;
        self.skip();
        let mut name = String::new();
        self.read_word(&mut name);
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name"));
        }
        if !self.is_blank_or_end(0) {
            return Err(self.problem("found unexpected non-alphabetical character"));
        }
        let kind = match name.as_str() {
            "YAML" => self.version()?,
            "TAG" => self.tag_directive()?,
            _ => return Err(self.problem("found unknown directive name")),
        };
        let end = self.mark;
        self.skip_blanks();
        self.skip_comment();
        if !self.is_break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break"));
        }
        self.skip_break();
        self.push(kind, start);
        if let Some(token) = self.queue.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    fn version(&mut self) -> Scanned<TokenKind<'static>> {
        self.skip_blanks();
        let major = self.version_number()?;
        if self.byte(0) != b'.' {
            return Err(self.problem("did not find expected digit or '.' character"));
        }
        self.skip();
        let minor = self.version_number()?;
        Ok(TokenKind::Version { major, minor })
    }

    fn version_number(&mut self) -> Scanned<u8> {
        let mut number = 0;
        let mut length = 0;
        loop {
            let digit = self.byte(0);
            if !digit.is_ascii_digit() {
                break;
            }
            length += 1;
            if length > 2 {
                return Err(self.problem("found extremely long version number"));
            }
            number = number * 10 + (digit - b'0');
            self.skip();
        }
        if length == 0 {
            return Err(self.problem("did not find expected version number"));
        }
        Ok(number)
    }

    fn tag_directive(&mut self) -> Scanned<TokenKind<'static>> {
        self.skip_blanks();
        let handle = self.tag_handle(true)?;
        if !self.is_blank(0) {
            return Err(self.problem("did not find expected whitespace"));
        }
        self.skip_blanks();
        let prefix = self.tag_uri("")?;
        if !self.is_blank_or_end(0) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }

    pub(super) fn scan_tag(&mut self) -> Scanned<()> {
        let start = self.mark;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip_many(2);
            let suffix = self.tag_uri("")?;
            if self.byte(0) != b'>' {
                return Err(self.problem("did not find the expected '>'"));
            }
            self.skip();
            (String::new(), suffix)
        } else {
            let handle = self.tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.tag_uri("")?;
                (handle, suffix)
            } else {
                let suffix = self.tag_uri(&handle)?;
                // A lone `!` is a tag of its own.
                if suffix.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if !self.is_blank_or_end(0) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        self.push(TokenKind::Tag { handle, suffix }, start);
        Ok(())
    }

    fn tag_handle(&mut self, directive: bool) -> Scanned<String> {
        if self.byte(0) != b'!' {
            return Err(self.problem("did not find expected '!'"));
        }
        let mut handle = String::new();
        self.read(&mut handle);
        self.read_word(&mut handle);
        if self.byte(0) == b'!' {
            self.read(&mut handle);
        } else if directive && handle != "!" {
            return Err(self.problem("did not find expected '!'"));
        }
        Ok(handle)
    }

    /// A tag's text, which begins with what was read as its handle, without the `!`.
    fn tag_uri(&mut self, head: &str) -> Scanned<String> {
        let mut uri: Vec<u8> = head.bytes().skip(1).collect();
        let mut found = !head.is_empty();
        loop {
            match self.byte(0) {
                b'%' => self.uri_escape(&mut uri)?,
                byte @ (b'0'..=b'9'
                | b'A'..=b'Z'
                | b'a'..=b'z'
                | b'_'
                | b'-'
                | b';'
                | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']') => {
                    uri.push(byte);
                    self.skip();
                }
                _ => break,
            }
            found = true;
        }
        if !found {
            return Err(self.problem("did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// One character as `%` and two digits for each of its bytes.
    fn uri_escape(&mut self, into: &mut Vec<u8>) -> Scanned<()> {
        let mut left = 1;
        let mut first = true;
        while left > 0 {
            let digits = [self.byte(1), self.byte(2)].map(|b| char::from(b).to_digit(16));
            let (b'%', [Some(high), Some(low)]) = (self.byte(0), digits) else {
                return Err(self.problem("did not find URI escaped octet"));
            };
            let octet = (high * 16 + low) as u8;
            if first {
                left = match octet {
                    0..=0x7f => 1,
                    0xc0..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf7 => 4,
                    _ => return Err(self.problem("found an incorrect leading UTF-8 octet")),
                };
                first = false;
            } else if octet & 0xc0 != 0x80 {
                return Err(self.problem("found an incorrect trailing UTF-8 octet"));
            }
            into.push(octet);
            self.skip_many(3);
            left -= 1;
        }
        Ok(())
    }
}
