//! Paths with slashes. The `os…` twins mean the same, as Helm's home is Linux.

use super::args::bytes;
use crate::call::{Function, Library, Param::String as Str};

/// Sprig's group "paths".
pub(super) const LIBRARY: Library = Library {
    name: "paths",
    functions: &[
        Function::new("base", &[Str], |_, a| Ok(base(bytes(a, 0)).to_vec().into())),
        Function::new("dir", &[Str], |_, a| Ok(dir(bytes(a, 0)).into())),
        Function::new("clean", &[Str], |_, a| Ok(clean(bytes(a, 0)).into())),
        Function::new("ext", &[Str], |_, a| Ok(ext(bytes(a, 0)).to_vec().into())),
        Function::new("isAbs", &[Str], |_, a| {
            Ok(bytes(a, 0).starts_with(b"/").into())
        }),
        Function::new("osBase", &[Str], |_, a| {
            Ok(base(bytes(a, 0)).to_vec().into())
        }),
        Function::new("osDir", &[Str], |_, a| Ok(dir(bytes(a, 0)).into())),
        Function::new("osClean", &[Str], |_, a| Ok(clean(bytes(a, 0)).into())),
        Function::new("osExt", &[Str], |_, a| Ok(ext(bytes(a, 0)).to_vec().into())),
        Function::new("osIsAbs", &[Str], |_, a| {
            Ok(bytes(a, 0).starts_with(b"/").into())
        }),
    ],
};

/// The last element; `.` for an empty path, `/` for one of slashes only.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let Some(end) = path.iter().rposition(|&byte| byte != b'/') else {
        return b"/";
    };
    let start = path[..end]
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    &path[start..=end]
}

/// Everything but the last element, cleaned.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

/// The last element from its last dot on.
fn ext(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'.' || byte == b'/') {
        Some(at) if path[at] == b'.' => &path[at..],
        _ => b"",
    }
}

/// The shortest path that means the same: without `.`, doubled slashes, and `..` where it can be resolved.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|&byte| byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." => match kept.last() {
                Some(&last) if last != b".." => {
                    kept.pop();
                }
                _ if rooted => {}
                _ => kept.push(element),
            },
            _ => kept.push(element),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests;
