//! How much a chart may use: it is a program that a stranger wrote.

/// The limits of one render: all templates of one chart that are executed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes executed, in all templates together.
    pub steps: u64,
    /// Bytes written by all templates and built by functions that multiply, such as `repeat`.
    pub bytes: usize,
    /// Templates, `include` and `tpl` within each other. Go stops `template` at 100,000 and Helm stops `tpl` never;
    /// both would need gigabytes of stack.
    pub depth: usize,
    /// One name within itself by `include`: Helm's limit.
    pub include: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 200_000_000,
            bytes: 1 << 30,
            depth: 12_000,
            include: 1000,
        }
    }
}
