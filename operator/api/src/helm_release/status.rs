//! The status of a `HelmRelease`: a projection of the ledger, never the truth itself.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckStatus;
use crate::{Condition, Phase, Reason, Timestamp};

/// Where a release stands. Rebuilt from the ledger when it is lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// By kstatus' rules, one of each type.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The same in one word.
    #[serde(default)]
    pub phase: Phase,
    /// `NAMESPACE/NAME` of the release for Helm, once it is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// What the spec asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<DesiredStatus>,
    /// What the cluster holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<RevisionStatus>,
    /// The newest proven revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<RevisionStatus>,
    /// The proven revision before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_good: Option<RevisionStatus>,
    /// What is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptStatus>,
    /// What the checks of `spec.soak` last said of the revision that soaks, or said of the one that runs.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckStatus>,
    /// Digests that are not tried again unasked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<BlockedStatus>,
    /// The last failure with its evidence; outlives the pods and the revert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<FailureStatus>,
    /// Helm's history, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    /// Whether the proven revision before the one that runs could be brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_ready: Option<RollbackReadyStatus>,
    /// What holds the release at an older revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinStatus>,
    /// Objects that differ from the revision that runs, and what was put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftStatus>,
    /// The last value of `belay.dev/reconcile` that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile: Option<String>,
}

/// What the spec asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DesiredStatus {
    /// Digest of chart, values and options.
    pub digest: String,
    /// The chart's version that the spec resolves to.
    pub chart_version: String,
}

/// A revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionStatus {
    /// Helm's number.
    pub revision: u32,
    /// Digest of chart, values and options.
    pub digest: String,
    /// The chart's name and version, `podinfo-6.1.0`.
    pub chart: String,
    /// The chart's `appVersion`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Since when it runs; for a proven revision: when it was proven.
    pub since: Timestamp,
}

/// What an attempt does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AttemptKind {
    /// The first install.
    Install,
    /// A change to what the spec asks for.
    Upgrade,
    /// Back to an older revision because somebody ordered it.
    Rollback,
    /// Back to the last good revision because an attempt failed.
    Revert,
    /// Removal.
    Uninstall,
}

/// How far an attempt is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Stage {
    /// The intent is on record, nothing has been written yet.
    Preparing,
    /// What may refuse the objects is undone first: webhooks, admission policies and API services of another revision.
    Disarming,
    /// Hooks before the change are running.
    PreHooks,
    /// Objects are being applied.
    Applying,
    /// Objects are becoming ready.
    Waiting,
    /// Hooks after the change are running.
    PostHooks,
    /// The chart's tests are running.
    Testing,
    /// The outcome is being recorded.
    Finishing,
    /// All is ready and recorded as deployed; it is watched before it counts as good.
    Soaking,
    /// It failed; what follows from that is being done.
    Failed,
    /// Objects are being removed.
    Removing,
}

/// What is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptStatus {
    /// Names the attempt in events, logs and hook annotations.
    pub id: String,
    /// What it does.
    pub kind: AttemptKind,
    /// Who or what asked for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// Helm's number of the revision that it makes.
    pub revision: u32,
    /// What it rolls out.
    pub digest: String,
    /// The revision that ran before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// How far it is.
    pub stage: Stage,
    /// When it began.
    pub started_at: Timestamp,
    /// When it is lost.
    pub deadline: Timestamp,
    /// How many objects are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressStatus>,
}

/// How many objects are ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressStatus {
    /// Objects that are ready.
    pub ready: u32,
    /// All objects.
    pub total: u32,
    /// Up to five of those that are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<String>,
}

/// Whose fault a failure is, and so whether trying again can help.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum FailureClass {
    /// Of the revision itself: it fails again unless it is changed.
    Terminal,
    /// Of its surroundings: it may pass.
    Transient,
    /// Not ready in time, for no cause that could be named.
    Timeout,
    /// It was ready and went bad while it soaked.
    Degraded,
    /// Somebody ordered it away.
    Operator,
    /// Overtaken by something newer.
    Superseded,
}

/// A digest that is not tried again unasked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockedStatus {
    /// The digest.
    pub digest: String,
    /// Whose fault it was.
    pub class: FailureClass,
    /// What happened, in one word.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// What happened, for people.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
    /// The revision that failed; absent when nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// When it is tried again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// A failure with its evidence, at most 4 KiB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureStatus {
    /// The revision that failed; absent when nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The digest that failed.
    pub digest: String,
    /// Whose fault it was.
    pub class: FailureClass,
    /// What happened, in one word.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// What happened, in one sentence.
    pub message: String,
    /// When it was found.
    pub at: Timestamp,
    /// The objects that were not ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<FaultyObject>,
    /// The containers that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodEvidence>,
    /// What happened when, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Moment>,
}

/// An object that was not ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FaultyObject {
    /// Kind, namespace and name.
    pub object: String,
    /// What was wrong with it.
    pub message: String,
}

/// A container that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodEvidence {
    /// The pod's namespace.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The container's name; absent for faults of the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The kubelet's word for it.
    pub reason: String,
    /// The kubelet's sentence for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The last exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How often it was restarted.
    #[serde(default)]
    pub restarts: u32,
    /// The end of its last log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log_tail: String,
}

/// Something that happened in an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
}

/// A line of Helm's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Helm's number.
    pub revision: u32,
    /// Digest, when Belay made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The chart's name and version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub chart: String,
    /// Helm's status word.
    pub status: String,
    /// When it was last deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deployed: Option<Timestamp>,
    /// Helm's description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who or what asked for it, when Belay made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// What holds the release at an older revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinStatus {
    /// The `RollbackRequest`; absent when helm was run by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Until when: `SpecChange`, `DesiredChange`, `Manual`, or an instant.
    pub until: String,
    /// The digest that is held.
    pub digest: String,
}

/// Whether the proven revision before the one that runs could be brought back, as a dry run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollbackReadyStatus {
    /// Whether the API server would take every object of it.
    pub ready: bool,
    /// Helm's number of it.
    pub revision: u32,
    /// Up to five objects that the API server would refuse, with its words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<FaultyObject>,
    /// Up to five objects that would be deleted and made anew; see `rollback.onImmutable`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recreated: Vec<String>,
    /// When that was found: with the success of the revision that runs.
    pub checked_at: Timestamp,
}

/// How many objects and how many corrections [`DriftStatus`] tells.
pub const MAX_DRIFTED: usize = 16;
/// How many paths of an object [`DriftedObject`] tells.
pub const MAX_DRIFTED_PATHS: usize = 8;

/// Objects that differ from the revision that runs, and what was put right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftStatus {
    /// Up to 16 objects that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<DriftedObject>,
    /// How many more there are.
    #[serde(default)]
    pub omitted: u32,
    /// Up to 16 corrections of the last hour before the newest one, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrected: Vec<CorrectionStatus>,
}

/// An object that differs from the revision that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftedObject {
    /// Kind, namespace and name.
    pub object: String,
    /// What is done about it, in one word.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// What is the matter, and why it is not put right.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Up to eight places that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<DriftedPath>,
    /// How many more there are.
    #[serde(default)]
    pub omitted: u32,
    /// When it was first seen.
    pub since: Timestamp,
}

/// A place in which an object differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftedPath {
    /// A JSON pointer.
    pub path: String,
    /// What is there, as JSON, clipped, secrets masked; absent: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub live: String,
    /// What should be there; absent: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wanted: String,
}

/// Something that was put right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CorrectionStatus {
    /// Kind, namespace and name of the object.
    pub object: String,
    /// The place in it, as a JSON pointer; absent: the object as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// How often within the last hour before the newest time.
    pub times: u32,
    /// When the last time.
    pub at: Timestamp,
    /// What was found there the last time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
}
