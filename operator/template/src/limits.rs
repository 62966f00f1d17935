//! How much a chart may use: it is a program that a stranger wrote.

/// Control structures or parentheses within each other in one text. Go allows 10,000 parentheses; no chart comes near.
pub const MAX_NESTING: usize = 1000;

/// Stack that [`crate::run_with_stack`] gives. Only what is used of it takes memory.
pub const STACK_BYTES: usize = 1 << 30;

/// Levels of lists or maps that are printed within each other; a map that holds itself has no end.
pub const MAX_PRINT_DEPTH: usize = 1000;

/// Values that are printed for one operand.
pub const MAX_PRINT_NODES: usize = 10_000_000;

/// The limits of one render: all templates of one chart that are executed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Actions and texts executed, in all templates together.
    pub steps: u64,
    /// Bytes written by all templates and built by functions that multiply, such as `repeat`.
    pub bytes: usize,
    /// Control structures, parentheses and templates that are being executed within each other. Go stops `template`
    /// at 100,000 and Helm stops `tpl` never; both let a chart eat gigabytes of stack.
    pub depth: usize,
    /// One name within itself by `include`: Helm's limit.
    pub include: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 200_000_000,
            bytes: 1 << 30,
            depth: 100_000,
            include: 1000,
        }
    }
}
