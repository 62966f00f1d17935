//! One operand under one verb.

use std::fmt::Write;

use super::names::method_text;
use super::quote;
use crate::lex::decode;
use crate::limits::{MAX_PRINT_DEPTH, MAX_PRINT_NODES};
use crate::value::{IntKind, List, ListType, Map, Object, Value};

/// A mark between the percent sign and the verb.
#[derive(Clone, Copy)]
pub(super) enum Flag {
    Minus = 1,
    Plus = 2,
    Sharp = 4,
    Space = 8,
    Zero = 16,
    /// `%+v`: with names of fields.
    PlusV = 32,
    /// `%#v`: as Go source.
    SharpV = 64,
}

/// What stands between the percent sign and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub width: Option<usize>,
    pub precision: Option<usize>,
    marks: u8,
}

impl Flags {
    pub fn has(self, flag: Flag) -> bool {
        self.marks & flag as u8 != 0
    }

    pub fn add(&mut self, flag: Flag) {
        self.marks |= flag as u8;
    }

    pub fn remove(&mut self, flag: Flag) {
        self.marks &= !(flag as u8);
    }

    /// Means the one flag by the other.
    pub fn rename(&mut self, from: Flag, to: Flag) {
        if self.has(from) {
            self.remove(from);
            self.add(to);
        }
    }
}

pub(super) struct Printer<'o> {
    pub out: &'o mut Vec<u8>,
    pub flags: Flags,
    /// Within an error report, methods are not asked.
    erroring: bool,
    /// Within a field that is not exported, which Go cannot take out to ask its methods.
    hidden: bool,
    nodes: usize,
}

impl<'o> Printer<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            flags: Flags::default(),
            erroring: false,
            hidden: false,
            nodes: 0,
        }
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes the bytes, filled up to the width (in characters).
    pub(super) fn pad(&mut self, text: &[u8]) {
        let count = if self.flags.width.is_some() {
            characters(text)
        } else {
            0
        };
        let fill = self.flags.width.unwrap_or(0).saturating_sub(count);
        let byte = if self.flags.has(Flag::Zero) && !self.flags.has(Flag::Minus) {
            b'0'
        } else {
            b' '
        };
        if !self.flags.has(Flag::Minus) {
            self.out.resize(self.out.len() + fill, byte);
        }
        self.out.extend_from_slice(text);
        if self.flags.has(Flag::Minus) {
            self.out.resize(self.out.len() + fill, b' ');
        }
    }

    pub fn arg(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'v' | 'T') => self.pad(b"<nil>"),
            (Value::Map(_) | Value::List(_) | Value::Bytes(_), 'p') => self.pad(ADDRESS),
            (Value::Object(object), 'p') if object.type_name().starts_with('*') => {
                self.pad(ADDRESS);
            }
            (Value::Nil, _) | (_, 'p') => self.bad_verb(value, verb),
            (_, 'T') => self.string(value.type_name().as_bytes(), 's', value),
            _ => self.value(value, verb, 0),
        }
    }

    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
        self.erroring = true;
        self.raw("%!");
        self.raw(verb.encode_utf8(&mut [0; 4]));
        self.raw("(");
        if value.is_nil() {
            self.raw("<nil>");
        } else {
            self.raw(value.type_name());
            self.raw("=");
            self.value(value, 'v', 0);
        }
        self.raw(")");
        self.erroring = false;
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        self.nodes += 1;
        if depth > MAX_PRINT_DEPTH || self.nodes > MAX_PRINT_NODES {
            return;
        }
        if !self.erroring
            && !self.hidden
            && !self.flags.has(Flag::SharpV)
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = method_text(value)
        {
            return self.string(text.as_bytes(), verb, value);
        }
        match value {
            Value::Nil if self.flags.has(Flag::SharpV) => self.raw("interface {}(nil)"),
            Value::Nil => self.raw("<nil>"),
            Value::Bool(b) if matches!(verb, 't' | 'v') => {
                self.pad(if *b { b"true" } else { b"false" });
            }
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Int(kind, number) => self.int(*kind, *number, verb, value),
            Value::Float(number) => self.float(*number, verb, value),
            Value::Str(text) => self.string(text, verb, value),
            Value::Bytes(bytes) => self.bytes(bytes, verb, value),
            Value::List(list) => self.list(list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            // Within something else a pointer is its address, which only numbers can show.
            Value::Object(object)
                if depth > 0
                    && object.type_name().starts_with('*')
                    && !matches!(verb, 'v' | 'p' | 'b' | 'o' | 'd' | 'x' | 'X') =>
            {
                self.bad_verb(value, verb);
            }
            Value::Object(object) => self.object(object.as_ref(), verb, depth),
        }
    }

    fn string(&mut self, text: &[u8], verb: char, value: &Value) {
        match verb {
            'v' if self.flags.has(Flag::SharpV) => self.quoted(text),
            'v' | 's' => self.pad(cut(text, self.flags.precision)),
            'x' | 'X' => self.hex_bytes(text, verb == 'X'),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = cut(text, self.flags.precision);
        let plain = |c: char| c != '`' && c != '\u{feff}' && (c == '\t' || !c.is_control());
        if self.flags.has(Flag::Sharp)
            && std::str::from_utf8(text).is_ok_and(|text| text.chars().all(plain))
        {
            let raw = [b"`", text, b"`"].concat();
            return self.pad(&raw);
        }
        let shown = quote::quote(text, '"', self.flags.has(Flag::Plus));
        self.pad(shown.as_bytes());
    }

    fn hex_bytes(&mut self, bytes: &[u8], upper: bool) {
        let bytes = &bytes[..self.flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
        let mut text = String::new();
        for (i, byte) in bytes.iter().enumerate() {
            if i > 0 && self.flags.has(Flag::Space) {
                text.push(' ');
            }
            if self.flags.has(Flag::Sharp) && (i == 0 || self.flags.has(Flag::Space)) {
                text.push_str(if upper { "0X" } else { "0x" });
            }
            let _ = if upper {
                write!(text, "{byte:02X}")
            } else {
                write!(text, "{byte:02x}")
            };
        }
        self.pad(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8], verb: char, value: &Value) {
        match verb {
            'v' | 'd' if self.flags.has(Flag::SharpV) => {
                let shown: Vec<String> = bytes.iter().map(|byte| format!("{byte:#x}")).collect();
                self.raw(&format!("[]byte{{{}}}", shown.join(", ")));
            }
            's' | 'x' | 'X' | 'q' => self.string(bytes, verb, value),
            _ => {
                self.raw("[");
                for (i, &byte) in bytes.iter().enumerate() {
                    if i > 0 {
                        self.raw(" ");
                    }
                    let number = i64::from(byte);
                    self.int(
                        IntKind::Uint8,
                        number,
                        verb,
                        &Value::Int(IntKind::Uint8, number),
                    );
                }
                self.raw("]");
            }
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        if self.flags.has(Flag::SharpV) {
            self.raw(list.kind().type_name());
            if list.is_nil() {
                return self.raw("(nil)");
            }
            self.raw("{");
        } else {
            self.raw("[");
        }
        for (i, item) in list.iter().enumerate() {
            if i > 0 {
                self.raw(if self.flags.has(Flag::SharpV) {
                    ", "
                } else {
                    " "
                });
            }
            match item {
                Value::Nil if list.kind() != ListType::Any => self.raw("[]"),
                _ => self.value(item, verb, depth + 1),
            }
        }
        self.raw(if self.flags.has(Flag::SharpV) {
            "}"
        } else {
            "]"
        });
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        if self.flags.has(Flag::SharpV) {
            self.raw(map.kind().type_name());
            if map.is_nil() {
                return self.raw("(nil)");
            }
            self.raw("{");
        } else {
            self.raw("map[");
        }
        for (i, (key, item)) in map.snapshot().into_iter().enumerate() {
            if i > 0 {
                self.raw(if self.flags.has(Flag::SharpV) {
                    ", "
                } else {
                    " "
                });
            }
            self.value(&Value::Str(key), verb, depth + 1);
            self.raw(":");
            self.value(&item, verb, depth + 1);
        }
        self.raw(if self.flags.has(Flag::SharpV) {
            "}"
        } else {
            "]"
        });
    }

    fn object(&mut self, object: &dyn Object, verb: char, depth: usize) {
        let name = object.type_name();
        match name.strip_prefix('*') {
            Some(_) if depth > 0 => return self.pad(ADDRESS),
            Some(_) => self.raw("&"),
            None => {}
        }
        if self.flags.has(Flag::SharpV) {
            self.raw(name.trim_start_matches('*'));
        }
        self.raw("{");
        for (i, (name, item)) in object.fields().iter().enumerate() {
            if i > 0 {
                self.raw(if self.flags.has(Flag::SharpV) {
                    ", "
                } else {
                    " "
                });
            }
            if self.flags.has(Flag::PlusV) || self.flags.has(Flag::SharpV) {
                self.raw(name);
                self.raw(":");
            }
            let outer = self.hidden;
            self.hidden |= !name.starts_with(|c: char| c.is_ascii_uppercase());
            self.value(item, verb, depth + 1);
            self.hidden = outer;
        }
        self.raw("}");
    }
}

/// Where something lies, which is never the same in Go either.
const ADDRESS: &[u8] = b"0xc000000000";

fn characters(mut text: &[u8]) -> usize {
    let mut count = 0;
    while let Some((_, width)) = decode(text) {
        text = &text[width..];
        count += 1;
    }
    count
}

/// The first `precision` characters.
fn cut(text: &[u8], precision: Option<usize>) -> &[u8] {
    let Some(precision) = precision else {
        return text;
    };
    let mut end = 0;
    for _ in 0..precision {
        match decode(&text[end..]) {
            Some((_, width)) => end += width,
            None => break,
        }
    }
    &text[..end]
}
