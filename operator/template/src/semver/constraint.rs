//! Constraints: groups joined by `||`, each a list of comparisons that must all hold.

use std::cmp::Ordering;
use std::fmt;

use super::{MAX_CONSTRAINT_BYTES, MAX_CONSTRAINT_GROUPS, SemverError, Version, is_identifier};

/// What a version is held against: `>=1.2 <2 || ^3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraints {
    groups: Vec<Group>,
    /// Lets pre-releases satisfy every group, not only those that name one themselves (`helm --devel`).
    pub include_prerelease: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    comparisons: Vec<Comparison>,
    names_prerelease: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Plain,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// The spellings of the operators; a longer one stands before its own beginning.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// How much of the version was written: the rest is a wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    Nothing,
    Major,
    Minor,
    All,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    spelling: &'static str,
    text: String,
    version: Version,
    written: Written,
}

impl Constraints {
    /// Reads constraints; `1.2 - 2` is a range, commas and blanks mean "and", `||` means "or".
    ///
    /// # Errors
    /// Carries the group that could not be read, as Helm prints it.
    pub fn parse(text: &str) -> Result<Self, SemverError> {
        if text.len() > MAX_CONSTRAINT_BYTES {
            return Err(SemverError::ConstraintTooLong);
        }
        let text = rewrite_ranges(text);
        if text.split("||").count() > MAX_CONSTRAINT_GROUPS {
            return Err(SemverError::TooManyGroups);
        }
        let groups = text
            .split("||")
            .map(Group::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            groups,
            include_prerelease: false,
        })
    }

    /// Whether the version satisfies one of the groups.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let prereleases = self.include_prerelease || group.names_prerelease;
            (prereleases || version.pre.is_empty())
                && group
                    .comparisons
                    .iter()
                    .all(|comparison| comparison.holds(version))
        })
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, group) in self.groups.iter().enumerate() {
            if i > 0 {
                f.write_str(" || ")?;
            }
            for (j, comparison) in group.comparisons.iter().enumerate() {
                let blank = if j > 0 { " " } else { "" };
                write!(f, "{blank}{}{}", comparison.spelling, comparison.text)?;
            }
        }
        Ok(())
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, SemverError> {
        let improper = || SemverError::Constraint(text.to_owned());
        let mut comparisons = Vec::new();
        let mut rest = trim_start(text);
        loop {
            let (spelling, operator, after) = operator(rest);
            let (pattern, after) = Pattern::take(trim_start(after)).ok_or_else(improper)?;
            comparisons.push((spelling, operator, pattern));
            rest = trim_start(after);
            if rest.is_empty() {
                break;
            }
            if let Some(after_comma) = rest.strip_prefix(',') {
                rest = trim_start(after_comma);
            } else if rest.len() == after.len() {
                return Err(improper());
            }
        }
        let comparisons = comparisons
            .into_iter()
            .map(|(spelling, operator, pattern)| Comparison::new(spelling, operator, &pattern))
            .collect::<Result<Vec<_>, _>>()?;
        let names_prerelease = comparisons.iter().any(|c| !c.version.pre.is_empty());
        Ok(Self {
            comparisons,
            names_prerelease,
        })
    }
}

impl Comparison {
    fn new(
        spelling: &'static str,
        operator: Operator,
        pattern: &Pattern<'_>,
    ) -> Result<Self, SemverError> {
        let wild = |part: &str| matches!(part, "" | "x" | "X" | "*");
        let (written, version) = if wild(pattern.major) {
            (Written::Nothing, format!("0.0.0{}", pattern.pre))
        } else if wild(pattern.minor) {
            (
                Written::Major,
                format!("{}.0.0{}", pattern.major, pattern.pre),
            )
        } else if wild(pattern.patch) {
            (
                Written::Minor,
                format!("{}.{}.0{}", pattern.major, pattern.minor, pattern.pre),
            )
        } else {
            (Written::All, pattern.text.to_owned())
        };
        Ok(Self {
            operator,
            spelling,
            text: pattern.text.to_owned(),
            version: Version::parse(&version).map_err(|_| SemverError::ConstraintVersion)?,
            written,
        })
    }

    fn holds(&self, v: &Version) -> bool {
        let want = &self.version;
        let order = v.precedence(want);
        match self.operator {
            Operator::Plain | Operator::Equal if self.written == Written::All => order.is_eq(),
            Operator::Plain | Operator::Equal | Operator::Tilde => self.tilde(v, order),
            Operator::NotEqual => self.not_equal(v, order),
            Operator::Greater => match self.written {
                Written::All => order.is_gt(),
                Written::Minor => (v.major, v.minor) > (want.major, want.minor),
                // `>*` compares whole versions once the majors agree, as there is nothing else to hold on to.
                Written::Nothing if v.major == want.major => order.is_gt(),
                Written::Major | Written::Nothing => v.major > want.major,
            },
            Operator::Less => order.is_lt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::LessEqual => match self.written {
                Written::All => order.is_le(),
                Written::Major => v.major <= want.major,
                Written::Minor | Written::Nothing => (v.major, v.minor) <= (want.major, want.minor),
            },
            Operator::Caret => self.caret(v, order),
        }
    }

    fn tilde(&self, v: &Version, order: Ordering) -> bool {
        let want = &self.version;
        if order.is_lt() {
            return false;
        }
        let zero = (want.major, want.minor, want.patch) == (0, 0, 0);
        if zero && matches!(self.written, Written::All | Written::Nothing) {
            return true;
        }
        v.major == want.major && (v.minor == want.minor || self.written == Written::Major)
    }

    fn not_equal(&self, v: &Version, order: Ordering) -> bool {
        let want = &self.version;
        if self.written == Written::All {
            return order.is_ne();
        }
        if v.major != want.major {
            return true;
        }
        match self.written {
            Written::Major => false,
            _ if v.minor != want.minor => true,
            Written::Minor => v.pre != want.pre,
            _ => v.patch != want.patch || order.is_ne(),
        }
    }

    fn caret(&self, v: &Version, order: Ordering) -> bool {
        let want = &self.version;
        if order.is_lt() {
            return false;
        }
        if want.major > 0 || self.written == Written::Major {
            return v.major == want.major;
        }
        if v.major > 0 {
            return false;
        }
        if want.minor > 0 || self.written == Written::Minor {
            return v.minor == want.minor;
        }
        v.minor == 0 && v.patch == want.patch
    }
}

/// A version in which parts may be missing or wild, as the constraint's author wrote it.
struct Pattern<'a> {
    text: &'a str,
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    /// With its leading `-`.
    pre: &'a str,
}

impl<'a> Pattern<'a> {
    fn take(text: &'a str) -> Option<(Self, &'a str)> {
        let rest = text.strip_prefix('v').unwrap_or(text);
        let (major, rest) = number_or_wild(rest)?;
        let (minor, rest) = rest
            .strip_prefix('.')
            .and_then(number_or_wild)
            .unwrap_or(("", rest));
        let (patch, rest) = match rest.strip_prefix('.').and_then(number_or_wild) {
            Some(found) if !minor.is_empty() => found,
            _ => ("", rest),
        };
        let (pre, rest) = identifiers(rest, '-');
        let (_, rest) = identifiers(rest, '+');
        let text = &text[..text.len() - rest.len()];
        Some((
            Self {
                text,
                major,
                minor,
                patch,
                pre,
            },
            rest,
        ))
    }
}

fn number_or_wild(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*' | '|')))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// As many identifiers behind `mark` as there are; what does not fit is left to the caller.
fn identifiers(text: &str, mark: char) -> (&str, &str) {
    if !text.starts_with(mark) {
        return ("", text);
    }
    let mut end = 0;
    loop {
        let part = &text[end + 1..];
        let len = part.find(|c| !is_identifier(c)).unwrap_or(part.len());
        if len == 0 {
            break;
        }
        end += 1 + len;
        if !text[end..].starts_with('.') {
            break;
        }
    }
    text.split_at(end)
}

fn operator(text: &str) -> (&'static str, Operator, &str) {
    for (spelling, operator) in OPERATORS {
        if let Some(rest) = text.strip_prefix(spelling) {
            return (spelling, operator, rest);
        }
    }
    ("", Operator::Plain, text)
}

/// Go's `\s`: a vertical tab is no blank here.
fn trim_start(text: &str) -> &str {
    text.trim_start_matches(['\t', '\n', '\x0c', '\r', ' '])
}

/// Turns every `a - b` into two comparisons before anything else is read.
fn rewrite_ranges(text: &str) -> String {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some((lower, upper, end)) = range_at(&text[at..]) {
            found.push((&text[at..at + end], format!(">= {lower}, <= {upper} ")));
            at += end;
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
        .into_iter()
        .fold(text.to_owned(), |all, (range, rewritten)| {
            all.replacen(range, &rewritten, 1)
        })
}

fn range_at(text: &str) -> Option<(&str, &str, usize)> {
    let (lower, rest) = Pattern::take(trim_start(text))?;
    let dash = trim_start(rest);
    let after = dash.strip_prefix('-').filter(|_| dash.len() < rest.len())?;
    let (upper, rest) =
        Pattern::take(trim_start(after)).filter(|_| trim_start(after).len() < after.len())?;
    Some((lower.text, upper.text, text.len() - trim_start(rest).len()))
}
