//! The story: install, upgrade, a bad upgrade that takes itself back, a rollback by request.

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionStatus, Reason, RollbackRequest};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::ListParams;

use crate::error::Error;
use crate::ground::Ground;
use crate::seen;
use crate::serving::Serving;
use crate::terminal::Terminal;

/// The release of the story.
pub(crate) const RELEASE: &str = "shop";
/// The workload that is looked at.
pub(crate) const DEPLOYMENT: &str = "shop-quay";
/// Its pods.
pub(crate) const REPLICAS: i32 = 3;

const FIRST_IMAGE: &str = "registry.k8s.io/pause:3.9";
const SECOND_IMAGE: &str = "registry.k8s.io/pause:3.10";
const NO_IMAGE: &str = "registry.k8s.io/pause:does-not-exist";

/// Tells it all; an error is the first thing that was not seen in the cluster.
pub(crate) async fn tell(ground: &Ground, terminal: &Terminal) -> Result<(), Error> {
    install(ground, terminal).await?;
    upgrade(ground, terminal).await?;
    bad_upgrade(ground, terminal).await?;
    roll_back(ground, terminal).await?;
    look(ground, terminal).await
}

async fn install(ground: &Ground, terminal: &Terminal) -> Result<(), Error> {
    terminal.chapter("A HelmRelease installs a chart from a chart repository");
    declare(ground, terminal, "1.0.0", "3.9").await?;
    follow(ground, terminal, 0).await?;
    seen::image(ground, terminal, FIRST_IMAGE).await?;
    seen::release(ground, terminal, ConditionStatus::True, Reason::Deployed, 1).await?;
    seen::history(ground, terminal, &["deployed"]).await
}

async fn upgrade(ground: &Ground, terminal: &Terminal) -> Result<(), Error> {
    terminal.chapter("A good upgrade: a newer chart, a newer image");
    declare(ground, terminal, "1.1.0", "3.10").await?;
    follow(ground, terminal, 0).await?;
    seen::image(ground, terminal, SECOND_IMAGE).await?;
    seen::release(ground, terminal, ConditionStatus::True, Reason::Deployed, 2).await?;
    seen::history(ground, terminal, &["superseded", "deployed"]).await
}

async fn bad_upgrade(ground: &Ground, terminal: &Terminal) -> Result<(), Error> {
    terminal.chapter("A bad upgrade: an image that does not exist. It is taken back by itself");
    let serving = Serving::watch(ground.api::<Deployment>(), DEPLOYMENT);
    declare(ground, terminal, "1.1.0", "does-not-exist").await?;
    follow(ground, terminal, 1).await?;
    seen::image(ground, terminal, SECOND_IMAGE).await?;
    let fewest = serving.fewest();
    seen::require(
        fewest >= REPLICAS,
        || format!("{REPLICAS} pods that served all the time"),
        || format!("a moment with {fewest}"),
    )?;
    terminal.seen(&format!("never fewer than {REPLICAS} pods served"));
    let release = seen::release(
        ground,
        terminal,
        ConditionStatus::False,
        Reason::RevisionBlocked,
        4,
    )
    .await?;
    let status = release.status.unwrap_or_default();
    let failure = status.last_failure.as_ref();
    seen::require(
        failure.is_some_and(|failure| {
            failure.revision == Some(3) && failure.reason == Reason::ImagePullFailed
        }),
        || format!("evidence that {NO_IMAGE} could not be pulled, in status.lastFailure"),
        || {
            failure.map_or_else(
                || "none".to_owned(),
                |failure| format!("{}: {}", failure.reason, failure.message),
            )
        },
    )?;
    seen::require(
        failure.is_some_and(|failure| !failure.pods.is_empty()),
        || "the pods that failed, in status.lastFailure".to_owned(),
        || "none".to_owned(),
    )?;
    terminal.seen("status.lastFailure holds the evidence of revision 3, though its pods are gone");
    seen::history(
        ground,
        terminal,
        &["superseded", "superseded", "failed", "deployed"],
    )
    .await
}

async fn roll_back(ground: &Ground, terminal: &Terminal) -> Result<(), Error> {
    terminal.chapter("A RollbackRequest brings revision 1 back");
    let order = [
        "rollback",
        RELEASE,
        "1",
        "--reason=the older one was better",
    ];
    ground.programs.show_ok(terminal, "belay", &order).await?;
    seen::image(ground, terminal, FIRST_IMAGE).await?;
    let requests = ground
        .api::<RollbackRequest>()
        .list(&ListParams::default())
        .await
        .map_err(Error::kube("listing requests"))?;
    let phases: Vec<_> = requests
        .iter()
        .filter_map(|request| Some(request.status.as_ref()?.phase))
        .collect();
    seen::require(
        phases == [RequestPhase::Complete],
        || "one RollbackRequest, complete".to_owned(),
        || format!("{phases:?}"),
    )?;
    seen::release(ground, terminal, ConditionStatus::False, Reason::Pinned, 5).await?;
    terminal.aside("The spec still asks for the image that does not exist; the release stays where the request put it.");
    seen::history(
        ground,
        terminal,
        &[
            "superseded",
            "superseded",
            "failed",
            "superseded",
            "deployed",
        ],
    )
    .await
}

async fn look(ground: &Ground, terminal: &Terminal) -> Result<(), Error> {
    terminal.chapter("The same release, as helm and kubectl see it");
    for (program, arguments) in [
        ("helm", &["history", RELEASE][..]),
        ("helm", &["list"]),
        ("kubectl", &["get", "helmrelease,rollbackrequest"]),
        ("kubectl", &["get", "deployments,pods"]),
        ("belay", &["status", RELEASE]),
    ] {
        ground
            .programs
            .show_ok(terminal, program, arguments)
            .await?;
    }
    terminal.chapter("All of it was seen in the cluster");
    Ok(())
}

/// Applies the HelmRelease, as a GitOps tool would.
async fn declare(
    ground: &Ground,
    terminal: &Terminal,
    version: &str,
    tag: &str,
) -> Result<(), Error> {
    let manifest = manifest(ground.repository.url(), version, tag);
    terminal.typed("kubectl apply -f - <<EOF");
    println!("{manifest}EOF");
    let said = ground
        .programs
        .run("kubectl", &["apply", "-f", "-"], &manifest)
        .await?;
    print!("{said}");
    Ok(())
}

fn manifest(url: &str, version: &str, tag: &str) -> String {
    format!(
        "apiVersion: belay.dev/v1alpha1
kind: HelmRelease
metadata:
  name: {RELEASE}
spec:
  chart:
    repository: {{url: {url}, name: harbor, version: {version}}}
  values:
    replicas: {REPLICAS}
    image: {{tag: \"{tag}\"}}
    podAnnotations: {{belay.test/ready-after: 2s}}
  timeout: 2m
  failFast: {{grace: 3s}}
"
    )
}

/// Follows the release live until it is at rest; its exit status says how that is.
async fn follow(ground: &Ground, terminal: &Terminal, expected: i32) -> Result<(), Error> {
    let status = ground
        .programs
        .show(
            terminal,
            "belay",
            &["status", RELEASE, "--watch", "--timeout=4m"],
        )
        .await?;
    seen::require(
        status == expected,
        || format!("`belay status {RELEASE} --watch` with exit status {expected}"),
        || status.to_string(),
    )
}
