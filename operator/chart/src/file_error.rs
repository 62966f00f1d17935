//! What Go says of a file or folder that cannot be read.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// The operation, the path and the reason, as Go's `os` package joins them.
pub(crate) fn in_gos_words(operation: &str, path: &Path, error: &Error) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound => format!("{operation} {path}: no such file or directory"),
        ErrorKind::PermissionDenied => format!("{operation} {path}: permission denied"),
        ErrorKind::NotADirectory => format!("{operation} {path}: not a directory"),
        // A folder can be opened, but not be read as a file.
        ErrorKind::IsADirectory => format!("read {path}: is a directory"),
        _ => format!("{operation} {path}: {error}"),
    }
}
