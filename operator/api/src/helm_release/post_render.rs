//! What becomes of a chart's objects after they were rendered.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A patch of rendered objects, hooks among them, as kustomize and Flux know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectPatch {
    /// The objects that it is for. A JSON patch needs it; without it a strategic merge patch names its object by
    /// `apiVersion`, `kind` and `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<PatchTarget>,
    /// A list of JSON patch operations (RFC 6902), or an object that is merged strategically; also as text that holds
    /// either as YAML. In text a `null` survives `kubectl apply`.
    #[schemars(schema_with = "anything")]
    pub patch: serde_json::Value,
}

/// Which objects a patch is for: those that all given fields fit; `{}` for all. Group, version, kind, name and
/// namespace are regular expressions that have to fit as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PatchTarget {
    /// API group, such as `apps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub group: Option<String>,
    /// Version in the group, such as `v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub version: Option<String>,
    /// Kind, such as `Deployment|StatefulSet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub kind: Option<String>,
    /// Name, such as `web-.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub name: Option<String>,
    /// Namespace; that of the release for objects that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub namespace: Option<String>,
    /// Labels, as `kubectl get --selector` reads them: `app=web,tier!=test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub label_selector: Option<String>,
    /// Annotations, in the same notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub annotation_selector: Option<String>,
}

/// Labels and annotations of every object that the chart renders to, hooks among them, over the chart's own. Pod
/// templates and selectors stay as they are, and so do definitions in `crds/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.labels) || !('app.kubernetes.io/managed-by' in self.labels)").message("the label app.kubernetes.io/managed-by says that the release is Helm's, and stays so"))]
#[x_kube(validation = Rule::new("!has(self.annotations) || !('meta.helm.sh/release-name' in self.annotations || 'meta.helm.sh/release-namespace' in self.annotations)").message("the annotations meta.helm.sh/release-name and release-namespace say whose the objects are, and stay so"))]
#[x_kube(validation = Rule::new("!has(self.annotations) || !('helm.sh/hook' in self.annotations || 'helm.sh/hook-weight' in self.annotations || 'helm.sh/hook-delete-policy' in self.annotations || 'helm.sh/hook-output-log-policy' in self.annotations)").message("helm.sh/hook annotations would make every object a hook: patch those that are to be hooks with postRender"))]
pub struct CommonMetadata {
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
}

impl CommonMetadata {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
}

/// Values as Kubernetes has them for labels: at most 63 letters, digits, `-`, `_` and `.`.
fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": 64,
        "additionalProperties": {
            "type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
        },
    })
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}
