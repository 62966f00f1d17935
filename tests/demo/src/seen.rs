//! What is looked for in the cluster: objects and Helm's records, never the word of a command.

use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_harness::{GENEROUS, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde_json::Value;

use crate::error::Error;
use crate::ground::Ground;
use crate::story::{DEPLOYMENT, RELEASE, REPLICAS};
use crate::terminal::Terminal;

/// The Deployment runs this image, and all of its pods are ready and none other is left.
pub(crate) async fn image(ground: &Ground, terminal: &Terminal, image: &str) -> Result<(), Error> {
    until(
        &ground.api::<Deployment>(),
        DEPLOYMENT,
        &format!("{REPLICAS} ready pods with the image {image} and no others"),
        GENEROUS,
        |deployment| runs(deployment, image),
    )
    .await?;
    let pods = ground
        .api::<Pod>()
        .list(&ListParams::default().labels("app.kubernetes.io/component=quay"))
        .await
        .map_err(Error::kube("listing pods"))?;
    let ready = pods
        .iter()
        .filter(|pod| is_ready(pod) && runs_image(pod, image))
        .count();
    require(
        ready == REPLICAS as usize,
        || format!("{REPLICAS} ready pods with {image}"),
        || format!("{ready} of {} pods", pods.items.len()),
    )?;
    terminal.seen(&format!(
        "Deployment {DEPLOYMENT} and {ready} ready pods with {image}"
    ));
    Ok(())
}

fn runs(deployment: &Deployment, image: &str) -> bool {
    let Some(spec) = &deployment.spec else {
        return false;
    };
    let status = deployment.status.clone().unwrap_or_default();
    let containers = spec
        .template
        .spec
        .as_ref()
        .map(|pod| pod.containers.as_slice())
        .unwrap_or_default();
    containers
        .iter()
        .all(|container| container.image.as_deref() == Some(image))
        && status.observed_generation >= deployment.metadata.generation
        && [
            status.replicas,
            status.updated_replicas,
            status.ready_replicas,
        ] == [Some(REPLICAS); 3]
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.is_some_and(|conditions| {
            conditions
                .iter()
                .any(|one| one.type_ == "Ready" && one.status == "True")
        })
}

fn runs_image(pod: &Pod, image: &str) -> bool {
    let containers = pod
        .spec
        .as_ref()
        .map(|spec| spec.containers.as_slice())
        .unwrap_or_default();
    containers
        .iter()
        .any(|container| container.image.as_deref() == Some(image))
}

/// The real helm tells this history: status words by revision, from 1.
pub(crate) async fn history(
    ground: &Ground,
    terminal: &Terminal,
    expected: &[&str],
) -> Result<(), Error> {
    let history = ground
        .programs
        .json("helm", &["history", RELEASE, "-o", "json"])
        .await?;
    let found: Vec<&str> = history
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            entry
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or_default()
        })
        .collect();
    require(
        found == expected,
        || format!("helm history with {}", expected.join(", ")),
        || found.join(", "),
    )?;
    terminal.seen(&format!("helm history: {}", expected.join(", ")));
    Ok(())
}

/// The release says this of itself.
pub(crate) async fn release(
    ground: &Ground,
    terminal: &Terminal,
    ready: ConditionStatus,
    reason: Reason,
    revision: u32,
) -> Result<HelmRelease, Error> {
    let found = until(
        &ground.api::<HelmRelease>(),
        RELEASE,
        &format!("Ready={ready} because of {reason} at revision {revision}"),
        GENEROUS,
        |release| says(release, ready, reason, revision),
    )
    .await?;
    terminal.seen(&format!(
        "HelmRelease with Ready={ready}, Available=True, reason {reason}, revision {revision}"
    ));
    Ok(found)
}

fn says(release: &HelmRelease, ready: ConditionStatus, reason: Reason, revision: u32) -> bool {
    let Some(status) = &release.status else {
        return false;
    };
    let condition = |wanted| {
        status
            .conditions
            .iter()
            .find(|condition| condition.type_ == wanted)
    };
    Some(status.observed_generation) == release.metadata.generation
        && condition(ConditionType::Ready)
            .is_some_and(|found| found.status == ready && found.reason == reason)
        && condition(ConditionType::Available)
            .is_some_and(|found| found.status == ConditionStatus::True)
        && status
            .current
            .as_ref()
            .is_some_and(|current| current.revision == revision)
}

/// Ends the story if something does not hold.
pub(crate) fn require(
    holds: bool,
    promise: impl FnOnce() -> String,
    found: impl FnOnce() -> String,
) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    Err(Error::NotSeen {
        promise: promise(),
        found: found(),
    })
}
