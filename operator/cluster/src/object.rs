//! Objects as they come over the wire: what every object has, how one is read, and where it lives.

use std::fmt;

use belay_health::{ObjectKey, ObjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Error, RefusalKind};
use crate::kinds::{Resolved, Scope};
use crate::wire::{Call, METADATA};

/// A point in the API server's history. Kubernetes promises that they compare as integers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ResourceVersion(pub u64);

impl ResourceVersion {
    /// Reads the API's text; `None` when it is no integer, as some aggregated API servers have it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// The uid of a live object.
pub fn uid(object: &Value) -> Option<&str> {
    object.pointer("/metadata/uid").and_then(Value::as_str)
}

/// The resourceVersion of a live object; zero where it is no integer, which counts as older than everything.
pub fn resource_version(object: &Value) -> ResourceVersion {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .and_then(ResourceVersion::parse)
        .unwrap_or_default()
}

/// What is being deleted: its deletionTimestamp is set.
pub fn is_terminating(object: &Value) -> bool {
    object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|at| !at.is_null())
}

/// Uid and resourceVersion of an answer, which every object has.
pub(crate) fn identified(
    object: &Value,
    what: &dyn fmt::Display,
) -> Result<(String, ResourceVersion), Error> {
    let uid = uid(object).ok_or_else(|| Error::Malformed {
        what: what.to_string(),
        why: "came back without a uid: something between us and the API server changes answers"
            .into(),
    })?;
    Ok((uid.to_owned(), resource_version(object)))
}

/// The items of every list among the objects, one by one, lists in lists too. Helm applies a `v1` `List`, or any
/// kind that ends in `List` and has `items`, as if its items stood alone.
pub fn expand_lists(objects: Vec<Value>) -> Vec<Value> {
    let mut expanded = Vec::with_capacity(objects.len());
    for mut object in objects {
        let is_list = object
            .get("kind")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.ends_with("List"));
        match object.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) if is_list => expanded.extend(expand_lists(items)),
            Some(other) => {
                object["items"] = other;
                expanded.push(object);
            }
            None => expanded.push(object),
        }
    }
    expanded
}

/// Where an object of a manifest goes: its kind as served, and its key with the namespace filled in.
#[derive(Debug, Clone)]
pub struct Place {
    /// The kind.
    pub resolved: Resolved,
    /// The object, its namespace defaulted by the kind's scope.
    pub key: ObjectKey,
}

impl Place {
    pub(crate) fn path(&self) -> String {
        self.resolved
            .object(self.key.namespace.as_deref(), &self.key.name)
    }
}

/// A kind that is no longer served has no objects.
fn present(answer: Result<Option<Value>, Error>) -> Result<Option<Value>, Error> {
    match answer {
        Err(error) if error.is(RefusalKind::NotServed) => Ok(None),
        answer => answer,
    }
}

/// The answer to Helm's `lookup`.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// For example `apps/v1`.
    pub api_version: &'a str,
    /// For example `Deployment`.
    pub kind: &'a str,
    /// Empty: all namespaces, or a cluster-scoped kind.
    pub namespace: &'a str,
    /// Empty: a list.
    pub name: &'a str,
}

impl Connection {
    /// Where an object of a manifest goes.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it has no apiVersion, kind or name; [`Error::UnknownKind`]; read errors.
    pub async fn place(&self, object: &Value, default_namespace: &str) -> Result<Place, Error> {
        let reference = ObjectRef::of(object).map_err(|error| Error::Malformed {
            what: "a manifest".into(),
            why: error.to_string(),
        })?;
        let resolved = self
            .resolve(&reference.api_version(), &reference.kind)
            .await?;
        let mut key = reference.key();
        key.namespace = match resolved.scope {
            Scope::Cluster => None,
            Scope::Namespaced => Some(
                key.namespace
                    .unwrap_or_else(|| default_namespace.to_owned()),
            ),
        };
        Ok(Place { resolved, key })
    }

    /// Where a known object lives, in the version that the cluster prefers.
    ///
    /// # Errors
    /// [`Error::UnknownKind`]; read errors.
    pub async fn place_of(&self, key: &ObjectKey) -> Result<Place, Error> {
        let resolved = self.resolve_preferred(&key.group, &key.kind).await?;
        Ok(Place {
            resolved,
            key: key.clone(),
        })
    }

    /// A live object, whole; `None` when it is not there.
    ///
    /// # Errors
    /// [`Error::UnknownKind`]; read errors.
    pub async fn get(&self, key: &ObjectKey) -> Result<Option<Value>, Error> {
        self.get_at(&self.place_of(key).await?).await
    }

    /// The metadata of a live object; `None` when it is not there.
    ///
    /// # Errors
    /// [`Error::UnknownKind`]; read errors.
    pub async fn get_metadata(&self, key: &ObjectKey) -> Result<Option<Value>, Error> {
        let place = self.place_of(key).await?;
        present(
            Call::get(place.path())
                .accept(METADATA)
                .read_opt(self)
                .await,
        )
    }

    pub(crate) async fn get_at(&self, place: &Place) -> Result<Option<Value>, Error> {
        present(Call::get(place.path()).read_opt(self).await)
    }

    /// Helm's `lookup`: an object, or a list when no name is given; `{}` when there is none.
    ///
    /// # Errors
    /// [`Error::UnknownKind`]; read errors, [`crate::RefusalKind::Forbidden`] among them.
    pub async fn lookup(&self, wanted: Lookup<'_>) -> Result<Value, Error> {
        let empty = || Value::Object(serde_json::Map::new());
        let resolved = self.resolve(wanted.api_version, wanted.kind).await?;
        let namespace = Some(wanted.namespace);
        let path = if wanted.name.is_empty() {
            resolved.collection(namespace)
        } else {
            resolved.object(namespace, wanted.name)
        };
        Ok(Call::get(path).read_opt(self).await?.unwrap_or_else(empty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_applied_item_by_item() {
        let list = json!({"kind": "List", "items": [{"kind": "A"}, {"kind": "BList", "items": [{"kind": "B"}]}]});
        let kinds: Vec<Value> = expand_lists(vec![list, json!({"kind": "C", "items": [1]})]);
        assert_eq!(
            kinds,
            [
                json!({"kind": "A"}),
                json!({"kind": "B"}),
                json!({"kind": "C", "items": [1]})
            ]
        );
    }

    #[test]
    fn resource_versions_compare_as_integers() {
        assert!(ResourceVersion::parse("9") < ResourceVersion::parse("10"));
        assert_eq!(ResourceVersion::parse("v-7"), None);
    }
}
