//! Regular expressions.

use std::rc::Rc;

use super::args::{bytes, int, reserve};
use crate::call::{
    Caller, Function, Library,
    Param::{Int, String as Str},
};
use crate::error::FuncError;
use crate::regex::{Regex, RegexError, quote_meta};
use crate::value::{List, ListType, Value};

/// Sprig's group "regex". A pattern that cannot be read is an error in both twins of all but `regexMatch`; they
/// differ in the error's text.
pub(super) const LIBRARY: Library = Library {
    name: "patterns",
    functions: &[
        Function::new("regexMatch", &[Str, Str], |_, a| {
            Ok(Regex::compile(bytes(a, 0))
                .is_ok_and(|regex| regex.is_match(bytes(a, 1)))
                .into())
        }),
        Function::new("mustRegexMatch", &[Str, Str], |_, a| {
            Ok(must(a)?.is_match(bytes(a, 1)).into())
        }),
        Function::new("regexFind", &[Str, Str], |_, a| {
            Ok(find(&*panicking(a)?, a))
        }),
        Function::new("mustRegexFind", &[Str, Str], |_, a| Ok(find(&*must(a)?, a))),
        Function::new("regexFindAll", &[Str, Str, Int], |_, a| {
            Ok(find_all(&*panicking(a)?, a))
        }),
        Function::new("mustRegexFindAll", &[Str, Str, Int], |_, a| {
            Ok(find_all(&*must(a)?, a))
        }),
        Function::new("regexReplaceAll", &[Str, Str, Str], |c, a| {
            replace(c, &*panicking(a)?, a)
        }),
        Function::new("mustRegexReplaceAll", &[Str, Str, Str], |c, a| {
            replace(c, &*must(a)?, a)
        }),
        Function::new("regexReplaceAllLiteral", &[Str, Str, Str], |c, a| {
            replace_literal(c, &*panicking(a)?, a)
        }),
        Function::new("mustRegexReplaceAllLiteral", &[Str, Str, Str], |c, a| {
            replace_literal(c, &*must(a)?, a)
        }),
        Function::new("regexSplit", &[Str, Str, Int], |_, a| {
            Ok(split(&*panicking(a)?, a))
        }),
        Function::new("mustRegexSplit", &[Str, Str, Int], |_, a| {
            Ok(split(&*must(a)?, a))
        }),
        Function::new("regexQuoteMeta", &[Str], |_, a| {
            Ok(quote_meta(bytes(a, 0)).into())
        }),
    ],
};

fn must(args: &[Value]) -> Result<Rc<Regex>, FuncError> {
    Regex::compile(bytes(args, 0)).map_err(|error| FuncError::new(error.to_string()))
}

fn panicking(args: &[Value]) -> Result<Rc<Regex>, FuncError> {
    let pattern = bytes(args, 0);
    Regex::compile(pattern).map_err(|error: RegexError| {
        // Go quotes with backticks what holds none and no control characters.
        let text = String::from_utf8_lossy(pattern);
        let plain = std::str::from_utf8(pattern).is_ok()
            && !text
                .chars()
                .any(|c| c == '`' || c == '\u{feff}' || c != '\t' && c.is_control());
        let quoted = if plain {
            format!("`{text}`")
        } else {
            crate::fmt::quoted(pattern)
        };
        FuncError::new(format!("regexp: Compile({quoted}): {error}"))
    })
}

fn find(regex: &Regex, args: &[Value]) -> Value {
    let text = bytes(args, 1);
    regex
        .find(text)
        .map_or_else(|| "".into(), |found| text[found].to_vec().into())
}

/// No match is Go's nil slice.
fn find_all(regex: &Regex, args: &[Value]) -> Value {
    let text = bytes(args, 1);
    strings(
        regex
            .find_all(text, int(args, 2))
            .into_iter()
            .map(|found| &text[found])
            .collect(),
    )
}

fn split(regex: &Regex, args: &[Value]) -> Value {
    let parts = regex.split(bytes(args, 1), int(args, 2));
    if int(args, 2) == 0 {
        strings(parts)
    } else {
        Value::strings(parts)
    }
}

fn strings(parts: Vec<&[u8]>) -> Value {
    if parts.is_empty() {
        Value::List(List::nil(ListType::String))
    } else {
        Value::strings(parts)
    }
}

fn replace(caller: &mut dyn Caller, regex: &Regex, args: &[Value]) -> Result<Value, FuncError> {
    let replaced = regex.replace_all(bytes(args, 1), bytes(args, 2));
    reserve(caller, replaced.len(), 1)?;
    Ok(replaced.into())
}

fn replace_literal(
    caller: &mut dyn Caller,
    regex: &Regex,
    args: &[Value],
) -> Result<Value, FuncError> {
    let replaced = regex.replace_all_literal(bytes(args, 1), bytes(args, 2));
    reserve(caller, replaced.len(), 1)?;
    Ok(replaced.into())
}

#[cfg(test)]
mod tests;
