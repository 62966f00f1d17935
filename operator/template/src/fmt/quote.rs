//! Go's quoted strings.

use std::fmt::Write;

use crate::lex::decode;

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    // Behind a letter, Rust escapes only what cannot be printed, not marks too.
    let text: String = ['a', c].iter().collect();
    text.escape_debug().nth(1) == Some(c)
}

/// The bytes in double quotes as Go's `%q` prints them.
pub fn quoted(bytes: &[u8]) -> String {
    quote(bytes, '"', false)
}

/// The bytes between `mark`s, with all but printable characters escaped; with `ascii` also those beyond ASCII.
pub(super) fn quote(mut bytes: &[u8], mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push(mark);
    while let Some((c, width)) = decode(bytes) {
        if c == char::REPLACEMENT_CHARACTER && width == 1 {
            let _ = write!(out, "\\x{:02x}", bytes[0]);
        } else {
            escape(&mut out, c, mark, ascii);
        }
        bytes = &bytes[width..];
    }
    out.push(mark);
    out
}

fn escape(out: &mut String, c: char, mark: char, ascii: bool) {
    let code = u32::from(c);
    let _ = match c {
        '\\' => out.write_str("\\\\"),
        _ if c == mark => write!(out, "\\{c}"),
        _ if (code < 0x80 || !ascii) && is_print(c) => out.write_char(c),
        '\x07' => out.write_str("\\a"),
        '\x08' => out.write_str("\\b"),
        '\x0c' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\x0b' => out.write_str("\\v"),
        _ if code < 0x20 || code == 0x7f => write!(out, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}
