//! Somebody else works on the release, or was there before.

use belay_api::{HelmRelease, Reason};
use belay_cluster::{ConnectOptions, Storage, Update, connect};
use belay_harness::{GENEROUS, gone};
use belay_release::{Status, StorageKey};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use serde_json::json;
use tempfile::tempdir;

use crate::operator_charts::{Files, note};
use crate::operator_world::{SHOP, World, current, message, operated_world, ready};

async fn helm(world: &World, verb: &str, chart: &Files, greeting: &str) {
    let folder = tempdir().unwrap();
    chart.write(folder.path());
    let path = folder.path().display().to_string();
    let greeting = format!("greeting={greeting}");
    world
        .helm(&[verb, SHOP, &path, "--set", &greeting, "--wait"])
        .await;
}

async fn records(world: &World) -> Storage {
    let options = ConnectOptions {
        kubeconfig: Some(world.cluster.kubeconfig()),
        ..ConnectOptions::default()
    };
    Storage::new(connect(options).await.unwrap(), world.namespace())
}

/// Gives a record another status, as the helm that works on it does.
async fn mark(storage: &Storage, revision: u32, status: Status) {
    let stored = storage.get(&StorageKey::new(SHOP, revision)).await;
    let stored = stored.unwrap().unwrap();
    let mut record = stored.record;
    record.info.status = status;
    let written = storage.update(&record, &stored.stamp).await.unwrap();
    assert!(matches!(written, Update::Done(_)), "{written:?}");
}

async fn waits(world: &World, revision: u32) {
    let release = world
        .until_release(SHOP, "somebody else's operation", |release| {
            ready(release).is_some_and(|ready| ready.reason == Reason::ForeignOperation)
        })
        .await;
    let told = message(&release);
    assert!(told.contains(&format!("revision {revision}")), "{told}");
}

#[tokio::test]
async fn an_operation_of_somebodys_helm_is_waited_for() {
    let world = operated_world("pending").await;
    let storage = records(&world).await;
    helm(&world, "install", &note(), "one").await;
    mark(&storage, 1, Status::PendingInstall).await;
    let states = objects(&world).await;

    let two = world
        .roll_out(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    waits(&world, 1).await;
    assert_eq!(objects(&world).await, states, "nothing is touched");

    // When it is over, Belay goes on from there.
    mark(&storage, 1, Status::Deployed).await;
    let release = world.deployed(&two).await;
    assert_eq!(current(&release), Some(2));
    assert_eq!(world.greeting(SHOP).await, "two");

    // The same once the release is Belay's.
    let stored = storage.get(&StorageKey::new(SHOP, 2)).await;
    let mut record = stored.unwrap().unwrap().record;
    record.version = 3;
    record.info.status = Status::PendingUpgrade;
    storage.create(&record).await.unwrap();
    waits(&world, 3).await;
    let three = world
        .roll_out(SHOP, &note(), &json!({"greeting": "three"}))
        .await;
    world
        .until_release(SHOP, "the new spec seen", |release| {
            let seen = release.status.as_ref();
            seen.map(|seen| seen.observed_generation) >= three.metadata.generation
        })
        .await;
    waits(&world, 3).await;
    assert_eq!(world.greeting(SHOP).await, "two");

    // Given up, it leaves its number free.
    storage.delete(&StorageKey::new(SHOP, 3)).await.unwrap();
    let release = world.deployed(&three).await;
    assert_eq!(current(&release), Some(3));
    assert_eq!(world.greeting(SHOP).await, "three");
    world.end().await;
}

#[tokio::test]
async fn what_helm_does_by_hand_is_taken_back_if_that_is_asked_for() {
    let world = operated_world("takeback").await;
    let spec = json!({"chart": note().inline(), "outsideChanges": "Revert"});
    world.deployed(&world.apply(SHOP, &spec).await).await;

    let theirs = note().with_config_map("theirs", &json!({}));
    helm(&world, "upgrade", &theirs, "theirs").await;
    world
        .until_release(SHOP, "the way back", |release| {
            current(release) == Some(3)
                && ready(release).is_some_and(|ready| ready.reason == Reason::Deployed)
        })
        .await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    gone(&world.api::<ConfigMap>(), "theirs", GENEROUS)
        .await
        .unwrap();
    let history = world.history(SHOP).await;
    let statuses: Vec<_> = history.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(statuses, ["superseded", "superseded", "deployed"]);
    world.end().await;
}

#[tokio::test]
async fn what_was_there_before_is_taken_only_if_that_is_asked_for() {
    let world = operated_world("taking").await;
    world
        .kubectl(&[
            "create",
            "configmap",
            "shop-config",
            "--from-literal=of=others",
        ])
        .await;
    let asked = world.roll_out(SHOP, &note(), &json!({})).await;
    world.stopped(&asked, Reason::OwnershipConflict).await;
    let theirs = world.config_map("shop-config").await.unwrap();
    assert!(theirs.annotations().is_empty(), "{theirs:?}");

    let spec = json!({"chart": note().inline(), "install": {"takeOwnership": true}});
    world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    let taken = world.config_map("shop-config").await.unwrap();
    assert_eq!(taken.uid(), theirs.uid());
    world.delete::<HelmRelease>(SHOP).await;
    world.end().await;
}

#[tokio::test]
async fn a_first_install_that_fails_leaves_what_it_took_over() {
    let world = operated_world("taken").await;
    world
        .kubectl(&[
            "create",
            "configmap",
            "shop-config",
            "--from-literal=of=others",
        ])
        .await;
    let theirs = world.config_map("shop-config").await.unwrap();
    // The API server tells seconds only: what was made in the attempt's first one counts as made by it.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;

    let chart = note().with_config_map("own", &json!({})).with_hook(
        "check",
        "belay.test/fail:1",
        "post-install",
        "hook-failed",
    );
    let spec = json!({"chart": chart.inline(), "install": {"takeOwnership": true}});
    let asked = world.apply(SHOP, &spec).await;
    world.stopped(&asked, Reason::RevisionBlocked).await;
    gone(&world.api::<ConfigMap>(), "own", GENEROUS)
        .await
        .unwrap();
    let left = world.config_map("shop-config").await;
    assert_eq!(left.and_then(|map| map.uid()), theirs.uid());
    assert_eq!(world.helm_json(&["list"]).await, json!([]));
    world.end().await;
}

/// The states of what the chart made, without records and ledgers.
async fn objects(world: &World) -> Vec<String> {
    let mut states = world.states().await;
    states.retain(|line| !line.starts_with("Secret/"));
    states
}
