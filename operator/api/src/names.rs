//! Names that stand in the cluster: the API group, annotations, the finalizer.

/// API group of both kinds.
pub const GROUP: &str = "belay.dev";
/// Finalizer on a `HelmRelease` whose objects have to be uninstalled before it may go.
pub const FINALIZER: &str = "belay.dev/uninstall";
/// Annotation that asks for one reconcile; its value is a token, each new one asks once.
pub const RECONCILE: &str = "belay.dev/reconcile";
/// Annotation that asks to try a blocked digest once more; its value is that digest,
/// optionally followed by `#` and a token to ask for the same digest again.
pub const RETRY: &str = "belay.dev/retry";
/// Annotation on a `RollbackRequest`: the user name of who approves it. Admission policies see to it that everybody can
/// write there only his own.
pub const APPROVED_BY: &str = "belay.dev/approved-by";
/// Name of the admission policy and its binding that keep requests honest about who asked and who approved.
pub const ADMISSION_POLICY: &str = "belay-rollback-requests";
/// Annotation on a hook: once it ran, there is no automatic way back.
pub const IRREVERSIBLE: &str = "belay.dev/irreversible";
/// Field manager of Belay's writes to its own kinds. Objects of charts are applied as `helm`.
pub const FIELD_MANAGER: &str = "belay";
