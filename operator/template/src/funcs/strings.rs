//! Strings: trimming, cutting, joining, changing case.

pub(super) mod case;
pub(super) mod runes;
mod words;

use super::args::{any, at, bytes, count, int, reserve, strings_of, text_of};
use crate::call::{
    Caller, Function, Library,
    Param::{Any, Int, String as Str},
};
use crate::error::FuncError;
use crate::fmt;
use crate::value::{Map, MapType, Value};

/// Sprig's group "strings".
pub(super) const LIBRARY: Library = Library {
    name: "strings",
    functions: &[
        Function::new("hello", &[], |_, _| Ok("Hello!".into())),
        Function::new("abbrev", &[Int, Str], |_, a| {
            Ok(words::abbrev(0, int(a, 0), bytes(a, 1)).into())
        }),
        Function::new("abbrevboth", &[Int, Int, Str], |_, a| Ok(abbrev_both(a))),
        Function::new("trunc", &[Int, Str], |_, a| Ok(trunc(a))),
        Function::new("trim", &[Str], |_, a| {
            Ok(runes::trim_space(bytes(a, 0)).to_vec().into())
        }),
        Function::new("upper", &[Str], |_, a| {
            Ok(runes::map(bytes(a, 0), runes::upper).into())
        }),
        Function::new("lower", &[Str], |_, a| {
            Ok(runes::map(bytes(a, 0), runes::lower).into())
        }),
        Function::new("title", &[Str], |_, a| Ok(words::title(bytes(a, 0)).into())),
        Function::new("untitle", &[Str], |_, a| {
            Ok(words::untitle(bytes(a, 0)).into())
        }),
        Function::new("substr", &[Int, Int, Str], substr),
        Function::new("repeat", &[Int, Str], repeat),
        Function::new("trimall", &[Str, Str], |_, a| Ok(trim_all(a))),
        Function::new("trimAll", &[Str, Str], |_, a| Ok(trim_all(a))),
        Function::new("trimSuffix", &[Str, Str], |_, a| {
            let text = bytes(a, 1);
            Ok(text
                .strip_suffix(bytes(a, 0))
                .unwrap_or(text)
                .to_vec()
                .into())
        }),
        Function::new("trimPrefix", &[Str, Str], |_, a| {
            let text = bytes(a, 1);
            Ok(text
                .strip_prefix(bytes(a, 0))
                .unwrap_or(text)
                .to_vec()
                .into())
        }),
        Function::new("nospace", &[Str], |_, a| {
            Ok(words::nospace(bytes(a, 0)).into())
        }),
        Function::new("initials", &[Str], |_, a| {
            Ok(words::initials(bytes(a, 0)).into())
        }),
        Function::new("swapcase", &[Str], |_, a| {
            Ok(words::swap_case(bytes(a, 0)).into())
        }),
        Function::new("snakecase", &[Str], |_, a| {
            Ok(case::joined(bytes(a, 0), '_').into())
        }),
        Function::new("camelcase", &[Str], |_, a| {
            Ok(case::pascal(bytes(a, 0)).into())
        }),
        Function::new("kebabcase", &[Str], |_, a| {
            Ok(case::joined(bytes(a, 0), '-').into())
        }),
        Function::new("wrap", &[Int, Str], |_, a| {
            Ok(words::wrap(bytes(a, 1), int(a, 0), b"", false).into())
        }),
        Function::new("wrapWith", &[Int, Str, Str], wrap_with),
        Function::new("contains", &[Str, Str], |_, a| {
            Ok(find(bytes(a, 1), bytes(a, 0)).is_some().into())
        }),
        Function::new("hasPrefix", &[Str, Str], |_, a| {
            Ok(bytes(a, 1).starts_with(bytes(a, 0)).into())
        }),
        Function::new("hasSuffix", &[Str, Str], |_, a| {
            Ok(bytes(a, 1).ends_with(bytes(a, 0)).into())
        }),
        Function::variadic("quote", &[], Any, |caller, a| {
            each(caller, a, |value| fmt::quoted(&text_of(value)).into_bytes())
        }),
        Function::variadic("squote", &[], Any, |caller, a| {
            each(caller, a, |value| {
                [b"'", &fmt::display(value)[..], b"'"].concat()
            })
        }),
        Function::variadic("cat", &[], Any, |caller, a| each(caller, a, fmt::display)),
        Function::new("indent", &[Int, Str], |caller, a| {
            Ok(indent(caller, a)?.into())
        }),
        Function::new("nindent", &[Int, Str], |caller, a| {
            let mut out = indent(caller, a)?;
            out.insert(0, b'\n');
            Ok(out.into())
        }),
        Function::new("replace", &[Str, Str, Str], replace),
        Function::new("plural", &[Str, Str, Int], |_, a| {
            Ok(any(a, usize::from(int(a, 2) != 1)))
        }),
        Function::new("toString", &[Any], |_, a| Ok(text_of(at(a, 0)).into())),
        Function::new("split", &[Str, Str], |_, a| {
            Ok(numbered(split(bytes(a, 1), bytes(a, 0), -1)))
        }),
        Function::new("splitList", &[Str, Str], |_, a| {
            Ok(Value::strings(split(bytes(a, 1), bytes(a, 0), -1)))
        }),
        Function::new("splitn", &[Str, Int, Str], |_, a| {
            Ok(numbered(split(bytes(a, 2), bytes(a, 0), int(a, 1))))
        }),
        Function::new("toStrings", &[Any], |_, a| Ok(to_strings(at(a, 0)))),
        Function::new("join", &[Str, Any], |caller, a| {
            joined(caller, &strings_of(at(a, 1)), bytes(a, 0))
        }),
        Function::new("sortAlpha", &[Any], |_, a| Ok(sort_alpha(at(a, 0)))),
    ],
};

fn abbrev_both(args: &[Value]) -> Value {
    let (left, right) = (int(args, 0), int(args, 1));
    if left > 0 && right < 7 {
        return any(args, 2);
    }
    words::abbrev(left, right, bytes(args, 2)).into()
}

fn trunc(args: &[Value]) -> Value {
    let (width, text) = (int(args, 0), bytes(args, 1));
    let len = text.len() as i64;
    let cut = match width {
        ..0 if len + width > 0 => &text[(len + width) as usize..],
        0.. if len > width => &text[..width as usize],
        _ => return any(args, 1),
    };
    cut.to_vec().into()
}

fn substr(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let (start, end, text) = (int(args, 0), int(args, 1), bytes(args, 2));
    let len = text.len() as i64;
    let out_of_range = |range: String| {
        Err(FuncError::new(format!(
            "runtime error: slice bounds out of range {range}"
        )))
    };
    if start < 0 {
        return match end {
            ..0 => out_of_range(format!("[:{end}]")),
            _ if end > len => out_of_range(format!("[:{end}] with length {len}")),
            _ => Ok(text[..end as usize].to_vec().into()),
        };
    }
    if end < 0 || end > len {
        if start > len {
            return out_of_range(format!("[{start}:{len}]"));
        }
        return Ok(text[start as usize..].to_vec().into());
    }
    if start > end {
        return out_of_range(format!("[{start}:{end}]"));
    }
    Ok(text[start as usize..end as usize].to_vec().into())
}

fn repeat(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    if int(args, 0) < 0 {
        return Err("strings: negative Repeat count".into());
    }
    let (times, text) = (count(args, 0), bytes(args, 1));
    if text.is_empty() {
        return Ok("".into());
    }
    if times
        .checked_mul(text.len())
        .is_none_or(|all| i64::try_from(all).is_err())
    {
        return Err("strings: Repeat output length overflow".into());
    }
    reserve(caller, times, text.len())?;
    Ok(text.repeat(times).into())
}

fn trim_all(args: &[Value]) -> Value {
    runes::trim_set(bytes(args, 1), bytes(args, 0))
        .to_vec()
        .into()
}

fn wrap_with(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let (width, line_end, text) = (int(args, 0), bytes(args, 1), bytes(args, 2));
    reserve(
        caller,
        text.len() / usize::try_from(width).unwrap_or(1).max(1),
        line_end.len(),
    )?;
    Ok(words::wrap(text, width, line_end, true).into())
}

/// What each value that is not nil gives, with blanks between.
fn each(
    caller: &mut dyn Caller,
    args: &[Value],
    show: impl Fn(&Value) -> Vec<u8>,
) -> Result<Value, FuncError> {
    let shown = args.iter().filter(|value| !value.is_nil()).map(show);
    joined(caller, &shown.collect::<Vec<_>>(), b" ")
}

/// Strings that are joined again and again grow without bound, so their bytes count.
fn joined(
    caller: &mut dyn Caller,
    parts: &[Vec<u8>],
    separator: &[u8],
) -> Result<Value, FuncError> {
    let text: usize = parts.iter().map(Vec::len).sum();
    reserve(caller, parts.len(), separator.len())?;
    reserve(caller, text, 1)?;
    Ok(parts.join(separator).into())
}

fn indent(caller: &mut dyn Caller, args: &[Value]) -> Result<Vec<u8>, FuncError> {
    if int(args, 0) < 0 {
        return Err("strings: negative Repeat count".into());
    }
    let (width, text) = (count(args, 0), bytes(args, 1));
    let lines = text.split(|&byte| byte == b'\n').count();
    reserve(caller, lines, width)?;
    let mut out = Vec::with_capacity(text.len() + lines * width + 1);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        out.resize(out.len() + width, b' ');
        out.extend_from_slice(line);
    }
    // Behind a last line break stands an empty line, and it is indented, too.
    if text.is_empty() || text.ends_with(b"\n") {
        out.resize(out.len() + width, b' ');
    }
    Ok(out)
}

fn replace(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let (old, new, text) = (bytes(args, 0), bytes(args, 1), bytes(args, 2));
    let mut parts = split(text, old, -1);
    if old.is_empty() {
        // Before, between and behind all characters.
        parts.insert(0, Vec::new());
        parts.push(Vec::new());
    }
    joined(caller, &parts, new)
}

/// Where `part` first stands in `text`.
pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// Cuts at each separator into at most `limit` parts; between all characters when the separator is empty.
pub(super) fn split(text: &[u8], separator: &[u8], limit: i64) -> Vec<Vec<u8>> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    if most == 0 {
        return parts;
    }
    if separator.is_empty() {
        while let Some((_, len)) = runes::first(rest) {
            if parts.len() + 1 == most {
                break;
            }
            parts.push(rest[..len].to_vec());
            rest = &rest[len..];
        }
        if !rest.is_empty() {
            parts.push(rest.to_vec());
        }
        return parts;
    }
    while parts.len() + 1 < most {
        let Some(found) = find(rest, separator) else {
            break;
        };
        parts.push(rest[..found].to_vec());
        rest = &rest[found + separator.len()..];
    }
    parts.push(rest.to_vec());
    parts
}

/// The parts under the keys `_0`, `_1`, …, as templates cannot index with a number behind a dot.
fn numbered(parts: Vec<Vec<u8>>) -> Value {
    let entries = parts.into_iter().enumerate();
    let entries = entries
        .map(|(i, part)| (format!("_{i}").into(), Value::str(part)))
        .collect();
    Value::Map(Map::with(MapType::Strings, entries))
}

fn to_strings(value: &Value) -> Value {
    match value {
        Value::List(list) if list.kind() == crate::value::ListType::String => value.clone(),
        other => Value::strings(strings_of(other)),
    }
}

fn sort_alpha(value: &Value) -> Value {
    if !super::args::is_slice(value) {
        return Value::strings([text_of(value)]);
    }
    let mut texts = strings_of(value);
    texts.sort_unstable();
    Value::strings(texts)
}

#[cfg(test)]
mod tests;
