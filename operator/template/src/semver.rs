//! Versions and constraints as Helm reads them, which is Masterminds' reading and not that of semver.org alone:
//! `v1.2` is a version, `1.x`, `~1.2`, `^1` and `1.2 - 2` are constraints, and a pre-release satisfies only a
//! group of constraints that names a pre-release itself.
//!
//! ```
//! use belay_template::semver::{Constraints, Version};
//!
//! let version = Version::parse("v1.29.3-gke.1")?;
//! assert_eq!((version.major(), version.minor(), version.prerelease()), (1, 29, "gke.1"));
//!
//! assert!(!Constraints::parse(">=1.20")?.check(&version), "it is a pre-release");
//! assert!(Constraints::parse(">=1.20-0 <2 || 3.x")?.check(&version));
//! assert_eq!(Constraints::parse("new").unwrap_err().to_string(), r#"improper constraint: "new""#);
//! # Ok::<(), belay_template::semver::SemverError>(())
//! ```

mod constraint;

use std::cmp::Ordering;
use std::fmt;

pub use constraint::Constraints;

/// How long a version may be.
pub const MAX_VERSION_BYTES: usize = 256;
/// How long a constraint may be.
pub const MAX_CONSTRAINT_BYTES: usize = 512;
/// How many alternatives, separated by `||`, a constraint may have.
pub const MAX_CONSTRAINT_GROUPS: usize = 32;

/// Why a text is no version or no constraint. The texts are those that Helm prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SemverError {
    /// The text has not the shape of a version.
    #[error("invalid semantic version")]
    Invalid,
    /// Nothing was given where a strict version is needed.
    #[error("version string empty")]
    Empty,
    /// A strict version has something other than digits in a number.
    #[error("invalid characters in version")]
    Characters,
    /// A number starts with a zero where that is not allowed.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// The part after `+` has an empty or foreign identifier.
    #[error("invalid metadata string")]
    Metadata,
    /// The part after `-` has an empty or foreign identifier.
    #[error("invalid prerelease string")]
    Prerelease,
    /// A number does not fit into 64 bits; carries the number as written.
    #[error("error parsing version segment: strconv.ParseUint: parsing {0:?}: value out of range")]
    Segment(String),
    /// The text is no constraint; carries the part that could not be read.
    #[error("improper constraint: {}", crate::fmt::quoted(.0.as_bytes()))]
    Constraint(String),
    /// A version is longer than [`MAX_VERSION_BYTES`].
    #[error("version string is too long (max {MAX_VERSION_BYTES} bytes)")]
    VersionTooLong,
    /// A constraint is longer than [`MAX_CONSTRAINT_BYTES`].
    #[error("constraint string is too long (max {MAX_CONSTRAINT_BYTES} bytes)")]
    ConstraintTooLong,
    /// A constraint has more alternatives than [`MAX_CONSTRAINT_GROUPS`].
    #[error("too many constraint groups (max {MAX_CONSTRAINT_GROUPS})")]
    TooManyGroups,
    /// The constraint has the right shape, but its version cannot be read (`1x.2`).
    #[error("constraint parser error")]
    ConstraintVersion,
}

/// A version: three numbers, a pre-release and metadata, and the text that it was read from. The default is 0.0.0, read
/// from nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    pre: String,
    metadata: String,
    original: String,
}

/// A version text, cut into its parts but not yet judged.
struct Parts<'a> {
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    pre: &'a str,
    metadata: &'a str,
}

impl Version {
    /// Reads a version leniently: a leading `v`, missing minor and patch, and leading zeros are accepted.
    ///
    /// # Errors
    /// When the text has not the shape of a version, a number is too large, or a numeric pre-release identifier
    /// starts with a zero.
    pub fn parse(text: &str) -> Result<Self, SemverError> {
        if text.len() > MAX_VERSION_BYTES {
            return Err(SemverError::VersionTooLong);
        }
        let parts = split(text).ok_or(SemverError::Invalid)?;
        let version = Self {
            major: number(parts.major)?,
            minor: parts.minor.map_or(Ok(0), number)?,
            patch: parts.patch.map_or(Ok(0), number)?,
            pre: parts.pre.to_owned(),
            metadata: parts.metadata.to_owned(),
            original: text.to_owned(),
        };
        if !version.pre.is_empty() {
            check_prerelease(&version.pre)?;
        }
        Ok(version)
    }

    /// Reads a version as semver.org defines it: three numbers, no leading `v`, no leading zeros.
    ///
    /// # Errors
    /// Names the first rule that the text breaks.
    pub fn parse_strict(text: &str) -> Result<Self, SemverError> {
        if text.is_empty() {
            return Err(SemverError::Empty);
        }
        if text.len() > MAX_VERSION_BYTES {
            return Err(SemverError::VersionTooLong);
        }
        let mut fields = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(SemverError::Invalid);
        };
        let (rest, metadata) = rest
            .split_once('+')
            .map_or((rest, None), |(r, m)| (r, Some(m)));
        if let Some(metadata) = metadata {
            check_metadata(metadata)?;
        }
        let (patch, pre) = rest
            .split_once('-')
            .map_or((rest, None), |(p, pre)| (p, Some(pre)));
        if let Some(pre) = pre {
            check_prerelease(pre)?;
        }
        for segment in [major, minor, patch] {
            if !segment.bytes().all(|b| b.is_ascii_digit()) {
                return Err(SemverError::Characters);
            }
            if segment.len() > 1 && segment.starts_with('0') {
                return Err(SemverError::LeadingZero);
            }
        }
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            pre: pre.unwrap_or_default().to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number, 0 when it was not written.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number, 0 when it was not written.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// The part after `-`, empty for a release.
    pub fn prerelease(&self) -> &str {
        &self.pre
    }

    /// The part after `+`.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text that the version was read from, `v` included.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Which of two versions comes first. Metadata does not count, a pre-release comes before its release.
    pub fn precedence(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prerelease(&self.pre, &other.pre),
            })
    }

    /// The next major version.
    #[must_use]
    pub fn inc_major(&self) -> Self {
        self.release(self.major.wrapping_add(1), 0, 0)
    }

    /// The next minor version.
    #[must_use]
    pub fn inc_minor(&self) -> Self {
        self.release(self.major, self.minor.wrapping_add(1), 0)
    }

    /// The next patch version; of a pre-release that is its release.
    #[must_use]
    pub fn inc_patch(&self) -> Self {
        let step = u64::from(self.pre.is_empty());
        self.release(self.major, self.minor, self.patch.wrapping_add(step))
    }

    /// The same version with another pre-release.
    ///
    /// # Errors
    /// When an identifier is empty, foreign, or a number with a leading zero.
    pub fn with_prerelease(&self, pre: &str) -> Result<Self, SemverError> {
        if !pre.is_empty() {
            check_prerelease(pre)?;
        }
        Ok(self.renamed(Self {
            pre: pre.to_owned(),
            ..self.clone()
        }))
    }

    /// The same version with other metadata.
    ///
    /// # Errors
    /// When an identifier is empty or foreign.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, SemverError> {
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        Ok(self.renamed(Self {
            metadata: metadata.to_owned(),
            ..self.clone()
        }))
    }

    fn release(&self, major: u64, minor: u64, patch: u64) -> Self {
        self.renamed(Self {
            major,
            minor,
            patch,
            pre: String::new(),
            metadata: String::new(),
            original: String::new(),
        })
    }

    /// A derived version is "read from" its own text, behind the `v` that the original had.
    fn renamed(&self, mut next: Self) -> Self {
        let v = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        next.original = format!("{v}{next}");
        next
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn number(digits: &str) -> Result<u64, SemverError> {
    if digits.is_empty() {
        return Err(SemverError::Invalid);
    }
    digits
        .parse()
        .map_err(|_| SemverError::Segment(digits.to_owned()))
}

fn split(text: &str) -> Option<Parts<'_>> {
    let rest = text.strip_prefix('v').unwrap_or(text);
    let (major, rest) = digits(rest)?;
    let (minor, rest) = dotted(rest);
    let (patch, rest) = if minor.is_some() {
        dotted(rest)
    } else {
        (None, rest)
    };
    let (pre, rest) = suffix(rest, '-')?;
    let (metadata, rest) = suffix(rest, '+')?;
    rest.is_empty().then_some(Parts {
        major,
        minor,
        patch,
        pre,
        metadata,
    })
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn dotted(text: &str) -> (Option<&str>, &str) {
    match text.strip_prefix('.').and_then(digits) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, text),
    }
}

/// Identifiers behind `mark`, joined by dots; none of them may be empty.
fn suffix(text: &str, mark: char) -> Option<(&str, &str)> {
    let Some(rest) = text.strip_prefix(mark) else {
        return Some(("", text));
    };
    let end = rest
        .find(|c| !(is_identifier(c) || c == '.'))
        .unwrap_or(rest.len());
    let (found, rest) = rest.split_at(end);
    found
        .split('.')
        .all(|part| !part.is_empty())
        .then_some((found, rest))
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

fn check_prerelease(text: &str) -> Result<(), SemverError> {
    for part in text.split('.') {
        if part.is_empty() || !part.chars().all(is_identifier) {
            return Err(SemverError::Prerelease);
        }
        if part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SemverError::LeadingZero);
        }
    }
    Ok(())
}

fn check_metadata(text: &str) -> Result<(), SemverError> {
    if text
        .split('.')
        .any(|part| part.is_empty() || !part.chars().all(is_identifier))
    {
        return Err(SemverError::Metadata);
    }
    Ok(())
}

/// Identifier by identifier: numbers by value and before words, words by their bytes, fewer before more.
fn compare_prerelease(left: &str, right: &str) -> Ordering {
    let mut right_parts = right.split('.');
    for part in left.split('.') {
        let Some(other) = right_parts.next() else {
            return Ordering::Greater;
        };
        let order = match (part.parse::<u64>(), other.parse::<u64>()) {
            _ if part == other => Ordering::Equal,
            // `01` and `1` differ as texts but not as numbers; the original then calls the left one smaller.
            (Ok(a), Ok(b)) => a.cmp(&b).then(Ordering::Less),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => part.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    if right_parts.next().is_some() {
        Ordering::Less
    } else {
        Ordering::Equal
    }
}

#[cfg(test)]
mod tests;
