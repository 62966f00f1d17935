//! What a comparison shows of Secrets: which values change, and none of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Change, kind};

/// What stands for a value of a Secret.
const MASKED: &str = "***";

impl Change {
    /// The same with the values of Secrets masked.
    pub(super) fn masked(self) -> Self {
        let alone = |mut object: Value| {
            mask(&mut object, |_, _| MASKED.to_owned());
            object
        };
        match self {
            Self::Added { after } => Self::Added {
                after: alone(after),
            },
            Self::Removed { before } => Self::Removed {
                before: alone(before),
            },
            Self::Changed { before, after } => {
                let (before, after) = masked_beside(before, after);
                Self::Changed { before, after }
            }
            Self::Recreated { before, after } => {
                let (before, after) = masked_beside(before, after);
                Self::Recreated { before, after }
            }
            refused @ Self::Refused { .. } => refused,
        }
    }
}

/// Two states of one object, masked so that a value that changes is seen to change, as `kubectl diff` has it.
fn masked_beside(before: Value, after: Value) -> (Value, Value) {
    let (old, new) = (entries(&before), entries(&after));
    let beside = |mut object: Value, other: &BTreeMap<String, Value>, when: &str| {
        mask(&mut object, |key, value| match other.get(key) {
            Some(other) if other != value => format!("{MASKED} ({when})"),
            _ => MASKED.to_owned(),
        });
        object
    };
    (beside(before, &new, "before"), beside(after, &old, "after"))
}

/// The values of a Secret, each with its field and key.
fn entries(object: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for field in ["data", "stringData"] {
        let map = object.get(field).and_then(Value::as_object);
        for (key, value) in map.into_iter().flatten() {
            all.insert(format!("{field}/{key}"), value.clone());
        }
    }
    all
}

fn mask(object: &mut Value, mut masked: impl FnMut(&str, &Value) -> String) {
    let is_secret =
        kind(object) == "Secret" && object.get("apiVersion").and_then(Value::as_str) == Some("v1");
    if !is_secret {
        return;
    }
    for field in ["data", "stringData"] {
        let map = object.get_mut(field).and_then(Value::as_object_mut);
        for (key, value) in map.into_iter().flatten() {
            *value = masked(&format!("{field}/{key}"), value).into();
        }
    }
    let copy = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";
    if let Some(copy) = object.pointer_mut(copy) {
        *copy = MASKED.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(data: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "hunter2"}}, "data": data})
    }

    #[test]
    fn a_secret_shows_which_values_change_and_none_of_them() {
        let change = Change::Changed {
            before: secret(&json!({"same": "aHVudGVyMg==", "other": "b25l", "gone": "eA=="})),
            after: secret(&json!({"same": "aHVudGVyMg==", "other": "dHdv", "new": "eQ=="})),
        };
        let Change::Changed { before, after } = change.masked() else {
            panic!()
        };
        assert_eq!(
            before["data"],
            json!({"same": "***", "other": "*** (before)", "gone": "***"})
        );
        assert_eq!(
            after["data"],
            json!({"same": "***", "other": "*** (after)", "new": "***"})
        );
        assert!(!before.to_string().contains("hunter2"));
        let added = Change::Added {
            after: secret(&json!({"a": "b25l"})),
        };
        assert!(!format!("{:?}", added.masked()).contains("b25l"));
    }
}
