//! The format string of printf.

use super::verb::{Flag, Flags, Printer};
use crate::lex::decode;
use crate::value::{IntKind, Value};

/// Widths and precisions beyond this are errors to Go, too.
const TOO_LARGE: i64 = 1_000_000;

/// Go's `fmt.Sprintf`, with its reports of what does not fit: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.
pub fn printf(format: &[u8], args: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(format.len() + 16);
    let mut scan = Scan {
        format,
        at: 0,
        args,
        next: 0,
        reordered: false,
        good_index: true,
    };
    while scan.at < format.len() {
        let text = &format[scan.at..];
        let length = text.iter().position(|&b| b == b'%').unwrap_or(text.len());
        out.extend_from_slice(&text[..length]);
        scan.at += length;
        if scan.at < format.len() {
            scan.at += 1;
            scan.directive(&mut out);
        }
    }
    if !scan.reordered && scan.next < args.len() {
        extra(&mut out, &args[scan.next..]);
    }
    out
}

fn extra(out: &mut Vec<u8>, args: &[Value]) {
    out.extend_from_slice(b"%!(EXTRA ");
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        if !arg.is_nil() {
            out.extend_from_slice(arg.type_name().as_bytes());
            out.push(b'=');
        }
        super::write(out, arg);
    }
    out.push(b')');
}

struct Scan<'a> {
    format: &'a [u8],
    at: usize,
    args: &'a [Value],
    next: usize,
    reordered: bool,
    good_index: bool,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn directive(&mut self, out: &mut Vec<u8>) {
        let mut flags = Flags::default();
        self.good_index = true;
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.add(Flag::Sharp),
                b'0' => flags.add(Flag::Zero),
                b'+' => flags.add(Flag::Plus),
                b'-' => flags.add(Flag::Minus),
                b' ' => flags.add(Flag::Space),
                _ => break,
            }
            self.at += 1;
        }
        let mut indexed = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.star() {
                Some(width) => {
                    if width < 0 {
                        flags.add(Flag::Minus);
                    }
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            flags.width = self.number();
            if indexed && flags.width.is_some() {
                self.good_index = false; // "%[3]2d"
            }
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if indexed {
                self.good_index = false; // "%[3].2d"
            }
            indexed = self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                let star = self.star();
                if star.is_none() {
                    out.extend_from_slice(b"%!(BADPREC)");
                }
                flags.precision = star.and_then(|star| usize::try_from(star).ok());
                indexed = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !indexed {
            self.index();
        }
        self.verb(flags, out);
    }

    fn verb(&mut self, mut flags: Flags, out: &mut Vec<u8>) {
        let Some((verb, width)) = decode(&self.format[self.at..]) else {
            out.extend_from_slice(b"%!(NOVERB)");
            return;
        };
        let shown = &self.format[self.at..self.at + width];
        self.at += width;
        let report = |out: &mut Vec<u8>, what: &[u8]| {
            out.extend_from_slice(b"%!");
            out.extend_from_slice(shown);
            out.extend_from_slice(what);
        };
        if verb == '%' {
            out.push(b'%');
        } else if !self.good_index {
            report(out, b"(BADINDEX)");
        } else if let Some(arg) = self.args.get(self.next) {
            self.next += 1;
            if verb == 'v' {
                flags.rename(Flag::Sharp, Flag::SharpV);
                flags.rename(Flag::Plus, Flag::PlusV);
            }
            let mut printer = Printer::new(out);
            printer.flags = flags;
            printer.arg(arg, verb);
        } else {
            report(out, b"(MISSING)");
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut number: i64 = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.at += 1;
            number = number * 10 + i64::from(digit - b'0');
            if number > TOO_LARGE {
                return None;
            }
        }
        (self.at > start).then_some(number as usize)
    }

    /// The operand of a star, an integer of reasonable size.
    fn star(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        match arg {
            Value::Int(kind, number) if *kind != IntKind::Duration => {
                (-TOO_LARGE..=TOO_LARGE).contains(number).then_some(*number)
            }
            _ => None,
        }
    }

    /// `[n]`, the operand to go on with, from 1. Answers whether there was one.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.at + 1..];
        let Some(length) = rest.iter().position(|&b| b == b']') else {
            self.at += 1;
            self.good_index = false;
            return false;
        };
        self.at += length + 2;
        let index = std::str::from_utf8(&rest[..length])
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok());
        match index {
            Some(index) if (1..=self.args.len()).contains(&index) => {
                self.next = index - 1;
                true
            }
            _ => {
                self.good_index = false;
                false
            }
        }
    }
}
