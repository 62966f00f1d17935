//! The contenders that are commands: eight processes at once, as a pipeline would run them.

use std::time::{Duration, Instant};

use belay_harness::{Identity, TestNamespace};
use futures::{StreamExt, TryStreamExt, stream};

use crate::error::Error;
use crate::ground::Ground;

/// How many processes run at once.
const AT_ONCE: usize = 8;

/// `kubectl apply --server-side` of what the releases render to, until every Deployment has its pods.
pub(crate) async fn kubectl(
    ground: &Ground,
    identity: &Identity,
    namespace: &TestNamespace,
) -> Result<Duration, Error> {
    let started = Instant::now();
    let applied = stream::iter(&ground.manifests)
        .map(|manifest| async move {
            let file = manifest.display().to_string();
            let args = [
                "apply",
                "--server-side",
                "-f",
                &file,
                "-n",
                namespace.name(),
            ];
            identity.kubectl(&args).await?.ok()?;
            Ok::<_, Error>(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>();
    futures::try_join!(applied, ground.all_available(namespace))?;
    Ok(started.elapsed())
}

/// `helm upgrade --install --wait` of each release, until the last one ended.
pub(crate) async fn helm(
    ground: &Ground,
    identity: &Identity,
    namespace: &TestNamespace,
) -> Result<Duration, Error> {
    let chart = ground.chart.display().to_string();
    let started = Instant::now();
    stream::iter(ground.names())
        .map(|name| {
            let chart = &chart;
            async move {
                let upgrade = [
                    "upgrade",
                    "--install",
                    "--wait",
                    &name,
                    chart,
                    "-n",
                    namespace.name(),
                ];
                identity.helm(&upgrade).await?.ok()?;
                Ok::<_, Error>(())
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(started.elapsed())
}
