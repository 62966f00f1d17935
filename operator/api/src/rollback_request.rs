//! `RollbackRequest`: an order to go back, and its record.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::helm_release::{FaultyObject, NameRef, RevisionStatus};
use crate::{Condition, Timestamp};

/// An order to take a release back, and the record of it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "belay.dev",
    version = "v1alpha1",
    kind = "RollbackRequest",
    plural = "rollbackrequests",
    shortname = "brb",
    category = "belay",
    namespaced,
    status = "RollbackRequestStatus",
    derive = "PartialEq",
    doc = "An order to take a release back, and the record of it.",
    printcolumn(name = "Release", type_ = "string", json_path = ".spec.releaseRef.name"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "From", type_ = "integer", json_path = ".status.from.revision"),
    printcolumn(name = "To", type_ = "integer", json_path = ".status.to.revision"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".spec.reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.spec == oldSelf.spec").message("a RollbackRequest's spec is immutable: make a new one")
)]
#[x_kube(validation = Rule::new("self.until != 'Time' || has(self.holdUntil)").message("until: Time needs holdUntil"))]
#[x_kube(validation = Rule::new("self.until == 'Time' || !has(self.holdUntil)").message("holdUntil is obeyed with until: Time only: set it, or leave holdUntil out"))]
pub struct RollbackRequestSpec {
    /// The release to take back.
    pub release_ref: NameRef,
    /// Where to; the previous proven revision if absent.
    #[serde(default)]
    pub target: RollbackTarget,
    /// Refuse unless this is what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_current: Option<ExpectedCurrent>,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1024))]
    pub reason: String,
    /// Who asks: a user name of the API server. With the policies of `deploy/admission` it is the name of who makes the
    /// request, and filled in where it is absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub requested_by: String,
    /// How long the release is held there.
    #[serde(default)]
    pub until: Until,
    /// The end of the hold for `until: Time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Timestamp>,
    /// Refuse after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Change nothing: write into `status.plan` what would be done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Where to go back to: at most one field; none means the previous proven revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.previous), has(self.revision), has(self.digest), has(self.chartVersion)].filter(x, x).size() <= 1").message("set at most one of previous, revision, digest, chartVersion"))]
pub struct RollbackTarget {
    /// The newest proven revision whose digest is not the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Helm's number of a revision in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub revision: Option<u32>,
    /// The digest of a revision that was deployed: a proven one, or the newest in Helm's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub digest: Option<String>,
    /// The chart version of a revision that was deployed: a proven one, or the newest in Helm's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 250))]
    pub chart_version: Option<String>,
}

/// The previous proven revision; has no fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Previous {}

/// What has to run for a request to be carried out (compare-and-swap).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.revision) || has(self.digest)").message("set revision or digest"))]
pub struct ExpectedCurrent {
    /// Helm's number of the revision that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub revision: Option<u32>,
    /// The digest that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub digest: Option<String>,
}

/// How long a release is held at the revision that a request brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Until {
    /// Until somebody edits the spec so that it asks for something else.
    #[default]
    SpecChange,
    /// Until something else is asked for, be it only a newer chart version in the range.
    DesiredChange,
    /// Until `holdUntil`.
    Time,
    /// Until the request is deleted, or what the spec asks for is asked for by its name (`belay release`).
    Manual,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RequestPhase {
    /// It waits for its turn.
    #[default]
    Pending,
    /// It waits until somebody other than who asked approves it.
    AwaitingApproval,
    /// It is being carried out.
    Running,
    /// It was carried out; a dry run: its plan is made.
    Complete,
    /// It was tried and failed.
    Failed,
    /// It cannot be carried out; nothing was tried.
    Refused,
    /// It was begun, and gave way to something newer.
    Superseded,
}

impl RequestPhase {
    /// Whether nothing more happens to the request.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::AwaitingApproval | Self::Running)
    }
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollbackRequestStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// How far it is.
    #[serde(default)]
    pub phase: RequestPhase,
    /// By kstatus' rules, one of each type.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// What ran before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RevisionStatus>,
    /// The revision that was brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RevisionStatus>,
    /// Helm's number of the revision that the rollback made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_revision: Option<u32>,
    /// What would be done; of a dry run only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<RollbackPlan>,
    /// Who approved it, where the release asks for a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// What became of it, for people.
    #[serde(default)]
    pub message: String,
}

/// How many objects each list of a plan names.
pub const MAX_PLANNED: usize = 50;

/// What a rollback would do, were it ordered at this moment. Hooks are not run by a dry run, and not foretold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollbackPlan {
    /// Objects that would be created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Objects that would be changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Objects that would be deleted and made anew, as a field of theirs cannot change; see `rollback.onImmutable`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recreated: Vec<String>,
    /// Objects that would be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// How many objects would stay as they are.
    #[serde(default)]
    pub unchanged: u32,
    /// Objects that the API server would refuse, with its words: the rollback would fail there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<FaultyObject>,
    /// How many objects these lists leave out; each names at most fifty.
    #[serde(default)]
    pub omitted: u32,
}
