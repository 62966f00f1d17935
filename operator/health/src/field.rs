//! Lenient reading of JSON fields: what is absent or of another type is simply not there.

use serde_json::Value;

/// The value at a path of object keys.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

/// The string at a path.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(object, path).and_then(Value::as_str)
}

/// The integer at a path.
pub(crate) fn int(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path).and_then(Value::as_i64)
}

/// The boolean at a path; absent is false.
pub(crate) fn flag(object: &Value, path: &[&str]) -> bool {
    at(object, path).and_then(Value::as_bool).unwrap_or(false)
}

/// The list at a path; absent is empty.
pub(crate) fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// One entry of `status.conditions`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<'a> {
    pub status: &'a str,
    pub reason: &'a str,
    pub message: &'a str,
    pub observed_generation: Option<i64>,
}

impl Condition<'_> {
    pub(crate) fn is_true(&self) -> bool {
        self.status.eq_ignore_ascii_case("true")
    }

    pub(crate) fn is_false(&self) -> bool {
        self.status.eq_ignore_ascii_case("false")
    }

    /// The message, or where there is none the reason, or what the caller says.
    pub(crate) fn explain(&self, otherwise: &str) -> String {
        [self.message, self.reason, otherwise]
            .into_iter()
            .find(|part| !part.is_empty())
            .unwrap_or_default()
            .to_owned()
    }

    /// The reason, or what the caller says where there is none.
    pub(crate) fn reason_or(&self, otherwise: &str) -> String {
        if self.reason.is_empty() {
            otherwise
        } else {
            self.reason
        }
        .to_owned()
    }
}

/// The condition of a type in `status.conditions`.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    list(object, &["status", "conditions"])
        .iter()
        .find(|entry| text(entry, &["type"]) == Some(kind))
        .map(|entry| Condition {
            status: text(entry, &["status"]).unwrap_or_default(),
            reason: text(entry, &["reason"]).unwrap_or_default(),
            message: text(entry, &["message"]).unwrap_or_default(),
            observed_generation: int(entry, &["observedGeneration"]),
        })
}
