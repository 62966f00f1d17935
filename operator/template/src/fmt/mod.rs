//! Go's fmt: how values print.

use crate::value::Value;

/// What Go's `%v` prints for the value: `fmt.Sprint` of a single operand, sprig's `toString` of most.
pub fn display(value: &Value) -> Vec<u8> {
    format!("{value:?}").into_bytes()
}

/// The bytes in double quotes as Go's `%q` prints them.
pub fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}
