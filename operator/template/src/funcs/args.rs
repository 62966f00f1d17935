//! Reading arguments. The engine has checked them against the declared parameters, so what is not there reads as
//! empty.

use std::borrow::Cow;

use crate::call::Caller;
use crate::error::FuncError;
use crate::fmt;
use crate::value::{IntKind, Kind, List, ListType, Map, MapType, Value};

/// What Go says when a function looks into nil.
pub(super) const NIL_DEREFERENCE: &str =
    "runtime error: invalid memory address or nil pointer dereference";

/// Any argument.
pub(super) fn any(args: &[Value], at: usize) -> Value {
    args.get(at).cloned().unwrap_or_default()
}

/// A `string`.
pub(super) fn bytes(args: &[Value], at: usize) -> &[u8] {
    match args.get(at) {
        Some(Value::Str(text)) => text,
        _ => b"",
    }
}

/// A `string` as text; bytes that are no UTF-8 become U+FFFD.
pub(super) fn text(args: &[Value], at: usize) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes(args, at))
}

/// An `int`.
pub(super) fn int(args: &[Value], at: usize) -> i64 {
    args.get(at).and_then(Value::as_int).unwrap_or_default()
}

/// An `int` that counts bytes or characters: negative is nothing.
pub(super) fn count(args: &[Value], at: usize) -> usize {
    usize::try_from(int(args, at)).unwrap_or_default()
}

/// A `map[string]interface {}`.
pub(super) fn map(args: &[Value], at: usize) -> Map {
    args.get(at)
        .and_then(Value::as_map)
        .cloned()
        .unwrap_or_else(|| Map::nil(MapType::Any))
}

/// A `[]interface {}`.
pub(super) fn list(args: &[Value], at: usize) -> List {
    args.get(at)
        .and_then(Value::as_list)
        .cloned()
        .unwrap_or_else(|| List::nil(ListType::Any))
}

/// The items of whatever is a slice; `what` completes Go's sentence for everything else.
pub(super) fn items(value: &Value, what: &str) -> Result<Vec<Value>, FuncError> {
    match elements(value) {
        Some(items) => Ok(items),
        None if value.is_nil() => Err(NIL_DEREFERENCE.into()),
        None => Err(FuncError::new(format!("{what} {}", value.kind().name()))),
    }
}

/// The items, when the value is a slice.
pub(super) fn elements(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.to_vec()),
        Value::Bytes(bytes) => Some(
            bytes
                .iter()
                .map(|&byte| Value::Int(IntKind::Uint8, i64::from(byte)))
                .collect(),
        ),
        _ => None,
    }
}

/// The argument by reference, nil when it is missing.
pub(super) fn at(args: &[Value], at: usize) -> &Value {
    args.get(at).unwrap_or(&Value::Nil)
}

/// Sprig's way to a string: text stays as it is, everything else prints as `%v`.
pub(super) fn text_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Str(text) | Value::Bytes(text) => text.to_vec(),
        other => fmt::display(other),
    }
}

/// Sprig's way to a list of strings: nil items are left out, a single value is a list of one.
pub(super) fn strings_of(value: &Value) -> Vec<Vec<u8>> {
    match elements(value) {
        Some(items) => items
            .iter()
            .filter(|item| !item.is_nil())
            .map(text_of)
            .collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![text_of(value)],
    }
}

/// Whether a value is the zero of its type, as sprig's `empty` sees it.
pub(super) fn is_empty(value: &Value) -> bool {
    !value.truth()
}

/// Whether a value is a slice.
pub(super) fn is_slice(value: &Value) -> bool {
    value.kind() == Kind::Slice
}

/// Accounts for a result of so many equal pieces before it is built.
pub(super) fn reserve(caller: &mut dyn Caller, count: usize, size: usize) -> Result<(), FuncError> {
    caller.reserve(count.saturating_mul(size))
}
