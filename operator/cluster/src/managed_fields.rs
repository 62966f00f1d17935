//! Who owns which field, as `metadata.managedFields` tells it.

use serde_json::{Map, Value, json};

use crate::identity::MANAGER;

/// The manager under which kubectl applied before server-side apply.
const KUBECTL_CLIENT_SIDE: &str = "kubectl-client-side-apply";

/// The JSON patch that turns what Helm 3 or kubectl applied client-side into one server-side entry of manager
/// `helm`, all other entries untouched; `None` when there is nothing to migrate.
///
/// Without it a forced apply leaves fields behind that the manifest no longer has, because the old entry still owns
/// them. The patch carries the resourceVersion that was read, so that it conflicts when anything changed since.
pub fn migration(live: &Value) -> Option<Value> {
    if !is_client_side(live) {
        return None;
    }
    also_owning(live, &Value::Object(Map::new()))
}

/// Does an entry of Helm's or kubectl's client-side apply own fields of this object?
pub fn is_client_side(live: &Value) -> bool {
    live.pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .is_some_and(|entries| entries.iter().any(is_client_side_entry))
}

/// The JSON patch after which manager `helm` owns these fields as well, in one server-side entry.
pub(crate) fn also_owning(live: &Value, more: &Value) -> Option<Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let resource_version = live.pointer("/metadata/resourceVersion")?.as_str()?;
    let mut fields = more.clone();
    let mut others = Vec::new();
    let mut newest: Option<&Value> = None;
    for entry in entries {
        if is_client_side_entry(entry) || is_our_apply(entry) {
            if let Some(owned) = entry.get("fieldsV1") {
                unite(&mut fields, owned);
            }
            newest = newest_of(newest, entry);
        } else {
            others.push(entry.clone());
        }
    }
    let newest = newest?;
    let mut ours = json!({
        "manager": MANAGER,
        "operation": "Apply",
        "apiVersion": newest.get("apiVersion").cloned().unwrap_or_else(|| live["apiVersion"].clone()),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    });
    if let Some(time) = newest.get("time") {
        ours["time"] = time.clone();
    }
    others.insert(0, ours);
    Some(json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": others},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
    ]))
}

/// Is `spec.replicas` set by something that scales on its own? Only an entry that wrote through the scale
/// subresource counts, and not one of a person's `kubectl scale`: whoever merely set the field is drift.
pub fn replicas_are_scaled(live: &Value) -> bool {
    let Some(entries) = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
    else {
        return false;
    };
    entries.iter().any(|entry| {
        let manager = text(entry, "manager");
        text(entry, "subresource") == "scale"
            && !manager.starts_with("kubectl")
            && manager != MANAGER
            && entry.pointer("/fieldsV1/f:spec/f:replicas").is_some()
    })
}

/// Are the rules of a `ClusterRole` put together by the controller for `aggregationRule`? A chart gives such a role
/// `rules: []`, and means those that are aggregated.
pub(crate) fn rules_are_aggregated(live: &Value) -> bool {
    let entries = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    live.get("aggregationRule").is_some_and(Value::is_object)
        && entries.is_some_and(|entries| {
            entries.iter().any(|entry| {
                text(entry, "manager") != MANAGER && entry.pointer("/fieldsV1/f:rules").is_some()
            })
        })
}

fn is_client_side_entry(entry: &Value) -> bool {
    let manager = text(entry, "manager");
    text(entry, "operation") == "Update"
        && text(entry, "subresource").is_empty()
        && (manager == MANAGER || manager == KUBECTL_CLIENT_SIDE)
}

fn is_our_apply(entry: &Value) -> bool {
    text(entry, "manager") == MANAGER
        && text(entry, "operation") == "Apply"
        && text(entry, "subresource").is_empty()
}

fn newest_of<'a>(known: Option<&'a Value>, entry: &'a Value) -> Option<&'a Value> {
    // RFC 3339 in UTC with whole seconds sorts as text.
    known
        .filter(|known| text(known, "time") >= text(entry, "time"))
        .or(Some(entry))
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A field set is a tree of objects; the union of two trees has the branches of both.
fn unite(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else {
        return;
    };
    for (key, branch) in from {
        unite(
            into.entry(key).or_insert_with(|| Value::Object(Map::new())),
            branch,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(entries: &Value) -> Value {
        json!({"apiVersion": "v1", "metadata": {"resourceVersion": "42", "managedFields": entries}})
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
               "time": "2026-01-01T00:00:00Z", "fieldsV1": fields})
    }

    #[test]
    fn what_helm_3_and_kubectl_wrote_becomes_one_entry_and_others_stay() {
        let other = entry("controller", "Update", &json!({"f:status": {}}));
        let patch = migration(&live(&json!([
            entry("helm", "Update", &json!({"f:data": {"f:a": {}}})),
            entry(
                "kubectl-client-side-apply",
                "Update",
                &json!({"f:data": {"f:b": {}}})
            ),
            other,
        ])))
        .unwrap();
        let entries = patch[0]["value"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (&entries[0]["manager"], &entries[0]["operation"]),
            (&json!("helm"), &json!("Apply"))
        );
        assert_eq!(
            entries[0]["fieldsV1"],
            json!({"f:data": {"f:a": {}, "f:b": {}}})
        );
        assert_eq!(entries[1], other);
        assert_eq!(patch[1]["value"], "42");
    }

    #[test]
    fn what_was_applied_server_side_needs_no_migration() {
        assert_eq!(
            migration(&live(&json!([entry("helm", "Apply", &json!({}))]))),
            None
        );
        assert_eq!(migration(&json!({"metadata": {}})), None);
    }

    #[test]
    fn only_an_autoscaler_s_hand_on_the_scale_counts() {
        let scale = |manager: &str| {
            let mut entry = entry(manager, "Update", &json!({"f:spec": {"f:replicas": {}}}));
            entry["subresource"] = json!("scale");
            live(&json!([entry]))
        };
        assert!(replicas_are_scaled(&scale("kube-controller-manager")));
        assert!(!replicas_are_scaled(&scale("kubectl")));
        let edit = entry(
            "kube-controller-manager",
            "Update",
            &json!({"f:spec": {"f:replicas": {}}}),
        );
        assert!(!replicas_are_scaled(&live(&json!([edit]))));
    }

    #[test]
    fn rules_are_aggregated_once_the_controller_has_written_them() {
        let role = |aggregates: bool, manager: &str| {
            let mut role = live(&json!([entry(manager, "Update", &json!({"f:rules": {}}))]));
            if aggregates {
                role["aggregationRule"] = json!({"clusterRoleSelectors": []});
            }
            role
        };
        assert!(rules_are_aggregated(&role(true, "kube-controller-manager")));
        assert!(!rules_are_aggregated(&role(true, "helm")));
        assert!(!rules_are_aggregated(&role(
            false,
            "kube-controller-manager"
        )));
    }
}
