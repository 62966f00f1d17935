//! A release that goes while nothing leads to its cluster any more: it is told what is left there, and let go.

use belay_api::{HelmRelease, names};
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource, ResourceExt};
use serde_json::json;

use crate::context::Context;
use crate::error::Error;

/// The reason of the event.
const LEFT_BEHIND: &str = "LeftBehind";

/// Whether a release is being deleted and waits for nothing but what cannot be done any more.
pub(crate) fn is_left(release: &HelmRelease, context: &Context) -> bool {
    let cached = context.cached_release(release);
    let release = cached.as_deref().unwrap_or(release);
    release.metadata.deletion_timestamp.is_some()
        && release
            .finalizers()
            .iter()
            .any(|name| name == names::FINALIZER)
}

/// Names in an event what stays in the other cluster, and takes the finalizer off.
pub(crate) async fn leave(
    context: &Context,
    release: &HelmRelease,
    why: &str,
) -> Result<(), Error> {
    let cached = context.cached_release(release);
    let release = cached.as_deref().unwrap_or(release);
    let (name, storage) = (release.release_name(), release.storage_namespace());
    let status = release.status.as_ref();
    let runs = status
        .and_then(|status| status.current.as_ref())
        .map_or_else(String::new, |current| {
            format!(", revision {} ({})", current.revision, current.chart)
        });
    let note = format!(
        "{why}, so what is in that cluster stays there: the objects of the release {name} in {}{runs}, Helm's records \
         sh.helm.release.v1.{name}.v* and the ledger belay.v1.{name} in {storage}; remove them with helm uninstall {name} \
         -n {storage}, then delete the ledger",
        release.target_namespace(),
    );
    tracing::warn!(
        namespace = release.namespace().unwrap_or_default(),
        name = release.name_any(),
        "{note}"
    );
    let event = Event {
        type_: EventType::Warning,
        reason: LEFT_BEHIND.to_owned(),
        note: Some(belay_health::clip(&note, 1000)),
        action: "Delete".to_owned(),
        secondary: None,
    };
    // Without the right to write events the release goes all the same.
    if let Err(error) = context
        .recorder
        .publish(&event, &release.object_ref(&()))
        .await
    {
        tracing::warn!(%error, "the event could not be written");
    }
    let namespace = release.namespace().unwrap_or_default();
    let api: Api<HelmRelease> = Api::namespaced(context.connection.client(), &namespace);
    let kept: Vec<_> = release
        .finalizers()
        .iter()
        .filter(|name| *name != names::FINALIZER)
        .collect();
    // The uid: one that was made anew under the name keeps its finalizer.
    let patch = json!({"metadata": {"finalizers": kept, "uid": release.uid()}});
    let parameters = PatchParams::default();
    match api
        .patch(&release.name_any(), &parameters, &Patch::Merge(&patch))
        .await
    {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        written => written
            .map(drop)
            .map_err(Error::kube("taking the finalizer off")),
    }
}
