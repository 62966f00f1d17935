//! Helm's records, damaged, foreign, or left by a dead process: told, and no reason to stop.

use belay_api::rollback_request::RequestPhase;
use belay_api::{HelmRelease, Reason};
use belay_cluster::{ConnectOptions, Storage, connect};
use belay_release::{Status, StorageKey};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::operator_charts::note;
use crate::operator_world::{
    SHOP, World, current, operated_world, operated_world_with, ready, verdict,
};

const GARBAGE: &str = "Z2FyYmFnZQ==";

async fn damage(world: &World, revision: u32) {
    let secret = format!("sh.helm.release.v1.{SHOP}.v{revision}");
    let patch = json!({"data": {"release": GARBAGE}}).to_string();
    world
        .kubectl(&["patch", "secret", &secret, "--type=merge", "-p", &patch])
        .await;
}

/// A Secret under the name of a record that is none.
async fn put_garbage(world: &World, revision: u32, labels: &Value) {
    let secret: Secret = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": format!("sh.helm.release.v1.{SHOP}.v{revision}"), "labels": labels},
        "data": {"release": GARBAGE},
    }))
    .unwrap();
    let secrets = world.api::<Secret>();
    secrets
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();
}

/// What the status tells of a revision.
fn told_of(release: &HelmRelease, revision: u32) -> String {
    let history = &release.status.as_ref().unwrap().history;
    let mut entries = history.iter();
    let entry = entries.find(|entry| entry.revision == revision);
    entry.map_or_else(String::new, |entry| entry.description.clone())
}

async fn events(world: &World, reason: &str) -> Vec<String> {
    let listed = world.kubectl(&["get", "events", "-o", "json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let items = listed["items"].as_array().unwrap().iter();
    items
        .filter(|event| event["reason"] == reason)
        .map(|event| event["message"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_damaged_record_is_told_and_holds_up_neither_upgrade_nor_rollback_nor_removal() {
    // Given a release whose record somebody has overwritten.
    let world = operated_world("damagedrecord").await;
    world
        .deploy(SHOP, &note(), &json!({"greeting": "one"}))
        .await;
    damage(&world, 1).await;

    // When it is upgraded, then that works, and what was found is told.
    let release = world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    assert_eq!(current(&release), Some(2));
    assert_eq!(world.greeting(SHOP).await, "two");
    let told = told_of(&release, 1);
    assert!(
        told.starts_with("damaged: ") && told.contains("shop.v1"),
        "{told}"
    );
    let events = events(&world, "RecordDamaged").await;
    assert!(
        events.iter().any(|event| event.contains("revision 1")),
        "{events:?}"
    );
    assert_eq!(world.history(SHOP).await, [(2, "deployed".to_owned())]);

    // And what was proven is brought back without the record; and removed, with all that is there.
    let request = world
        .order("back", &json!({"target": {"previous": {}}}))
        .await;
    assert_eq!(verdict(&request).0, RequestPhase::Complete, "{request:?}");
    assert_eq!(world.greeting(SHOP).await, "one");
    world.delete::<HelmRelease>(SHOP).await;
    assert!(world.secrets().await.is_empty());
    assert!(world.config_map("shop-config").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_request_for_a_revision_whose_record_is_damaged_is_refused_with_the_reason() {
    let world = operated_world("damagedtarget").await;
    for greeting in ["one", "two", "three"] {
        world
            .deploy(SHOP, &note(), &json!({"greeting": greeting}))
            .await;
    }
    damage(&world, 1).await;

    for (name, dry_run) in [("try", true), ("back", false)] {
        let spec = json!({"target": {"revision": 1}, "dryRun": dry_run});
        let request = world.order(name, &spec).await;
        let (phase, reason, message) = verdict(&request);
        assert_eq!(phase, RequestPhase::Refused, "{message}");
        assert_eq!(reason, Some(Reason::RevisionNotFound));
        assert!(message.contains("cannot be brought back"), "{message}");
    }
    assert_eq!(world.greeting(SHOP).await, "three");
    world.end().await;
}

#[tokio::test]
async fn a_foreign_secret_under_a_record_s_name_is_told_and_passed_over() {
    let world = operated_world("foreignrecord").await;
    world.deploy(SHOP, &note(), &json!({})).await;

    // Given one that looks like helm's newest revision.
    let labels = json!({"owner": "helm", "name": SHOP, "status": "deployed", "version": "7"});
    put_garbage(&world, 7, &labels).await;
    let release = world
        .until_release(SHOP, "the damage told", |release| {
            told_of(release, 7).starts_with("damaged: ")
        })
        .await;
    assert_eq!(current(&release), Some(1), "what runs, runs on");
    let release = world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    assert_eq!(current(&release), Some(8));

    // And one that only its name makes one, where the next revision is to go.
    put_garbage(&world, 9, &json!({})).await;
    let release = world
        .deploy(SHOP, &note(), &json!({"greeting": "three"}))
        .await;
    assert_eq!(current(&release), Some(10));
    assert_eq!(world.greeting(SHOP).await, "three");

    // And a newest one that is damaged does not hold up the removal.
    damage(&world, 10).await;
    world.delete::<HelmRelease>(SHOP).await;
    assert!(world.config_map("shop-config").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_pending_record_of_a_dead_process_is_marked_as_failed_and_the_release_goes_on() {
    // Given a record of a helm that was killed in the middle of its upgrade.
    let patience = |settings: &mut belay_controller::Settings| {
        settings.foreign_patience = belay_api::Duration::seconds(2);
    };
    let world = operated_world_with("deadhelm", patience).await;
    let spec = json!({"chart": note().inline(), "timeout": "3s"});
    world.deployed(&world.apply(SHOP, &spec).await).await;
    let options = ConnectOptions {
        kubeconfig: Some(world.cluster.kubeconfig()),
        ..ConnectOptions::default()
    };
    let storage = Storage::new(connect(options).await.unwrap(), world.namespace());
    let stored = storage.get(&StorageKey::new(SHOP, 1)).await;
    let mut record = stored.unwrap().unwrap().record;
    record.version = 2;
    record.info.status = Status::PendingUpgrade;
    storage.create(&record).await.unwrap();

    // When it shows no life, then it is marked, and last good is brought back over whatever it left.
    world
        .until_release(SHOP, "the way on", |release| {
            current(release) == Some(3)
                && ready(release).is_some_and(|ready| ready.reason == Reason::Deployed)
        })
        .await;
    let history = world.history(SHOP).await;
    let statuses: Vec<_> = history.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(statuses, ["superseded", "failed", "deployed"]);
    world.end().await;
}
