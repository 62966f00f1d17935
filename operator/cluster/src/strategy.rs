//! A rollout strategy whose defaults the API server keeps although its type does not allow them any more.

use serde_json::Value;

use crate::error::{Error, NotDone};

/// `Deployment`s have the one, `StatefulSet`s and `DaemonSet`s the other.
const FIELDS: [&str; 2] = ["strategy", "updateStrategy"];

/// The same object with `rollingUpdate` taken away by name, if its strategy is of another type.
///
/// When `type` was `RollingUpdate` or not set, the API server filled `rollingUpdate` in. No manager owns what it filled
/// in, so that an apply of `type: Recreate` leaves it there, and validation then refuses the two together
/// (kubernetes/kubernetes#24198). Named as null it goes.
pub(crate) fn without_defaults(object: &Value) -> Option<Value> {
    let field = FIELDS.into_iter().find(|field| {
        let strategy = object.pointer(&format!("/spec/{field}"));
        strategy.is_some_and(|strategy| {
            let kind = strategy.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| kind != "RollingUpdate")
                && strategy.get("rollingUpdate").is_none()
        })
    })?;
    let mut object = object.clone();
    object["spec"][field]["rollingUpdate"] = Value::Null;
    Some(object)
}

/// Whether the API server refused an object for a `rollingUpdate` that its manifest does not have.
pub(crate) fn is_refused(error: &NotDone) -> bool {
    let Error::Refused(refusal) = error.error() else {
        return false;
    };
    refusal.causes.iter().any(|cause| {
        FIELDS
            .iter()
            .any(|field| cause.field == format!("spec.{field}.rollingUpdate"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_strategy_of_another_type_loses_its_defaults_by_name() {
        let recreate = json!({"spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(
            without_defaults(&recreate),
            Some(json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}))
        );
        for untouched in [
            json!({"spec": {"strategy": {"type": "RollingUpdate"}}}),
            json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}}),
            json!({"spec": {"replicas": 1}}),
        ] {
            assert_eq!(without_defaults(&untouched), None);
        }
    }
}
