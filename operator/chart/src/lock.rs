//! `Chart.lock`, and `requirements.lock` of charts of version 1.

use belay_template::dates::Time;
use belay_yaml::Value;

use crate::decode::{Decode, DecodeError, Path};
use crate::metadata::Dependency;

/// The content of a lock file as Helm writes it into its records, nothing for an empty one.
///
/// # Errors
/// A field is of another type, in the words of Go's decoder.
pub(crate) fn read(from: &Value) -> Result<serde_json::Value, DecodeError> {
    let mut first = None;
    let root = Path::root("Lock", "v2.Lock");
    let Some(fields) = root.object(from, &mut first) else {
        return first.map_or(Ok(serde_json::Value::Null), Err);
    };
    let mut generated = "0001-01-01T00:00:00Z".to_owned();
    let mut digest = String::new();
    let mut dependencies = None;
    for (key, value) in fields {
        let mut field = Decode {
            path: &root,
            value,
            first: &mut first,
        };
        match key.to_lowercase().as_str() {
            // A moment reads itself, and its error ends all others.
            "generated" => {
                if let Some(text) = time(value)? {
                    text.clone_into(&mut generated);
                }
            }
            "digest" => field.text("digest", &mut digest),
            "dependencies" => {
                dependencies =
                    field.list("dependencies", "[]*v2.Dependency", |path, item, first| {
                        (!item.is_null()).then(|| Dependency::read(path, item, first))
                    });
            }
            _ => {}
        }
    }
    match first {
        Some(error) => Err(error),
        None => Ok(serde_json::json!({
            "generated": generated,
            "digest": digest,
            "dependencies": dependencies,
        })),
    }
}

/// A moment, as Go's `time.Time` reads one out of JSON: without a look at the escapes in it.
fn time(value: &Value) -> Result<Option<&str>, DecodeError> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Str(text) => text,
        _ => {
            let text = "Time.UnmarshalJSON: input is not a JSON string";
            return Err(DecodeError::Type(text.to_owned()));
        }
    };
    let json = serde_json::Value::from(text.as_str()).to_string();
    let written = &json[1..json.len() - 1];
    match Time::parse_rfc3339(written.as_bytes()) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(DecodeError::Type(error.to_string())),
    }
}
