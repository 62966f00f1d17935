//! One round: each contender once, each in a namespace of its own, one after another, in an order that turns.

use std::time::{Duration, Instant};

use belay_harness::{Identity, Request, Rights, TestNamespace};

use crate::error::Error;
use crate::figures::{Contender, Rollout, Rollouts};
use crate::floor;
use crate::ground::Ground;
use crate::operated::Operated;

/// For how long an operator at rest is listened to.
pub(crate) const QUIET: Duration = Duration::from_mins(1);
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
    let operated = Operated::start(ground, identity, namespace).await?;
    let idle = operated.resident_bytes();
    let names: Vec<_> = ground.names().collect();

    let started = Instant::now();
    futures::try_join!(operated.create(ground, &names), ground.all_ready(namespace))?;
    let took = started.elapsed();

    let known = settled(ground, identity).await?;
    let mut rollout = Rollout::new(took, requests(ground, identity)?);
    rollout.resident = idle.zip(operated.resident_bytes());
    if listen {
        tokio::time::sleep(QUIET).await;
        rollout.quiet = Some(requests(ground, identity)?.split_off(known));
    }
    operated.end(&names).await?;
    Ok(rollout)
}

/// Waits until this user asks nothing more; answers with how much it has asked.
pub(crate) async fn settled(ground: &Ground, identity: &Identity) -> Result<usize, Error> {
    let mut known = requests(ground, identity)?.len();
    loop {
        tokio::time::sleep(SETTLED).await;
        let now = requests(ground, identity)?.len();
        if now == std::mem::replace(&mut known, now) {
            return Ok(known);
        }
    }
}

/// What this user asked of the API server, leases left out.
pub(crate) fn requests(ground: &Ground, identity: &Identity) -> Result<Vec<Request>, Error> {
    let mut all = ground.cluster.requests_of(identity)?;
    all.retain(|request| request.resource != "leases");
    Ok(all)
}
