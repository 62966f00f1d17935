//! Every reason and phase that a status can show, in one place.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a release stands, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Nothing has been tried yet.
    #[default]
    Pending,
    /// A first install is under way.
    Installing,
    /// An upgrade is under way.
    Upgrading,
    /// A rollback that somebody ordered is under way.
    RollingBack,
    /// A failed attempt is being taken back.
    Reverting,
    /// The declared revision runs and is proven.
    Deployed,
    /// The declared revision does not run; an older, proven one does.
    RolledBack,
    /// The declared revision failed and nothing proven serves in its place.
    Failed,
    /// The release is being removed.
    Uninstalling,
    /// `spec.suspend` is set.
    Suspended,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why a condition is as it is. `ARCHITECTURE.md` and the docs have a line for each on what to do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Reason {
    // At rest.
    /// The declared revision runs and is proven.
    Deployed,
    /// The release was made by Helm and is Belay's now, nothing was touched.
    Adopted,
    /// A pin holds an older revision: a rollback request.
    Pinned,
    /// The declared digest failed or was rolled back, and is not tried again unasked.
    RevisionBlocked,
    /// Somebody ran helm by hand; its outcome is kept until the spec changes.
    OutsideChange,
    /// The release's records were removed by hand; it is not installed again unasked.
    ReleaseRemoved,
    /// `spec.suspend` is set.
    Suspended,

    /// The chart's source has what the spec asks for.
    ChartFound,
    /// The chart's tests succeeded.
    TestsSucceeded,
    /// The API server would take the previous revision today.
    RevisionAccepted,
    /// The API server would refuse the previous revision today.
    RevisionRefused,

    // Drift.
    /// No object differs from the revision that runs.
    NoDrift,
    /// Somebody edited or deleted objects of the release.
    DriftDetected,
    /// What was put right is changed again and again: it is left alone.
    DriftContested,
    /// The API server refuses to put an object right.
    DriftRefused,
    /// An object belongs to another release now, or to none: it is left alone.
    DriftNotOurs,
    /// An object cannot be compared with its manifest.
    DriftUnknown,

    // Under way.
    /// Nothing has been tried yet.
    Pending,
    /// A first install is under way.
    Installing,
    /// An upgrade is under way.
    Upgrading,
    /// A rollback that somebody ordered is under way.
    RollingBack,
    /// A failed attempt is being taken back.
    Reverting,
    /// The declared revision is ready, and is watched before it counts as good.
    Soaking,
    /// The release is being removed.
    Uninstalling,
    /// Somebody else's helm operation is pending and is waited for.
    ForeignOperation,
    /// One reconcile after another ends with an error.
    ReconcileFailed,
    /// A transient failure; the next try has a time.
    RetryScheduled,

    // The input is wrong; nothing was changed.
    /// The spec says something that cannot be done.
    SpecInvalid,
    /// A Secret, ConfigMap or key that the spec names does not exist.
    ReferenceNotFound,
    /// The chart, or a version of it in the asked range, does not exist.
    ChartNotFound,
    /// The chart's source did not answer.
    SourceUnavailable,
    /// The chart's source refused the credentials.
    SourceUnauthorized,
    /// The package is damaged or not a chart.
    ChartInvalid,
    /// The chart lacks the proof of origin that the spec asks for, or it does not hold.
    ChartUnverified,
    /// Values could not be read or merged.
    ValuesInvalid,
    /// Values break the chart's schema.
    SchemaViolation,
    /// A template failed.
    RenderFailed,
    /// A patch of `spec.postRender` is for nothing, or does not apply.
    PostRenderFailed,
    /// The API server refuses an object of the manifest.
    ManifestRejected,
    /// An object exists already and belongs to something else.
    OwnershipConflict,
    /// The account of the release may not do what its chart or its spec needs.
    AccessDenied,
    /// The release would not fit its storage.
    ReleaseTooLarge,
    /// A release of `spec.dependsOn` is not Ready, or does not exist.
    DependencyNotReady,
    /// Releases depend on each other in a circle.
    DependencyCycle,
    /// Another `HelmRelease` claims the same release.
    ReleaseClaimed,

    // An attempt failed.
    /// An image does not exist or must not be pulled.
    ImagePullFailed,
    /// An image's name is not valid.
    InvalidImageName,
    /// A container's configuration is missing.
    ConfigMissing,
    /// A container cannot be started.
    ContainerFailed,
    /// A container ends again and again.
    CrashLoop,
    /// A container was ended for want of memory.
    OutOfMemory,
    /// A pod finds no node.
    Unschedulable,
    /// A Job failed.
    JobFailed,
    /// A hook failed.
    HookFailed,
    /// A test of the chart failed.
    TestFailed,
    /// A workload reports that it failed.
    WorkloadFailed,
    /// Not ready in time.
    Timeout,
    /// It was ready, and went bad while it soaked.
    Degraded,
    /// It was ready, and a check of `spec.soak.checks` went bad while it soaked.
    CheckFailed,
    /// Applying failed.
    ApplyFailed,
    /// The API server refuses for the moment.
    ApiUnavailable,
    /// Overtaken by a newer spec or a request.
    Superseded,
    /// Taken back by a `RollbackRequest`.
    RolledBackByRequest,
    /// Going back failed; it is tried on.
    RevertFailed,
    /// Objects of the release cannot be removed.
    RemoveFailed,
    /// A hook that cannot be undone ran before the failure: nothing is taken back by itself.
    PastPointOfNoReturn,
    /// A failed revision is left in place, since `spec.atomic` is off or nothing good is known.
    LeftInPlace,

    // Of requests.
    /// Done.
    Complete,
    /// The dry run is done: `status.plan` says what the request would do. Nothing was changed.
    Planned,
    /// The request waits for its turn.
    Waiting,
    /// The request waits until somebody else approves it.
    AwaitingApproval,
    /// Somebody other than who asked has approved.
    Approved,
    /// The release wants a second person's approval, and the API server does not see to it that it is true.
    ApprovalNotEnforced,
    /// The request was carried out before.
    AlreadyExecuted,
    /// The `HelmRelease` does not exist, or was deleted.
    ReleaseNotFound,
    /// No revision fits the target.
    RevisionNotFound,
    /// The release is not where the request expects it.
    ExpectationFailed,
    /// The target runs already.
    AlreadyThere,
    /// `notAfter` or `holdUntil` has passed.
    Expired,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
