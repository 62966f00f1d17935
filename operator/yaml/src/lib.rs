//! Go's YAML and JSON, read and printed as Helm does.
//!
//! Helm reads and prints every document through four Go libraries, and charts have come to depend on the
//! quirks of each. This crate behaves as they do, byte for byte:
//!
//! | here | Go | where Helm uses it |
//! |---|---|---|
//! | [`parse`], [`parse_map`], [`parse_seq`] | `sigs.k8s.io/yaml` `Unmarshal`: go-yaml v2, then `encoding/json` | values files, `fromYaml`, `fromYamlArray` |
//! | [`parse_with`] | the same with integers kept, or strict about duplicate keys | Chart.yaml, manifests, index files |
//! | [`to_yaml`] | `sigs.k8s.io/yaml` `Marshal`: `encoding/json`, then go-yaml v2 | `toYaml`, release records |
//! | [`to_yaml_pretty`] | go-yaml v3 with an indent of two | `toYamlPretty` |
//! | [`to_json`], [`to_json_raw`], [`to_json_pretty`] | `encoding/json` | `toJson`, `toRawJson`, `toPrettyJson` |
//! | [`parse_json`], [`parse_json_map`], [`parse_json_seq`] | `encoding/json` | `fromJson`, `fromJsonArray`, schemas |
//! | [`documents`] | apimachinery's `YAMLReader` | values files and manifests with several documents |
//!
//! Nothing here does I/O, and no input makes it panic: what is too deep or grows too much by aliases is an
//! [`Error`] (see [`Limits`]).

mod convert;
mod documents;
mod error;
mod gosyntax;
mod json;
mod limits;
mod number;
mod print;
mod read;
mod value;

pub use convert::{from_serde, to_serde};
pub use documents::{Document, documents};
pub use error::{Error, Position};
pub use json::{
    parse_json, parse_json_map, parse_json_seq, parse_json_with, to_json, to_json_pretty,
    to_json_raw,
};
pub use limits::Limits;
pub use number::{float_g, float_json};
pub use print::{to_yaml, to_yaml_pretty};
pub use read::{Numbers, ParseOptions, parse, parse_map, parse_seq, parse_with};
pub use value::{Map, Value};
