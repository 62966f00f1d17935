//! Lists. None is changed: each function gives a new one.

use super::args::{NIL_DEREFERENCE, any, at, elements, int, items, reserve};
use super::numbers::cast::to_i64;
use crate::call::{
    Caller, Function, Library,
    Param::{Any, Int},
};
use crate::compare::deep_equal;
use crate::error::FuncError;
use crate::value::{List, ListType, Value};

/// Sprig's functions over lists.
pub(super) const LIBRARY: Library = Library {
    name: "lists",
    functions: &[
        Function::variadic("list", &[], Any, |_, a| Ok(Value::list(a.to_vec()))),
        Function::variadic("tuple", &[], Any, |_, a| Ok(Value::list(a.to_vec()))),
        Function::new("append", &[Any, Any], append),
        Function::new("push", &[Any, Any], append),
        Function::new("mustAppend", &[Any, Any], append),
        Function::new("mustPush", &[Any, Any], append),
        Function::new("prepend", &[Any, Any], prepend),
        Function::new("mustPrepend", &[Any, Any], prepend),
        Function::new("first", &[Any], first),
        Function::new("mustFirst", &[Any], first),
        Function::new("rest", &[Any], rest),
        Function::new("mustRest", &[Any], rest),
        Function::new("last", &[Any], last),
        Function::new("mustLast", &[Any], last),
        Function::new("initial", &[Any], initial),
        Function::new("mustInitial", &[Any], initial),
        Function::new("reverse", &[Any], reverse),
        Function::new("mustReverse", &[Any], reverse),
        Function::new("uniq", &[Any], uniq),
        Function::new("mustUniq", &[Any], uniq),
        Function::variadic("without", &[Any], Any, without),
        Function::variadic("mustWithout", &[Any], Any, without),
        Function::new("has", &[Any, Any], has),
        Function::new("mustHas", &[Any, Any], has),
        Function::variadic("slice", &[Any], Any, slice),
        Function::variadic("mustSlice", &[Any], Any, slice),
        Function::variadic("concat", &[], Any, concat).giving_any(),
        Function::new("chunk", &[Int, Any], chunk),
        Function::new("mustChunk", &[Int, Any], chunk),
    ],
};

fn nil_list() -> Value {
    Value::List(List::nil(ListType::Any))
}

fn append(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot push on type")?;
    items.push(any(args, 1));
    Ok(Value::list(items))
}

fn prepend(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot prepend on type")?;
    items.insert(0, any(args, 1));
    Ok(Value::list(items))
}

fn first(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    Ok(items(at(args, 0), "Cannot find first on type")?
        .into_iter()
        .next()
        .unwrap_or_default())
}

fn last(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    Ok(items(at(args, 0), "Cannot find last on type")?
        .pop()
        .unwrap_or_default())
}

fn rest(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot find rest on type")?;
    if items.is_empty() {
        return Ok(nil_list());
    }
    items.remove(0);
    Ok(Value::list(items))
}

fn initial(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot find initial on type")?;
    Ok(match items.pop() {
        Some(_) => Value::list(items),
        None => nil_list(),
    })
}

fn reverse(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot find reverse on type")?;
    items.reverse();
    Ok(Value::list(items))
}

fn uniq(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items(at(args, 0), "Cannot find uniq on type")? {
        if !contains(&kept, &item) {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn without(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut items = items(at(args, 0), "Cannot find without on type")?;
    items.retain(|item| !contains(&args[1..], item));
    Ok(Value::list(items))
}

fn has(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    if at(args, 1).is_nil() {
        return Ok(false.into());
    }
    let items = items(at(args, 1), "Cannot find has on type")?;
    Ok(contains(&items, at(args, 0)).into())
}

fn contains(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| deep_equal(wanted, item))
}

/// Keeps the list's type. Sprig's version hides Go's own `slice`.
fn slice(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let value = at(args, 0);
    let len = items(value, "list should be type of slice or array but")?.len();
    if len == 0 {
        return Ok(Value::Nil);
    }
    let start = args.get(1).map_or(0, to_i64);
    let end = args.get(2).map_or(len as i64, to_i64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some((start, end)) = range.filter(|&(start, end)| start <= end && end <= len) else {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    };
    Ok(match value {
        Value::List(list) => Value::List(List::new(list.kind(), list[start..end].to_vec())),
        Value::Bytes(bytes) => Value::Bytes(bytes[start..end].into()),
        other => other.clone(),
    })
}

fn concat(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let mut all = Vec::new();
    for list in args {
        let Some(items) = elements(list) else {
            return Err(match list {
                Value::Nil => NIL_DEREFERENCE.into(),
                other => FuncError::new(format!(
                    "Cannot concat type {} as list",
                    other.kind().name()
                )),
            });
        };
        all.extend(items);
    }
    reserve(caller, all.len(), size_of::<Value>())?;
    Ok(if all.is_empty() {
        nil_list()
    } else {
        Value::list(all)
    })
}

fn chunk(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    const NEGATIVE: &str = "runtime error: makeslice: len out of range";
    let (size, items) = (int(args, 0), items(at(args, 1), "Cannot chunk type")?);
    let Some(size) = usize::try_from(size).ok().filter(|&size| size > 0) else {
        // Sprig divides by the size in floats; a size far below the length comes out as no chunks at all.
        let chunks = ((items.len() as f64 - 1.0) / size as f64).floor() + 1.0;
        return if chunks == 0.0 {
            Ok(Value::List(List::new(ListType::Lists, Vec::new())))
        } else {
            Err(NEGATIVE.into())
        };
    };
    let chunks = items
        .chunks(size)
        .map(|chunk| Value::list(chunk.to_vec()))
        .collect();
    Ok(Value::List(List::new(ListType::Lists, chunks)))
}

#[cfg(test)]
mod tests;
