//! All functions by name.

use crate::call::{Function, Library};
use crate::{builtin, funcs, helm};

/// The most functions that there may be.
const ROOM: usize = 512;

/// All functions, sorted by name. Of two of one name, sprig's hides Go's own, and Helm's both.
///
/// The compiler puts it together: to do so at each start would take as long as to parse a small chart.
static INDEX: Index = Index::new();

struct Index {
    sorted: [&'static Function; ROOM],
    len: usize,
}

impl Index {
    const fn new() -> Self {
        let mut index = Self {
            sorted: [&builtin::LIBRARY.functions[0]; ROOM],
            len: 0,
        };
        index.add(&builtin::LIBRARY);
        let mut next = 0;
        while next < funcs::LIBRARIES.len() {
            index.add(&funcs::LIBRARIES[next]);
            next += 1;
        }
        index.add(&helm::LIBRARY);
        index
    }

    const fn add(&mut self, library: &'static Library) {
        let mut next = 0;
        while next < library.functions.len() {
            self.put(&library.functions[next]);
            next += 1;
        }
    }

    const fn put(&mut self, function: &'static Function) {
        let mut at = self.len;
        while at > 0 && is_less(function.name, self.sorted[at - 1].name) {
            at -= 1;
        }
        if at > 0 && !is_less(self.sorted[at - 1].name, function.name) {
            self.sorted[at - 1] = function;
            return;
        }
        let mut from = self.len;
        while from > at {
            self.sorted[from] = self.sorted[from - 1];
            from -= 1;
        }
        self.sorted[at] = function;
        self.len += 1;
    }

    fn functions(&self) -> &[&'static Function] {
        &self.sorted[..self.len]
    }
}

const fn is_less(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

/// The function that templates call by this name.
pub(crate) fn find(name: &[u8]) -> Option<&'static Function> {
    let functions = INDEX.functions();
    let found = functions.binary_search_by(|function| function.name.as_bytes().cmp(name));
    found.ok().map(|at| functions[at])
}

/// The function of this name: the types of its parameters and its body.
pub fn function(name: &str) -> Option<&'static Function> {
    find(name.as_bytes())
}

/// The names of all functions, sorted.
pub fn function_names() -> Vec<&'static str> {
    INDEX.functions().iter().map(|f| f.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Param;

    fn signature(function: &Function) -> (&str, &[Param], Option<Param>, bool) {
        let Function { name, params, .. } = function;
        (name, params, function.variadic, function.any)
    }

    #[test]
    fn every_function_is_found_and_the_last_library_that_has_a_name_gives_it() {
        let libraries: Vec<&Library> = [&builtin::LIBRARY]
            .into_iter()
            .chain(funcs::LIBRARIES)
            .chain([&helm::LIBRARY])
            .collect();
        for library in &libraries {
            for function in library.functions {
                let last = libraries
                    .iter()
                    .rev()
                    .find_map(|library| library.functions.iter().find(|f| f.name == function.name));
                let found = find(function.name.as_bytes());

                // A body has no address of its own to compare; of one name no two take the same.
                assert_eq!(
                    found.map(signature),
                    last.map(signature),
                    "{} of {}",
                    function.name,
                    library.name
                );
            }
        }
        assert!(function_names().is_sorted());
        assert!(find(b"nonesuch").is_none() && find(b"").is_none());
    }
}
