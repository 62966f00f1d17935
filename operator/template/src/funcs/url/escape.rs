//! Percent-encoding by the rules of Go's `net/url`, which differ by the part of the URL.

use crate::fmt::quoted;

/// A part of a URL with rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

impl Part {
    /// Whether the byte stands for itself.
    pub(super) fn allows(self, byte: u8) -> bool {
        match byte {
            b'-' | b'_' | b'.' | b'~' => true,
            _ if byte.is_ascii_alphanumeric() => true,
            b'!' | b'\'' | b'(' | b')' | b'*' => {
                matches!(self, Self::Host | Self::Zone | Self::Fragment)
                    && (self != Self::Fragment || byte != b'\'')
            }
            b'$' | b'&' | b'+' | b',' | b';' | b'=' => true,
            b':' => self != Self::User,
            b'/' | b'@' => matches!(self, Self::Path | Self::Fragment),
            b'?' => self == Self::Fragment,
            b'[' | b']' | b'<' | b'>' | b'"' => matches!(self, Self::Host | Self::Zone),
            _ => false,
        }
    }
}

pub(super) fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if part.allows(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

/// The decoded text, or Go's words about what is wrong in it.
pub(super) fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        if *byte == b'%' {
            let bad = |escape: &[u8]| Err(format!("invalid URL escape {}", quoted(escape)));
            let hex = |at: usize| after.get(at).and_then(|&b| char::from(b).to_digit(16));
            let (Some(high), Some(low)) = (hex(0), hex(1)) else {
                return bad(&rest[..rest.len().min(3)]);
            };
            let decoded = (high * 16 + low) as u8;
            let percent = &rest[..3] == b"%25";
            // A host may encode only what is not ASCII; a zone what a host could hold as it is, and blanks.
            let refused = match part {
                Part::Host => high < 8 && !percent,
                Part::Zone => !percent && decoded != b' ' && !Part::Host.allows(decoded),
                _ => false,
            };
            if refused {
                return bad(&rest[..3]);
            }
            out.push(decoded);
            rest = &after[2..];
            continue;
        }
        if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && !part.allows(*byte) {
            return Err(format!(
                "invalid character {} in host name",
                quoted(&[*byte])
            ));
        }
        out.push(*byte);
        rest = after;
    }
    Ok(out)
}
