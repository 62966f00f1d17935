//! Sources that are down: what runs keeps running, is kept right and can be taken back, and the way out is no rush.

use std::time::Instant;

use belay_api::helm_release::Stage;
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_harness::{Fault, HttpRepo, Registry, RegistryOptions};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::{BROKEN, Files, GOOD, note, shop};
use crate::operator_world::{SHOP, World, condition, current, holds, operated_world};

/// Many enough that one request for each would be seen.
const MANY: usize = 30;

async fn repository(world: &World, chart: &Files) -> HttpRepo {
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    chart.write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    repository
}

/// Whether the release says of its source that it cannot be had at the moment.
fn is_down(release: &HelmRelease) -> bool {
    condition(release, ConditionType::SourceReady).is_some_and(|source| {
        source.status == ConditionStatus::False && source.reason == Reason::SourceUnavailable
    })
}

#[tokio::test]
async fn drift_is_put_right_while_the_source_is_down() {
    let world = operated_world("outagedrift").await;
    let repository = repository(&world, &note()).await;
    let from = json!({"url": repository.url(), "name": SHOP});
    let spec = json!({
        "chart": {"repository": from}, "interval": "1s", "driftDetection": {"mode": "enabled"},
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;
    repository.fail(Fault::Status(500));
    world
        .until_release(SHOP, "the outage in the status", is_down)
        .await;

    let params = PatchParams {
        field_manager: Some("somebody".into()),
        ..PatchParams::default()
    };
    let edit = Patch::Merge(json!({"data": {"greeting": "edited"}}));
    let maps = world.api::<ConfigMap>();
    maps.patch("shop-config", &params, &edit).await.unwrap();

    let corrected = |release: &HelmRelease| {
        let status = release.status.as_ref();
        let drift = status.and_then(|status| status.drift.as_ref());
        drift.is_some_and(|drift| !drift.corrected.is_empty())
    };
    let release = world.until_release(SHOP, "the correction", corrected).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert!(is_down(&release), "the source is still down");
    assert!(holds(&release, ConditionType::Ready));
    world.end().await;
}

/// Given an upgrade that waits for pods that will not come, a source that is gone for good, and an operator that never
/// saw it.
#[tokio::test]
async fn a_revert_works_from_the_cluster_alone() {
    let mut world = operated_world("outagerevert").await;
    let repository = repository(&world, &shop()).await;
    let from = json!({"url": repository.url(), "name": SHOP});
    let spec = |values: Value| json!({"chart": {"repository": from}, "values": values, "failFast": {"mode": "disabled"}, "timeout": "20s"});
    world
        .deployed(&world.apply(SHOP, &spec(json!({}))).await)
        .await;
    let asked = world.apply(SHOP, &spec(json!({"image": BROKEN}))).await;
    world
        .until_release(SHOP, "the upgrade waiting", |release| {
            let status = release.status.as_ref();
            let attempt = status.and_then(|status| status.attempt.as_ref());
            attempt.is_some_and(|attempt| attempt.stage == Stage::Waiting)
        })
        .await;
    world.pause().await;
    drop(repository);

    world.start_again().await;

    let release = world
        .until_release(SHOP, "the revert", |release| {
            current(release) == Some(3) && holds(release, ConditionType::Available)
        })
        .await;
    assert_eq!(world.image(SHOP).await, GOOD);
    assert!(is_down(&release), "nobody answered for the chart");
    assert!(holds(&release, ConditionType::Consistent));
    assert_eq!(
        Some(release.status.unwrap().observed_generation),
        asked.metadata.generation
    );
    let history = world.history(SHOP).await;
    assert_eq!(history.last().unwrap(), &(3, "deployed".to_owned()));
    world.end().await;
}

/// Applies many releases of one source that is down, lets it come back when all have met the outage, and waits until all
/// run. `asked` counts the requests that open the source: one a look.
async fn all_come_back(world: &World, chart: &Value, asked: impl Fn() -> u64, heal: impl Fn()) {
    let names: Vec<_> = (0..MANY)
        .map(|number| format!("shop-{number:02}"))
        .collect();
    let begun = Instant::now();
    let before = asked();
    let mut specs = Vec::new();
    for name in &names {
        let spec = json!({"chart": chart, "interval": "1h"});
        specs.push(world.apply(name, &spec).await);
    }
    for name in &names {
        world.until_release(name, "the outage", is_down).await;
    }
    let met = asked() - before;
    // One failed try serves all that ask within a second of it, however many they are.
    let seconds = begun.elapsed().as_secs() + 2;
    assert!(met <= seconds, "{met} requests in {seconds} s");

    let at_rest = asked();
    heal();
    for spec in &specs {
        world.deployed(spec).await;
    }
    let after = asked() - at_rest;
    assert!(after <= 2, "{after} requests for {MANY} releases");
}

#[tokio::test]
async fn a_repository_that_comes_back_is_asked_once_for_all() {
    let world = operated_world("outagemany").await;
    let repository = repository(&world, &note()).await;
    repository.fail(Fault::Status(503));
    let from = json!({"url": repository.url(), "name": SHOP});

    let chart = json!({"repository": from});
    let asked = || repository.requests("/index.yaml");
    all_come_back(&world, &chart, asked, || repository.heal()).await;

    assert_eq!(repository.requests("/shop-1.0.0.tgz"), 1);
    world.end().await;
}

#[tokio::test]
async fn a_registry_that_comes_back_is_asked_once_for_all() {
    let world = operated_world("outageoci").await;
    let tools = world.cluster.tools();
    let registry = Registry::start(tools, RegistryOptions::default())
        .await
        .unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    registry.push(folder.path(), "1.0.0").await.unwrap();
    let front = registry.front().await.unwrap();
    front.fail("", Fault::Status(503));
    let from = json!({"url": front.url(SHOP), "version": "1.x", "plainHttp": true});

    let chart = json!({"oci": from});
    let asked = || front.requests("tags/list");
    all_come_back(&world, &chart, asked, || front.heal()).await;

    assert!(front.requests("manifests") <= 2);
    assert_eq!(front.requests("blobs"), 1);
    world.end().await;
}
