//! A value to YAML, in the order of libyaml's emitter.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::analyse::{Quoting, analyse};
use super::order::sorted;
use super::roundtrip;
use super::write::{INDENT, Output};
use crate::read::{Dialect, Resolved, is_base60, resolve};
use crate::{Error, Limits, Map, Value, number};

/// Bytes of a key beyond which it is printed behind a question mark.
const SIMPLE_KEY_BYTES: usize = 128;

pub(super) fn emit(value: &Value, dialect: Dialect) -> Result<String, Error> {
    let mut emitter = Emitter {
        out: Output::new(dialect),
        dialect,
        depth: 0,
    };
    emitter.node(value, Place::Root)?;
    emitter.out.write_indent();
    Ok(emitter.out.text)
}

/// What a node is to its parent.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Item,
    Value,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

struct Emitter {
    out: Output,
    dialect: Dialect,
    depth: usize,
}

impl Emitter {
    fn node(&mut self, value: &Value, place: Place) -> Result<(), Error> {
        match value {
            Value::Null => self.word("null"),
            Value::Bool(value) => self.word(if *value { "true" } else { "false" }),
            Value::Int(value) => self.word(&value.to_string()),
            Value::Uint(value) => self.word(&value.to_string()),
            Value::Float(value) if self.dialect == Dialect::V2 => {
                self.word(&roundtrip::float(*value));
            }
            Value::Float(value) => self.word(&number::float_yaml(*value)),
            Value::Str(text) => self.text(text, false),
            Value::Bytes(bytes) => self.binary(bytes),
            Value::Seq(items) if items.is_empty() => self.empty("[", "]"),
            Value::Map(entries) if entries.is_empty() => self.empty("{", "}"),
            Value::Seq(items) => self.seq(items, place)?,
            Value::Map(entries) => self.map(entries)?,
        }
        Ok(())
    }

    fn seq(&mut self, items: &[Value], place: Place) -> Result<(), Error> {
        let indentless =
            self.dialect == Dialect::V2 && place == Place::Value && !self.out.indention;
        let outer = self.enter(indentless)?;
        for item in items {
            self.out.write_indent();
            self.out.indicator("-", true, false, true);
            self.node(item, Place::Item)?;
        }
        self.leave(outer);
        Ok(())
    }

    fn map(&mut self, entries: &Map) -> Result<(), Error> {
        let outer = self.enter(false)?;
        for (key, value) in sorted(entries, self.dialect) {
            self.out.write_indent();
            if key.len() <= SIMPLE_KEY_BYTES && !analyse(key, self.dialect).multiline {
                self.text(key, true);
                self.out.indicator(":", false, false, false);
            } else {
                self.out.indicator("?", true, false, true);
                self.text(key, false);
                self.out.write_indent();
                self.out.indicator(":", true, false, true);
            }
            self.node(value, Place::Value)?;
        }
        self.leave(outer);
        Ok(())
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.out.indicator(open, true, true, false);
        self.out.indicator(close, false, false, false);
    }

    fn enter(&mut self, indentless: bool) -> Result<i32, Error> {
        self.depth += 1;
        let limit = Limits::DEFAULT.depth;
        if self.depth > limit {
            return Err(Error::Limit {
                what: "levels of nesting",
                limit,
            });
        }
        let outer = self.out.indent;
        self.out.indent = match outer {
            outer if outer < 0 => 0,
            outer if indentless => outer,
            outer => outer + INDENT,
        };
        Ok(outer)
    }

    fn leave(&mut self, outer: i32) {
        self.depth -= 1;
        self.out.indent = outer;
    }

    /// A word that needs no quotes.
    fn word(&mut self, word: &str) {
        self.out.plain(word, false);
    }

    /// A string, which must read back as one.
    fn text(&mut self, text: &str, key: bool) {
        let plain = resolve(None, text, self.dialect) == Ok(Resolved::Str)
            && !is_base60(text)
            && !(self.dialect == Dialect::V3 && is_old_bool(text));
        let style = if text.contains('\n') {
            Style::Literal
        } else if plain {
            Style::Plain
        } else {
            Style::DoubleQuoted
        };
        self.scalar(text, style, key);
    }

    fn scalar(&mut self, text: &str, mut style: Style, key: bool) {
        let analysis = analyse(text, self.dialect);
        if key && analysis.multiline {
            style = Style::DoubleQuoted;
        }
        if style == Style::Plain {
            style = match analysis.quoting {
                Quoting::Plain if text.is_empty() && key => Style::SingleQuoted,
                Quoting::Plain => Style::Plain,
                Quoting::Single => Style::SingleQuoted,
                Quoting::Double => Style::DoubleQuoted,
            };
        }
        if style == Style::Literal && (!analysis.block_allowed || key) {
            style = Style::DoubleQuoted;
        }
        let outer = self.out.indent;
        self.out.indent = if outer < 0 { INDENT } else { outer + INDENT };
        match style {
            Style::Plain => self.out.plain(text, !key),
            Style::SingleQuoted => self.out.single_quoted(text, !key),
            Style::DoubleQuoted => self.out.double_quoted(text, !key),
            Style::Literal => self.out.literal(text),
        }
        self.out.indent = outer;
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.out.indicator("!!binary", true, false, false);
        let encoded = STANDARD.encode(bytes);
        if encoded.len() < BINARY_LINE {
            return self.scalar(&encoded, Style::Plain, false);
        }
        let mut lines = String::with_capacity(encoded.len() + encoded.len() / BINARY_LINE + 1);
        for (index, c) in encoded.chars().enumerate() {
            if index > 0 && index % BINARY_LINE == 0 {
                lines.push('\n');
            }
            lines.push(c);
        }
        lines.push('\n');
        self.scalar(&lines, Style::Literal, false);
    }
}

/// Characters of base64 a line.
const BINARY_LINE: usize = 70;

/// go-yaml v3 reads these as text but quotes them for older readers.
fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}
