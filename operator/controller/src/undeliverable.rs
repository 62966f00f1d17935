//! Requests for a release that is not there: nobody reconciles it, so nobody else would tell them.

use belay_api::{HelmRelease, RollbackRequest};
use belay_rollout::{Place, report};
use kube::api::{Patch, PatchParams};
use kube::runtime::controller;
use kube::runtime::reflector::Store;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::clock;
use crate::context::Context;
use crate::error::Error;

/// How many releases that are not there are looked into at once.
pub(crate) const AT_ONCE: usize = 4;

/// Tells the requests for a release that was woken and is not there.
pub(crate) async fn tell(
    context: &Context,
    error: &controller::Error<Error, kube::runtime::watcher::Error>,
) {
    let controller::Error::ObjectNotFound(release) = error else {
        tracing::debug!(%error, "a reconcile was not begun");
        return;
    };
    let namespace = release.namespace.clone().unwrap_or_default();
    context.dependents.gone(&Place {
        namespace: namespace.clone(),
        name: release.name.clone(),
    });
    if let Err(error) = tell_requests(context, &namespace, &release.name).await {
        tracing::warn!(%namespace, name = %release.name, %error, "requests for a release that is not there could not be told");
    }
}

async fn tell_requests(context: &Context, namespace: &str, release: &str) -> Result<(), Error> {
    let now = clock::now();
    let untold: Vec<_> = context
        .requests
        .iter()
        .flat_map(Store::state)
        .filter(|request| {
            request.namespace().as_deref() == Some(namespace)
                && request.spec.release_ref.name == release
        })
        .filter_map(|request| {
            let before = request.status.clone().unwrap_or_default();
            let generation = request.metadata.generation.unwrap_or_default();
            let status = report::without_release(&before, release, generation, now);
            (!before.phase.is_final() && status != before).then(|| (request.name_any(), status))
        })
        .collect();
    if untold.is_empty() {
        return Ok(());
    }
    let client = context.connection.client();
    let releases: Api<HelmRelease> = Api::namespaced(client.clone(), namespace);
    let found = releases.get_opt(release).await;
    if found
        .map_err(Error::kube("reading the HelmRelease"))?
        .is_some()
    {
        // The watch has not brought it yet; it tells its requests itself.
        return Ok(());
    }
    let requests: Api<RollbackRequest> = Api::namespaced(client, namespace);
    for (name, status) in untold {
        let patch = Patch::Merge(json!({ "status": status }));
        match requests
            .patch_status(&name, &PatchParams::default(), &patch)
            .await
        {
            Ok(_) => {}
            Err(kube::Error::Api(answer)) if answer.code == 404 => {}
            Err(error) => {
                return Err(Error::kube("writing the status of a RollbackRequest")(
                    error,
                ));
            }
        }
    }
    Ok(())
}
