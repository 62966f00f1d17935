//! Generated templates, values and YAML, asked of Helm's engine and of ours.
//!
//! [`Oracle`] is a process that links Helm's engine (`tests/oracle`), [`ours`] answers the same [`Question`]s in this
//! process, and [`generate`] makes questions from a seed. [`search`] asks both, makes what differs small, and leaves
//! out what [`explained`] has a reason for.

mod error;
pub mod explained;
pub mod generate;
mod oracle;
pub mod ours;
mod question;
mod search;
mod shrink;
pub mod targets;

pub use error::Error;
pub use oracle::Oracle;
pub use question::{Answer, Question, Set, SetKind, Text, Times};
pub use search::{Difference, Found, search};
