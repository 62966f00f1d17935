//! `encoding/json`.

mod read;
mod utf8;
mod write;

pub use read::{parse_json, parse_json_map, parse_json_seq, parse_json_with};
pub use write::{to_json, to_json_pretty, to_json_raw};

pub(crate) use read::mismatch;
pub(crate) use utf8::utf8_lossy;
pub(crate) use write::encoded_chars;
