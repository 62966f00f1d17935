//! Which object: a name that sorts, hashes and prints the same everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::text;

/// What keeps a JSON value from being named as a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// A field that every object needs is absent, empty or not a string.
    #[error("the object has no {field}; add it to the manifest")]
    Missing {
        /// The field's path, for example `metadata.name`.
        field: &'static str,
    },
}

/// An object with the version through which it is spoken to.
///
/// Two references of different versions can mean the same object: compare [`ObjectRef::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// API group, empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Version within the group, for example `v1`.
    pub version: String,
    /// Kind, for example `Deployment`.
    pub kind: String,
    /// Namespace; `None` for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// An object's identity, whatever the version: the key of inventories and of pruning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// API group, empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Kind, for example `Deployment`.
    pub kind: String,
    /// Namespace; `None` for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// A reference from `apiVersion` (`apps/v1`, or `v1` for the core group) and the rest.
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        let (group, version) = split_api_version(api_version);
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.filter(|n| !n.is_empty()).map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The reference that an object's own JSON gives.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] when `apiVersion`, `kind` or `metadata.name` is not there.
    pub fn of(object: &Value) -> Result<Self, ObjectError> {
        let need = |path: &[&str], field: &'static str| {
            text(object, path)
                .filter(|found| !found.is_empty())
                .ok_or(ObjectError::Missing { field })
        };
        Ok(Self::new(
            need(&["apiVersion"], "apiVersion")?,
            need(&["kind"], "kind")?,
            text(object, &["metadata", "namespace"]),
            need(&["metadata", "name"], "metadata.name")?,
        ))
    }

    /// `apiVersion` as manifests write it.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The identity without the version.
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

/// `Deployment shop/web`, or `ClusterRole admin` for cluster-scoped objects. Groups that are not
/// Kubernetes' own are told: `Certificate.cert-manager.io shop/web`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(
            f,
            &self.group,
            &self.kind,
            self.namespace.as_deref(),
            &self.name,
        )
    }
}

/// Prints like [`ObjectRef`].
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(
            f,
            &self.group,
            &self.kind,
            self.namespace.as_deref(),
            &self.name,
        )
    }
}

/// Splits `apiVersion` into group (empty for the core group) and version.
pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// Whether a group belongs to Kubernetes itself, so that its kinds are the API server's own and
/// not those of a custom resource. `*.k8s.io` alone does not say so: many add-ons live there.
pub fn is_builtin_group(group: &str) -> bool {
    const K8S_IO: [&str; 15] = [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    ];
    !group.contains('.') || K8S_IO.contains(&group)
}

fn print(
    f: &mut fmt::Formatter<'_>,
    group: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> fmt::Result {
    f.write_str(kind)?;
    if !is_builtin_group(group) {
        write!(f, ".{group}")?;
    }
    match namespace {
        Some(namespace) => write!(f, " {namespace}/{name}"),
        None => write!(f, " {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_named_by_its_own_json() {
        let found = ObjectRef::of(&json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"}
        }))
        .unwrap();
        assert_eq!(
            found,
            ObjectRef::new("apps/v1", "Deployment", Some("shop"), "web")
        );
        assert_eq!(found.api_version(), "apps/v1");
        assert_eq!(found.to_string(), "Deployment shop/web");
    }

    #[test]
    fn an_object_without_a_name_says_which_field_is_missing() {
        let error = ObjectRef::of(&json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err();
        assert_eq!(
            error,
            ObjectError::Missing {
                field: "metadata.name"
            }
        );
    }

    #[test]
    fn a_new_version_of_the_api_is_still_the_same_object() {
        let old = ObjectRef::new("policy/v1beta1", "PodDisruptionBudget", Some("shop"), "web");
        let new = ObjectRef::new("policy/v1", "PodDisruptionBudget", Some("shop"), "web");
        assert_ne!(old, new);
        assert_eq!(old.key(), new.key());
    }

    #[test]
    fn foreign_groups_are_told_and_cluster_scope_prints_no_namespace() {
        let foreign = ObjectRef::new("cert-manager.io/v1", "Certificate", Some("shop"), "tls");
        assert_eq!(foreign.to_string(), "Certificate.cert-manager.io shop/tls");
        let role = ObjectRef::new("rbac.authorization.k8s.io/v1", "ClusterRole", None, "admin");
        assert_eq!(role.key().to_string(), "ClusterRole admin");
    }

    #[test]
    fn a_reference_survives_being_written_down() {
        let reference = ObjectRef::new("v1", "Namespace", None, "shop");
        let written = serde_json::to_value(&reference).unwrap();
        assert_eq!(
            written,
            json!({"version": "v1", "kind": "Namespace", "name": "shop"})
        );
        assert_eq!(
            serde_json::from_value::<ObjectRef>(written).unwrap(),
            reference
        );
    }
}
