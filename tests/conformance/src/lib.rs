//! The engine against the real helm.
//!
//! [`Oracle`] runs the helm that `tests/controlplane` builds, [`ours`] does the same work in this process, and a
//! [`Case`] is what both are given. What is expected is never written down: it is what helm says while the test runs.

mod case;
mod compare;
mod error;
mod oracle;
pub mod ours;

pub use case::{Case, workspace};
pub use compare::{assert_all, assert_same, compare};
pub use error::Error;
pub use oracle::Oracle;

/// What either side answers to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub stdout: String,
    /// The error's text, without the word `Error: ` before it; nothing on success.
    pub error: Option<String>,
}
