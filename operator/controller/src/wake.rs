//! What wakes a release besides its own object: verdicts, requests, and somebody's helm.

use std::sync::Arc;

use belay_api::{HelmRelease, RollbackRequest};
use belay_cluster::Connection;
use belay_release::{OWNER, SECRET_TYPE, Status};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};

use crate::memory::StorageKey;
use crate::reconcile::Context;

/// The release that a request is for.
pub(crate) fn release_of(request: &RollbackRequest) -> Option<ObjectRef<HelmRelease>> {
    let namespace = request.namespace()?;
    Some(ObjectRef::new(&request.spec.release_ref.name).within(&namespace))
}

/// Releases of whose objects something new was seen.
pub(crate) fn verdicts(context: Arc<Context>) -> impl Stream<Item = ObjectRef<HelmRelease>> + Send {
    context.watches.changes().filter_map(move |key| {
        let storage = StorageKey {
            namespace: key.namespace,
            release: key.name,
        };
        let owner = context.memory.owner(&storage);
        async move { owner.map(|(namespace, name)| ObjectRef::new(&name).within(&namespace)) }
    })
}

/// Releases whose records somebody else wrote.
///
/// Only metadata is watched: a record's label tells its status, and what is not news is passed over.
pub(crate) fn records(
    context: Arc<Context>,
    connection: &Connection,
    namespace: Option<&str>,
) -> impl Stream<Item = ObjectRef<HelmRelease>> + Send + use<> {
    let api: Api<PartialObjectMeta<Secret>> = match namespace {
        Some(namespace) => Api::namespaced(connection.client(), namespace),
        None => Api::all(connection.client()),
    };
    let config = watcher::Config::default()
        .labels(&format!("owner={OWNER}"))
        .fields(&format!("type={SECRET_TYPE}"));
    watcher(api, config)
        .default_backoff()
        .filter_map(move |event| {
            let woken = match event {
                Ok(watcher::Event::Apply(secret) | watcher::Event::InitApply(secret)) => {
                    news(&context, &secret, false)
                }
                Ok(watcher::Event::Delete(secret)) => news(&context, &secret, true),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => None,
                Err(error) => {
                    tracing::debug!(%error, "the watch on Helm's records was interrupted");
                    None
                }
            };
            async move { woken }
        })
}

fn news(
    context: &Context,
    secret: &PartialObjectMeta<Secret>,
    gone: bool,
) -> Option<ObjectRef<HelmRelease>> {
    let key = belay_release::StorageKey::parse(&secret.name_any())?;
    let status = secret
        .labels()
        .get("status")
        .and_then(|status| status.parse().ok())
        .unwrap_or(Status::Unknown);
    let storage = StorageKey {
        namespace: secret.namespace()?,
        release: key.name,
    };
    context
        .memory
        .record_seen(&storage, key.revision, status, gone)
        .map(|(namespace, name)| ObjectRef::new(&name).within(&namespace))
}
