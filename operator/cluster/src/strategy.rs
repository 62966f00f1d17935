//! A rollout strategy whose defaults the API server keeps although its type does not allow them any more.
//!
//! When `type` is `RollingUpdate` or not set, the API server fills `rollingUpdate` in. No manager owns what it filled
//! in, so that an apply of `type: Recreate` leaves it there, and validation then refuses the two together
//! (kubernetes/kubernetes#24198). An explicit null does not help: server-side apply takes it for nothing said. What our
//! manager owns, though, goes when our manifest does not name it.

use serde_json::{Map, Value, json};

use crate::error::{Error, NotDone};
use crate::managed_fields::also_owning;

/// `Deployment`s have the one, `StatefulSet`s and `DaemonSet`s the other.
const FIELDS: [&str; 2] = ["strategy", "updateStrategy"];

/// Whether the API server refused an object for a `rollingUpdate` that its manifest does not have.
pub(crate) fn is_refused(error: &NotDone, object: &Value) -> bool {
    let Error::Refused(refusal) = error.error() else {
        return false;
    };
    FIELDS.iter().any(|field| {
        let refused = format!("spec.{field}.rollingUpdate");
        refusal.causes.iter().any(|cause| cause.field == refused)
            && object
                .pointer(&format!("/spec/{field}/rollingUpdate"))
                .is_none()
    })
}

/// The same object without its strategy: what a dry run can still try, as it cannot try two writes in a row.
pub(crate) fn without_strategy(mut object: Value) -> Value {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for field in FIELDS {
            spec.remove(field);
        }
    }
    object
}

/// The JSON patch that makes manager `helm` the owner of what the API server filled in, and changes nothing else.
pub(crate) fn owning_defaults(live: &Value) -> Option<Value> {
    let (field, defaults) = FIELDS.iter().find_map(|field| {
        let defaults = live.pointer(&format!("/spec/{field}/rollingUpdate"))?;
        Some((field, defaults.as_object()?))
    })?;
    let mut leaves: Map<String, Value> = defaults
        .keys()
        .map(|name| (format!("f:{name}"), json!({})))
        .collect();
    leaves.insert(".".to_owned(), json!({}));
    let fields = json!({"f:spec": {(format!("f:{field}")): {"f:rollingUpdate": leaves}}});
    also_owning(live, &fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_in_becomes_ours_beside_what_was_ours() {
        let live = json!({
            "apiVersion": "apps/v1",
            "metadata": {"resourceVersion": "7", "managedFields": [
                {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ]},
            "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
        });
        let patch = owning_defaults(&live).unwrap();
        assert_eq!(
            patch[0]["value"][0]["fieldsV1"],
            json!({"f:spec": {"f:replicas": {},
                "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}}}})
        );
        assert_eq!(owning_defaults(&json!({"spec": {}})), None);
    }

    #[test]
    fn a_dry_run_does_without_the_strategy() {
        let object = json!({"spec": {"replicas": 1, "strategy": {"type": "Recreate"}}});
        assert_eq!(without_strategy(object), json!({"spec": {"replicas": 1}}));
    }
}
