//! Numbers under their verbs.

use std::fmt::Write;

use super::verb::{Flag, Printer};
use super::{float, quote};
use crate::value::{IntKind, Value};

impl Printer<'_> {
    pub(super) fn int(&mut self, kind: IntKind, number: i64, verb: char, value: &Value) {
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

    pub(super) fn float(&mut self, number: f64, verb: char, value: &Value) {
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
}

fn rune(number: i64) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
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
