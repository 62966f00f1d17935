//! Which differences of which objects are nobody's business.

use regex::Regex;
use serde_json::Value;

use crate::difference::covers;
use crate::field::{at, text};
use crate::object::split_api_version;
use crate::selector::{NotASelector, Selector};

/// Which objects a rule speaks of, as it is written: each field that is given has to fit. All but the selectors are
/// regular expressions for the whole text, as those of Flux and kustomize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// API group; `""` is the core group.
    pub group: Option<&'a str>,
    /// Version of the API.
    pub version: Option<&'a str>,
    /// Kind.
    pub kind: Option<&'a str>,
    /// Namespace.
    pub namespace: Option<&'a str>,
    /// Name.
    pub name: Option<&'a str>,
    /// Labels.
    pub label_selector: Option<&'a str>,
    /// Annotations.
    pub annotation_selector: Option<&'a str>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// A pattern that is no regular expression.
    #[error("target.{field} is no regular expression: {why}")]
    Pattern {
        /// The field of the target.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A selector that cannot be read.
    #[error("target.{field}: {source}")]
    Selector {
        /// The field of the target.
        field: &'static str,
        /// What is wrong.
        source: NotASelector,
    },
    /// A path that is no JSON pointer.
    #[error("the path {0:?} is no JSON pointer: it begins with / or is empty, as /spec/replicas")]
    Pointer(String),
}

/// A rule: paths of objects that may differ.
#[derive(Clone, Debug)]
pub struct IgnoreRule {
    paths: Vec<String>,
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    namespace: Option<Regex>,
    name: Option<Regex>,
    labels: Selector,
    annotations: Selector,
}

impl IgnoreRule {
    /// A rule from how it is written.
    ///
    /// # Errors
    /// [`BadRule`], which names the field.
    pub fn new(paths: &[String], target: &Target<'_>) -> Result<Self, BadRule> {
        let wrong = |path: &&String| !path.is_empty() && !path.starts_with('/');
        if let Some(path) = paths.iter().find(wrong) {
            return Err(BadRule::Pointer(path.clone()));
        }
        Ok(Self {
            paths: paths.to_vec(),
            group: pattern("group", target.group)?,
            version: pattern("version", target.version)?,
            kind: pattern("kind", target.kind)?,
            namespace: pattern("namespace", target.namespace)?,
            name: pattern("name", target.name)?,
            labels: selector("labelSelector", target.label_selector)?,
            annotations: selector("annotationSelector", target.annotation_selector)?,
        })
    }

    fn is_for(&self, object: &Value) -> bool {
        let (group, version) = split_api_version(text(object, &["apiVersion"]).unwrap_or_default());
        let fits = |pattern: &Option<Regex>, found: &str| {
            pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(found))
        };
        let own = |path: &[&str]| text(object, path).unwrap_or_default().to_owned();
        fits(&self.group, group)
            && fits(&self.version, version)
            && fits(&self.kind, &own(&["kind"]))
            && fits(&self.namespace, &own(&["metadata", "namespace"]))
            && fits(&self.name, &own(&["metadata", "name"]))
            && self.labels.matches(at(object, &["metadata", "labels"]))
            && self
                .annotations
                .matches(at(object, &["metadata", "annotations"]))
    }
}

/// The paths of an object that may differ.
pub fn ignored_paths<'r>(rules: &'r [IgnoreRule], object: &Value) -> Vec<&'r str> {
    rules
        .iter()
        .filter(|rule| rule.is_for(object))
        .flat_map(|rule| rule.paths.iter().map(String::as_str))
        .collect()
}

/// Whether a difference at `path` is nobody's business.
pub fn is_ignored(pointers: &[&str], path: &str) -> bool {
    pointers.iter().any(|pointer| covers(pointer, path))
}

fn pattern(field: &'static str, text: Option<&str>) -> Result<Option<Regex>, BadRule> {
    text.map(|text| {
        Regex::new(&format!("^(?:{text})$")).map_err(|error| BadRule::Pattern {
            field,
            why: error.to_string(),
        })
    })
    .transpose()
}

fn selector(field: &'static str, text: Option<&str>) -> Result<Selector, BadRule> {
    text.unwrap_or_default()
        .parse()
        .map_err(|source| BadRule::Selector { field, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
               "metadata": {"name": "shop-web", "namespace": "shop", "labels": {"app": "web"},
                            "annotations": {"note": "n"}}})
    }

    fn ignores(target: Target<'_>) -> bool {
        let rule = IgnoreRule::new(&["/spec/replicas".to_owned()], &target).unwrap();
        let rules = [rule];
        is_ignored(&ignored_paths(&rules, &deployment()), "/spec/replicas")
    }

    #[test]
    fn every_field_of_a_target_has_to_fit_the_whole_text() {
        let any = Target::default();
        assert!(ignores(any));
        for fits in [
            Target {
                kind: Some("Deployment"),
                ..any
            },
            Target {
                kind: Some("Deployment|StatefulSet"),
                ..any
            },
            Target {
                name: Some("shop-.*"),
                ..any
            },
            Target {
                group: Some("apps"),
                version: Some("v1"),
                namespace: Some("shop"),
                ..any
            },
            Target {
                label_selector: Some("app in (web,api)"),
                ..any
            },
            Target {
                annotation_selector: Some("note"),
                ..any
            },
        ] {
            assert!(ignores(fits), "{fits:?}");
        }
        for fails in [
            Target {
                kind: Some("Deploy"),
                ..any
            },
            Target {
                kind: Some("Service"),
                ..any
            },
            Target {
                name: Some("shop"),
                ..any
            },
            Target {
                group: Some(""),
                ..any
            },
            Target {
                kind: Some("Deployment"),
                namespace: Some("other"),
                ..any
            },
            Target {
                label_selector: Some("app=api"),
                ..any
            },
        ] {
            assert!(!ignores(fails), "{fails:?}");
        }
    }

    #[test]
    fn a_rule_that_cannot_be_read_says_where() {
        let rule = |paths: &[&str], target: Target<'_>| {
            let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
            IgnoreRule::new(&paths, &target).unwrap_err().to_string()
        };
        let any = Target::default();
        assert!(rule(&["spec"], any).contains("\"spec\""));
        let name = Target {
            name: Some("("),
            ..any
        };
        assert!(rule(&[], name).starts_with("target.name "));
        let labels = Target {
            label_selector: Some("a b"),
            ..any
        };
        assert!(rule(&[], labels).starts_with("target.labelSelector"));
    }
}
