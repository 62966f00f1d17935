//! Comparing values: Go's `eq`, `lt` and their kin, and `reflect.DeepEqual`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::rc::Rc;

use crate::error::FuncError;
use crate::limits::MAX_VALUE_DEPTH;
use crate::value::{IntKind, Value};

/// Go's `reflect.DeepEqual`: types must be the same, maps and lists are compared by content.
pub fn deep_equal(a: &Value, b: &Value) -> bool {
    Deep::default().equal(a, b, 0)
}

/// From this depth on, pairs are remembered: lists that hold one another twice double with each level.
const REMEMBERED_DEPTH: usize = 16;

#[derive(Default)]
struct Deep {
    /// Lists and maps that were, or are being, compared. As Go does, believe that those which hold themselves are
    /// equal as far as they were seen.
    seen: HashSet<(usize, usize)>,
}

impl Deep {
    fn equal(&mut self, a: &Value, b: &Value, depth: usize) -> bool {
        if depth > MAX_VALUE_DEPTH {
            return false;
        }
        match (a, b) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(kind_a, a), Value::Int(kind_b, b)) => kind_a == kind_b && a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => {
                a.kind() == b.kind()
                    && a.is_nil() == b.is_nil()
                    && a.len() == b.len()
                    && (self.known(depth, a.as_ptr() as usize, b.as_ptr() as usize)
                        || a.iter()
                            .zip(b.iter())
                            .all(|(a, b)| self.equal(a, b, depth + 1)))
            }
            (Value::Map(a), Value::Map(b)) => {
                if a.kind() != b.kind() || a.is_nil() != b.is_nil() || a.len() != b.len() {
                    return false;
                }
                if a.same(b) || self.known(depth, a.identity(), b.identity()) {
                    return true;
                }
                let (a, b) = (a.entries(), b.entries());
                a.iter()
                    .zip(b.iter())
                    .all(|((key_a, a), (key_b, b))| key_a == key_b && self.equal(a, b, depth + 1))
            }
            (Value::Object(a), Value::Object(b)) => {
                if Rc::ptr_eq(a, b) {
                    return true;
                }
                let (fields_a, fields_b) = (a.fields(), b.fields());
                a.type_name() == b.type_name()
                    && fields_a.len() == fields_b.len()
                    && fields_a
                        .iter()
                        .zip(&fields_b)
                        .all(|((_, a), (_, b))| self.equal(a, b, depth + 1))
                    && a.text() == b.text()
            }
            _ => false,
        }
    }

    fn known(&mut self, depth: usize, a: usize, b: usize) -> bool {
        depth >= REMEMBERED_DEPTH && !self.seen.insert((a, b))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Other,
    Bool,
    Int,
    Uint,
    Float,
    String,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(kind, _) if kind.is_unsigned() => Basic::Uint,
        Value::Int(..) => Basic::Int,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::String,
        _ => Basic::Other,
    }
}

fn incompatible(a: &Value, b: &Value) -> FuncError {
    FuncError::Message(format!(
        "incompatible types for comparison: {} and {}",
        a.type_name(),
        b.type_name()
    ))
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

/// Two integers as mathematical numbers, whatever their signedness.
fn wide(kind: IntKind, number: i64) -> i128 {
    if kind.is_unsigned() {
        i128::from(number as u64)
    } else {
        i128::from(number)
    }
}

/// Go's `eq a b`.
///
/// # Errors
/// When the types cannot be compared.
pub(crate) fn equal(a: &Value, b: &Value) -> Result<bool, FuncError> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(kind_a, a), Value::Int(kind_b, b)) => {
            Ok(wide(*kind_a, *a) == wide(*kind_b, *b))
        }
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Str(a), Value::Str(b)) => Ok(a == b),
        _ if basic(a) != basic(b) => {
            if a.is_nil() || b.is_nil() {
                return Ok(false);
            }
            Err(incompatible(a, b))
        }
        _ if a.kind() != b.kind() && !a.is_nil() && !b.is_nil() => {
            // Go's verbs here are %s and %v.
            let shown = |verb: &[u8], value: &Value| {
                let shown = crate::fmt::printf(verb, std::slice::from_ref(value));
                String::from_utf8_lossy(&shown).into_owned()
            };
            let (type_a, type_b) = (a.type_name(), b.type_name());
            Err(FuncError::Message(format!(
                "non-comparable types {}: {type_a}, {type_b}: {}",
                shown(b"%s", a),
                shown(b"%v", b)
            )))
        }
        _ if is_nil(a) || is_nil(b) => Ok(is_nil(a) == is_nil(b)),
        (_, Value::List(_) | Value::Map(_) | Value::Bytes(_)) => {
            let shown = crate::fmt::printf(b"%s", std::slice::from_ref(b));
            let shown = String::from_utf8_lossy(&shown);
            Err(FuncError::Message(format!(
                "non-comparable type {shown}: {}",
                b.type_name()
            )))
        }
        // Pointers are equal when they point to the same.
        (Value::Object(a), Value::Object(b)) if a.type_name().starts_with('*') => {
            Ok(Rc::ptr_eq(a, b))
        }
        (Value::Object(_), Value::Object(_)) => Ok(deep_equal(a, b)),
        _ => Ok(false),
    }
}

/// Go's `lt`: how the two are ordered; nothing for NaN.
///
/// # Errors
/// When the types have no order or differ.
pub(crate) fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, FuncError> {
    match (a, b) {
        (Value::Int(kind_a, a), Value::Int(kind_b, b)) => {
            Ok(Some(wide(*kind_a, *a).cmp(&wide(*kind_b, *b))))
        }
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Str(a), Value::Str(b)) => Ok(Some(a.cmp(b))),
        _ if basic(a) == Basic::Other || basic(b) == Basic::Other || basic(a) == basic(b) => {
            Err(FuncError::new("invalid type for comparison"))
        }
        _ => Err(incompatible(a, b)),
    }
}
