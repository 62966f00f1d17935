/// How much a document may ask for before reading it is given up.
///
/// go-yaml allows 10,000 levels and bounds aliases by a ratio of nodes only; as its strings are shared and ours
/// are copied, the bytes that aliases copy are bounded here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting, in documents read and in values printed.
    pub depth: usize,
    /// Bytes of one source text.
    pub source_bytes: usize,
    /// Bytes that following aliases may add to the tree.
    pub alias_bytes: usize,
}

impl Limits {
    /// What [`parse`](crate::parse) and its siblings use: 1,000 levels, 64 MiB of text, 64 MiB added by aliases.
    pub const DEFAULT: Self = Self {
        depth: 1_000,
        source_bytes: 64 << 20,
        alias_bytes: 64 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
