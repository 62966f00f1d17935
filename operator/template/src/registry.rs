//! All functions by name.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::call::{Function, Library};
use crate::{builtin, funcs, helm};

/// The libraries in the order in which one hides another's functions: Go's own, sprig's, Helm's.
fn libraries() -> impl Iterator<Item = &'static Library> {
    std::iter::once(&builtin::LIBRARY)
        .chain(funcs::LIBRARIES)
        .chain(std::iter::once(&helm::LIBRARY))
}

/// The function that templates call by this name.
pub(crate) fn find(name: &[u8]) -> Option<&'static Function> {
    static INDEX: OnceLock<HashMap<&'static [u8], &'static Function>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        libraries()
            .flat_map(|library| library.functions)
            .map(|f| (f.name.as_bytes(), f))
            .collect()
    });
    index.get(name).copied()
}

/// The function of this name: the types of its parameters and its body.
pub fn function(name: &str) -> Option<&'static Function> {
    find(name.as_bytes())
}

/// The names of all functions, sorted.
pub fn function_names() -> Vec<&'static str> {
    let mut names: Vec<_> = libraries()
        .flat_map(|library| library.functions)
        .map(|f| f.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
