//! The objects of a manifest as they will stand in the cluster.

use belay_api::helm_release::{AfterHooks, AttemptKind, HelmReleaseSpec, OnImmutable as Policy};
use belay_cluster::{
    Connection, Error as ClusterError, Known, NotDone, OnImmutable, Refusal, RefusalKind,
};
use belay_health::ObjectRef;
use belay_release::{Hook, HookEvent, Record, execution_order};
use belay_rollout::{HookPlan, HookProgress, Ledger, When};
use serde_json::Value;

use crate::error::Error;

/// References to objects, their namespaces filled in.
///
/// A kind that is not served yet, because the same chart brings it, counts as namespaced.
pub(crate) async fn references(
    connection: &Connection,
    objects: &[Value],
    namespace: &str,
) -> Result<Vec<ObjectRef>, Error> {
    let mut references = Vec::with_capacity(objects.len());
    for object in objects {
        references.push(reference(connection, object, namespace).await?);
    }
    Ok(references)
}

/// A reference to one object, its namespace filled in.
pub(crate) async fn reference(
    connection: &Connection,
    object: &Value,
    namespace: &str,
) -> Result<ObjectRef, Error> {
    let plain = |value: &Value| {
        ObjectRef::of(value)
            .map_err(|error| Error::Gone(format!("an object of the manifest: {error}")))
    };
    let mut reference = plain(object)?;
    match connection.place(object, namespace).await {
        Ok(place) => reference.namespace = place.key.namespace,
        Err(ClusterError::UnknownKind { .. }) => {
            if reference.namespace.is_none() {
                reference.namespace = Some(namespace.to_owned());
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(reference)
}

/// What the ledger knows of an object before it is applied.
pub(super) fn known(ledger: Option<&Ledger>, reference: &ObjectRef) -> Known {
    ledger
        .and_then(|ledger| {
            ledger
                .inventory
                .iter()
                .find(|tracked| tracked.object.key() == reference.key())
        })
        .and_then(|tracked| tracked.uid.clone())
        .map_or(Known::Nothing, |uid| Known::Ours { uid })
}

/// What an attempt does where a field would change that cannot.
pub(crate) fn on_immutable(spec: &HelmReleaseSpec, kind: AttemptKind) -> OnImmutable {
    let policy = match kind {
        AttemptKind::Install => spec.install.on_immutable,
        AttemptKind::Upgrade => spec.upgrade.on_immutable,
        AttemptKind::Rollback | AttemptKind::Revert => spec.on_immutable_back(),
        AttemptKind::Uninstall => Policy::Fail,
    };
    match policy {
        Policy::Fail => OnImmutable::Fail,
        Policy::Recreate => OnImmutable::Recreate,
    }
}

/// A refusal with what the spec could say to be spared it.
pub(crate) fn with_remedy(error: &NotDone, kind: AttemptKind) -> String {
    let spared = matches!(error.error(), ClusterError::Spared { .. });
    if spared || !error.is(RefusalKind::Immutable) {
        return error.to_string();
    }
    let policy = match kind {
        AttemptKind::Install => "install",
        AttemptKind::Upgrade | AttemptKind::Uninstall => "upgrade",
        AttemptKind::Rollback | AttemptKind::Revert => "rollback",
    };
    let short = error.refusal().map(Refusal::in_short);
    format!(
        "{}; to have the object deleted and made anew, set spec.{policy}.onImmutable: Recreate",
        short.unwrap_or_default()
    )
}

/// Which hooks of a chart an attempt runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs {
    /// Those before and after the change.
    pub(super) hooks: bool,
    /// Its tests.
    pub(super) tests: bool,
    /// What a failure after its hooks leads to.
    pub(super) after_hooks: AfterHooks,
}

/// The hooks that an attempt runs, in their order.
pub(super) async fn hook_plan(
    connection: &Connection,
    record: &Record,
    kind: AttemptKind,
    runs: Runs,
) -> Result<Vec<HookPlan>, Error> {
    let (before, after) = match kind {
        AttemptKind::Install => (HookEvent::PreInstall, HookEvent::PostInstall),
        AttemptKind::Upgrade => (HookEvent::PreUpgrade, HookEvent::PostUpgrade),
        AttemptKind::Rollback | AttemptKind::Revert => {
            (HookEvent::PreRollback, HookEvent::PostRollback)
        }
        AttemptKind::Uninstall => (HookEvent::PreDelete, HookEvent::PostDelete),
    };
    let mut events = Vec::new();
    if runs.hooks {
        events.extend([(before, When::Before), (after, When::After)]);
    }
    if runs.tests {
        events.push((HookEvent::Test, When::Test));
    }
    let mut plan = Vec::new();
    for (event, when) in events {
        for hook in execution_order(&record.hooks, event) {
            plan.push(HookPlan {
                object: reference(connection, &hook_object(hook)?, &record.namespace).await?,
                when,
                irreversible: hook.is_irreversible()
                    || (runs.after_hooks == AfterHooks::Halt && when != When::Test),
                progress: HookProgress::Planned,
            });
        }
    }
    Ok(plan)
}

/// A hook's manifest as an object.
pub(super) fn hook_object(hook: &Hook) -> Result<Value, Error> {
    let objects = belay_release::Manifest::parse(&hook.manifest)?.objects()?;
    objects
        .into_iter()
        .next()
        .ok_or_else(|| Error::Gone(format!("the hook {} has an empty manifest", hook.name)))
}
