//! What differs between two manifests, object for object and field for field; their order does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// What names an object of a manifest: group, kind, namespace as far as it says one, and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// The API group; empty for the core one. Versions of a group name the same object.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; nothing where the manifest leaves it to the release.
    pub namespace: Option<String>,
    /// The name, or what it is generated from.
    pub name: String,
}

/// What becomes of one object.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// Only the second manifest has it.
    Added(Named),
    /// Only the first manifest has it.
    Removed(Named),
    /// Both have it, with other fields.
    Changed(Named, Vec<FieldChange>),
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Where: `spec.template.spec.containers[0].image`.
    pub path: String,
    /// What the first manifest says; nothing if it has no such field.
    pub before: Option<Value>,
    /// What the second manifest says; nothing if it has no such field.
    pub after: Option<Value>,
}

/// Compares the objects of two manifests; in the order of their names.
pub fn differences(before: &[Value], after: &[Value]) -> Vec<Difference> {
    let before = by_name(before);
    let after = by_name(after);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let compare = |name: &&Named| match (before.get(*name), after.get(*name)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => {
            let mut changes = Vec::new();
            compare(String::new(), Some(*old), Some(*new), &mut changes);
            Some(Difference::Changed((*name).clone(), changes))
        }
        (Some(_), None) => Some(Difference::Removed((*name).clone())),
        (None, _) => Some(Difference::Added((*name).clone())),
    };
    names.iter().filter_map(compare).collect()
}

impl Named {
    /// What names this object.
    pub fn of(object: &Value) -> Self {
        let text = |path: &str| {
            let text = object.pointer(path).and_then(Value::as_str);
            text.map(str::to_owned)
        };
        let version = text("/apiVersion").unwrap_or_default();
        Self {
            group: version
                .split_once('/')
                .map_or_else(String::new, |(group, _)| group.to_owned()),
            kind: text("/kind").unwrap_or_default(),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name")
                .or_else(|| text("/metadata/generateName"))
                .unwrap_or_default(),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl Difference {
    /// The object.
    pub fn object(&self) -> &Named {
        match self {
            Self::Added(object) | Self::Removed(object) | Self::Changed(object, _) => object,
        }
    }
}

fn by_name(objects: &[Value]) -> BTreeMap<Named, &Value> {
    objects
        .iter()
        .map(|object| (Named::of(object), object))
        .collect()
}

fn compare(
    path: String,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    match (before, after) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in keys {
                compare(under(&path, key), old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(format!("{path}[{index}]"), Some(old), Some(new), changes);
            }
        }
        (old, new) => changes.push(FieldChange {
            path,
            before: old.cloned(),
            after: new.cloned(),
        }),
    }
}

fn under(path: &str, key: &str) -> String {
    let key = if key.contains(['.', '[', '/']) {
        format!("[{key}]")
    } else {
        key.to_owned()
    };
    match (path, key.starts_with('[')) {
        ("", _) | (_, true) => format!("{path}{key}"),
        _ => format!("{path}.{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn web(replicas: u32) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app.kubernetes.io/name": "web"}}}}})
    }

    fn note(name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}})
    }

    #[test]
    fn the_order_of_objects_is_no_difference() {
        assert_eq!(differences(&[web(1), note("a")], &[note("a"), web(1)]), []);
    }

    #[test]
    fn what_comes_goes_and_changes_is_told_by_its_name_and_field() {
        let mut after = web(2);
        after["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] = json!("shop");

        let found = differences(&[web(1), note("a")], &[after, note("b")]);

        let told: Vec<_> = found.iter().map(|one| one.object().to_string()).collect();
        assert_eq!(
            told,
            ["ConfigMap shop/a", "ConfigMap shop/b", "Deployment web"]
        );
        assert!(matches!(found[0], Difference::Removed(_)));
        assert!(matches!(found[1], Difference::Added(_)));
        let Difference::Changed(_, changes) = &found[2] else {
            panic!("{found:?}");
        };
        let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "spec.replicas",
                "spec.template.metadata.labels[app.kubernetes.io/name]"
            ]
        );
        assert_eq!(
            (&changes[0].before, &changes[0].after),
            (&Some(json!(1)), &Some(json!(2)))
        );
    }

    #[test]
    fn a_list_of_another_length_is_one_change() {
        let (one, two) = (
            json!({"kind": "A", "list": [1]}),
            json!({"kind": "A", "list": [1, 2]}),
        );
        let found = differences(&[one], &[two]);
        assert!(
            matches!(&found[..], [Difference::Changed(_, changes)] if changes.len() == 1 && changes[0].path == "list"),
            "{found:?}"
        );
    }
}
