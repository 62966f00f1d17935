//! Go's fmt: how values print.
//!
//! ```
//! use belay_template::{Value, fmt};
//!
//! let list = Value::list(vec![Value::int(1), Value::str("a"), Value::Nil]);
//! assert_eq!(fmt::printf(b"%05.1f|%-4s|%v", &[2.25.into(), "x".into(), list]), b"002.2|x   |[1 a <nil>]");
//! assert_eq!(fmt::printf(b"%d", &["x".into()]), b"%!d(string=x)");
//! assert_eq!(fmt::display(&1e6.into()), b"1e+06");
//! ```

mod float;
mod names;
mod number;
mod quote;
mod scan;
mod verb;

use crate::value::Value;

pub use crate::literal::unquote as unquoted;
pub(crate) use quote::is_print;
pub use quote::quoted;
pub use scan::printf;
use verb::Printer;

/// Appends what Go's `%v` prints for the value.
pub fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Str(text) => out.extend_from_slice(text),
        Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        _ => Printer::new(out).arg(value, 'v'),
    }
}

/// What Go's `%v` prints for the value: `fmt.Sprint` of a single operand, sprig's `toString` of most.
pub fn display(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value);
    out
}

/// Go's `fmt.Sprint`: spaces stand only between operands that are no strings.
pub fn print(args: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        let string = |value: &Value| matches!(value, Value::Str(_));
        if i > 0 && !string(arg) && !string(&args[i - 1]) {
            out.push(b' ');
        }
        write(&mut out, arg);
    }
    out
}

/// Go's `fmt.Sprintln`: spaces between all operands, and a line break.
pub fn println(args: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        write(&mut out, arg);
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests;
