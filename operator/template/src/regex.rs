//! Go's regular expressions on the regex crate.
//!
//! The two agree on what a match is (leftmost, first alternative) but not on what a pattern means, so patterns are
//! read by Go's grammar and printed anew ([`translate`]). Go matches bytes that are no UTF-8 as U+FFFD; texts that
//! have such bytes are searched in a repaired copy whose positions are mapped back.
//!
//! ```
//! use belay_template::regex::Regex;
//!
//! let version = Regex::compile(br"(?P<major>\d+)\.(\d+)")?;
//! assert!(version.is_match(b"v1.29"));
//! assert_eq!(version.replace_all(b"1.29 2.0", b"${major}-$2"), b"1-29 2-0");
//! assert_eq!(version.find_all(b"1.29 2.0", -1).len(), 2);
//!
//! // Errors have Go's words.
//! let error = Regex::compile(b"a(b").unwrap_err();
//! assert_eq!(error.to_string(), "error parsing regexp: missing closing ): `a(b`");
//! # Ok::<(), belay_template::regex::RegexError>(())
//! ```

mod translate;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

pub use translate::RegexError;

/// Compiled patterns kept by a thread; when one more comes the whole store is emptied.
const CACHED: usize = 256;

/// A compiled pattern of Go's syntax.
#[derive(Debug)]
pub struct Regex {
    inner: regex::Regex,
    /// The name of each group, the whole match first; empty for groups without one.
    names: Vec<String>,
    empty: bool,
}

thread_local! {
    static CACHE: RefCell<HashMap<Vec<u8>, Rc<Regex>>> = RefCell::default();
}

impl Regex {
    /// Compiles a pattern, or returns the one that this thread compiled before.
    ///
    /// # Errors
    /// Go's text about the part of the pattern that is wrong.
    pub fn compile(pattern: &[u8]) -> Result<Rc<Self>, RegexError> {
        if let Some(known) = CACHE.with_borrow(|cache| cache.get(pattern).cloned()) {
            return Ok(known);
        }
        let translated = translate::translate(pattern)?;
        let inner = regex::Regex::new(&translated.pattern)
            .map_err(|_| RegexError::too_large(&String::from_utf8_lossy(pattern)))?;
        let compiled = Rc::new(Self {
            inner,
            names: translated.names,
            empty: pattern.is_empty(),
        });
        CACHE.with_borrow_mut(|cache| {
            if cache.len() >= CACHED {
                cache.clear();
            }
            cache.insert(pattern.to_owned(), Rc::clone(&compiled));
        });
        Ok(compiled)
    }

    /// Whether the pattern occurs anywhere.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.inner.is_match(&Haystack::new(text).text)
    }

    /// Where the first match is, in bytes.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let haystack = Haystack::new(text);
        self.inner
            .find(&haystack.text)
            .map(|found| haystack.original(found.range()))
    }

    /// The first `limit` matches (all when negative).
    pub fn find_all(&self, text: &[u8], limit: i64) -> Vec<Range<usize>> {
        let haystack = Haystack::new(text);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let found = self.inner.find_iter(&haystack.text).take(limit);
        found
            .map(|found| haystack.original(found.range()))
            .collect()
    }

    /// Replaces every match by `template`, in which `$1`, `$name` and `${name}` stand for groups.
    pub fn replace_all(&self, text: &[u8], template: &[u8]) -> Vec<u8> {
        let haystack = Haystack::new(text);
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for groups in self.inner.captures_iter(&haystack.text) {
            let Some(whole) = groups.get(0) else { continue };
            let whole = haystack.original(whole.range());
            out.extend_from_slice(&text[at..whole.start]);
            self.expand(template, &mut out, |group| {
                groups
                    .get(group)
                    .map(|found| &text[haystack.original(found.range())])
            });
            at = whole.end;
        }
        out.extend_from_slice(&text[at..]);
        out
    }

    /// Replaces every match by `replacement` as it stands.
    pub fn replace_all_literal(&self, text: &[u8], replacement: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for found in self.find_all(text, -1) {
            out.extend_from_slice(&text[at..found.start]);
            out.extend_from_slice(replacement);
            at = found.end;
        }
        out.extend_from_slice(&text[at..]);
        out
    }

    /// What stands between the matches, at most `limit` parts (all when negative, none when 0).
    pub fn split<'t>(&self, text: &'t [u8], limit: i64) -> Vec<&'t [u8]> {
        if limit == 0 {
            return Vec::new();
        }
        if !self.empty && text.is_empty() {
            return vec![text];
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut parts = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for found in self.find_all(text, limit) {
            if parts.len() + 1 == most {
                break;
            }
            end = found.start;
            if found.end != 0 {
                parts.push(&text[begin..end]);
            }
            begin = found.end;
        }
        if end != text.len() {
            parts.push(&text[begin..]);
        }
        parts
    }

    fn expand<'t>(
        &self,
        template: &[u8],
        out: &mut Vec<u8>,
        group: impl Fn(usize) -> Option<&'t [u8]>,
    ) {
        let mut rest = template;
        while let Some(dollar) = rest.iter().position(|&b| b == b'$') {
            out.extend_from_slice(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix(b"$") {
                out.push(b'$');
                rest = after;
                continue;
            }
            let Some((name, after)) = reference(rest) else {
                out.push(b'$');
                continue;
            };
            rest = after;
            let found = match group_number(name) {
                Some(number) => group(number),
                None => (0..self.names.len())
                    .filter(|&i| self.names[i] == name)
                    .find_map(&group),
            };
            out.extend_from_slice(found.unwrap_or_default());
        }
        out.extend_from_slice(rest);
    }
}

/// Escapes everything that has a meaning in a pattern.
pub fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// A group's name behind `$`: in braces, or the longest run of letters, digits and underscores.
fn reference(text: &[u8]) -> Option<(&str, &[u8])> {
    let (body, braces) = match text.strip_prefix(b"{") {
        Some(body) => (body, true),
        None => (text, false),
    };
    let end = body.utf8_chunks().next().map_or(0, |chunk| {
        let valid = chunk.valid();
        valid
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(valid.len())
    });
    let name = std::str::from_utf8(&body[..end])
        .ok()
        .filter(|name| !name.is_empty())?;
    let rest = if braces {
        body[end..].strip_prefix(b"}")?
    } else {
        &body[end..]
    };
    Some((name, rest))
}

/// A name that is a plain number counts groups; `01` and numbers beyond all reason are names.
fn group_number(name: &str) -> Option<usize> {
    let plain =
        name.bytes().all(|b| b.is_ascii_digit()) && !(name.len() > 1 && name.starts_with('0'));
    plain.then(|| name.parse().ok()).flatten()
}

/// A text in valid UTF-8, and the way back to the positions of the original.
struct Haystack<'t> {
    text: Cow<'t, str>,
    /// For each repaired byte: its end in the repaired text; there each stands as three bytes instead of one.
    repaired: Vec<usize>,
}

impl<'t> Haystack<'t> {
    fn new(bytes: &'t [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Self {
                text: Cow::Borrowed(text),
                repaired: Vec::new(),
            };
        }
        let mut text = String::with_capacity(bytes.len());
        let mut repaired = Vec::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                text.push(char::REPLACEMENT_CHARACTER);
                repaired.push(text.len());
            }
        }
        Self {
            text: Cow::Owned(text),
            repaired,
        }
    }

    fn original(&self, range: Range<usize>) -> Range<usize> {
        if self.repaired.is_empty() {
            return range;
        }
        let back = |at: usize| at - 2 * self.repaired.partition_point(|&end| end <= at);
        back(range.start)..back(range.end)
    }
}

#[cfg(test)]
mod tests;
