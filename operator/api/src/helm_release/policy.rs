//! How a release is installed, upgraded, taken back and removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// What happens to the release's objects when the `HelmRelease` is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// They are removed, as by `helm uninstall`.
    #[default]
    Uninstall,
    /// They stay, and helm can go on with the release.
    Orphan,
}

/// What happens when somebody upgrades or rolls back the release with helm by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OutsideChanges {
    /// Its outcome is kept until the spec changes.
    #[default]
    Adopt,
    /// The last good revision is brought back.
    Revert,
}

/// What happens to files in the chart's `crds/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CrdsPolicy {
    /// They are left alone.
    Skip,
    /// Those that do not exist are created.
    #[default]
    Create,
    /// They are created or replaced.
    CreateReplace,
}

/// What happens to an object whose change the API server refuses because a field of it cannot change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnImmutable {
    /// The change is refused.
    #[default]
    Fail,
    /// It is deleted, and made anew when it is gone. Never what may hold data (volumes, claims, snapshots, custom
    /// resources), never namespaces and definitions; the pods and claims of a `StatefulSet` stay.
    Recreate,
}

/// What happens when an upgrade fails after hooks of the chart have run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AfterHooks {
    /// It is taken back all the same, unless one of them says by `belay.dev/irreversible` that this cannot be.
    #[default]
    Revert,
    /// It stops where it is, as if every hook before and after the change said so; tests do not count.
    Halt,
}

/// How a first install is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstallPolicy {
    /// Do not run the chart's install hooks.
    pub disable_hooks: bool,
    /// What happens to `crds/`.
    pub crds: CrdsPolicy,
    /// Take over objects that exist already, whoever they belong to.
    pub take_ownership: bool,
    /// What happens to objects that an earlier try left, if a field of theirs cannot change.
    pub on_immutable: OnImmutable,
}

/// How an upgrade is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpgradePolicy {
    /// Do not run the chart's upgrade hooks.
    pub disable_hooks: bool,
    /// What happens to `crds/`; Helm leaves them alone on an upgrade.
    pub crds: CrdsPolicy,
    /// Take over objects that exist already, whoever they belong to.
    pub take_ownership: bool,
    /// What happens to objects of which a field would change that cannot.
    pub on_immutable: OnImmutable,
    /// What happens when it fails after hooks of the chart have run.
    pub after_hooks: AfterHooks,
}

impl Default for UpgradePolicy {
    fn default() -> Self {
        Self {
            disable_hooks: false,
            crds: CrdsPolicy::Skip,
            take_ownership: false,
            on_immutable: OnImmutable::Fail,
            after_hooks: AfterHooks::Revert,
        }
    }
}

/// How a release goes back, by itself or by request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RollbackPolicy {
    /// Do not run the chart's rollback hooks.
    pub disable_hooks: bool,
    /// Time budget of its own; `spec.timeout` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// What happens to objects of which a field would change that cannot; as for upgrades if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_immutable: Option<OnImmutable>,
    /// Whose word a `RollbackRequest` needs.
    pub approval: ApprovalPolicy,
}

/// Whose word a `RollbackRequest` needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApprovalPolicy {
    /// Somebody other than who asked has to approve a request before it is carried out; a dry run needs nobody. Needs
    /// the policies of `deploy/admission`.
    pub required: bool,
}

/// How a release is removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UninstallPolicy {
    /// Do not run the chart's delete hooks.
    pub disable_hooks: bool,
    /// Time budget of its own; `spec.timeout` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

/// Whether faults that cannot get better end an attempt before its timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailFastMode {
    /// They do.
    #[default]
    Enabled,
    /// Only the timeout ends an attempt.
    Disabled,
}

/// Failing before the timeout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FailFast {
    /// Whether it is done.
    pub mode: FailFastMode,
    /// How long a fault that looks final is given to prove otherwise.
    pub grace: Duration,
    /// Faults of pods that do not end an attempt before its timeout: `InvalidImageName`, `ErrImageNeverPull`,
    /// `ImageNotFound`, `ImagePullDenied`, `ImagePullBackOff`, `SignatureValidationFailed`, `MissingConfig`,
    /// `CreateContainerConfigError`, `CreateContainerError`, `RunContainerError`, `CrashLoopBackOff`, `OOMKilled`,
    /// `ContainerExited`.
    #[schemars(length(max = 32))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}

impl Default for FailFast {
    fn default() -> Self {
        Self {
            mode: FailFastMode::Enabled,
            grace: Duration::seconds(10),
            ignore: Vec::new(),
        }
    }
}

/// The chart's `helm test` hooks as a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TestsPolicy {
    /// Run them after an install or upgrade, within its time; if one fails, the attempt has failed.
    pub enabled: bool,
}

/// What is done about objects that differ from the revision that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftMode {
    /// They are told and put right.
    Enabled,
    /// They are told.
    #[default]
    Warn,
    /// Nobody looks.
    Disabled,
}

/// Objects that somebody edits or deletes behind Belay's back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DriftDetection {
    /// What is done about it.
    pub mode: DriftMode,
    /// What may differ.
    #[schemars(length(max = 64))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<DriftIgnoreRule>,
}

/// Paths that may differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftIgnoreRule {
    /// JSON pointers (RFC 6901), each with all below it: `/spec/replicas`. The empty one is the whole object.
    #[schemars(length(min = 1, max = 64), inner(length(max = 512)))]
    pub paths: Vec<String>,
    /// The objects that it speaks of; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<DriftTarget>,
}

/// Objects: every field that is given has to fit. All but the selectors are regular expressions for the whole text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DriftTarget {
    /// API group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub group: Option<String>,
    /// Version of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub version: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub kind: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub namespace: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub name: Option<String>,
    /// Labels, as `kubectl get --selector` selects them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub label_selector: Option<String>,
    /// Annotations, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub annotation_selector: Option<String>,
}
