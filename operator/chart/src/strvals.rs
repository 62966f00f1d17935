//! The little language of `--set`: `a.b=1,c[0]={x,y}`.
//!
//! Every function merges what the text says into a map and overwrites what is there. A path is `.key` and `[index]`;
//! a backslash takes the next character literally (but not with [`set_literal`]). Indexes end at [`MAX_INDEX`],
//! dots at [`MAX_NESTING`].
//!
//! ```
//! use belay_chart::{Values, strvals};
//!
//! let mut values = Values::new();
//! strvals::set(r"image.tag=1.10,ports={80,443},hosts[0].name=a\,b,on=true", &mut values)?;
//! strvals::set_json(r#"limits={"cpu": 2}"#, &mut values)?;
//! let shown = belay_yaml::to_json(&values.into()).unwrap();
//! assert_eq!(
//!     shown,
//!     r#"{"hosts":[{"name":"a,b"}],"image":{"tag":"1.10"},"limits":{"cpu":2},"on":true,"ports":[80,443]}"#
//! );
//! assert!(strvals::set("a[x]=1", &mut Values::new()).is_err());
//! # Ok::<(), strvals::SetError>(())
//! ```

use belay_yaml::{Map, Value};

/// Highest list index.
pub const MAX_INDEX: usize = 65_536;
/// Most dots in one path.
pub const MAX_NESTING: usize = 30;

/// Why a text could not be read, in Helm's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetError(pub String);

/// `--set`: `true`, `false`, `null` (in any case) and integers have their type, all else is text, floats included.
///
/// # Errors
/// When the text cannot be read; what came before the fault is set all the same.
pub fn set(text: &str, into: &mut Map) -> Result<(), SetError> {
    parse(text, into, Mode::Typed)
}

/// `--set-string`: every value is text.
///
/// # Errors
/// As [`set`].
pub fn set_string(text: &str, into: &mut Map) -> Result<(), SetError> {
    parse(text, into, Mode::Text)
}

/// `--set-json` in its form `path=json,path=json`; an empty value is null, numbers are floats.
///
/// # Errors
/// As [`set`], and when a value is no JSON.
pub fn set_json(text: &str, into: &mut Map) -> Result<(), SetError> {
    parse(text, into, Mode::Json)
}

/// `--set-file`: each value names a file, whose content `read` gives.
///
/// # Errors
/// As [`set`], and what `read` answers.
pub fn set_file(
    text: &str,
    into: &mut Map,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<(), SetError> {
    parse(text, into, Mode::File(read))
}

/// `--set-literal`: all after the first `=` is the value, no character in it means anything.
///
/// # Errors
/// As [`set`].
pub fn set_literal(text: &str, into: &mut Map) -> Result<(), SetError> {
    parse(text, into, Mode::Literal)
}

enum Mode<'r> {
    Typed,
    Text,
    Json,
    File(&'r mut dyn FnMut(&str) -> Result<Vec<u8>, String>),
    Literal,
}

/// How reading stops: at the end of the text, which is fine between values, or at a fault.
enum Stop {
    End,
    Fault(String),
}

impl Stop {
    /// Puts words before a fault; the end stays the end, as in Helm `a[0` is no error.
    fn context(self, words: &str) -> Self {
        match self {
            Self::End => Self::End,
            Self::Fault(text) => Self::Fault(format!("{words}: {text}")),
        }
    }
}

fn fault<T>(text: String) -> Result<T, Stop> {
    Err(Stop::Fault(text))
}

struct Parser<'t, 'r> {
    rest: &'t str,
    mode: Mode<'r>,
}

fn parse(text: &str, into: &mut Map, mode: Mode<'_>) -> Result<(), SetError> {
    let mut parser = Parser { rest: text, mode };
    loop {
        match parser.key(into, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Fault(text)) => return Err(SetError(text)),
        }
    }
}

impl Parser<'_, '_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Reads up to one of `stops`, which is consumed; `None` for it at the end of the text.
    fn until(&mut self, stops: &str) -> (String, Option<char>) {
        let escapes = !matches!(self.mode, Mode::Literal);
        let mut read = String::new();
        while let Some(c) = self.next() {
            if stops.contains(c) {
                return (read, Some(c));
            }
            if c == '\\' && escapes {
                let Some(literal) = self.next() else { break };
                read.push(literal);
            } else {
                read.push(c);
            }
        }
        (read, None)
    }

    fn key(&mut self, data: &mut Map, nesting: usize) -> Result<(), Stop> {
        let stops = if matches!(self.mode, Mode::Literal) {
            "=[."
        } else {
            "=[,."
        };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => fault(format!("key {} has no value", shown(&key))),
            Some('[') => {
                let index = self.index()?;
                let mut list = match data.get_mut(&key).map(std::mem::take) {
                    None => Vec::new(),
                    Some(Value::Seq(list)) => list,
                    Some(other) => return fault(conversion(&other, "[]interface {}")),
                };
                let result = self.item(&mut list, index, nesting);
                put(data, key, Value::Seq(list));
                result
            }
            Some('=') => {
                let (value, end) = self.value()?;
                put(data, key, value);
                end
            }
            Some(',') => {
                let text = format!("key {} has no value (cannot end with ,)", shown(&key));
                put(data, key, Value::from(""));
                fault(text)
            }
            Some(_) => {
                let nesting = nesting + 1;
                if nesting > MAX_NESTING {
                    return fault(too_nested());
                }
                let mut inner = match data.get_mut(&key).map(std::mem::take) {
                    None => Map::new(),
                    Some(Value::Map(map)) => map,
                    Some(other) => return fault(conversion(&other, "map[string]interface {}")),
                };
                let result = self.key(&mut inner, nesting);
                if inner.is_empty() && result.is_ok() {
                    return fault(format!("key map {} has no value", shown(&key)));
                }
                // A path that ends in a dot makes nothing new.
                if !inner.is_empty() || data.contains_key(&key) {
                    put(data, key, Value::Map(inner));
                }
                result
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.until("]");
        if stop.is_none() {
            return Err(Stop::End);
        }
        text.parse::<i64>().map_err(|_| {
            let (text, why) = (shown(&text), why_no_integer(&text));
            Stop::Fault(format!("strconv.Atoi: parsing {text}: {why}"))
                .context("error parsing index")
        })
    }

    fn item(&mut self, list: &mut Vec<Value>, index: i64, nesting: usize) -> Result<(), Stop> {
        let Ok(at) = usize::try_from(index) else {
            return fault(format!("negative {index} index not allowed"));
        };
        let (between, stop) = self.until("[.=");
        if !between.is_empty() {
            let shown: Vec<String> = between.chars().map(shown_char).collect();
            return fault(format!(
                "unexpected data at end of array index: [{}]",
                shown.join(" ")
            ));
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => {
                let (value, end) = self.value()?;
                put_at(list, at, value)?;
                // At the end of the text Helm's lists carry on where its maps stop; the next key then finds the end.
                if matches!(end, Err(Stop::End)) {
                    Ok(())
                } else {
                    end
                }
            }
            Some('[') => {
                let next = self.index()?;
                let mut inner = match list.get_mut(at).map(std::mem::take) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Seq(inner)) => inner,
                    Some(other) => return fault(conversion(&other, "[]interface {}")),
                };
                self.item(&mut inner, next, nesting)?;
                put_at(list, at, Value::Seq(inner))
            }
            Some(_) => {
                let mut inner = match list.get_mut(at).map(std::mem::take) {
                    Some(Value::Map(inner)) => inner,
                    _ => Map::new(),
                };
                let result = self.key(&mut inner, nesting);
                if result.is_ok() || list.len() > at {
                    put_at(list, at, Value::Map(inner))?;
                }
                result
            }
        }
    }

    /// What stands after `=`, and whether the key that it belongs to ends the text.
    fn value(&mut self) -> Result<(Value, Result<(), Stop>), Stop> {
        match self.mode {
            Mode::Literal => Ok((Value::from(std::mem::take(&mut self.rest)), Ok(()))),
            Mode::Json => Ok((self.json()?, Ok(()))),
            _ if self.rest.is_empty() => Ok((Value::from(""), Err(Stop::End))),
            _ if self.rest.starts_with('{') => {
                self.next();
                Ok((Value::Seq(self.braces()?), Ok(())))
            }
            _ => {
                let (text, _) = self.until(",");
                Ok((self.scalar(text)?, Ok(())))
            }
        }
    }

    fn braces(&mut self) -> Result<Vec<Value>, Stop> {
        let mut list = Vec::new();
        loop {
            let (text, stop) = self.until(",}");
            match stop {
                None => return fault("list must terminate with '}'".to_owned()),
                Some(stop) => {
                    list.push(self.scalar(text)?);
                    if stop == '}' {
                        if self.rest.starts_with(',') {
                            self.next();
                        }
                        return Ok(list);
                    }
                }
            }
        }
    }

    fn scalar(&mut self, text: String) -> Result<Value, Stop> {
        match &mut self.mode {
            Mode::Typed => Ok(typed(text)),
            Mode::File(read) => read(&text).map(Value::from_bytes).map_err(Stop::Fault),
            _ => Ok(Value::Str(text)),
        }
    }

    fn json(&mut self) -> Result<Value, Stop> {
        if self.nothing_before_comma() {
            return Ok(Value::Null);
        }
        let mut stream =
            serde_json::Deserializer::from_str(self.rest).into_iter::<serde_json::Value>();
        let value = match stream.next() {
            Some(Ok(value)) => value,
            Some(Err(e)) => return fault(e.to_string()),
            None => return Err(Stop::End),
        };
        self.rest = &self.rest[stream.byte_offset()..];
        self.nothing_before_comma();
        Ok(crate::user_values::floats(belay_yaml::from_serde(&value)))
    }

    /// Skips spaces and one comma; whether a comma or the end was reached.
    fn nothing_before_comma(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return true;
        }
        self.rest.is_empty()
    }
}

fn typed(text: String) -> Value {
    for (word, value) in [
        ("true", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("null", Value::Null),
        ("0", Value::Int(0)),
    ] {
        if text.eq_ignore_ascii_case(word) {
            return value;
        }
    }
    match text.parse() {
        Ok(number) if !text.starts_with('0') => Value::Int(number),
        _ => Value::Str(text),
    }
}

/// An empty key is not set, it only carries what is below it nowhere.
fn put(data: &mut Map, key: String, value: Value) {
    if !key.is_empty() {
        data.insert(key, value);
    }
}

fn put_at(list: &mut Vec<Value>, index: usize, value: Value) -> Result<(), Stop> {
    if index > MAX_INDEX {
        return fault(format!(
            "index of {index} is greater than maximum supported index of {MAX_INDEX}"
        ));
    }
    if list.len() <= index {
        list.resize(index + 1, Value::Null);
    }
    list[index] = value;
    Ok(())
}

/// As Go's `%q` prints it.
fn shown(text: &str) -> String {
    belay_template::fmt::quoted(text.as_bytes())
}

/// The same for one character.
fn shown_char(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => {
            let quoted = shown(c.encode_utf8(&mut [0; 4]));
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

/// Go's reader of integers complains about what it meets first: too many digits, or something else than a digit.
fn why_no_integer(text: &str) -> &'static str {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut number = Some(0_u64);
    for c in digits.chars() {
        let Some(digit) = c.to_digit(10) else {
            return "invalid syntax";
        };
        number = number.and_then(|number| number.checked_mul(10)?.checked_add(u64::from(digit)));
        if number.is_none() {
            break;
        }
    }
    if digits.is_empty() {
        "invalid syntax"
    } else {
        "value out of range"
    }
}

fn too_nested() -> String {
    format!(
        "value name nested level is greater than maximum supported nested level of {MAX_NESTING}"
    )
}

/// What Go says when a value has another type than the path needs.
fn conversion(found: &Value, wanted: &str) -> String {
    let found = crate::coalesce::go_type(found);
    format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")
}

#[cfg(test)]
#[path = "tests/strvals.rs"]
mod tests;
