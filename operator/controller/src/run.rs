//! The operator: claim, watches, reconciles, pages, and a graceful end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use belay_api::{HelmRelease, RollbackRequest};
use belay_cluster::{Claim, ClaimOptions, Connection, WatchScope};
use belay_source::{Destinations, Fetcher};
use futures::{FutureExt, StreamExt, future, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::runtime::controller::Config;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::{Controller, WatchStreamExt, watcher};
use tokio::sync::{mpsc, watch};

use crate::checks::Checks;
use crate::clusters::Clusters;
use crate::context::Context;
use crate::error::Error;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::reconcile::{error_policy, reconcile};
use crate::references::{ReferenceKind, References};
use crate::render::Renders;
use crate::serve::{Pages, serve};
use crate::settings::Settings;
use crate::turns::Turns;
use crate::{report, undeliverable, wake};

/// How many woken releases may wait for the controller before the watches wait for it.
const BUFFER: usize = 256;

/// Where client-side kubectl notes what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What an operator is made of.
pub struct Operator {
    /// The way to the cluster, under the operator's own account.
    pub connection: Connection,
    /// What it was told.
    pub settings: Settings,
    /// Where it counts; also told about every request of `connection`.
    pub metrics: Metrics,
}

/// Runs an operator until `stop` is done, or the claim is lost after it was held.
///
/// On a graceful end what was begun is finished, the claim is given back, and nothing keeps running.
///
/// # Errors
/// When the pages cannot be served. Everything else is tried on.
pub async fn run(
    operator: Operator,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let Operator {
        connection,
        settings,
        metrics,
    } = operator;
    let (stopping, stopped) = watch::channel(false);
    let waiter = tokio::spawn(async move {
        stop.await;
        stopping.send_replace(true);
    });
    let ready = Arc::new(AtomicBool::new(false));
    let pages = Pages {
        metrics: metrics.clone(),
        ready: Arc::clone(&ready),
    };
    let server = match settings.metrics_bind {
        Some(address) => Some(serve(address, pages, signal(stopped.clone())).await?),
        None => None,
    };
    let claim = Claim::start(
        &connection,
        ClaimOptions {
            namespace: settings.own_namespace.clone(),
            name: settings.lease.clone(),
            holder: settings.holder.clone(),
            duration: settings.lease_duration,
        },
    );
    let looking = claim.clone();
    let answer = tokio::spawn(async move {
        looking.answered().await;
        ready.store(true, Ordering::Release);
    });
    tracing::info!(lease = %settings.lease, holder = %settings.holder, "waiting for the claim");
    let held = tokio::select! {
        () = claim.held() => true,
        () = signal(stopped.clone()) => false,
    };
    if held {
        tracing::info!(holder = %settings.holder, "holds the claim");
        metrics.leader(true);
        let gated = connection.gated(Arc::new(claim.clone()));
        let (ending, over) = watch::channel(false);
        let watched = claim.clone();
        let ended = tokio::spawn(async move {
            tokio::select! {
                () = signal(stopped) => {}
                () = watched.lost() => {
                    tracing::error!("the claim was lost: another operator goes on from the ledgers");
                }
            }
            ending.send_replace(true);
        });
        work(gated, settings, metrics.clone(), over).await;
        ended.abort();
        metrics.leader(false);
    }
    claim.release().await;
    answer.abort();
    waiter.abort();
    if let Some(server) = server {
        server.abort();
    }
    tracing::info!("stopped");
    Ok(())
}

async fn signal(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Where a controller looks: everywhere, or in one namespace.
type Scope = Option<String>;

async fn work(
    connection: Connection,
    settings: Settings,
    metrics: Metrics,
    over: watch::Receiver<bool>,
) {
    let scopes: Vec<Scope> = if settings.namespaces.is_empty() {
        vec![None]
    } else {
        settings.namespaces.iter().cloned().map(Some).collect()
    };
    let watch_scope = if settings.namespaces.is_empty() {
        WatchScope::Cluster
    } else {
        WatchScope::Namespaces
    };
    let client = connection.client();
    let mut controllers = Vec::new();
    let mut requests = Vec::new();
    for scope in scopes {
        let (reader, writer) = reflector::store::<HelmRelease>();
        let declared = watcher(
            scoped::<HelmRelease>(&client, scope.as_deref()),
            watcher::Config::default(),
        )
        .modify(slim)
        .reflect(writer)
        .applied_objects();
        let controller = Controller::for_stream(declared, reader);
        let (reader, writer) = reflector::store::<RollbackRequest>();
        requests.push(reader);
        controllers.push((scope, controller, writer));
    }
    let memory = Arc::new(Memory::default());
    let turns = Turns::new(settings.concurrency, over.clone());
    let (wake, woken) = mpsc::channel(BUFFER);
    let sources = belay_source::Settings {
        cache_dir: settings.cache_dir.clone(),
        destinations: Destinations::Guarded {
            besides: settings.allow_source_addresses.clone(),
        },
        ..belay_source::Settings::default()
    };
    let context = Arc::new(Context {
        checks: Checks::new(&sources, metrics.clone(), wake.clone()),
        clusters: Clusters::new(
            &connection,
            watch_scope,
            metrics.clone(),
            Arc::clone(&memory),
            wake,
        ),
        fetcher: Fetcher::new(&sources),
        renders: Renders::new(),
        memory,
        references: References::new(),
        dependents: Arc::default(),
        recorder: Recorder::new(
            client.clone(),
            Reporter {
                controller: report::REPORTER.into(),
                instance: Some(settings.holder.clone()),
            },
        ),
        connection,
        metrics,
        settings,
        releases: controllers
            .iter()
            .map(|(_, controller, _)| controller.store())
            .collect(),
        requests,
        turns,
    });
    let mut senders = Vec::new();
    let mut running = Vec::new();
    for (scope, controller, writer) in controllers {
        let (sender, receiver) = mpsc::channel(BUFFER);
        senders.push((scope.clone(), sender));
        let store = controller.store();
        let asked = watcher(
            scoped::<RollbackRequest>(&client, scope.as_deref()),
            watcher::Config::default(),
        )
        .default_backoff()
        .modify(slim)
        .reflect(writer)
        .touched_objects();
        let records = wake::records(
            Arc::clone(&context.memory),
            &context.connection,
            scope.as_deref(),
            None,
        );
        let maps = wake::references::<ConfigMap>(
            Arc::clone(&context),
            scope.clone(),
            ReferenceKind::ConfigMap,
        );
        let secrets =
            wake::references::<Secret>(Arc::clone(&context), scope.clone(), ReferenceKind::Secret);
        let verdicts = stream::unfold(receiver, |mut receiver: mpsc::Receiver<_>| async move {
            receiver.recv().await.map(|woken| (woken, receiver))
        });
        let run = controller
            // Their turns bound them.
            .with_config(Config::default().concurrency(0))
            .watches_stream(asked, |request| wake::release_of(&request))
            .reconcile_on(verdicts)
            .reconcile_on(records)
            .reconcile_on(maps)
            .reconcile_on(secrets)
            .graceful_shutdown_on(signal(over.clone()))
            .run(reconcile, error_policy, Arc::clone(&context))
            .for_each_concurrent(undeliverable::AT_ONCE, {
                let context = Arc::clone(&context);
                move |outcome| {
                    let context = Arc::clone(&context);
                    async move {
                        if let Err(error) = outcome {
                            undeliverable::tell(&context, &error).await;
                        }
                    }
                }
            });
        let over = over.clone();
        running.push(async move {
            tokio::select! {
                () = run => {}
                () = stopped_unready(over, &store) => {}
            }
        });
    }
    let dispatch = tokio::spawn(dispatch(Arc::clone(&context), woken, senders));
    future::join_all(running).await;
    dispatch.abort();
}

/// Leaves out what nobody reads of what is kept for as long as it exists: who owns which field is more than all else
/// of it, and kubectl's note repeats the spec.
fn slim<K: kube::Resource>(object: &mut K) {
    let metadata = object.meta_mut();
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove(LAST_APPLIED);
    }
}

/// Done when the end comes before the first list: kube's controller would wait for a list that nobody asks for any
/// more. Nothing was begun by then, as reconciles wait for it too.
async fn stopped_unready(over: watch::Receiver<bool>, store: &reflector::Store<HelmRelease>) {
    signal(over).await;
    if store.wait_until_ready().now_or_never().is_some() {
        future::pending::<()>().await;
    }
}

/// Hands news of objects, and of releases that others depend on, to the controller in whose scope the release is.
async fn dispatch(
    context: Arc<Context>,
    elsewhere: mpsc::Receiver<ObjectRef<HelmRelease>>,
    senders: Vec<(Scope, mpsc::Sender<ObjectRef<HelmRelease>>)>,
) {
    let here = wake::verdicts(
        Arc::clone(&context.memory),
        &context.clusters.own().watches,
        None,
    );
    let elsewhere = stream::unfold(elsewhere, |mut elsewhere| async move {
        elsewhere.recv().await.map(|woken| (woken, elsewhere))
    });
    let dependents = Arc::clone(&context.dependents).woken();
    let news = stream::select(stream::select(here, elsewhere), dependents);
    let mut news = std::pin::pin!(news);
    while let Some(woken) = news.next().await {
        let sender = senders
            .iter()
            .find(|(scope, _)| scope.is_none() || *scope == woken.namespace);
        if let Some((_, sender)) = sender
            && sender.send(woken).await.is_err()
        {
            return;
        }
    }
}

fn scoped<K>(client: &kube::Client, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}
