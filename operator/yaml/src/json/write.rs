//! Values to JSON.

use std::fmt::Write as _;

use crate::{Error, Limits, Value, number};

/// A value as `json.Marshal` prints it: one line, keys in byte order, `<`, `>` and `&` escaped.
///
/// # Errors
/// [`Error::UnsupportedFloat`] for NaN and the infinities, [`Error::Limit`] for more levels than
/// [`Limits::DEFAULT`] allows.
pub fn to_json(value: &Value) -> Result<String, Error> {
    Writer::print(value, true, None)
}

/// As [`to_json`] with `<`, `>` and `&` left as they are, as `toRawJson` prints it.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_raw(value: &Value) -> Result<String, Error> {
    Writer::print(value, false, None)
}

/// As [`to_json`] over several lines, each level indented by `indent` more, as `json.MarshalIndent` prints it;
/// `toPrettyJson` uses two spaces.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_pretty(value: &Value, indent: &str) -> Result<String, Error> {
    Writer::print(value, true, Some(indent))
}

struct Writer<'i> {
    out: String,
    html: bool,
    indent: Option<&'i str>,
    depth: usize,
}

impl<'i> Writer<'i> {
    fn print(value: &Value, html: bool, indent: Option<&'i str>) -> Result<String, Error> {
        let mut writer = Self {
            out: String::new(),
            html,
            indent,
            depth: 0,
        };
        writer.value(value)?;
        Ok(writer.out)
    }

    fn value(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Uint(value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Float(value) => {
                let text = number::float_json(*value).ok_or(Error::UnsupportedFloat {
                    value: number::special(*value).unwrap_or("NaN"),
                    yaml: false,
                })?;
                self.out.push_str(&text);
            }
            Value::Str(text) => self.string(text),
            Value::Bytes(bytes) => {
                // Here an invalid byte is an escape, not the character itself.
                self.out.push('"');
                for chunk in bytes.utf8_chunks() {
                    self.escaped(chunk.valid());
                    for _ in chunk.invalid() {
                        self.out.push_str("\\ufffd");
                    }
                }
                self.out.push('"');
            }
            Value::Seq(items) => {
                self.open('[')?;
                for (index, item) in items.iter().enumerate() {
                    self.separate(index);
                    self.value(item)?;
                }
                self.close(']', items.is_empty());
            }
            Value::Map(entries) => {
                self.open('{')?;
                for (index, (key, item)) in entries.iter().enumerate() {
                    self.separate(index);
                    self.string(key);
                    self.out
                        .push_str(if self.indent.is_some() { ": " } else { ":" });
                    self.value(item)?;
                }
                self.close('}', entries.is_empty());
            }
        }
        Ok(())
    }

    fn open(&mut self, bracket: char) -> Result<(), Error> {
        self.out.push(bracket);
        self.depth += 1;
        let limit = Limits::DEFAULT.depth;
        if self.depth > limit {
            return Err(Error::Limit {
                what: "levels of nesting",
                limit,
            });
        }
        Ok(())
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.break_line();
    }

    fn close(&mut self, bracket: char, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.break_line();
        }
        self.out.push(bracket);
    }

    fn break_line(&mut self) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            for _ in 0..self.depth {
                self.out.push_str(indent);
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        self.escaped(text);
        self.out.push('"');
    }

    fn escaped(&mut self, text: &str) {
        let mut start = 0;
        for (index, c) in text.char_indices() {
            if c.is_ascii() && !escapes(c, self.html) || !c.is_ascii() && !line_separator(c) {
                continue;
            }
            self.out.push_str(&text[start..index]);
            start = index + c.len_utf8();
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                c => {
                    let _ = write!(self.out, "\\u{:04x}", c as u32);
                }
            }
        }
        self.out.push_str(&text[start..]);
    }
}

fn escapes(c: char, html: bool) -> bool {
    matches!(c, '\0'..='\x1f' | '"' | '\\') || html && matches!(c, '<' | '>' | '&')
}

/// JavaScript's own line breaks are escaped always.
fn line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// How many characters [`to_json`] makes of a text, quotes included.
pub(crate) fn encoded_chars(text: &str) -> usize {
    let inner: usize = text
        .chars()
        .map(|c| match c {
            '"' | '\\' | '\x08' | '\x0c' | '\n' | '\r' | '\t' => 2,
            c if escapes(c, true) || line_separator(c) => 6,
            _ => 1,
        })
        .sum();
    inner + 2
}
