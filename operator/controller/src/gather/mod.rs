//! Gather: what a decision looks at. Uncached before anything that cannot be undone.

mod approval;
mod check;
mod dependencies;
mod desired;
mod drift;
mod judging;
mod live;
pub(crate) mod post_render;
mod reading;
mod secrets;
mod source;
mod values;

use std::sync::Arc;

use belay_api::helm_release::AttemptKind;
use belay_api::{HelmRelease, RollbackRequest, Timestamp, names};
use belay_cluster::storage::Storage;
use belay_health::PodFaultReason;
use belay_release::Status;
use belay_rollout::{
    Approval, At, Declared, Desired, Home, Ledger, Look, Order, Owner, Rejection, SourceLook,
    Stored, World,
};
use kube::{Api, ResourceExt};

use crate::clock;
use crate::clusters::{Cluster, ClusterRef};
use crate::context::Context;
use crate::error::Error;
use crate::memory::{Remembered, StorageKey};
use crate::session::Session;

pub(crate) use approval::{Examined, confirm as confirm_approval};
pub(crate) use check::query;
pub(crate) use dependencies::confirm as confirm_dependencies;
pub(crate) use desired::{Ready, Resolved, come_to};
pub(crate) use drift::ignore_rules;
pub(crate) use judging::{Judging, Readiness};
pub(crate) use live::{applied, progress, since, track, watch_key};
pub(crate) use reading::Reading;
pub(crate) use values::origins;

/// Where a release's records live.
pub(crate) fn storage_key(release: &HelmRelease) -> StorageKey {
    StorageKey {
        cluster: ClusterRef::of(release),
        namespace: release.storage_namespace().to_owned(),
        release: release.release_name().to_owned(),
    }
}

/// A session out of memory alone: no request is sent unless the spec has to be resolved anew.
pub(crate) async fn from_memory(
    context: &Context,
    release: Arc<HelmRelease>,
    cluster: Arc<Cluster>,
    remembered: Remembered,
) -> Result<Session, Error> {
    let orders = context.cached_orders(&release);
    let (ledger, stamp) = match remembered.ledger {
        Some((ledger, stamp)) => (Some(ledger), Some(stamp)),
        None => (None, None),
    };
    let mut session = Session {
        connection: context.speaking_for(&release, &cluster)?,
        own: context.connection.clone(),
        cluster,
        memory: Arc::clone(&context.memory),
        key: storage_key(&release),
        world: world(
            context,
            &release,
            orders,
            ledger,
            remembered.lost,
            remembered.storage,
        ),
        readiness: remembered.readiness,
        release,
        stamp,
        resolved: remembered.resolved,
        record: remembered.record,
        examined: remembered.examined,
        drift: remembered.drift,
        fresh: false,
    };
    complete(context, &mut session).await?;
    Ok(session)
}

/// A session out of uncached reads: the `HelmRelease`, its requests, the ledger and Helm's records.
///
/// `None`: the `HelmRelease` is gone.
pub(crate) async fn fresh(
    context: &Context,
    release: &HelmRelease,
    remembered: Option<Remembered>,
) -> Result<Option<Session>, Error> {
    let namespace = release.namespace().unwrap_or_default();
    let uid = release.uid().unwrap_or_default();
    context.memory.refreshing(&uid);
    let client = context.connection.client();
    let releases: Api<HelmRelease> = Api::namespaced(client.clone(), &namespace);
    let requests: Api<RollbackRequest> = Api::namespaced(client, &namespace);
    let key = storage_key(release);
    let cluster = context.cluster_of(release).await?;
    let store = belay_cluster::ledger::Ledger::<Ledger>::new(
        cluster.connection.clone(),
        &key.namespace,
        &key.release,
    );
    let storage = Storage::new(cluster.connection.clone(), &key.namespace);
    let name = release.name_any();
    let everything = kube::api::ListParams::default();
    let (release, requests, entry, records) = tokio::join!(
        releases.get_opt(&name),
        requests.list(&everything),
        store.read(),
        storage.list(&key.release),
    );
    let Some(release) = release.map_err(Error::kube("reading the HelmRelease"))? else {
        return Ok(None);
    };
    if release.uid().as_deref() != Some(uid.as_str()) {
        return Ok(None);
    }
    if storage_key(&release) != key {
        // The watch has not brought yet that it lives elsewhere.
        return Err(Error::Stale);
    }
    let requests = requests.map_err(Error::kube("listing RollbackRequests"))?;
    let (ledger, stamp) = match entry? {
        Some(entry) => {
            let stamp = entry.stamp();
            (Some(entry.value), Some(stamp))
        }
        None => (None, None),
    };
    let orders = orders(&release, requests.items.iter());
    let remembered = remembered.unwrap_or_default();
    let before = remembered.ledger.map(|(ledger, _)| Box::new(ledger));
    let lost = match ledger {
        Some(_) => None,
        None => before.or(remembered.lost),
    };
    let mut session = Session {
        connection: context.speaking_for(&release, &cluster)?,
        own: context.connection.clone(),
        cluster,
        memory: Arc::clone(&context.memory),
        key,
        world: world(context, &release, orders, ledger, lost, stored(records?)),
        readiness: remembered.readiness,
        release: Arc::new(release),
        stamp,
        resolved: remembered.resolved,
        record: remembered.record,
        examined: remembered.examined,
        drift: remembered.drift,
        fresh: true,
    };
    complete(context, &mut session).await?;
    Ok(Some(session))
}

/// Looks again at what may have changed between two steps: a newer spec, a deletion, new requests.
pub(crate) async fn refresh(context: &Context, session: &mut Session) -> Result<(), Error> {
    if let Some(cached) = context.cached_release(&session.release) {
        let edited = cached.metadata.generation > session.release.metadata.generation;
        let deleted = cached.metadata.deletion_timestamp.is_some()
            && session.release.metadata.deletion_timestamp.is_none();
        if edited || deleted {
            session.world.declared = declared(context, &cached);
            session.release = cached;
        }
    }
    let mut orders = context.cached_orders(&session.release);
    for order in &mut orders {
        // The watch may not have brought yet what this reconcile wrote.
        let known = session.world.orders.iter().find(|old| old.uid == order.uid);
        if let Some(old) = known.filter(|old| old.phase.is_final()) {
            order.phase = old.phase;
        }
    }
    session.world.orders = orders;
    complete(context, session).await
}

/// The requests of a release, oldest first.
pub(crate) fn orders<'r>(
    release: &HelmRelease,
    requests: impl Iterator<Item = &'r RollbackRequest>,
) -> Vec<Order> {
    let name = release.name_any();
    let mut orders: Vec<_> = requests
        .filter(|request| request.spec.release_ref.name == name)
        .filter(|request| request.metadata.deletion_timestamp.is_none())
        .map(|request| Order {
            name: request.name_any(),
            uid: request.uid().unwrap_or_default(),
            spec: request.spec.clone(),
            phase: request
                .status
                .as_ref()
                .map(|status| status.phase)
                .unwrap_or_default(),
            created: request
                .creation_timestamp()
                .map(|time| Timestamp(time.0.as_millisecond()))
                .unwrap_or_default(),
            approved_by: request.annotations().get(names::APPROVED_BY).cloned(),
            approval: Approval::default(),
        })
        .collect();
    orders.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
    orders
}

/// What the spec comes to, and what the watches left.
async fn complete(context: &Context, session: &mut Session) -> Result<(), Error> {
    session.world.now = clock::now();
    approval::settle(session).await?;
    let readiness = Readiness::of(&session.release, &session.readiness);
    if !readiness.judge_as(&session.readiness) {
        // What is looked at is judged anew, by these.
        session.cluster.watches.untrack(&watch_key(&session.key));
    }
    session.readiness = readiness;
    let refused = check(context, &session.release).or_else(|| session.readiness.refusal());
    session.world.desired = match refused {
        Some(rejection) => Desired::Rejected(rejection),
        None if needs_desired(&session.world) => desired::desired(context, session).await?,
        None => Desired::Unknown,
    };
    session.world.held_up = dependencies::held_up(context, &session.release);
    live::watch(session).await?;
    session.world.progress = progress(session);
    session.world.looks = looks(context, session);
    drift::look(session);
    Ok(())
}

/// What the questions of the soak under way came to.
fn looks(context: &Context, session: &Session) -> Vec<Look> {
    let ledger = session.world.ledger.as_ref();
    let attempt = ledger.and_then(|ledger| ledger.attempt.as_ref());
    let soaks = attempt.filter(|attempt| matches!(attempt.at, At::Soaking(_)));
    let uid = &session.world.declared.identity.uid;
    context
        .checks
        .looks(uid, soaks.map(|attempt| attempt.id.as_str()))
}

/// A release that goes, belongs to somebody else, or is on its way back needs no chart.
fn needs_desired(world: &World) -> bool {
    let Some(ledger) = &world.ledger else {
        return false;
    };
    let going_back = ledger.attempt.as_ref().is_some_and(|attempt| {
        matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall)
            && !matches!(attempt.at, At::Failed { .. })
    });
    !world.declared.deleting && ledger.owner.uid == world.declared.identity.uid && !going_back
}

/// What the operator does not do for anybody.
fn check(context: &Context, release: &HelmRelease) -> Option<Rejection> {
    stays_at_home(context, release)
        .or_else(|| ignores_what_exists(release))
        .or_else(|| ignore_rules(&release.spec.drift_detection).err())
}

fn ignores_what_exists(release: &HelmRelease) -> Option<Rejection> {
    let ignored = release.spec.fail_fast.ignore.iter().enumerate();
    ignored
        .filter_map(|(index, name)| Some((index, name.parse::<PodFaultReason>().err()?)))
        .map(|(index, unknown)| Rejection {
            reason: belay_api::Reason::SpecInvalid,
            message: format!("spec.failFast.ignore[{index}]: {unknown}"),
            retry_at: None,
        })
        .next()
}

fn stays_at_home(context: &Context, release: &HelmRelease) -> Option<Rejection> {
    if release.spec.kube_config.is_some() {
        // In another cluster the rights of its own accounts say who may do what.
        return None;
    }
    let own = release.namespace().unwrap_or_default();
    let dependencies = release.spec.depends_on.iter();
    let dependencies = dependencies.filter_map(|dependency| dependency.namespace.as_deref());
    let elsewhere = [
        ("targetNamespace", release.target_namespace()),
        ("storageNamespace", release.storage_namespace()),
    ]
    .into_iter()
    .chain(dependencies.map(|namespace| ("dependsOn.namespace", namespace)))
    .find(|(_, namespace)| *namespace != own);
    match elsewhere {
        Some((field, namespace)) if !context.settings.allow_cross_namespace => Some(Rejection {
            reason: belay_api::Reason::SpecInvalid,
            message: format!(
                "spec.{field} is {namespace}: releases stay in their own namespace, {own}, unless the operator runs with --allow-cross-namespace"
            ),
            retry_at: None,
        }),
        _ => None,
    }
}

fn world(
    context: &Context,
    release: &HelmRelease,
    orders: Vec<Order>,
    ledger: Option<Ledger>,
    lost: Option<Box<Ledger>>,
    storage: Vec<Stored>,
) -> World {
    World {
        now: clock::now(),
        declared: declared(context, release),
        desired: Desired::Unknown,
        held_up: None,
        source: SourceLook::Unknown,
        orders,
        ledger,
        lost,
        storage,
        progress: None,
        proof: None,
        looks: Vec::new(),
        drift: None,
    }
}

fn declared(context: &Context, release: &HelmRelease) -> Declared {
    let spec = &release.spec;
    Declared {
        identity: Owner {
            namespace: release.namespace().unwrap_or_default(),
            name: release.name_any(),
            uid: release.uid().unwrap_or_default(),
        },
        generation: release.metadata.generation.unwrap_or_default(),
        deleting: release.metadata.deletion_timestamp.is_some(),
        cluster: match spec.kube_config {
            None => Home::Here,
            Some(_) => Home::Elsewhere,
        },
        foreign_patience: context.settings.foreign_patience,
        has_finalizer: release
            .finalizers()
            .iter()
            .any(|name| name == names::FINALIZER),
        suspend: spec.suspend,
        atomic: spec.atomic,
        timeout: spec.timeout,
        rollback_timeout: spec.rollback.timeout.unwrap_or(spec.timeout),
        uninstall_timeout: spec.uninstall.timeout.unwrap_or(spec.timeout),
        deletion_policy: spec.deletion_policy,
        outside_changes: spec.outside_changes,
        fail_fast: spec.fail_fast.clone(),
        soak: spec.soak.clone(),
        drift: spec.drift_detection.clone(),
        interval: spec.interval,
        retry: release.annotations().get(names::RETRY).cloned(),
    }
}

/// Helm's records, newest first.
fn stored(summaries: Vec<belay_cluster::storage::Summary>) -> Vec<Stored> {
    let mut stored: Vec<_> = summaries
        .into_iter()
        .map(|summary| Stored {
            revision: summary.key.revision,
            status: summary
                .status
                .as_deref()
                .and_then(|status| status.parse().ok())
                .unwrap_or(Status::Unknown),
            created: summary
                .stamp
                .created
                .map(|created| Timestamp(created.as_millisecond()))
                .unwrap_or_default(),
        })
        .collect();
    stored.sort_by_key(|stored| std::cmp::Reverse(stored.revision));
    stored
}
