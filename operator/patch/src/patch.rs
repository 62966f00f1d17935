//! A patch: which objects, and what becomes of them.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::merge_keys::fields_of;
use crate::strategic::{Directive, merge, take_directive};
use crate::target::{Fit, Target, group_and_version};

/// A patch with its target.
#[derive(Debug, Clone)]
pub struct Patch {
    meant: Meant,
    change: Change,
}

#[derive(Debug, Clone)]
enum Meant {
    /// Whatever fits.
    Fitting(Box<Fit>),
    /// The one object that a strategic merge patch names itself.
    Named {
        api_version: String,
        kind: String,
        name: String,
        namespace: Option<String>,
    },
}

#[derive(Debug, Clone)]
enum Change {
    Operations(json_patch::Patch),
    Merge(Map<String, Value>),
}

/// What a patch leaves of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The object, changed or not.
    Changed(Value),
    /// Nothing: the patch says `$patch: delete`.
    Deleted,
}

impl Patch {
    /// Reads a patch: a list is a JSON patch, an object is merged strategically. Without a target the latter has to
    /// name its object.
    ///
    /// # Errors
    /// Whatever is wrong with the patch or its target, each with its remedy.
    pub fn new(target: Option<&Target>, change: &Value) -> Result<Self, Error> {
        let change = match change {
            Value::Array(_) => {
                Change::Operations(serde_json::from_value(change.clone()).map_err(|error| {
                    Error::NotAJsonPatch {
                        what: error.to_string(),
                    }
                })?)
            }
            Value::Object(merged) => Change::Merge(merged.clone()),
            other => {
                return Err(Error::NeitherListNorObject {
                    found: shape(other),
                });
            }
        };
        let meant = match (target, &change) {
            (Some(target), _) => Meant::Fitting(Box::new(Fit::new(target)?)),
            (None, Change::Operations(_)) => return Err(Error::NoTarget),
            (None, Change::Merge(patch)) => named(patch)?,
        };
        Ok(Self { meant, change })
    }

    /// Whether an object is one of those that the patch is for. `namespace` is that of objects that name none.
    pub fn is_meant_for(&self, object: &Value, namespace: &str) -> bool {
        match &self.meant {
            Meant::Fitting(fit) => fit.fits(object, namespace),
            Meant::Named {
                api_version,
                kind,
                name,
                namespace: named,
            } => {
                let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
                text("/apiVersion") == Some(api_version)
                    && text("/kind") == Some(kind)
                    && text("/metadata/name") == Some(name)
                    && named.as_ref().is_none_or(|named| {
                        text("/metadata/namespace").unwrap_or(namespace) == named
                    })
            }
        }
    }

    /// Applies the patch. A strategic merge changes neither version and kind nor name and namespace, as with
    /// kustomize; a JSON patch may.
    ///
    /// # Errors
    /// [`Error::DoesNotApply`], [`Error::DoesNotMerge`], [`Error::NoObject`].
    pub fn apply(&self, object: Value) -> Result<Outcome, Error> {
        let patched = match &self.change {
            Change::Operations(operations) => {
                let mut object = object;
                json_patch::patch(&mut object, operations).map_err(|error| {
                    Error::DoesNotApply {
                        what: error.to_string(),
                    }
                })?;
                object
            }
            Change::Merge(patch) => match merged(object, patch.clone())? {
                Some(object) => object,
                None => return Ok(Outcome::Deleted),
            },
        };
        for (pointer, field) in [
            ("/apiVersion", "apiVersion"),
            ("/kind", "kind"),
            ("/metadata/name", "metadata.name"),
        ] {
            let text = patched.pointer(pointer).and_then(Value::as_str);
            if text.is_none_or(str::is_empty) {
                return Err(Error::NoObject { field });
            }
        }
        Ok(Outcome::Changed(patched))
    }
}

/// What names an object, as far as it does.
struct Identity {
    api_version: Option<Value>,
    kind: Option<Value>,
    name: Option<Value>,
    namespace: Option<Value>,
}

impl Identity {
    fn of(object: &Map<String, Value>) -> Self {
        let metadata = |field: &str| object.get("metadata")?.get(field).cloned();
        Self {
            api_version: object.get("apiVersion").cloned(),
            kind: object.get("kind").cloned(),
            name: metadata("name"),
            namespace: metadata("namespace"),
        }
    }

    fn restore(self, object: &mut Map<String, Value>) {
        put(object, "apiVersion", self.api_version);
        put(object, "kind", self.kind);
        let metadata = object
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            put(metadata, "name", self.name);
            put(metadata, "namespace", self.namespace);
        }
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(key.to_owned(), value);
        }
        None => {
            map.remove(key);
        }
    }
}

fn merged(object: Value, mut patch: Map<String, Value>) -> Result<Option<Value>, Error> {
    let Value::Object(object) = object else {
        return Err(Error::NoObject { field: "kind" });
    };
    let identity = Identity::of(&object);
    let text = |value: &Option<Value>| {
        let text = value.as_ref().and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (api_version, kind) = (text(&identity.api_version), text(&identity.kind));
    let fields = fields_of(group_and_version(&api_version).0, &kind);
    let mut left = match take_directive(&mut patch, "")? {
        Directive::Delete => return Ok(None),
        Directive::Replace => patch,
        Directive::Merge => merge(object, patch, fields, "")?,
    };
    identity.restore(&mut left);
    Ok(Some(Value::Object(left)))
}

fn named(patch: &Map<String, Value>) -> Result<Meant, Error> {
    let metadata = patch.get("metadata");
    let text = |value: Option<&Value>, field: &'static str| {
        let text = value
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or(Error::Unnamed { field })
    };
    Ok(Meant::Named {
        api_version: text(patch.get("apiVersion"), "apiVersion")?,
        kind: text(patch.get("kind"), "kind")?,
        name: text(metadata.and_then(|m| m.get("name")), "metadata.name")?,
        namespace: metadata
            .and_then(|metadata| metadata.get("namespace"))
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn web() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 1}})
    }

    fn applied(change: &Value) -> Result<Outcome, Error> {
        Patch::new(Some(&Target::default()), change)?.apply(web())
    }

    #[test]
    fn a_merge_keeps_the_names_and_a_json_patch_may_change_them() {
        let merge = json!({"kind": "X", "metadata": {"name": "y", "namespace": "z"}, "spec": {"replicas": 2}});
        let Ok(Outcome::Changed(object)) = applied(&merge) else {
            panic!()
        };
        assert_eq!(object["metadata"], json!({"name": "web"}));
        assert_eq!(
            (&object["kind"], &object["spec"]["replicas"]),
            (&json!("Deployment"), &json!(2))
        );

        let rename = json!([{"op": "replace", "path": "/metadata/name", "value": "y"}]);
        let Ok(Outcome::Changed(object)) = applied(&rename) else {
            panic!()
        };
        assert_eq!(object["metadata"]["name"], "y");
    }

    #[test]
    fn a_whole_object_can_be_taken_out_or_replaced() {
        assert_eq!(applied(&json!({"$patch": "delete"})), Ok(Outcome::Deleted));
        let Ok(Outcome::Changed(object)) = applied(&json!({"$patch": "replace", "spec": {"a": 1}}))
        else {
            panic!()
        };
        assert_eq!(object["spec"], json!({"a": 1}));
        assert_eq!(object["metadata"]["name"], "web");
    }

    #[test]
    fn without_a_target_a_merge_names_its_object_and_a_json_patch_cannot() {
        let patch = Patch::new(None, &web()).unwrap();
        assert!(patch.is_meant_for(&web(), "shop"));
        let mut other = web();
        other["metadata"]["name"] = json!("other");
        assert!(!patch.is_meant_for(&other, "shop"));

        let mut elsewhere = web();
        elsewhere["metadata"]["namespace"] = json!("shop");
        let patch = Patch::new(None, &elsewhere).unwrap();
        assert!(patch.is_meant_for(&web(), "shop"));
        assert!(!patch.is_meant_for(&web(), "other"));

        let error = Patch::new(None, &json!({"kind": "Deployment"})).unwrap_err();
        assert!(error.to_string().contains("apiVersion"), "{error}");
        assert_eq!(Patch::new(None, &json!([])).unwrap_err(), Error::NoTarget);
    }

    #[test]
    fn what_is_no_patch_or_does_not_apply_says_what_to_do() {
        for (change, part) in [
            (json!("text"), "a list of JSON patch operations"),
            (json!([{"op": "ad", "path": "/a"}]), "op"),
            (
                json!([{"op": "remove", "path": "/spec/none"}]),
                "/spec/none",
            ),
            (
                json!([{"op": "remove", "path": "/metadata/name"}]),
                "metadata.name",
            ),
            (
                json!({"spec": {"$patch": "move"}}),
                "merge, replace or delete",
            ),
            (
                json!({"spec": {"$setElementOrder/list": []}}),
                "$setElementOrder",
            ),
            (
                json!({"spec": {"$retainKeys": ["replicas"], "strategy": {}}}),
                "strategy",
            ),
        ] {
            let error = applied(&change).unwrap_err().to_string();
            assert!(error.contains(part), "{change}: {error}");
        }
    }

    #[test]
    fn an_element_that_cannot_be_told_apart_is_refused_with_its_place() {
        let change = json!({"spec": {"template": {"spec": {"containers": [{"image": "a"}]}}}});
        let mut object = web();
        object["spec"]["template"] = json!({"spec": {"containers": [{"name": "web"}]}});
        let patch = Patch::new(Some(&Target::default()), &change).unwrap();
        let error = patch.apply(object).unwrap_err().to_string();
        assert!(
            error.contains("spec.template.spec.containers[0]") && error.contains("no name"),
            "{error}"
        );
    }
}
