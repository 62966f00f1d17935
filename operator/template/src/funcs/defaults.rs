//! Defaults and choices.

use super::args::{any, at, is_empty, items};
use crate::call::{
    Caller, Function, Library,
    Param::{Any, Bool},
};
use crate::error::FuncError;
use crate::value::Value;

/// Sprig's group "defaults".
pub(super) const LIBRARY: Library = Library {
    name: "defaults",
    functions: &[
        Function::variadic("default", &[Any], Any, |_, a| {
            Ok(any(a, usize::from(!is_empty(at(a, 1)))))
        }),
        Function::new("empty", &[Any], |_, a| Ok(is_empty(at(a, 0)).into())),
        Function::variadic("coalesce", &[], Any, |_, a| {
            Ok(a.iter()
                .find(|value| !is_empty(value))
                .cloned()
                .unwrap_or_default())
        })
        .giving_any(),
        Function::variadic("all", &[], Any, |_, a| Ok((!a.iter().any(is_empty)).into())),
        Function::variadic("any", &[], Any, |_, a| Ok((!a.iter().all(is_empty)).into())),
        Function::new("ternary", &[Any, Any, Bool], |_, a| {
            Ok(any(a, usize::from(!matches!(at(a, 2), Value::Bool(true)))))
        }),
        Function::new("compact", &[Any], compact),
        Function::new("mustCompact", &[Any], compact),
    ],
};

fn compact(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot compact on type")?;
    items.retain(|item| !is_empty(item));
    Ok(Value::list(items))
}

#[cfg(test)]
mod tests;
