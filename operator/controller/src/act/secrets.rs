//! What must not be seen of a chart's Secrets.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use belay_health::secret_strings;
use serde_json::Value;

/// Whether an object is a Secret.
pub(super) fn is_secret(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Secret")
}

/// Everything that the Secrets among these objects hold.
pub(super) fn secrets_of<'o>(objects: impl Iterator<Item = &'o Value>) -> BTreeSet<String> {
    let decode = |text: &str| {
        STANDARD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    objects
        .filter(|object| is_secret(object))
        .flat_map(|object| secret_strings(object, decode))
        .collect()
}
