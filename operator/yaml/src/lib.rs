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
//! ```
//! use belay_yaml::{ParseOptions, Value, documents, parse, parse_with, to_json, to_yaml};
//!
//! // Helm's values: booleans of YAML 1.1, and every number is a float.
//! let values = parse(b"enabled: yes\nport: 8080\nimage: {tag: '1.10'}\n")?;
//! assert_eq!(values.at(&["image", "tag"]), Some(&Value::from("1.10")));
//! assert_eq!(values.get("port"), Some(&Value::Float(8080.0)));
//! assert_eq!(to_json(&values)?, r#"{"enabled":true,"image":{"tag":"1.10"},"port":8080}"#);
//! assert_eq!(to_yaml(&values)?, "enabled: true\nimage:\n  tag: \"1.10\"\nport: 8080\n");
//!
//! // One key twice: the later one wins, unless it is strict.
//! let twice = b"a: 1\na: 2\n";
//! assert_eq!(to_json(&parse(twice)?)?, r#"{"a":2}"#);
//! let strict = ParseOptions { strict: true, ..ParseOptions::default() };
//! assert!(parse_with(twice, &strict).is_err());
//!
//! // Errors have Go's words and a place.
//! let error = parse(b"a: [1\nb: 2\n").unwrap_err();
//! assert!(error.to_string().starts_with("error converting YAML to JSON: yaml: line "));
//! assert!(error.position().is_some());
//!
//! // Several documents.
//! assert_eq!(documents(b"a: 1\n---\nb: 2\n")?.len(), 2);
//! # Ok::<(), belay_yaml::Error>(())
//! ```
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
pub use read::{Numbers, ParseOptions, parse, parse_map, parse_paths, parse_seq, parse_with};
pub use value::{Map, Value};
