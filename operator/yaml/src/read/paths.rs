//! Which part of a document is wanted.

use crate::Value;

/// Paths of keys that lead to what is wanted.
#[derive(Debug, Clone)]
pub(super) struct Paths<'p>(Vec<&'p [&'p str]>);

impl<'p> Paths<'p> {
    pub(super) fn new(paths: &[&'p [&'p str]]) -> Self {
        Self(paths.to_vec())
    }

    /// Whether nothing is wanted.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is wanted of the value under the topmost key.
    pub(super) fn begins_with(&self, key: &str) -> bool {
        let mut first = self.0.iter().filter_map(|path| path.first());
        first.any(|first| first.eq_ignore_ascii_case(key))
    }

    /// What is wanted of the value under the key; all of it for none.
    pub(super) fn below(&self, key: &Value) -> Option<Self> {
        let key = key.as_str().unwrap_or_default();
        let mut below = Vec::new();
        for path in &self.0 {
            match path.split_first() {
                Some((first, [])) if first.eq_ignore_ascii_case(key) => return None,
                Some((first, rest)) if first.eq_ignore_ascii_case(key) => below.push(rest),
                _ => {}
            }
        }
        Some(Self(below))
    }
}
