//! What a plain scalar or an explicit tag means.

use super::scalar_number::{parse_float, parse_float_underscored, parse_int, parse_uint};
use super::timestamp::is_timestamp;

/// Which go-yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The one behind `sigs.k8s.io/yaml`: YAML 1.1's booleans.
    V2,
    /// The one behind `toYamlPretty`: `true` and `false` only.
    V3,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// Text that looks like a timestamp.
    Timestamp,
    /// The merge key.
    Merge,
    Str,
}

impl Resolved {
    fn tag(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) => "int",
            Self::Float(_) => "float",
            Self::Timestamp => "timestamp",
            Self::Merge => "merge",
            Self::Str => "str",
        }
    }
}

const PREFIX: &str = "tag:yaml.org,2002:";

/// The name of one of YAML's own tags, `!!int` for `int`.
pub(crate) fn core_tag(tag: &str) -> Option<&str> {
    tag.strip_prefix(PREFIX)
}

/// What a scalar means that has no tag (`None`) or one of YAML's own.
///
/// The error is go-yaml's, without its prefix: a text that its tag does not allow.
pub(crate) fn resolve(tag: Option<&str>, text: &str, dialect: Dialect) -> Result<Resolved, String> {
    let name = match tag {
        None => "",
        Some(tag) => match core_tag(tag) {
            Some(name @ ("bool" | "int" | "float" | "null" | "timestamp")) => name,
            // Text it is, whatever it looks like.
            _ => return Ok(Resolved::Str),
        },
    };
    let found = untagged(text, name.is_empty() || name == "timestamp", dialect);
    match (name, found) {
        ("float", Resolved::Int(value)) => Ok(Resolved::Float(value as f64)),
        (name, found) if name.is_empty() || name == found.tag() => Ok(found),
        (name, found) => Err(format!(
            "cannot decode !!{} `{text}` as a !!{name}",
            found.tag()
        )),
    }
}

fn untagged(text: &str, timestamps: bool, dialect: Dialect) -> Resolved {
    let Some(first) = text.as_bytes().first() else {
        return Resolved::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text, dialect).unwrap_or(Resolved::Str)
        }
        b'.' => word(text, dialect)
            .or_else(|| parse_float_underscored(text).map(Resolved::Float))
            .unwrap_or(Resolved::Str),
        b'0'..=b'9' | b'+' | b'-' => word(text, dialect).unwrap_or_else(|| {
            if timestamps && is_timestamp(text) {
                Resolved::Timestamp
            } else {
                number(text, dialect)
            }
        }),
        _ => Resolved::Str,
    }
}

fn word(text: &str, dialect: Dialect) -> Option<Resolved> {
    Some(match text {
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::V2 => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::V2 => {
            Resolved::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
        "<<" => Resolved::Merge,
        _ => return None,
    })
}

fn number(text: &str, dialect: Dialect) -> Resolved {
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    if let Some(value) = parse_int(plain, 0) {
        return Resolved::Int(value);
    }
    if let Some(value) = parse_uint(plain, 0) {
        return Resolved::Uint(value);
    }
    if let Some(value) = parse_float(plain) {
        return Resolved::Float(value);
    }
    signed_after_prefix(plain, dialect).map_or(Resolved::Str, Resolved::Int)
}

/// go-yaml reads a sign behind a binary or octal prefix, too: `0b-101` is -5.
fn signed_after_prefix(plain: &str, dialect: Dialect) -> Option<i64> {
    if let Some(digits) = plain.strip_prefix("0b") {
        return parse_int(digits, 2);
    }
    let digits = plain
        .strip_prefix("0o")
        .filter(|_| dialect == Dialect::V3)?;
    parse_int(digits, 8)
}

/// Whether YAML 1.1 reads the text as a number in base 60, such as `1:30`. go-yaml never does but quotes them.
pub(crate) fn is_base60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = rest.split(':');
    let head = parts.next().unwrap_or_default().as_bytes();
    if !head.first().is_some_and(u8::is_ascii_digit)
        || !head.iter().all(|b| b.is_ascii_digit() || *b == b'_')
    {
        return false;
    }
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return false;
    }
    while let Some(part) = parts.next() {
        // A fraction may end the last part.
        let part = match part.split_once('.') {
            Some((whole, fraction)) if parts.peek().is_none() => {
                if !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
                    return false;
                }
                whole
            }
            _ => part,
        };
        let valid = match part.as_bytes() {
            [units] => units.is_ascii_digit(),
            [tens, units] => (b'0'..=b'5').contains(tens) && units.is_ascii_digit(),
            _ => false,
        };
        if !valid {
            return false;
        }
    }
    true
}
