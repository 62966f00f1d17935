//! The functions of text/template itself.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::call::{Caller, Function, Library, Param};
use crate::error::FuncError;
use crate::lex::decode;
use crate::value::{IntKind, List, ListType, MapType, Str, Value};
use crate::{compare, fmt};

use Param::{Any, Reflect};

type Outcome = Result<Value, FuncError>;

/// Go's functions. `and` and `or` are here by name only: the engine evaluates them, as they stop early.
pub(crate) const LIBRARY: Library = Library {
    name: "text/template",
    functions: &[
        Function::variadic(AND, &[Reflect], Reflect, |_, _| Ok(Value::Nil)),
        Function::variadic(OR, &[Reflect], Reflect, |_, _| Ok(Value::Nil)),
        Function::new("not", &[Reflect], |_, args| {
            Ok(Value::Bool(!args[0].truth()))
        }),
        Function::variadic("eq", &[Reflect], Reflect, eq),
        Function::new("ne", &[Reflect, Reflect], |_, args| {
            Ok(Value::Bool(!compare::equal(&args[0], &args[1])?))
        }),
        Function::new("lt", &[Reflect, Reflect], |_, args| {
            Ok(Value::Bool(less(args)?))
        }),
        Function::new("le", &[Reflect, Reflect], |_, args| {
            Ok(Value::Bool(less_or_equal(args)?))
        }),
        Function::new("gt", &[Reflect, Reflect], |_, args| {
            Ok(Value::Bool(!less_or_equal(args)?))
        }),
        Function::new("ge", &[Reflect, Reflect], |_, args| {
            Ok(Value::Bool(!less(args)?))
        }),
        Function::variadic("index", &[Reflect], Reflect, index),
        Function::variadic("slice", &[Reflect], Reflect, slice),
        Function::new("len", &[Reflect], len),
        Function::variadic(CALL, &[Reflect], Reflect, call),
        Function::variadic("print", &[], Any, |_, args| {
            Ok(Value::str(fmt::print(args)))
        }),
        Function::variadic("printf", &[Param::String], Any, printf),
        Function::variadic("println", &[], Any, |_, args| {
            Ok(Value::str(fmt::println(args)))
        }),
        Function::variadic("html", &[], Any, |_, args| {
            Ok(Value::str(html(&text_of(args))))
        }),
        Function::variadic("js", &[], Any, |_, args| Ok(Value::str(js(&text_of(args))))),
        Function::variadic("urlquery", &[], Any, |_, args| {
            Ok(Value::str(url_query(&text_of(args))))
        }),
    ],
};

/// The name of Go's `and`.
pub(crate) const AND: &str = "and";
/// The name of Go's `or`.
pub(crate) const OR: &str = "or";
/// The name of Go's `call`.
pub(crate) const CALL: &str = "call";

const NO_FUNCTION: &str = "non-function of type ";

/// The error of `call` with the expression that is no function.
pub(crate) fn no_function(error: FuncError, callee: &str) -> FuncError {
    match error.to_string().strip_prefix(NO_FUNCTION) {
        Some(name) => FuncError::Message(format!("non-function {callee} of type {name}")),
        None => error,
    }
}

fn eq(_: &mut dyn Caller, args: &[Value]) -> Outcome {
    if args.len() < 2 {
        return Err("missing argument for comparison".into());
    }
    for other in &args[1..] {
        if compare::equal(&args[0], other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn less(args: &[Value]) -> Result<bool, FuncError> {
    Ok(compare::order(&args[0], &args[1])? == Some(Ordering::Less))
}

fn less_or_equal(args: &[Value]) -> Result<bool, FuncError> {
    Ok(less(args)? || compare::equal(&args[0], &args[1])?)
}

fn len(caller: &mut dyn Caller, args: &[Value]) -> Outcome {
    let length = match &args[0] {
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil if caller.nil_in_interface() => return Err("len of nil pointer".into()),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => {
            return Err(
                format!("len of type {}", other.type_name().trim_start_matches('*')).into(),
            );
        }
    };
    Ok(Value::int(length as i64))
}

/// An index within 0 and `capacity`; Go allows the end itself and then panics.
fn position(index: &Value, capacity: usize) -> Result<usize, FuncError> {
    match index {
        Value::Int(_, number) => usize::try_from(*number)
            .ok()
            .filter(|&at| at <= capacity)
            .ok_or_else(|| FuncError::Message(format!("index out of range: {number}"))),
        Value::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    }
}

fn element(at: usize, length: usize, what: &str) -> Result<(), FuncError> {
    if at < length {
        return Ok(());
    }
    Err(format!("reflect: {what} index out of range").into())
}

fn index(_: &mut dyn Caller, args: &[Value]) -> Outcome {
    let mut item = args[0].clone();
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    for index in &args[1..] {
        item = match &item {
            Value::Str(text) => {
                let at = position(index, text.len())?;
                element(at, text.len(), "string")?;
                Value::Int(IntKind::Uint8, i64::from(text[at]))
            }
            Value::Bytes(bytes) => {
                let at = position(index, bytes.len())?;
                element(at, bytes.len(), "slice")?;
                Value::Int(IntKind::Uint8, i64::from(bytes[at]))
            }
            Value::List(list) => {
                let at = position(index, list.len())?;
                element(at, list.len(), "slice")?;
                list[at].clone()
            }
            Value::Map(map) => match index {
                Value::Str(key) => map.get(key).unwrap_or_else(|| zero_of(map.kind())),
                Value::Nil => return Err("value is nil; should be of type string".into()),
                other => {
                    return Err(
                        format!("value has type {}; should be string", other.type_name()).into(),
                    );
                }
            },
            Value::Nil => return Err("index of nil pointer".into()),
            other => {
                let name = other.type_name().trim_start_matches('*');
                return Err(format!("can't index item of type {name}").into());
            }
        };
    }
    Ok(item)
}

/// What a missing key gives.
pub(crate) fn zero_of(kind: MapType) -> Value {
    match kind {
        MapType::Any | MapType::Values => Value::Nil,
        MapType::Strings => Value::Str(Str::default()),
        MapType::Files => Value::Bytes(Str::default()),
    }
}

/// Hidden by sprig's `slice` in charts.
fn slice(_: &mut dyn Caller, args: &[Value]) -> Outcome {
    let (item, indexes) = (&args[0], &args[1..]);
    let length = match item {
        Value::Nil => return Err("slice of untyped nil".into()),
        _ if indexes.len() > 3 => {
            return Err(format!("too many slice indexes: {}", indexes.len()).into());
        }
        Value::Str(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name()).into()),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    let [from, to, end] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}").into());
    }
    if indexes.len() == 3 && to > end {
        return Err(format!("invalid slice index: {to} > {end}").into());
    }
    Ok(match item {
        Value::Str(text) => Value::str(&text[from..to]),
        Value::Bytes(bytes) => Value::Bytes(Str::from(&bytes[from..to])),
        Value::List(list) => Value::List(List::new(list.kind(), list[from..to].to_vec())),
        _ => Value::List(List::nil(ListType::Any)),
    })
}

fn call(_: &mut dyn Caller, args: &[Value]) -> Outcome {
    if args[0].is_nil() {
        return Err("call of nil".into());
    }
    Err(format!("{NO_FUNCTION}{}", args[0].type_name()).into())
}

fn printf(caller: &mut dyn Caller, args: &[Value]) -> Outcome {
    let format = args[0]
        .as_str()
        .map(crate::value::Str::as_bytes)
        .unwrap_or_default();
    // "%1000000s" in a loop would build much from little.
    let digits = format
        .iter()
        .filter(|b| b.is_ascii_digit() || **b == b'*')
        .count();
    if digits > 3 {
        caller.reserve(1 << (digits * 3).min(20))?;
    }
    Ok(Value::str(fmt::printf(format, &args[1..])))
}

/// The arguments as one text: missing values print as they do in an action.
fn text_of(args: &[Value]) -> Vec<u8> {
    if let [Value::Str(text)] = args {
        return text.to_vec();
    }
    let shown: Vec<Value> = args
        .iter()
        .map(|arg| {
            if arg.is_nil() {
                Value::str("<no value>")
            } else {
                arg.clone()
            }
        })
        .collect();
    fmt::print(&shown)
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(byte),
        }
    }
    out
}

fn js(mut text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    while let Some((c, width)) = decode(text) {
        let mut escaped = String::new();
        let _ = match c {
            '\\' => escaped.write_str("\\\\"),
            '\'' => escaped.write_str("\\'"),
            '"' => escaped.write_str("\\\""),
            '<' | '>' | '&' | '=' => write!(escaped, "\\u{:04X}", u32::from(c)),
            _ if c < ' ' || !c.is_ascii() && !fmt::is_print(c) => {
                write!(escaped, "\\u{:04X}", u32::from(c))
            }
            _ => Ok(()),
        };
        if escaped.is_empty() {
            out.extend_from_slice(&text[..width]);
        } else {
            out.extend_from_slice(escaped.as_bytes());
        }
        text = &text[width..];
    }
    out
}

fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = String::with_capacity(text.len());
    for &byte in text {
        let _ = match byte {
            b' ' => out.write_char('+'),
            b'-' | b'_' | b'.' | b'~' => out.write_char(byte as char),
            byte if byte.is_ascii_alphanumeric() => out.write_char(byte as char),
            byte => write!(out, "%{byte:02X}"),
        };
    }
    out.into_bytes()
}
