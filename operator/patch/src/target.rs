//! Which objects a patch is for.

use std::fmt;

use regex::Regex;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::selector::Selector;

/// Which objects a patch is for: those that all given fields fit. None given: all objects.
///
/// As kustomize has it (`types.Selector`), group, version, kind, name and namespace are regular expressions that have to
/// fit as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// API group, such as `apps`.
    pub group: Option<String>,
    /// Version in the group, such as `v1`.
    pub version: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace; that of the release for objects that name none.
    pub namespace: Option<String>,
    /// Labels, as `kubectl get --selector` reads them.
    pub label_selector: Option<String>,
    /// Annotations, in the same notation.
    pub annotation_selector: Option<String>,
}

impl Target {
    fn fields(&self) -> [(&'static str, Option<&String>); 7] {
        [
            ("group", self.group.as_ref()),
            ("version", self.version.as_ref()),
            ("kind", self.kind.as_ref()),
            ("name", self.name.as_ref()),
            ("namespace", self.namespace.as_ref()),
            ("labelSelector", self.label_selector.as_ref()),
            ("annotationSelector", self.annotation_selector.as_ref()),
        ]
    }
}

/// `kind Deployment, name web.*`, or `any object`.
impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given: Vec<_> = self
            .fields()
            .into_iter()
            .filter_map(|(field, value)| Some(format!("{field} {}", value?)))
            .collect();
        if given.is_empty() {
            out.write_str("any object")
        } else {
            out.write_str(&given.join(", "))
        }
    }
}

/// A target that is ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Option<Selector>,
    annotations: Option<Selector>,
}

impl Fit {
    pub(crate) fn new(target: &Target) -> Result<Self, Error> {
        let expression = |field: &'static str, text: Option<&String>| {
            let given = text.filter(|text| !text.is_empty());
            given
                .map(|text| {
                    Regex::new(&format!("^(?:{text})$")).map_err(|error| Error::BadExpression {
                        field,
                        what: error.to_string(),
                    })
                })
                .transpose()
        };
        let selector = |field: &'static str, text: Option<&String>| {
            let given = text.filter(|text| !text.is_empty());
            given.map(|text| Selector::read(field, text)).transpose()
        };
        Ok(Self {
            group: expression("group", target.group.as_ref())?,
            version: expression("version", target.version.as_ref())?,
            kind: expression("kind", target.kind.as_ref())?,
            name: expression("name", target.name.as_ref())?,
            namespace: expression("namespace", target.namespace.as_ref())?,
            labels: selector("labelSelector", target.label_selector.as_ref())?,
            annotations: selector("annotationSelector", target.annotation_selector.as_ref())?,
        })
    }

    pub(crate) fn fits(&self, object: &Value, namespace: &str) -> bool {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (group, version) = group_and_version(text("/apiVersion"));
        let own = text("/metadata/namespace");
        let fits = |expression: &Option<Regex>, text: &str| {
            expression
                .as_ref()
                .is_none_or(|expression| expression.is_match(text))
        };
        let selects = |selector: &Option<Selector>, pointer: &str| {
            let nothing = Map::new();
            let entries = object.pointer(pointer).and_then(Value::as_object);
            selector
                .as_ref()
                .is_none_or(|selector| selector.selects(entries.unwrap_or(&nothing)))
        };
        fits(&self.group, group)
            && fits(&self.version, version)
            && fits(&self.kind, text("/kind"))
            && fits(&self.name, text("/metadata/name"))
            && fits(
                &self.namespace,
                if own.is_empty() { namespace } else { own },
            )
            && selects(&self.labels, "/metadata/labels")
            && selects(&self.annotations, "/metadata/annotations")
    }
}

/// Splits `apps/v1`; the core group is empty.
pub(crate) fn group_and_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn web() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "name": "web-front", "labels": {"app": "web"}, "annotations": {"team": "shop"}}})
    }

    fn fits(change: impl FnOnce(&mut Target)) -> bool {
        let mut target = Target::default();
        change(&mut target);
        Fit::new(&target).unwrap().fits(&web(), "shop")
    }

    #[test]
    fn expressions_fit_as_a_whole_and_all_of_them_have_to() {
        assert!(fits(|_| {}));
        assert!(fits(|t| t.kind = Some("Deployment|StatefulSet".into())));
        assert!(fits(|t| t.name = Some("web.*".into())));
        assert!(!fits(|t| t.name = Some("web".into())));
        assert!(fits(|t| t.group = Some("apps".into())));
        assert!(!fits(|t| t.version = Some("v2".into())));
        assert!(!fits(|t| {
            t.kind = Some("Deployment".into());
            t.name = Some("other".into());
        }));
    }

    #[test]
    fn an_object_without_a_namespace_is_in_that_of_the_release() {
        assert!(fits(|t| t.namespace = Some("shop".into())));
        assert!(!fits(|t| t.namespace = Some("default".into())));
    }

    #[test]
    fn labels_and_annotations_select() {
        assert!(fits(|t| t.label_selector = Some("app in (web, api)".into())));
        assert!(!fits(|t| t.label_selector = Some("app!=web".into())));
        assert!(fits(|t| t.annotation_selector = Some("team=shop".into())));
    }

    #[test]
    fn what_is_no_expression_is_told_by_its_field() {
        let target = Target {
            name: Some("web(".into()),
            ..Target::default()
        };
        let error = Fit::new(&target).unwrap_err().to_string();
        assert!(error.contains("target.name"), "{error}");
    }
}
