//! JSON to values, with the messages of Go's scanner.

use std::borrow::Cow;

use super::utf8_lossy;
use crate::{Error, Limits, Map, Numbers, Value, gosyntax};

/// A JSON text as `json.Unmarshal` reads it into `any`: all numbers are floats; of duplicate keys the last wins.
///
/// # Errors
/// [`Error::Json`] with Go's message; [`Error::Limit`] for more levels than [`Limits::DEFAULT`] allows.
pub fn parse_json(source: &[u8]) -> Result<Value, Error> {
    parse_json_with(source, Numbers::Float)
}

/// As [`parse_json`], with integers kept if `numbers` says so, as Helm's schema validation reads values.
///
/// # Errors
/// As [`parse_json`].
pub fn parse_json_with(source: &[u8], numbers: Numbers) -> Result<Value, Error> {
    let (value, range) = read(source, numbers)?;
    range.map_or(Ok(value), Err)
}

/// The value, and what is wrong with it if only a number is out of range: Go sees that after all else.
fn read(source: &[u8], numbers: Numbers) -> Result<(Value, Option<Error>), Error> {
    let mut reader = Reader {
        source,
        at: 0,
        depth: 0,
        numbers,
        range: None,
    };
    reader.blanks();
    let value = reader.value()?;
    reader.blanks();
    if reader.at < source.len() {
        return Err(reader.unexpected("after top-level value"));
    }
    Ok((value, reader.range))
}

/// As [`parse_json`] into `map[string]any`, `None` for null.
///
/// # Errors
/// As [`parse_json`], and when the text is not an object.
pub fn parse_json_map(source: &[u8]) -> Result<Option<Map>, Error> {
    let (value, range) = read(source, Numbers::Float)?;
    match value {
        Value::Map(entries) => range.map_or(Ok(Some(entries)), Err),
        Value::Null => Ok(None),
        other => Err(Error::Json {
            problem: mismatch(&other, "map[string]interface {}"),
            offset: source.len(),
        }),
    }
}

/// As [`parse_json`] into `[]any`, `None` for null.
///
/// # Errors
/// As [`parse_json`], and when the text is not an array.
pub fn parse_json_seq(source: &[u8]) -> Result<Option<Vec<Value>>, Error> {
    let (value, range) = read(source, Numbers::Float)?;
    match value {
        Value::Seq(items) => range.map_or(Ok(Some(items)), Err),
        Value::Null => Ok(None),
        other => Err(Error::Json {
            problem: mismatch(&other, "[]interface {}"),
            offset: source.len(),
        }),
    }
}

/// What Go says to a document whose top is of another type.
pub(crate) fn mismatch(value: &Value, target: &str) -> String {
    let kind = match value {
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "number",
        Value::Seq(_) => "array",
        Value::Map(_) => "object",
        Value::Null | Value::Str(_) | Value::Bytes(_) => "string",
    };
    format!("json: cannot unmarshal {kind} into Go value of type {target}")
}

struct Reader<'s> {
    source: &'s [u8],
    at: usize,
    depth: usize,
    numbers: Numbers,
    /// Go checks syntax first, so a number out of range is told only if the rest is well-formed.
    range: Option<Error>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, place: &str) -> Error {
        let problem = match self.peek() {
            Some(byte) => format!("invalid character {} {place}", quote_byte(byte)),
            None => "unexpected end of JSON input".to_owned(),
        };
        Error::Json {
            problem,
            offset: self.at,
        }
    }

    /// As [`Self::unexpected`] within a word, where Go tells the end of the text by trying a blank.
    fn unexpected_within(&self, place: &str) -> Error {
        if self.at < self.source.len() {
            return self.unexpected(place);
        }
        Error::Json {
            problem: format!("invalid character ' ' {place}"),
            offset: self.at,
        }
    }

    fn value(&mut self) -> Result<Value, Error> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => Ok(Value::Str(self.string()?)),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.at += 1;
        self.depth += 1;
        let limit = Limits::DEFAULT.depth;
        if self.depth > limit {
            return Err(Error::Limit {
                what: "levels of nesting",
                limit,
            });
        }
        self.blanks();
        Ok(())
    }

    fn object(&mut self) -> Result<Value, Error> {
        self.enter()?;
        let mut entries = Map::new();
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(Value::Map(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            self.blanks();
            let value = self.value()?;
            entries.insert(key, value);
            self.blanks();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.blanks();
                }
                Some(b'}') => {
                    self.leave();
                    return Ok(Value::Map(entries));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self) -> Result<Value, Error> {
        self.enter()?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.leave();
            return Ok(Value::Seq(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.blanks();
                }
                Some(b']') => {
                    self.leave();
                    return Ok(Value::Seq(items));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        self.at += 1;
        for expected in word.bytes().skip(1) {
            if self.peek() != Some(expected) {
                let place = format!("in literal {word} (expecting {})", quote_byte(expected));
                return Err(self.unexpected_within(&place));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let mut integer = true;
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits("in numeric literal")?,
            _ => return Err(self.unexpected_within("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            integer = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = std::str::from_utf8(&self.source[start..self.at]).unwrap_or_default();
        if integer && self.numbers == Numbers::Exact {
            if let Ok(value) = text.parse() {
                return Ok(Value::Int(value));
            }
            if let Ok(value) = text.parse() {
                return Ok(Value::Uint(value));
            }
        }
        let value: f64 = text.parse().unwrap_or(f64::INFINITY);
        if value.is_infinite() {
            let problem =
                format!("json: cannot unmarshal number {text} into Go value of type float64");
            let error = Error::Json {
                problem,
                offset: self.at,
            };
            self.range.get_or_insert(error);
        }
        Ok(Value::Float(value))
    }

    fn digits(&mut self, place: &str) -> Result<(), Error> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.unexpected_within(place));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut out: Option<String> = None;
        let mut start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let tail = utf8_lossy(&self.source[start..self.at]);
                    self.at += 1;
                    return Ok(match out {
                        None => tail.into_owned(),
                        Some(mut out) => {
                            out.push_str(&tail);
                            out
                        }
                    });
                }
                Some(b'\\') => {
                    let head: Cow<'_, str> = utf8_lossy(&self.source[start..self.at]);
                    let mut text = out.take().unwrap_or_default();
                    text.push_str(&head);
                    self.at += 1;
                    text.push(self.escape()?);
                    out = Some(text);
                    start = self.at;
                }
                Some(0..=0x1f) => return Err(self.unexpected("in string literal")),
                Some(_) => self.at += 1,
                None => return Err(self.unexpected("")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let c = match self.peek() {
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex()?;
                return Ok(self.surrogates(unit));
            }
            _ => return Err(self.unexpected_within("in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex(&mut self) -> Result<u32, Error> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|b| char::from(b).to_digit(16)) else {
                return Err(self.unexpected_within("in \\u hexadecimal character escape"));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// A surrogate that has no partner becomes a replacement character.
    fn surrogates(&mut self, unit: u32) -> char {
        if let Some(c) = char::from_u32(unit) {
            return c;
        }
        let next = self
            .source
            .get(self.at..self.at + 6)
            .filter(|next| next.starts_with(b"\\u"));
        let low = next
            .and_then(|next| std::str::from_utf8(&next[2..]).ok())
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(low) = low.filter(|low| (0xdc00..0xe000).contains(low) && unit < 0xdc00) {
            self.at += 6;
            let scalar = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        char::REPLACEMENT_CHARACTER
    }
}

/// A byte as Go's scanner names it: the character of that code point, in single quotes.
fn quote_byte(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => {
            let mut out = String::from("'");
            gosyntax::push_escaped(&mut out, char::from(byte), '"');
            out.push('\'');
            out
        }
    }
}
