//! `HelmRelease`: a chart, its values, and how to roll it out.

mod chart;
mod policy;
mod post_render;
mod readiness;
mod soak;
mod spec;
mod status;

pub use chart::{
    ChartSource, CosignKeys, Dependency, InlineChart, KeyRef, NameRef, OciChart, OciVerification,
    ProvenanceKeys, RepositoryChart, RepositoryVerification,
};
pub use policy::{
    AfterHooks, ApprovalPolicy, CrdsPolicy, DeletionPolicy, DriftDetection, DriftIgnoreRule,
    DriftMode, DriftTarget, FailFast, FailFastMode, InstallPolicy, OnImmutable, OutsideChanges,
    RollbackPolicy, TestsPolicy, UninstallPolicy, UpgradePolicy,
};
pub use post_render::{CommonMetadata, ObjectPatch, PatchTarget};
pub use readiness::ReadinessRule;
pub use soak::{Check, CheckState, CheckStatus, PrometheusQuery, Soak, ThresholdRange};
pub use spec::{
    ALL_KEYS, HelmRelease, HelmReleaseSpec, KubeConfig, KubeConfigSecret, ValuesKind,
    ValuesReference,
};
pub use status::{
    AttemptKind, AttemptStatus, BlockedStatus, CorrectionStatus, DesiredStatus, DriftStatus,
    DriftedObject, DriftedPath, FailureClass, FailureStatus, FaultyObject, HelmReleaseStatus,
    HistoryEntry, MAX_DRIFTED, MAX_DRIFTED_PATHS, Moment, PinStatus, PodEvidence, ProgressStatus,
    RevisionStatus, RollbackReadyStatus, Stage,
};
