//! Helm's ownership marks: one label and two annotations that say which release an object belongs to.

use std::fmt;

use serde_json::{Map, Value};

/// The field manager of chart objects: Helm's own, so that both can go on from what the other left.
pub const MANAGER: &str = "helm";
/// The field manager of release records, as Helm writes them.
pub const RECORD_MANAGER: &str = "Helm";

/// The label that Helm puts on everything it makes from a manifest.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label's value.
pub const MANAGED_BY_HELM: &str = "Helm";
/// The annotation that names the release.
pub const RELEASE_NAME: &str = "meta.helm.sh/release-name";
/// The annotation that names the release's namespace.
pub const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// The annotation that keeps an object where it would be deleted.
pub const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// The release that an object belongs to, as its annotations name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The release's name.
    pub release: String,
    /// The namespace that it is installed into.
    pub namespace: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.namespace, self.release)
    }
}

/// Whose object it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// Its annotations name us.
    Ours,
    /// It names no release, or names one only by half.
    Unowned,
    /// It names another release.
    Foreign(Owner),
}

/// Puts the marks onto an object. A chart's own values for them are overridden, as Helm does.
pub fn stamp(object: &mut Value, owner: &Owner) {
    set(object, "labels", MANAGED_BY, MANAGED_BY_HELM);
    set(object, "annotations", RELEASE_NAME, &owner.release);
    set(object, "annotations", RELEASE_NAMESPACE, &owner.namespace);
}

/// Whose is this live object? The annotations decide: an object that lost only its label is still ours, and the
/// next apply puts the label back.
pub fn ownership(object: &Value, owner: &Owner) -> Ownership {
    match marked_owner(object) {
        None => Ownership::Unowned,
        Some(found) if found == *owner => Ownership::Ours,
        Some(found) => Ownership::Foreign(found),
    }
}

/// The release that an object names, if it names one in full.
pub fn marked_owner(object: &Value) -> Option<Owner> {
    let annotation = |key: &str| {
        object
            .pointer("/metadata/annotations")
            .and_then(|all| all.get(key))
            .and_then(Value::as_str)
    };
    Some(Owner {
        release: annotation(RELEASE_NAME)?.to_owned(),
        namespace: annotation(RELEASE_NAMESPACE)?.to_owned(),
    })
}

/// Must the object stay where it would be deleted? Helm reads `keep` without regard to case and spaces around it.
pub fn is_kept(object: &Value) -> bool {
    object
        .pointer("/metadata/annotations")
        .and_then(|all| all.get(RESOURCE_POLICY))
        .and_then(Value::as_str)
        .is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

/// Sets one label or annotation, making the maps where they are absent or null.
pub(crate) fn set(object: &mut Value, map: &str, key: &str, value: &str) {
    if let Some(entries) = child(object, "metadata")
        .and_then(|metadata| child(metadata, map))
        .and_then(Value::as_object_mut)
    {
        entries.insert(key.to_owned(), Value::from(value));
    }
}

fn child<'a>(parent: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    let entry = parent.as_object_mut()?.entry(key).or_insert(Value::Null);
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shop() -> Owner {
        Owner {
            release: "shop".into(),
            namespace: "prod".into(),
        }
    }

    #[test]
    fn a_stamped_object_is_ours_and_a_chart_cannot_override_the_marks() {
        let mut object = json!({"metadata": {"name": "web", "annotations": null, "labels": {MANAGED_BY: "Tiller"}}});
        stamp(&mut object, &shop());
        assert_eq!(ownership(&object, &shop()), Ownership::Ours);
        assert_eq!(
            object.pointer("/metadata/labels"),
            Some(&json!({MANAGED_BY: "Helm"}))
        );
    }

    #[test]
    fn the_same_name_in_another_namespace_is_another_release() {
        let mut object = json!({"metadata": {"name": "web"}});
        let other = Owner {
            namespace: "test".into(),
            ..shop()
        };
        stamp(&mut object, &other);
        assert_eq!(ownership(&object, &shop()), Ownership::Foreign(other));
    }

    #[test]
    fn half_a_mark_is_no_mark() {
        let object = json!({"metadata": {"annotations": {RELEASE_NAME: "shop"}}});
        assert_eq!(ownership(&object, &shop()), Ownership::Unowned);
        assert_eq!(
            ownership(&json!({"metadata": {}}), &shop()),
            Ownership::Unowned
        );
    }

    #[test]
    fn keep_is_read_as_helm_reads_it() {
        assert!(is_kept(
            &json!({"metadata": {"annotations": {RESOURCE_POLICY: " Keep "}}})
        ));
        assert!(!is_kept(
            &json!({"metadata": {"annotations": {RESOURCE_POLICY: "delete"}}})
        ));
    }
}
