//! The status of requests that are not carried out.

use belay_api::{Reason, RollbackRequest};
use belay_rollout::report;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::error::Error;
use crate::session::Session;

/// Ends the requests of a release that goes: their record outlives it.
pub(super) async fn end_all(session: &mut Session) -> Result<(), Error> {
    let open: Vec<_> = session
        .world
        .orders
        .iter()
        .filter(|order| !order.phase.is_final())
        .map(|order| order.name.clone())
        .collect();
    for name in open {
        let message = "the HelmRelease was deleted";
        refuse(session, &name, Reason::ReleaseNotFound, message).await?;
    }
    Ok(())
}

/// Writes why a request is not carried out; it is over with that.
pub(super) async fn refuse(
    session: &mut Session,
    name: &str,
    reason: Reason,
    message: &str,
) -> Result<(), Error> {
    let namespace = session.release.namespace().unwrap_or_default();
    let api: Api<RollbackRequest> = Api::namespaced(session.connection.client(), &namespace);
    let Some(request) = api
        .get_opt(name)
        .await
        .map_err(Error::kube("reading a RollbackRequest"))?
    else {
        session.world.orders.retain(|order| order.name != name);
        return Ok(());
    };
    let status = report::refused(
        &request.status.clone().unwrap_or_default(),
        reason,
        message,
        request.metadata.generation.unwrap_or_default(),
        session.world.now,
    );
    let phase = status.phase;
    api.patch_status(
        name,
        &PatchParams::default(),
        &Patch::Merge(&json!({ "status": status })),
    )
    .await
    .map_err(Error::kube("writing the status of a RollbackRequest"))?;
    if let Some(order) = session
        .world
        .orders
        .iter_mut()
        .find(|order| order.name == name)
    {
        order.phase = phase;
    }
    Ok(())
}
