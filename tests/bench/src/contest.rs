//! One round: each contender once, each in a namespace of its own, one after another, in an order that turns.

use std::time::{Duration, Instant};

use belay_api::HelmRelease;
use belay_harness::{
    GENEROUS, Identity, Operator, Request, Rights, TestNamespace, belay_binary, gone, until,
};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::error::Error;
use crate::figures::{Contender, Rollout, Rollouts};
use crate::floor;
use crate::ground::Ground;

/// How many `HelmRelease` objects are created at once.
const AT_ONCE: usize = 8;
/// For how long an operator at rest is listened to.
const QUIET: Duration = Duration::from_mins(1);
/// No request for this long is rest.
const SETTLED: Duration = Duration::from_secs(3);

const ALL: [Contender; 3] = [Contender::Kubectl, Contender::Belay, Contender::Helm];

/// Runs each contender once. In the last round the operator is also listened to at rest.
pub(crate) async fn round(
    ground: &Ground,
    round: usize,
    last: bool,
    rollouts: &mut Rollouts,
) -> Result<(), Error> {
    for turn in 0..ALL.len() {
        let contender = ALL[(round + turn) % ALL.len()];
        let namespace = ground.cluster.namespace("bench").await?;
        let identity = ground
            .cluster
            .identity("bench", Rights::administrator())
            .await?;
        let rollout = match contender {
            Contender::Kubectl => {
                let took = floor::kubectl(ground, &identity, &namespace).await?;
                Rollout::new(took, requests(ground, &identity)?)
            }
            Contender::Helm => {
                let took = floor::helm(ground, &identity, &namespace).await?;
                Rollout::new(took, requests(ground, &identity)?)
            }
            Contender::Belay => belay(ground, &identity, &namespace, last).await?,
        };
        println!(
            "  round {}: {contender} {:.1} s",
            round + 1,
            rollout.seconds
        );
        rollouts.add(contender, rollout);
        ground.clear(namespace).await?;
    }
    Ok(())
}

/// The real operator, from the first HelmRelease until every one of them is Ready.
async fn belay(
    ground: &Ground,
    identity: &Identity,
    namespace: &TestNamespace,
    listen: bool,
) -> Result<Rollout, Error> {
    let flags = [
        "--namespaces",
        namespace.name(),
        "--own-namespace",
        namespace.name(),
    ]
    .map(ToOwned::to_owned);
    let operator = Operator::start(&belay_binary()?, identity.kubeconfig(), &flags)?;
    let leases: Api<Lease> = Api::namespaced(ground.client.clone(), namespace.name());
    until(
        &leases,
        "belay",
        "the operator's claim",
        GENEROUS,
        |lease| {
            let spec = lease.spec.as_ref();
            spec.is_some_and(|spec| spec.holder_identity.is_some())
        },
    )
    .await?;
    let idle = operator.resident_bytes();

    let releases: Api<HelmRelease> = Api::namespaced(ground.client.clone(), namespace.name());
    let started = Instant::now();
    let created = stream::iter(ground.names())
        .map(|name| {
            let releases = &releases;
            async move {
                let release = declare(ground, &name)?;
                let created = releases.create(&PostParams::default(), &release).await;
                created
                    .map(drop)
                    .map_err(Error::kube("creating a HelmRelease"))
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>();
    futures::try_join!(created, ground.all_ready(namespace))?;
    let took = started.elapsed();

    let mut known = requests(ground, identity)?.len();
    loop {
        tokio::time::sleep(SETTLED).await;
        let now = requests(ground, identity)?.len();
        if now == std::mem::replace(&mut known, now) {
            break;
        }
    }
    let mut rollout = Rollout::new(took, requests(ground, identity)?);
    rollout.resident = idle.zip(operator.resident_bytes());
    if listen {
        tokio::time::sleep(QUIET).await;
        rollout.quiet = Some(requests(ground, identity)?.split_off(known));
    }
    // The operator takes its releases back itself: their finalizers wait for it.
    releases
        .delete_collection(&DeleteParams::default(), &kube::api::ListParams::default())
        .await
        .map_err(Error::kube("removing HelmReleases"))?;
    for name in ground.names() {
        gone(&releases, &name, GENEROUS).await?;
    }
    operator.stop(GENEROUS).await?;
    Ok(rollout)
}

fn declare(ground: &Ground, name: &str) -> Result<HelmRelease, Error> {
    serde_json::from_value(json!({
        "apiVersion": "belay.dev/v1alpha1",
        "kind": "HelmRelease",
        "metadata": {"name": name},
        "spec": {"chart": {"inline": {"files": ground.files}}},
    }))
    .map_err(|error| Error::NotDone(format!("a HelmRelease could not be written: {error}")))
}

/// What this user asked of the API server, leases left out.
fn requests(ground: &Ground, identity: &Identity) -> Result<Vec<Request>, Error> {
    let mut all = ground.cluster.requests_of(identity)?;
    all.retain(|request| request.resource != "leases");
    Ok(all)
}
