//! Sprig's functions, a library for each subject.

mod args;
#[cfg(test)]
mod check;
mod crypto;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod lists;
mod numbers;
mod paths;
mod patterns;
mod random;
mod reflect;
mod strings;
mod url;
mod versions;

use crate::call::Library;

/// Sprig without what Helm takes away (`env`, `expandenv`) or replaces by its own: JSON, `fail` and `getHostByName`.
pub const LIBRARIES: &[Library] = &[
    crypto::LIBRARY,
    dates::LIBRARY,
    defaults::LIBRARY,
    dicts::LIBRARY,
    encoding::LIBRARY,
    lists::LIBRARY,
    numbers::LIBRARY,
    paths::LIBRARY,
    patterns::LIBRARY,
    random::LIBRARY,
    reflect::LIBRARY,
    strings::LIBRARY,
    url::LIBRARY,
    versions::LIBRARY,
];
