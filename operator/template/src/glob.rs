//! The patterns of `.Files.Glob`: `*` and `?` stop at slashes, `**` does not; `[a-z]`, `[!abc]`, `{one,two}`.

use crate::lex::decode;

/// A pattern, taken apart.
pub(crate) struct Glob(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Some,
    /// `**`
    Any,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Either(Vec<Vec<Part>>),
}

impl Glob {
    /// A pattern that cannot be read matches everything, as in Helm.
    pub fn new(pattern: &[u8]) -> Self {
        let text = String::from_utf8_lossy(pattern);
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Reader {
            chars: &chars,
            at: 0,
        };
        match reader.sequence(0) {
            Some(parts) if reader.at == chars.len() => Self(parts),
            _ => Self(vec![Part::Any]),
        }
    }

    pub fn matches(&self, name: &[u8]) -> bool {
        let parts: Vec<&Part> = self.0.iter().collect();
        matches(&parts, name)
    }
}

struct Reader<'c> {
    chars: &'c [char],
    at: usize,
}

/// Alternatives within each other.
const MAX_DEPTH: usize = 20;

impl Reader<'_> {
    fn sequence(&mut self, depth: usize) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        while let Some(&c) = self.chars.get(self.at) {
            if depth > 0 && matches!(c, ',' | '}') {
                break;
            }
            self.at += 1;
            parts.push(match c {
                '*' if self.chars.get(self.at) == Some(&'*') => {
                    self.at += 1;
                    Part::Any
                }
                '*' => Part::Some,
                '?' => Part::One,
                '[' => self.class()?,
                '{' if depth < MAX_DEPTH => self.either(depth)?,
                '{' => return None,
                '\\' => {
                    let &escaped = self.chars.get(self.at)?;
                    self.at += 1;
                    Part::Char(escaped)
                }
                c => Part::Char(c),
            });
        }
        Some(parts)
    }

    fn either(&mut self, depth: usize) -> Option<Part> {
        let mut choices = Vec::new();
        loop {
            choices.push(self.sequence(depth + 1)?);
            let &end = self.chars.get(self.at)?;
            self.at += 1;
            if end == '}' {
                return Some(Part::Either(choices));
            }
        }
    }

    fn class(&mut self) -> Option<Part> {
        let negated = self.chars.get(self.at) == Some(&'!');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let &low = self.chars.get(self.at)?;
            self.at += 1;
            if low == ']' {
                return (!ranges.is_empty()).then_some(Part::Class { negated, ranges });
            }
            let high = match (self.chars.get(self.at), self.chars.get(self.at + 1)) {
                (Some('-'), Some(&high)) if high != ']' => {
                    self.at += 2;
                    high
                }
                _ => low,
            };
            ranges.push((low, high));
        }
    }
}

fn matches(parts: &[&Part], name: &[u8]) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return name.is_empty();
    };
    let next = decode(name);
    match first {
        Part::Any | Part::Some => {
            let mut at = 0;
            loop {
                if matches(rest, &name[at..]) {
                    return true;
                }
                match decode(&name[at..]) {
                    Some((c, width)) if matches!(first, Part::Any) || c != '/' => at += width,
                    _ => return false,
                }
            }
        }
        Part::Either(choices) => choices.iter().any(|choice| {
            let mut whole: Vec<&Part> = choice.iter().collect();
            whole.extend_from_slice(rest);
            matches(&whole, name)
        }),
        single => next.is_some_and(|(c, width)| {
            let fits = match single {
                Part::Char(wanted) => c == *wanted,
                Part::One => c != '/',
                Part::Class { negated, ranges } => {
                    ranges.iter().any(|(low, high)| (low..=high).contains(&&c)) != *negated
                }
                _ => false,
            };
            fits && matches(rest, &name[width..])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_stars_stop_at_slashes() {
        for (pattern, name, fits) in [
            ("config/*", "config/a.yaml", true),
            ("config/*", "config/sub/a.yaml", false),
            ("config/**", "config/sub/a.yaml", true),
            ("**.yaml", "a/b/c.yaml", true),
            ("*.yaml", "a/b.yaml", false),
            ("{a,b}/*.conf", "b/x.conf", true),
            ("{a,b}/*.conf", "c/x.conf", false),
            ("file[0-9].txt", "file7.txt", true),
            ("file[!0-9].txt", "file7.txt", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a\\*", "a*", true),
        ] {
            assert_eq!(
                Glob::new(pattern.as_bytes()).matches(name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn a_broken_pattern_matches_everything() {
        assert!(Glob::new(b"[a").matches(b"x/y"));
    }
}
