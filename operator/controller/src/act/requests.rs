//! The status of requests that are not carried out.

use belay_api::{Reason, RollbackRequest, RollbackRequestStatus};
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
    let Some(request) = read(session, name).await? else {
        return Ok(());
    };
    let status = report::refused(
        &request.status.clone().unwrap_or_default(),
        reason,
        message,
        request.metadata.generation.unwrap_or_default(),
        session.world.now,
    );
    write(session, name, &status).await
}

/// A request as it is now. One that is gone is not looked at any more.
pub(super) async fn read(
    session: &mut Session,
    name: &str,
) -> Result<Option<RollbackRequest>, Error> {
    let request = api(session)
        .get_opt(name)
        .await
        .map_err(Error::kube("reading a RollbackRequest"))?;
    if request.is_none() {
        session.world.orders.retain(|order| order.name != name);
    }
    Ok(request)
}

/// Writes the status of a request that is over with that.
pub(super) async fn write(
    session: &mut Session,
    name: &str,
    status: &RollbackRequestStatus,
) -> Result<(), Error> {
    api(session)
        .patch_status(
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
        order.phase = status.phase;
    }
    Ok(())
}

fn api(session: &Session) -> Api<RollbackRequest> {
    let namespace = session.release.namespace().unwrap_or_default();
    Api::namespaced(session.own.client(), &namespace)
}
