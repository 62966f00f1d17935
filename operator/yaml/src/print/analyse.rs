//! Which styles a text may be printed in.

use crate::read::Dialect;

/// What libyaml's emitter finds out about a scalar before it prints it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    pub multiline: bool,
    /// The least quoting that the text needs outside of a block.
    pub quoting: Quoting,
    /// Whether it may be a literal block.
    pub block_allowed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quoting {
    Plain,
    Single,
    Double,
}

pub(super) fn analyse(text: &str, dialect: Dialect) -> Analysis {
    let value = text.as_bytes();
    if value.is_empty() {
        return Analysis {
            multiline: false,
            quoting: Quoting::Plain,
            block_allowed: false,
        };
    }
    if value.iter().all(u8::is_ascii_alphanumeric) {
        return Analysis {
            multiline: false,
            quoting: Quoting::Plain,
            block_allowed: true,
        };
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let mut special = false;
    let mut tabs = false;
    let mut breaks = false;
    let mut edge = false;
    let mut trailing_space = false;
    let mut break_then_space = false;
    let mut space_then_break = false;
    let mut after_blank = true;
    let mut after_space = false;
    let mut after_break = false;
    for (index, c) in text.char_indices() {
        let end = index + c.len_utf8();
        let last = end == value.len();
        let before_blank = last || matches!(value[end], b' ' | b'\t');
        indicators |= match c {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`' => index == 0,
            '#' => after_blank,
            ':' => before_blank,
            '?' | '-' => index == 0 && before_blank,
            _ => false,
        };
        if c == '\t' && dialect == Dialect::V3 {
            tabs = true;
        } else {
            special |= !is_printable(c);
        }
        if c == ' ' {
            edge |= index == 0 || last;
            trailing_space |= last;
            break_then_space |= after_break;
        } else if is_break(c) {
            breaks = true;
            edge |= index == 0 || last;
            space_then_break |= after_space;
        }
        after_space = c == ' ';
        after_break = is_break(c);
        after_blank = c == ' ' || c == '\t' || after_break || c == '\0';
    }
    let unquotable = break_then_space || space_then_break || special;
    let quoting = if unquotable || tabs {
        Quoting::Double
    } else if edge || breaks || indicators {
        Quoting::Single
    } else {
        Quoting::Plain
    };
    Analysis {
        multiline: breaks,
        quoting,
        block_allowed: !(trailing_space || space_then_break || special),
    }
}

/// What libyaml prints unescaped. Characters outside of the basic plane are not among them.
pub(super) fn is_printable(c: char) -> bool {
    matches!(
        c,
        '\n' | '\x20'..='\x7e' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
    )
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
