//! From values to YAML text.

mod analyse;
mod emit;
mod order;
mod roundtrip;
mod write;

use crate::read::Dialect;
use crate::{Error, Value};

/// A value as `sigs.k8s.io/yaml`'s `Marshal` prints it, final line feed included; `toYaml` is this without that
/// line feed.
///
/// The value passes through JSON on its way: bytes that are not UTF-8 become replacement characters and floats
/// that are whole numbers become integers. Keys are in go-yaml's natural order, sequences are not indented, plain
/// and quoted text is folded past column 80.
///
/// # Errors
/// [`Error::UnsupportedFloat`] for NaN and the infinities; [`Error::Unprintable`] for text that the YAML reader
/// in between refuses, and [`Error::Limit`] for more levels than [`Limits::DEFAULT`](crate::Limits::DEFAULT)
/// allows. `toYaml` answers them all with nothing.
pub fn to_yaml(value: &Value) -> Result<String, Error> {
    let value = roundtrip::through_json(value)?;
    emit::emit(&value, Dialect::V2)
}

/// A value as go-yaml v3 prints it with an indent of two, final line feed included; `toYamlPretty` is this without
/// that line feed.
///
/// There is no way through JSON: floats stay floats (`1e+06`), bytes that are not UTF-8 are tagged `!!binary`.
/// Sequences are indented and nothing is folded.
///
/// # Errors
/// [`Error::Limit`] for more levels than [`Limits::DEFAULT`](crate::Limits::DEFAULT) allows.
pub fn to_yaml_pretty(value: &Value) -> Result<String, Error> {
    emit::emit(value, Dialect::V3)
}
