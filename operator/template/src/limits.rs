//! How much a chart may use: it is a program that a stranger wrote.

use std::time::Duration;

/// Control structures or parentheses within each other in one text. Go allows 10,000 parentheses; no chart comes near.
pub const MAX_NESTING: usize = 1000;

/// Stack that [`crate::run_with_stack`] gives. Only what is used of it takes memory.
pub const STACK_BYTES: usize = 1 << 30;

/// Levels of lists or maps that are printed within each other; a map that holds itself has no end.
pub const MAX_PRINT_DEPTH: usize = 1000;

/// Levels of lists or dictionaries that are copied, merged or compared within each other. Go has its stack as a limit,
/// and Helm ends when it is met.
pub const MAX_VALUE_DEPTH: usize = 100_000;

/// Values that one conversion to YAML or JSON may visit: lists that hold one another twice double with each level.
pub const MAX_CONVERTED_VALUES: usize = 5_000_000;

/// Bytes of one text that `toToml` makes.
pub const MAX_TOML_BYTES: usize = 256 << 20;

/// Values that are printed for one operand.
pub const MAX_PRINT_NODES: usize = 10_000_000;

/// How many steps are made between two looks at the clock.
pub const STEPS_A_LOOK: u64 = 1024;

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
    /// How long all templates together may take. Looked at every [`STEPS_A_LOOK`] steps: a function that runs is not
    /// interrupted, but the other limits bound what it may be given.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 200_000_000,
            bytes: 1 << 30,
            depth: 100_000,
            include: 1000,
            time: Duration::from_mins(2),
        }
    }
}
