//! The beginning and the end of owning a release: finalizer and ledger.

use belay_api::{HelmRelease, names};
use belay_cluster::{RefusalKind, Swap};
use belay_rollout::Ledger;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::{Halt, requests};
use crate::clock;
use crate::error::Error;
use crate::session::Session;

/// Puts Belay's finalizer on the `HelmRelease`, if it is still in the state that was read.
pub(super) async fn add_finalizer(session: &mut Session) -> Result<(), Error> {
    let mut finalizers = session.release.finalizers().to_vec();
    finalizers.push(names::FINALIZER.to_owned());
    write_finalizers(session, finalizers).await?;
    session.world.declared.has_finalizer = true;
    Ok(())
}

/// Creates the ledger. Whoever creates it first owns the release.
pub(super) async fn claim(session: &mut Session) -> Result<(), Halt> {
    ensure_namespace(session).await?;
    let ledger = Ledger::new(session.world.declared.identity.clone(), clock::digest_key());
    match session.store().create(&ledger).await? {
        Swap::Done(stamp) => {
            session.stamp = Some(stamp);
            session.world.ledger = Some(ledger);
            Ok(())
        }
        Swap::Conflict => Err(Error::Stale.into()),
    }
}

/// Removes the ledger and the finalizer; whatever the release holds stays.
pub(super) async fn release(session: &mut Session) -> Result<(), Error> {
    let ours = session
        .world
        .ledger
        .as_ref()
        .is_some_and(|ledger| ledger.owner.uid == session.world.declared.identity.uid);
    if ours {
        requests::end_all(session).await?;
        session.store().delete().await?;
    }
    remove_finalizer(session).await
}

/// Lets the `HelmRelease` go.
pub(super) async fn remove_finalizer(session: &mut Session) -> Result<(), Error> {
    let finalizers = session
        .release
        .finalizers()
        .iter()
        .filter(|name| *name != names::FINALIZER)
        .cloned()
        .collect();
    match write_finalizers(session, finalizers).await {
        Err(Error::Kube { source, .. }) if matches!(&*source, kube::Error::Api(status) if status.code == 404) =>
            {}
        outcome => outcome?,
    }
    session.world.declared.has_finalizer = false;
    Ok(())
}

/// Creates the target namespace for `spec.createNamespace`. It stays when the release goes, as with Helm.
async fn ensure_namespace(session: &Session) -> Result<(), Halt> {
    if !session.release.spec.create_namespace {
        return Ok(());
    }
    let name = session.release.target_namespace();
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> =
        Api::all(session.connection.client());
    let found = namespaces
        .get_opt(name)
        .await
        .map_err(Error::kube("looking for the target namespace"))?;
    if found.is_some() {
        return Ok(());
    }
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": name, "labels": { "name": name } },
    });
    namespaces
        .patch(
            name,
            &PatchParams::apply(belay_cluster::identity::MANAGER),
            &Patch::Apply(&namespace),
        )
        .await
        .map_err(Error::kube("creating the target namespace"))?;
    Ok(())
}

async fn write_finalizers(session: &mut Session, finalizers: Vec<String>) -> Result<(), Error> {
    let namespace = session.release.namespace().unwrap_or_default();
    let api: Api<HelmRelease> = Api::namespaced(session.own.client(), &namespace);
    let patch = json!({
        "metadata": {
            "finalizers": finalizers,
            "resourceVersion": session.release.metadata.resource_version,
        }
    });
    let written = api
        .patch(
            &session.release.name_any(),
            &PatchParams::default(),
            &Patch::Merge(&patch),
        )
        .await;
    match written {
        Ok(release) => {
            session.release = std::sync::Arc::new(release);
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 409 => Err(Error::Stale),
        Err(error) => Err(Error::kube("writing the finalizer")(error)),
    }
}

/// Whether the release's namespace is being deleted, and its accounts with it.
pub(super) async fn namespace_is_deleted(session: &Session) -> Result<bool, Error> {
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> =
        Api::all(session.cluster.connection.client());
    let found = namespaces
        .get_opt(session.release.target_namespace())
        .await
        .map_err(Error::kube("looking whether the namespace goes"))?;
    Ok(found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some()))
}

/// Whether nothing can be created because the namespace is going.
pub(super) fn namespace_is_going(error: &belay_cluster::NotDone) -> bool {
    error.is(RefusalKind::NamespaceTerminating)
}
