//! Paths without detours.

use std::path::{Component, Path, PathBuf};

/// The shortest path that means the same, by the rules of Go's `path/filepath.Clean`: no `.`, no `..` behind a name, no
/// slash at the end. It looks at nothing on the disk, so that a link's `..` is not the link's own parent.
///
/// ```
/// use std::path::Path;
///
/// use belay_chart::clean_path;
///
/// assert_eq!(clean_path(Path::new("./a//b/../c/")), Path::new("a/c"));
/// assert_eq!(clean_path(Path::new("../a/..")), Path::new(".."));
/// assert_eq!(clean_path(Path::new("/..")), Path::new("/"));
/// assert_eq!(clean_path(Path::new("a/..")), Path::new("."));
/// ```
pub fn clean_path(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match (part, clean.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                clean.pop();
            }
            _ => clean.push(part),
        }
    }
    if clean.as_os_str().is_empty() {
        clean.push(".");
    }
    clean
}

/// The path from the root on and without detours, as Go's `path/filepath.Abs` gives it. Reads the working folder.
pub fn absolute_path(path: &Path) -> PathBuf {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |rooted| clean_path(&rooted))
}
