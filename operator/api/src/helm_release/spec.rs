//! The spec of a `HelmRelease`.

use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    ChartSource, CommonMetadata, DeletionPolicy, Dependency, DriftDetection, FailFast,
    HelmReleaseStatus, InstallPolicy, ObjectPatch, OnImmutable, OutsideChanges, ReadinessRule,
    RollbackPolicy, Soak, TestsPolicy, UninstallPolicy, UpgradePolicy,
};
use crate::Duration;

/// A Helm chart with its values, rolled out and held by Belay.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "belay.dev",
    version = "v1alpha1",
    kind = "HelmRelease",
    plural = "helmreleases",
    shortname = "brel",
    category = "belay",
    namespaced,
    status = "HelmReleaseStatus",
    derive = "PartialEq",
    doc = "A Helm chart with its values, rolled out and held by Belay.",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Revision", type_ = "integer", json_path = ".status.current.revision"),
    printcolumn(name = "Last good", type_ = "integer", json_path = ".status.lastGood.revision"),
    printcolumn(name = "Chart", type_ = "string", json_path = ".status.current.chart"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("has(self.spec.releaseName) || size(self.metadata.name) <= 53").message("a release name has at most 53 characters: set spec.releaseName"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.release) || (has(self.spec.releaseName) == has(oldSelf.spec.releaseName) && (!has(self.spec.releaseName) || self.spec.releaseName == oldSelf.spec.releaseName))").message("spec.releaseName is immutable after the first install: make a new HelmRelease instead"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.release) || (has(self.spec.targetNamespace) == has(oldSelf.spec.targetNamespace) && (!has(self.spec.targetNamespace) || self.spec.targetNamespace == oldSelf.spec.targetNamespace))").message("spec.targetNamespace is immutable after the first install: make a new HelmRelease instead"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.release) || (has(self.spec.storageNamespace) == has(oldSelf.spec.storageNamespace) && (!has(self.spec.storageNamespace) || self.spec.storageNamespace == oldSelf.spec.storageNamespace))").message("spec.storageNamespace is immutable after the first install: make a new HelmRelease instead"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.release) || has(self.spec.kubeConfig) == has(oldSelf.spec.kubeConfig)").message("spec.kubeConfig cannot be added or removed after the first install: make a new HelmRelease instead")
)]
#[x_kube(validation = Rule::new("duration(self.timeout) > duration('0s')").message("timeout must be longer than 0s"))]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('1s')").message("interval must be at least 1s"))]
#[x_kube(validation = Rule::new("!self.atomic || self.upgrade.onImmutable != 'Recreate' || !has(self.rollback.onImmutable) || self.rollback.onImmutable == 'Recreate'").message("an upgrade that recreates objects goes back only by recreating them: leave rollback.onImmutable out, or set it to Recreate, or set atomic: false"))]
pub struct HelmReleaseSpec {
    /// Where the chart comes from.
    pub chart: ChartSource,
    /// The release's name for Helm; the object's own name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 53),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub release_name: Option<String>,
    /// Namespace of the chart's objects; the `HelmRelease`'s own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,
    /// Namespace of Helm's records; the target namespace if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub storage_namespace: Option<String>,
    /// Create the target namespace if it does not exist. It stays when the release goes.
    #[serde(default)]
    pub create_namespace: bool,
    /// The service account, of the `HelmRelease`'s namespace, as which the chart's objects, hooks, CRDs and namespace
    /// are written and read, and the `ConfigMap`s and `Secret`s that the spec names. Default: the operator's
    /// `--default-service-account`, or else the operator itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub service_account_name: Option<String>,
    /// Another cluster, in which the release lives with all that belongs to it: objects, hooks, Helm's records and the
    /// ledger. `serviceAccountName` is then an account of that cluster, in the namespace of the `HelmRelease`'s
    /// namespace's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfig>,
    /// Values, as of a file given with `--values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub values: Option<serde_json::Map<String, serde_json::Value>>,
    /// Values from `ConfigMap`s and `Secret`s, merged in order, below `values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub values_from: Vec<ValuesReference>,
    /// `--set` expressions, above `values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub set: Vec<String>,
    /// `--set-string` expressions, above `set`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub set_string: Vec<String>,
    /// `--set-json` expressions, below `set`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub set_json: Vec<String>,
    /// Patches of the rendered objects, hooks among them, in this order. Each has to be for something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub post_render: Vec<ObjectPatch>,
    /// Labels and annotations that every rendered object gets, after the patches.
    #[serde(default, skip_serializing_if = "CommonMetadata::is_empty")]
    pub common_metadata: CommonMetadata,
    /// How often new chart versions are looked for, and all objects compared with the revision that runs.
    #[serde(default = "ten_minutes")]
    pub interval: Duration,
    /// Time budget of one attempt as a whole, hooks included.
    #[serde(default = "five_minutes")]
    pub timeout: Duration,
    /// Take a failed attempt back to the last good revision.
    #[serde(default = "yes")]
    pub atomic: bool,
    /// Start nothing new while set. What was begun is finished.
    #[serde(default)]
    pub suspend: bool,
    /// Releases that have to be Ready before an install or upgrade of this one begins. Ways back and removals wait for
    /// nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub depends_on: Vec<Dependency>,
    /// How many of Helm's records are kept. The two newest proven revisions are kept beside them.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100))]
    pub max_history: u32,
    /// What happens to the release's objects when this is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// What happens when somebody runs helm on the release by hand.
    #[serde(default)]
    pub outside_changes: OutsideChanges,
    /// What happens when somebody edits or deletes objects of the release.
    #[serde(default)]
    pub drift_detection: DriftDetection,
    /// How a first install is done.
    #[serde(default)]
    pub install: InstallPolicy,
    /// How an upgrade is done.
    #[serde(default)]
    pub upgrade: UpgradePolicy,
    /// How the release goes back.
    #[serde(default)]
    pub rollback: RollbackPolicy,
    /// How the release is removed.
    #[serde(default)]
    pub uninstall: UninstallPolicy,
    /// When objects of a kind are ready, in place of the rules that Belay has for it. The first rule for a kind counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub readiness: Vec<ReadinessRule>,
    /// Failing before the timeout.
    #[serde(default)]
    pub fail_fast: FailFast,
    /// Watching a revision that became ready before it counts as good.
    #[serde(default)]
    pub soak: Soak,
    /// The chart's `helm test` hooks as a gate.
    #[serde(default)]
    pub tests: TestsPolicy,
}

/// How another cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeConfig {
    /// The Secret that holds a kubeconfig.
    pub secret_ref: KubeConfigSecret,
}

/// A Secret of the release's namespace with a kubeconfig: complete in itself, without commands to run and files to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeConfigSecret {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in its data; `value`, or else `value.yaml`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
}

/// The kind of object that values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValuesKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// What stands for all keys of an object. No key can be called so.
pub const ALL_KEYS: &str = "*";

/// Values from a ConfigMap or Secret of the release's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.targetPath) && self.valuesKey == '*')").message("targetPath takes the text of one key: name it in valuesKey"))]
pub struct ValuesReference {
    /// The kind of object.
    pub kind: ValuesKind,
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in its data; `*` for all of them, in the order of their names.
    #[serde(default = "values_yaml")]
    #[schemars(length(min = 1, max = 253))]
    pub values_key: String,
    /// Put the key's text at this place, in `--set-string` notation, instead of reading it as YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 250))]
    pub target_path: Option<String>,
    /// Go on without it if it does not exist.
    #[serde(default)]
    pub optional: bool,
}

impl HelmReleaseSpec {
    /// What a way back does where a field cannot change.
    pub fn on_immutable_back(&self) -> OnImmutable {
        self.rollback
            .on_immutable
            .unwrap_or(self.upgrade.on_immutable)
    }
}

impl HelmRelease {
    /// The release's name for Helm.
    pub fn release_name(&self) -> &str {
        self.spec
            .release_name
            .as_deref()
            .or(self.metadata.name.as_deref())
            .unwrap_or_default()
    }

    /// Namespace of the chart's objects.
    pub fn target_namespace(&self) -> &str {
        self.spec
            .target_namespace
            .as_deref()
            .or(self.metadata.namespace.as_deref())
            .unwrap_or_default()
    }

    /// Namespace of Helm's records and of the ledger.
    pub fn storage_namespace(&self) -> &str {
        self.spec
            .storage_namespace
            .as_deref()
            .unwrap_or_else(|| self.target_namespace())
    }
}

/// Null too: server-side apply leaves it behind when the last value that an applier owned is dropped.
fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "nullable": true, "x-kubernetes-preserve-unknown-fields": true })
}

fn ten_minutes() -> Duration {
    Duration::minutes(10)
}

fn five_minutes() -> Duration {
    Duration::minutes(5)
}

fn yes() -> bool {
    true
}

fn ten() -> u32 {
    10
}

fn values_yaml() -> String {
    "values.yaml".to_owned()
}
