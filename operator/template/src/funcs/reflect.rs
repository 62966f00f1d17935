//! What a value is.

use super::args::{at, bytes};
use crate::call::{
    Function, Library,
    Param::{Any, String as Str},
};
use crate::compare::deep_equal;

/// Sprig's group "reflection".
pub(super) const LIBRARY: Library = Library {
    name: "reflect",
    functions: &[
        Function::new("typeOf", &[Any], |_, a| Ok(at(a, 0).type_name().into())),
        Function::new("typeIs", &[Str, Any], |_, a| {
            Ok((at(a, 1).type_name().as_bytes() == bytes(a, 0)).into())
        }),
        Function::new("typeIsLike", &[Str, Any], |_, a| {
            let name = at(a, 1).type_name().as_bytes();
            let like = name == bytes(a, 0) || name.strip_prefix(b"*") == Some(bytes(a, 0));
            Ok(like.into())
        }),
        Function::new("kindOf", &[Any], |_, a| Ok(at(a, 0).kind().name().into())),
        Function::new("kindIs", &[Str, Any], |_, a| {
            Ok((at(a, 1).kind().name().as_bytes() == bytes(a, 0)).into())
        }),
        Function::new("deepEqual", &[Any, Any], |_, a| {
            Ok(deep_equal(at(a, 0), at(a, 1)).into())
        }),
    ],
};

#[cfg(test)]
mod tests;
