//! The clusters in which releases live: the operator's own, and those that kubeconfigs name.
//!
//! A remote cluster has a connection and watches of its own, made when the first release needs them and dropped when
//! the last one has gone. Its kubeconfig is a Secret that specs name, so a change of it wakes its releases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use belay_api::helm_release::KubeConfigSecret;
use belay_api::{HelmRelease, Reason};
use belay_cluster::{ConnectOptions, Connection, RequestObserver, WatchScope, Watches, connect};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::references::{Read, Reference, ReferenceKind, References};
use crate::wake;

/// The most remote clusters at a time: each holds connections and watches.
const MOST: usize = 64;
/// The keys that are looked for where none is named.
const KEYS: [&str; 2] = ["value", "value.yaml"];
/// No request to a remote cluster takes longer: it may be far away, and is not waited for at the cost of others.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);

/// The Secret that names a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClusterRef {
    /// The namespace of the Secret and of the releases that name it.
    pub(crate) namespace: String,
    /// The Secret and its key.
    pub(crate) secret: String,
    key: Option<String>,
}

/// A cluster, under the account that holds ledgers and records there: the operator's, or the kubeconfig's.
pub(crate) struct Cluster {
    pub(crate) connection: Connection,
    pub(crate) watches: Watches,
    /// Tells a cluster from the one that the same Secret named before: what is remembered of that one does not count.
    pub(crate) epoch: u64,
    remote: Option<Remote>,
}

/// What a remote cluster has besides.
struct Remote {
    read: Read,
    /// Wakes releases: for verdicts, and for Helm's records by their namespaces. Bounded by the namespaces of releases.
    tasks: Mutex<BTreeMap<Option<String>, JoinHandle<()>>>,
}

/// All clusters.
pub(crate) struct Clusters {
    own: Arc<Cluster>,
    remote: tokio::sync::Mutex<BTreeMap<ClusterRef, Arc<Cluster>>>,
    /// Which cluster each release uses, by its uid.
    users: Mutex<BTreeMap<String, ClusterRef>>,
    epochs: AtomicU64,
    metrics: Metrics,
    memory: Arc<Memory>,
    wake: mpsc::Sender<ObjectRef<HelmRelease>>,
}

impl ClusterRef {
    /// The remote cluster of a release, if it has one.
    pub(crate) fn of(release: &HelmRelease) -> Option<Self> {
        let KubeConfigSecret { name, key } = &release.spec.kube_config.as_ref()?.secret_ref;
        Some(Self {
            namespace: release.namespace().unwrap_or_default(),
            secret: name.clone(),
            key: key.clone(),
        })
    }

    /// The Secret, as an object that a spec names.
    pub(crate) fn reference(&self) -> Reference {
        Reference {
            kind: ReferenceKind::Secret,
            namespace: self.namespace.clone(),
            name: self.secret.clone(),
        }
    }

    fn refuse(&self, reason: Reason, why: &str) -> Error {
        let Self {
            namespace, secret, ..
        } = self;
        Error::Kubeconfig {
            reason,
            message: format!("the Secret {namespace}/{secret} of spec.kubeConfig {why}"),
        }
    }
}

impl Clusters {
    pub(crate) fn new(
        connection: &Connection,
        scope: WatchScope,
        metrics: Metrics,
        memory: Arc<Memory>,
        wake: mpsc::Sender<ObjectRef<HelmRelease>>,
    ) -> Self {
        Self {
            own: Arc::new(Cluster {
                connection: connection.clone(),
                watches: Watches::new(connection, scope),
                epoch: 0,
                remote: None,
            }),
            remote: tokio::sync::Mutex::default(),
            users: Mutex::default(),
            epochs: AtomicU64::new(1),
            metrics,
            memory,
            wake,
        }
    }

    /// The operator's own cluster.
    pub(crate) fn own(&self) -> &Arc<Cluster> {
        &self.own
    }

    /// The cluster that a release lives in; its kubeconfig is read by `reader`, once and after each change.
    pub(crate) async fn of(
        &self,
        release: &HelmRelease,
        reader: &Connection,
        references: &References,
    ) -> Result<Arc<Cluster>, Error> {
        let uid = release.uid().unwrap_or_default();
        let Some(wanted) = ClusterRef::of(release) else {
            return Ok(Arc::clone(&self.own));
        };
        let before = self.lock().insert(uid, wanted.clone());
        if before.is_some_and(|before| before != wanted) {
            self.drop_unused().await;
        }
        let name = release.name_any();
        let reference = wanted.reference();
        references.begin(&name, &reference);
        // One at a time: releases that share a Secret share what comes of it.
        let mut remote = self.remote.lock().await;
        let known = remote.get(&wanted).cloned();
        let fresh = known.filter(|known| !references.is_newer(&reference, known.read()));
        let cluster = if let Some(known) = fresh {
            known
        } else {
            remote.remove(&wanted);
            if remote.len() >= MOST {
                let why = format!("names one cluster more than the {MOST} that are looked after");
                return Err(wanted.refuse(Reason::SpecInvalid, &why));
            }
            let (text, read) = match read(&wanted, reader).await {
                Ok(read) => read,
                Err(error) => {
                    references.note(&name, &reference, Read::Absent);
                    return Err(error);
                }
            };
            references.note(&name, &reference, read);
            let cluster = Arc::new(self.reach(&wanted, text?, read, reader).await?);
            remote.insert(wanted.clone(), Arc::clone(&cluster));
            cluster
        };
        drop(remote);
        references.note(&name, &reference, cluster.read());
        cluster.watch_records(release.storage_namespace(), &wanted, self);
        Ok(cluster)
    }

    /// What a release's look at its spec has read already: its kubeconfig.
    pub(crate) fn read_of(release: &HelmRelease, cluster: &Cluster) -> BTreeMap<Reference, Read> {
        ClusterRef::of(release)
            .map(|wanted| (wanted.reference(), cluster.read()))
            .into_iter()
            .collect()
    }

    /// A release is gone; a cluster that nobody uses any more goes too.
    pub(crate) async fn forget(&self, uid: &str) {
        if self.lock().remove(uid).is_some() {
            self.drop_unused().await;
        }
    }

    async fn drop_unused(&self) {
        let used: BTreeSet<_> = self.lock().values().cloned().collect();
        let mut remote = self.remote.lock().await;
        remote.retain(|named, _| used.contains(named));
    }

    async fn reach(
        &self,
        wanted: &ClusterRef,
        kubeconfig: String,
        read: Read,
        like: &Connection,
    ) -> Result<Cluster, Error> {
        let observer: Arc<dyn RequestObserver> = Arc::new(self.metrics.clone());
        let connection = way(wanted, kubeconfig, Some(observer)).await?;
        let connection = connection.gated_like(like);
        // A kubeconfig's rights may end at namespaces.
        let watches = Watches::new(&connection, WatchScope::Namespaces);
        let cluster = Cluster {
            connection,
            epoch: self.epochs.fetch_add(1, Ordering::Relaxed),
            remote: Some(Remote {
                read,
                tasks: Mutex::default(),
            }),
            watches,
        };
        let (memory, wake) = (Arc::clone(&self.memory), self.wake.clone());
        let news = wake::verdicts(memory, &cluster.watches, Some(wanted.clone()));
        cluster.run(None, async move {
            let mut news = std::pin::pin!(news);
            while let Some(woken) = news.next().await {
                if wake.send(woken).await.is_err() {
                    return;
                }
            }
        });
        Ok(cluster)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ClusterRef>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cluster {
    fn read(&self) -> Read {
        self.remote
            .as_ref()
            .map_or(Read::Pending, |remote| remote.read)
    }

    /// Somebody's helm may work on the records there, too.
    fn watch_records(&self, namespace: &str, named: &ClusterRef, clusters: &Clusters) {
        let name = Some(namespace.to_owned());
        let is_watched = self.remote.as_ref().is_none_or(|remote| {
            let tasks = remote.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.contains_key(&name)
        });
        if is_watched {
            return;
        }
        let memory = Arc::clone(&clusters.memory);
        let wake = clusters.wake.clone();
        let news = wake::records(
            memory,
            &self.connection,
            Some(namespace),
            Some(named.clone()),
        );
        self.run(name, async move {
            let mut news = std::pin::pin!(news);
            while let Some(woken) = news.next().await {
                if wake.send(woken).await.is_err() {
                    return;
                }
            }
        });
    }

    fn run(&self, name: Option<String>, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(remote) = &self.remote {
            let mut tasks = remote.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.entry(name).or_insert_with(|| tokio::spawn(task));
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        for task in tasks.values() {
            task.abort();
        }
    }
}

/// The way to the cluster that a release lives in, for one look at it; its kubeconfig is read by `reader`.
pub(crate) async fn way_to(
    release: &HelmRelease,
    reader: &Connection,
) -> Result<Connection, Error> {
    let Some(wanted) = ClusterRef::of(release) else {
        return Ok(reader.clone());
    };
    let (text, _) = read(&wanted, reader).await?;
    way(&wanted, text?, None).await
}

async fn way(
    wanted: &ClusterRef,
    kubeconfig: String,
    observer: Option<Arc<dyn RequestObserver>>,
) -> Result<Connection, Error> {
    let connected = connect(ConnectOptions {
        kubeconfig_text: Some(kubeconfig),
        request_timeout: REQUEST_LIMIT,
        observer,
        ..ConnectOptions::default()
    });
    connected.await.map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let why = source.unwrap_or_else(|| error.to_string());
        wanted.refuse(Reason::SpecInvalid, &format!("cannot be used: {why}"))
    })
}

/// A kubeconfig's text, and the state of the Secret; the inner error: the Secret is there, and of no use.
async fn read(
    wanted: &ClusterRef,
    reader: &Connection,
) -> Result<(Result<String, Error>, Read), Error> {
    let api: Api<Secret> = Api::namespaced(reader.client(), &wanted.namespace);
    let found = api
        .get_opt(&wanted.secret)
        .await
        .map_err(Error::kube("reading the Secret of spec.kubeConfig"))?
        .ok_or_else(|| wanted.refuse(Reason::ReferenceNotFound, "does not exist"))?;
    let version = found.resource_version().and_then(|text| text.parse().ok());
    let data = found.data.unwrap_or_default();
    let bytes = match &wanted.key {
        Some(key) => data.get(key),
        None => KEYS.iter().find_map(|key| data.get(*key)),
    };
    let text = match bytes.map(|bytes| String::from_utf8(bytes.0.clone())) {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) => {
            Err(wanted.refuse(Reason::SpecInvalid, "holds a kubeconfig that is no text"))
        }
        None => {
            let key = wanted.key.as_deref().unwrap_or("value");
            let why = format!("has no key {key}");
            Err(wanted.refuse(Reason::ReferenceNotFound, &why))
        }
    };
    Ok((text, Read::At(version.unwrap_or_default())))
}
