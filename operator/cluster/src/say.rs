//! What a manifest brings that has a say in its other objects: while it is on its way, what they meet is no fault of
//! theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::{NotDone, RefusalKind};

/// Admission, aggregated APIs and definitions among objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Say {
    /// Webhooks and admission policies, by the names that refusals tell.
    admission: BTreeSet<String>,
    /// The names of `APIService`s by group and version.
    apis: BTreeMap<(String, String), String>,
    definitions: bool,
}

impl Say {
    /// What these objects bring.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut say = Self::default();
        for object in objects {
            say.take(object);
        }
        say
    }

    fn take(&mut self, object: &Value) {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str);
        let (Some(api_version), Some(kind)) = (text("/apiVersion"), text("/kind")) else {
            return;
        };
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        match (group, kind) {
            ("apiextensions.k8s.io", "CustomResourceDefinition") => self.definitions = true,
            ("apiregistration.k8s.io", "APIService") => {
                if let (Some(group), Some(version), Some(name)) = (
                    text("/spec/group"),
                    text("/spec/version"),
                    text("/metadata/name"),
                ) {
                    let api = (group.to_owned(), version.to_owned());
                    self.apis.insert(api, name.to_owned());
                }
            }
            (
                "admissionregistration.k8s.io",
                "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
            ) => {
                let webhooks = object.get("webhooks").and_then(Value::as_array);
                let names = webhooks.into_iter().flatten();
                let names = names.filter_map(|webhook| webhook.get("name")?.as_str());
                self.admission.extend(names.map(str::to_owned));
            }
            (
                "admissionregistration.k8s.io",
                "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy",
            ) => {
                self.admission
                    .extend(text("/metadata/name").map(str::to_owned));
            }
            // A binding has its say through the policy that it names.
            ("admissionregistration.k8s.io", _) => {
                self.admission
                    .extend(text("/spec/policyName").map(str::to_owned));
            }
            _ => {}
        }
    }

    /// Whether there are definitions of custom resources among them.
    pub fn brings_definitions(&self) -> bool {
        self.definitions
    }

    /// The same, with definitions that are brought beside the objects.
    #[must_use]
    pub fn with_definitions(mut self, brought: bool) -> Self {
        self.definitions |= brought;
        self
    }

    /// The `APIService` that brings an API, by `apiVersion`.
    pub fn api_service(&self, api_version: &str) -> Option<&str> {
        let (group, version) = api_version.split_once('/')?;
        let api = (group.to_owned(), version.to_owned());
        self.apis.get(&api).map(String::as_str)
    }

    /// Whether it is one of these that refuses, or cannot be asked.
    pub fn is_of(&self, error: &NotDone) -> bool {
        let named = error.refusal().and_then(crate::Refusal::admission);
        named.is_some_and(|name| self.admission.contains(name))
    }

    /// Whether an object is kept waiting by one of these alone: a webhook whose server does not answer yet. Applying the
    /// other objects is what may cure it.
    pub fn keeps_waiting(&self, error: &NotDone) -> bool {
        error.is(RefusalKind::WebhookUnreachable) && self.is_of(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::refusal::Refusal;
    use http::StatusCode;
    use serde_json::json;

    fn refused(code: u16, message: &str) -> NotDone {
        let body = json!({"kind": "Status", "status": "Failure", "code": code, "message": message});
        let code = StatusCode::from_u16(code).unwrap();
        let body = body.to_string();
        Error::from(Refusal::read("patch".into(), code, None, body.as_bytes())).into()
    }

    fn unreachable(name: &str) -> NotDone {
        refused(
            500,
            &format!("Internal error occurred: failed calling webhook \"{name}\": EOF"),
        )
    }

    #[test]
    fn a_webhook_of_the_same_objects_is_told_from_a_foreign_one() {
        let say = Say::of(&[json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "shop"}, "webhooks": [{"name": "a.example.org"}, {"name": "b.example.org"}],
        })]);
        assert!(say.keeps_waiting(&unreachable("b.example.org")));
        assert!(!say.keeps_waiting(&unreachable("c.example.org")));
        // What it refuses stays refused.
        let denied = refused(
            400,
            "admission webhook \"a.example.org\" denied the request: no",
        );
        assert!(say.is_of(&denied) && !say.keeps_waiting(&denied));
    }

    #[test]
    fn a_policy_speaks_also_through_a_binding_alone() {
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "all"}, "spec": {"policyName": "limits"},
        });
        let denied = refused(
            422,
            "ValidatingAdmissionPolicy 'limits' with binding 'all' denied request: no",
        );
        assert!(Say::of(&[binding]).is_of(&denied));
    }

    #[test]
    fn an_api_is_known_by_group_and_version() {
        let say = Say::of(&[json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.example.org"},
            "spec": {"group": "example.org", "version": "v1"},
        })]);
        assert_eq!(say.api_service("example.org/v1"), Some("v1.example.org"));
        assert_eq!(say.api_service("example.org/v2"), None);
        assert_eq!(say.api_service("v1"), None);
        assert!(!say.brings_definitions());
    }
}
