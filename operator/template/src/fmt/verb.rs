//! One operand under one verb.

use std::fmt::Write;

use super::{float, quote};
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
    nodes: usize,
}

impl<'o> Printer<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            flags: Flags::default(),
            erroring: false,
            nodes: 0,
        }
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes the bytes, filled up to the width (in characters).
    fn pad(&mut self, text: &[u8]) {
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
            (Value::Nil, _) | (_, 'p') => self.bad_verb(value, verb),
            (_, 'T') => self.string(value.type_name().as_bytes(), 's', value),
            _ => self.value(value, verb, 0),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) {
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

    fn int(&mut self, kind: IntKind, number: i64, verb: char, value: &Value) {
        let negative = !kind.is_unsigned() && number < 0;
        let magnitude = if kind.is_unsigned() {
            number as u64
        } else {
            number.unsigned_abs()
        };
        match verb {
            'v' if self.flags.has(Flag::SharpV) && kind.is_unsigned() => {
                self.raw(&format!("{magnitude:#x}"));
            }
            'v' | 'd' => self.integer(negative, magnitude, 10, verb),
            'b' => self.integer(negative, magnitude, 2, verb),
            'o' | 'O' => self.integer(negative, magnitude, 8, verb),
            'x' | 'X' => self.integer(negative, magnitude, 16, verb),
            'c' => {
                let c = rune(number);
                self.pad(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'q' => {
                let c = rune(number).to_string();
                let shown = quote::quote(c.as_bytes(), '\'', self.flags.has(Flag::Plus));
                self.pad(shown.as_bytes());
            }
            'U' => self.unicode(magnitude),
            _ => self.bad_verb(value, verb),
        }
    }

    fn unicode(&mut self, number: u64) {
        let digits = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{number:0digits$X}");
        let c = u32::try_from(number)
            .ok()
            .and_then(char::from_u32)
            .filter(|&c| quote::is_print(c));
        if let Some(c) = c.filter(|_| self.flags.has(Flag::Sharp)) {
            let _ = write!(text, " '{c}'");
        }
        let flags = self.flags;
        self.flags.remove(Flag::Zero);
        self.pad(text.as_bytes());
        self.flags = flags;
    }

    fn integer(&mut self, negative: bool, magnitude: u64, base: u8, verb: char) {
        let flags = self.flags;
        let mut least = flags.precision.unwrap_or(0);
        if flags.precision == Some(0) && magnitude == 0 {
            self.flags.remove(Flag::Zero);
            self.pad(b"");
            self.flags = flags;
            return;
        }
        if let (None, true, false, Some(width)) = (
            flags.precision,
            flags.has(Flag::Zero),
            flags.has(Flag::Minus),
            flags.width,
        ) {
            least = width.saturating_sub(usize::from(
                negative || flags.has(Flag::Plus) || flags.has(Flag::Space),
            ));
        }
        let digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if verb == 'X' => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let digits = format!("{digits:0>least$}");
        let prefix = match (base, verb) {
            (8, 'O') => "0o",
            (2, _) if flags.has(Flag::Sharp) => "0b",
            (8, _) if flags.has(Flag::Sharp) && !digits.starts_with('0') => "0",
            (16, 'X') if flags.has(Flag::Sharp) => "0X",
            (16, _) if flags.has(Flag::Sharp) => "0x",
            _ => "",
        };
        let sign = match (negative, flags.has(Flag::Plus), flags.has(Flag::Space)) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        self.flags.remove(Flag::Zero); // already there
        self.pad(format!("{sign}{prefix}{digits}").as_bytes());
        self.flags = flags;
    }

    fn float(&mut self, number: f64, verb: char, value: &Value) {
        let (format, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'e' | 'E' | 'f' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let precision = self.flags.precision.or(precision);
        let mut text = float::format(number, format, precision);
        if self.flags.has(Flag::Sharp) && verb != 'b' && number.is_finite() {
            text = keep_zeros(&text, format, precision);
        }
        let (sign, digits) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (&text[..1], rest),
            None => ("+", text.as_str()),
        };
        let sign = match sign {
            "+" if self.flags.has(Flag::Plus) => "+",
            "+" if self.flags.has(Flag::Space) => " ",
            "+" if number.is_infinite() => "+",
            "+" => "",
            sign => sign,
        };
        let flags = self.flags;
        let fills = flags.has(Flag::Zero) && !flags.has(Flag::Minus) && number.is_finite();
        if let (true, Some(width)) = (fills && !sign.is_empty(), flags.width) {
            self.raw(sign);
            self.flags.width = Some(width.saturating_sub(1));
            self.pad(digits.as_bytes());
        } else {
            if !fills {
                self.flags.remove(Flag::Zero);
            }
            self.pad(format!("{sign}{digits}").as_bytes());
        }
        self.flags = flags;
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
            Some(_) if depth > 0 => return self.raw("0xc000000000"), // an address: never the same in Go either
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
            self.value(item, verb, depth + 1);
        }
        self.raw("}");
    }
}

/// What `String()` says, for types that have it.
fn method_text(value: &Value) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    match value {
        Value::Int(IntKind::Duration, nanoseconds) => Some(duration(*nanoseconds)),
        Value::Int(IntKind::Month, number) => {
            let name = usize::try_from(number - 1)
                .ok()
                .and_then(|index| MONTHS.get(index));
            Some(name.map_or_else(|| format!("%!Month({number})"), |name| (*name).to_owned()))
        }
        Value::Int(IntKind::Weekday, number) => {
            let name = usize::try_from(*number)
                .ok()
                .and_then(|index| DAYS.get(index));
            Some(name.map_or_else(|| format!("%!Weekday({number})"), |name| (*name).to_owned()))
        }
        Value::Object(object) => object.text(),
        _ => None,
    }
}

/// Go's `time.Duration.String`: `1h2m3.5s`, below a second `1.5ms`, `2µs`, `3ns`.
fn duration(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let fraction = |unit: u64| {
        let whole = total % (unit * 1000) / unit;
        let rest = format!(
            "{:0width$}",
            total % unit,
            width = unit.to_string().len() - 1
        );
        let rest = rest.trim_end_matches('0');
        if unit == 1 || rest.is_empty() {
            whole.to_string()
        } else {
            format!("{whole}.{rest}")
        }
    };
    match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{total}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(1_000_000)),
        _ => {
            let seconds = total / 1_000_000_000;
            let rest = format!("{:09}", total % 1_000_000_000);
            let rest = rest.trim_end_matches('0');
            let point = if rest.is_empty() { "" } else { "." };
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let mut text = sign.to_owned();
            if hours > 0 {
                let _ = write!(text, "{hours}h");
            }
            if hours > 0 || minutes > 0 {
                let _ = write!(text, "{minutes}m");
            }
            let _ = write!(text, "{}{point}{rest}s", seconds % 60);
            text
        }
    }
}

fn rune(number: i64) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

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

/// `%#g` keeps the point and as many zeros as the precision asks for.
fn keep_zeros(text: &str, format: char, precision: Option<usize>) -> String {
    let mark = if matches!(format, 'x' | 'X') {
        ['p', 'P']
    } else {
        ['e', 'E']
    };
    let split = text.find(mark).unwrap_or(text.len());
    let (number, tail) = text.split_at(split);
    let mut number = number.to_owned();
    let shown = number.bytes().filter(u8::is_ascii_digit).count();
    if !number.contains('.') {
        number.push('.');
    }
    if matches!(format, 'g' | 'G') {
        let leading = number
            .trim_start_matches('-')
            .bytes()
            .take_while(|&b| b == b'0' || b == b'.');
        let zeros = leading.filter(|&b| b == b'0').count();
        let wanted = precision.unwrap_or(6);
        let missing = wanted.saturating_sub(if zeros < shown { shown - zeros } else { shown });
        number.push_str(&"0".repeat(missing));
    }
    number + tail
}
