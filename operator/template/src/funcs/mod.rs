//! Sprig's functions, a library for each subject.

use crate::call::Library;

/// All libraries of sprig as Helm offers them.
pub const LIBRARIES: &[Library] = &[];
