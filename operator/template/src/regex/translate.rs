//! Reads a pattern by Go's grammar and prints it so that the regex crate means the same.

mod escape;

use std::fmt::Write as _;

use escape::{class_char, escape, is_posix, perl_class, unicode_class};

/// What Go says about a pattern that it cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {reason}: `{part}`")]
pub struct RegexError {
    /// What is wrong.
    reason: &'static str,
    /// The part of the pattern that is wrong.
    part: String,
}

impl RegexError {
    fn new(reason: &'static str, part: &str) -> Self {
        Self {
            reason,
            part: part.to_owned(),
        }
    }

    pub(super) fn too_large(pattern: &str) -> Self {
        Self::new("expression too large", pattern)
    }
}

pub(super) struct Translated {
    pub(super) pattern: String,
    pub(super) names: Vec<String>,
}

const MAX_REPEAT: i64 = 1000;
/// Go's limit on groups within groups.
const MAX_DEPTH: usize = 1000;

const BAD_CLASS: &str = "invalid character class range";
const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_REPEAT: &str = "invalid repeat count";
const BAD_CAPTURE: &str = "invalid named capture";
const NO_ARGUMENT: &str = "missing argument to repetition operator";

pub(super) fn translate(pattern: &[u8]) -> Result<Translated, RegexError> {
    let pattern = std::str::from_utf8(pattern)
        .map_err(|_| RegexError::new("invalid UTF-8", &String::from_utf8_lossy(pattern)))?;
    let mut parser = Parser {
        whole: pattern,
        out: String::with_capacity(pattern.len() + 16),
        names: vec![String::new()],
        groups: Vec::new(),
        repeatable: None,
    };
    parser.run()?;
    Ok(Translated {
        pattern: parser.out,
        names: parser.names,
    })
}

/// A group that is open.
struct Group {
    /// The largest repetition of what was read in it so far.
    repeat: i64,
}

struct Parser<'a> {
    whole: &'a str,
    out: String,
    names: Vec<String>,
    groups: Vec<Group>,
    /// The nested repetitions of the last thing read; none when nothing stands there that could be repeated.
    repeatable: Option<i64>,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), RegexError> {
        let mut rest = self.whole;
        // Where the last repetition operator began, while nothing else follows it.
        let mut last: Option<&'a str> = None;
        while let Some(c) = rest.chars().next() {
            let before = rest;
            let mut repeated = None;
            let after = &rest[c.len_utf8()..];
            rest = match c {
                '(' if after.starts_with('?') => self.flags(rest)?,
                '(' => {
                    self.open("(", Some(String::new()))?;
                    after
                }
                '|' => {
                    self.out.push('|');
                    self.repeatable = None;
                    after
                }
                ')' => {
                    let Some(group) = self.groups.pop() else {
                        return Err(RegexError::new("unexpected )", self.whole));
                    };
                    self.out.push(')');
                    self.repeatable = Some(group.repeat);
                    after
                }
                '^' | '$' | '.' => {
                    self.atom(c);
                    after
                }
                '[' => self.class(rest)?,
                '*' | '+' | '?' => {
                    repeated = Some(before);
                    let text = c.to_string();
                    self.repeat(&text, 1, before, after, last)?
                }
                '{' => match counts(rest) {
                    None => {
                        self.literal('{');
                        after
                    }
                    Some((min, max, after)) => {
                        let whole = &before[..before.len() - after.len()];
                        let too_large = min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT);
                        if too_large || max.is_some_and(|max| min > max) {
                            return Err(RegexError::new(BAD_REPEAT, whole));
                        }
                        repeated = Some(before);
                        let times = max.unwrap_or(min).max(min);
                        self.repeat(whole, times, before, after, last)?
                    }
                },
                '\\' => self.escaped(rest)?,
                _ => {
                    self.literal(c);
                    after
                }
            };
            last = repeated;
        }
        if self.groups.is_empty() {
            Ok(())
        } else {
            Err(RegexError::new("missing closing )", self.whole))
        }
    }

    fn atom(&mut self, c: char) {
        self.out.push(c);
        self.seen(1);
    }

    fn literal(&mut self, c: char) {
        push_literal(&mut self.out, c);
        self.seen(1);
    }

    /// Notes that something stands here that may be repeated.
    fn seen(&mut self, repeat: i64) {
        self.repeatable = Some(repeat);
        if let Some(group) = self.groups.last_mut() {
            group.repeat = group.repeat.max(repeat);
        }
    }

    fn open(&mut self, text: &str, name: Option<String>) -> Result<(), RegexError> {
        if self.groups.len() >= MAX_DEPTH {
            return Err(RegexError::new("expression nests too deeply", self.whole));
        }
        self.out.push_str(text);
        self.names.extend(name);
        self.groups.push(Group { repeat: 1 });
        self.repeatable = None;
        Ok(())
    }

    fn repeat(
        &mut self,
        text: &str,
        times: i64,
        before: &str,
        after: &'a str,
        last: Option<&str>,
    ) -> Result<&'a str, RegexError> {
        let lazy = after.strip_prefix('?');
        let rest = lazy.unwrap_or(after);
        if let Some(last) = last {
            let part = &last[..last.len() - rest.len()];
            return Err(RegexError::new("invalid nested repetition operator", part));
        }
        let part = &before[..before.len() - rest.len()];
        let Some(nested) = self.repeatable else {
            return Err(RegexError::new(NO_ARGUMENT, part));
        };
        let times = nested * times.max(1);
        if times > MAX_REPEAT {
            return Err(RegexError::new(BAD_REPEAT, part));
        }
        self.out.push_str(text);
        if lazy.is_some() {
            self.out.push('?');
        }
        self.seen(times);
        Ok(rest)
    }

    /// `(?…`: a named group, a group without capture, or a change of flags.
    fn flags(&mut self, text: &'a str) -> Result<&'a str, RegexError> {
        let named = text
            .strip_prefix("(?P<")
            .or_else(|| text.strip_prefix("(?<"));
        if let Some(rest) = named {
            let Some(end) = rest.find('>') else {
                return Err(RegexError::new(BAD_CAPTURE, text));
            };
            let (name, after) = (&rest[..end], &rest[end + 1..]);
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(RegexError::new(
                    BAD_CAPTURE,
                    &text[..text.len() - after.len()],
                ));
            }
            self.open("(", Some(name.to_owned()))?;
            return Ok(after);
        }
        let (mut negated, mut sign_needs_flag) = (false, false);
        let flags = &text[2..];
        for (i, c) in flags.char_indices() {
            match c {
                'i' | 'm' | 's' | 'U' => sign_needs_flag = false,
                '-' if !negated => (negated, sign_needs_flag) = (true, true),
                ':' | ')' if !sign_needs_flag => {
                    let rest = &flags[i + 1..];
                    if c == ':' {
                        self.open(&text[..i + 3], None)?;
                    } else if i > 0 {
                        self.out.push_str(&text[..i + 3]);
                    }
                    return Ok(rest);
                }
                _ => {
                    let end = 2 + i + c.len_utf8();
                    return Err(unsupported(&text[..end]));
                }
            }
        }
        Err(unsupported(text))
    }

    /// What a backslash introduces outside of a class.
    fn escaped(&mut self, text: &'a str) -> Result<&'a str, RegexError> {
        let mut chars = text[1..].chars();
        match chars.next() {
            Some(c @ ('A' | 'b' | 'B' | 'z')) => {
                self.out.push_str(match c {
                    'A' => r"\A",
                    'b' => r"(?-u:\b)",
                    'B' => r"(?-u:\B)",
                    _ => r"\z",
                });
                self.seen(1);
                Ok(chars.as_str())
            }
            Some('C') => Err(RegexError::new(BAD_ESCAPE, &text[..2])),
            Some('Q') => {
                let (literal, rest) = chars
                    .as_str()
                    .split_once("\\E")
                    .unwrap_or((chars.as_str(), ""));
                literal.chars().for_each(|c| self.literal(c));
                Ok(rest)
            }
            _ => {
                if let Some((class, rest)) = unicode_class(text)? {
                    self.out.push_str(&class);
                    self.seen(1);
                    return Ok(rest);
                }
                if let Some((class, rest)) = perl_class(text) {
                    self.out.push_str(class);
                    self.seen(1);
                    return Ok(rest);
                }
                let (c, rest) = escape(text)?;
                self.literal(c);
                Ok(rest)
            }
        }
    }

    fn class(&mut self, text: &'a str) -> Result<&'a str, RegexError> {
        let mut rest = &text[1..];
        let mut out = String::from("[");
        if let Some(after) = rest.strip_prefix('^') {
            out.push('^');
            rest = after;
        }
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if rest.starts_with("[:")
                && let Some(end) = rest[2..].find(":]")
            {
                let name = &rest[..end + 4];
                if !is_posix(&rest[2..end + 2]) {
                    return Err(RegexError::new(BAD_CLASS, name));
                }
                out.push_str(name);
                rest = &rest[end + 4..];
                continue;
            }
            if let Some((class, after)) = unicode_class(rest)? {
                out.push_str(&class);
                rest = after;
                continue;
            }
            if let Some((class, after)) = perl_class(rest) {
                out.push_str(class);
                rest = after;
                continue;
            }
            let range = rest;
            let (low, after) = class_char(rest, text)?;
            rest = after;
            push_literal(&mut out, low);
            if rest.starts_with('-') && rest.len() > 1 && !rest[1..].starts_with(']') {
                let (high, after) = class_char(&rest[1..], text)?;
                rest = after;
                if high < low {
                    return Err(RegexError::new(
                        BAD_CLASS,
                        &range[..range.len() - rest.len()],
                    ));
                }
                out.push('-');
                push_literal(&mut out, high);
            }
        }
        out.push(']');
        self.out.push_str(&out);
        self.seen(1);
        Ok(&rest[1..])
    }
}

fn unsupported(part: &str) -> RegexError {
    RegexError::new("invalid or unsupported Perl syntax", part)
}

/// A character that means itself, whatever the regex crate would read into it.
fn push_literal(out: &mut String, c: char) {
    if c.is_alphanumeric() || c == '_' {
        out.push(c);
    } else {
        // Writing into a String cannot fail.
        let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
    }
}

/// `{n}`, `{n,}` or `{n,m}`; anything else is a plain brace.
fn counts(text: &str) -> Option<(i64, Option<i64>, &str)> {
    let (min, rest) = count(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(open) if open.starts_with('}') => (None, open),
        Some(bounded) => {
            let (max, rest) = count(bounded)?;
            (Some(max), rest)
        }
    };
    Some((min, max, rest.strip_prefix('}')?))
}

fn count(text: &str) -> Option<(i64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(i64::MAX), rest))
}
