//! What wakes a release besides its own object: verdicts, requests, and somebody's helm.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use belay_api::{HelmRelease, RollbackRequest};
use belay_cluster::{Connection, Watches};
use belay_release::{OWNER, SECRET_TYPE, Status};
use futures::{Stream, StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};

use crate::clusters::ClusterRef;
use crate::context::Context;
use crate::memory::{Memory, StorageKey};
use crate::references::{Reference, ReferenceKind, Seen};

/// The release that a request is for.
pub(crate) fn release_of(request: &RollbackRequest) -> Option<ObjectRef<HelmRelease>> {
    let namespace = request.namespace()?;
    Some(ObjectRef::new(&request.spec.release_ref.name).within(&namespace))
}

/// Releases of a cluster of whose objects something new was seen.
pub(crate) fn verdicts(
    memory: Arc<Memory>,
    watches: &Watches,
    cluster: Option<ClusterRef>,
) -> impl Stream<Item = ObjectRef<HelmRelease>> + Send + use<> {
    watches.changes().filter_map(move |key| {
        let storage = StorageKey {
            cluster: cluster.clone(),
            namespace: key.namespace,
            release: key.name,
        };
        let owner = memory.owner(&storage);
        async move { owner.map(|(namespace, name)| ObjectRef::new(&name).within(&namespace)) }
    })
}

/// Releases of a cluster whose records somebody else wrote.
///
/// Only metadata is watched: a record's label tells its status, and what is not news is passed over.
pub(crate) fn records(
    memory: Arc<Memory>,
    connection: &Connection,
    namespace: Option<&str>,
    cluster: Option<ClusterRef>,
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
                    news(&memory, cluster.as_ref(), &secret, false)
                }
                Ok(watcher::Event::Delete(secret)) => {
                    news(&memory, cluster.as_ref(), &secret, true)
                }
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
    memory: &Memory,
    cluster: Option<&ClusterRef>,
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
        cluster: cluster.cloned(),
        namespace: secret.namespace()?,
        release: key.name,
    };
    memory
        .record_seen(&storage, key.revision, status, gone)
        .map(|(namespace, name)| ObjectRef::new(&name).within(&namespace))
}

/// Releases that read an object in another state than it has now. The watch begins when the first release names an
/// object of the kind; only metadata travels, and nothing is kept but the versions of what is named.
pub(crate) fn references<K>(
    context: Arc<Context>,
    namespace: Option<String>,
    kind: ReferenceKind,
) -> impl Stream<Item = ObjectRef<HelmRelease>> + Send
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Send + 'static,
{
    let begin = async move {
        context.references.wanted(kind, namespace.as_deref()).await;
        let client = context.connection.client();
        let api: Api<PartialObjectMeta<K>> = match &namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        };
        let mut follow = Follow {
            context,
            namespace,
            kind,
            listed: BTreeSet::new(),
        };
        watcher(api, selection(kind))
            .default_backoff()
            .flat_map(move |event| stream::iter(follow.take(event)))
    };
    stream::once(begin).flatten()
}

/// Helm's records and our ledgers are Secrets that no spec names.
fn selection(kind: ReferenceKind) -> watcher::Config {
    let config = watcher::Config::default();
    match kind {
        ReferenceKind::ConfigMap => config,
        ReferenceKind::Secret => {
            let ledger = belay_cluster::ledger::LEDGER_TYPE;
            config.fields(&format!("type!={SECRET_TYPE},type!={ledger}"))
        }
    }
}

/// One watch on what specs name.
struct Follow {
    context: Arc<Context>,
    namespace: Option<String>,
    kind: ReferenceKind,
    /// What a list that is under way has shown, of what is named.
    listed: BTreeSet<Reference>,
}

impl Follow {
    fn take<K>(
        &mut self,
        event: watcher::Result<watcher::Event<PartialObjectMeta<K>>>,
    ) -> Vec<ObjectRef<HelmRelease>>
    where
        K: Resource<DynamicType = ()>,
    {
        match event {
            Ok(watcher::Event::Init) => {
                self.listed.clear();
                Vec::new()
            }
            Ok(watcher::Event::InitApply(object)) => {
                let reference = self.reference(&object);
                let woken = self.see(&reference, version(&object));
                if self.context.references.names(&reference) {
                    self.listed.insert(reference);
                }
                woken
            }
            // What a list does not show was deleted while nobody looked.
            Ok(watcher::Event::InitDone) => {
                let listed = std::mem::take(&mut self.listed);
                let references = &self.context.references;
                let named = references.named(self.kind, self.namespace.as_deref());
                let gone = named.iter().filter(|named| !listed.contains(*named));
                gone.flat_map(|gone| self.see(gone, Seen::Gone)).collect()
            }
            Ok(watcher::Event::Apply(object)) => {
                self.see(&self.reference(&object), version(&object))
            }
            Ok(watcher::Event::Delete(object)) => self.see(&self.reference(&object), Seen::Gone),
            Err(error) => {
                tracing::debug!(%error, kind = ?self.kind, "the watch on what specs name was interrupted");
                Vec::new()
            }
        }
    }

    fn reference<K>(&self, object: &PartialObjectMeta<K>) -> Reference
    where
        K: Resource<DynamicType = ()>,
    {
        Reference {
            kind: self.kind,
            namespace: object.metadata.namespace.clone().unwrap_or_default(),
            name: object.metadata.name.clone().unwrap_or_default(),
        }
    }

    fn see(&self, reference: &Reference, seen: Seen) -> Vec<ObjectRef<HelmRelease>> {
        let woken = self.context.references.see(reference, seen).into_iter();
        woken
            .map(|release| ObjectRef::new(&release).within(&reference.namespace))
            .collect()
    }
}

fn version<K>(object: &PartialObjectMeta<K>) -> Seen
where
    K: Resource<DynamicType = ()>,
{
    let version = object.metadata.resource_version.as_ref();
    Seen::At(
        version
            .and_then(|text| text.parse().ok())
            .unwrap_or_default(),
    )
}
