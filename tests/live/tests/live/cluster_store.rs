//! Helm's records, the ledger and the claim, on a real API server and read by the real helm.

use std::time::{Duration, Instant};

use belay_cluster::{Claim, ClaimOptions, Creation, Ledger, Storage, Swap, Update};
use belay_release::{Record, Status, StorageKey};
use serde_json::{Value, json};

use crate::cluster_world::world;

fn record(namespace: &str, revision: u32, status: Status) -> Record {
    let mut text = json!({
        "name": "shop", "namespace": namespace, "version": revision,
        "info": {"status": status.as_str(), "first_deployed": "2026-01-01T00:00:00Z",
                 "last_deployed": "2026-01-01T00:00:00Z", "description": "made by a test"},
        "chart": {"metadata": {"name": "shop", "version": "1.2.3", "apiVersion": "v2", "appVersion": "9"}, "values": {}},
        "manifest": "---\n", "apply_method": "ssa",
    });
    text["config"] = json!({});
    Record::from_json(text.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn records_are_kept_as_helm_keeps_them_and_creating_one_is_a_lock() {
    let world = world("storage").await;
    let namespace = world.namespace.name();
    let storage = Storage::new(world.connection.clone(), namespace);
    let pending = record(namespace, 1, Status::PendingInstall);

    let Creation::Created(stamp) = storage.create(&pending).await.unwrap() else {
        panic!("somebody was quicker")
    };
    assert!(stamp.created.is_some());
    assert_eq!(
        storage.create(&pending).await.unwrap(),
        Creation::AlreadyExists
    );

    let deployed = record(namespace, 1, Status::Deployed);
    let Update::Done(newer) = storage.update(&deployed, &stamp).await.unwrap() else {
        panic!("it changed")
    };
    assert_eq!(
        storage.update(&deployed, &stamp).await.unwrap(),
        Update::Conflict,
        "a stale state is no base"
    );

    let listed = storage.list("shop").await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].status.as_deref(), Some("deployed"));
    assert_eq!(listed[0].stamp.resource_version, newer.resource_version);
    let read = storage
        .get(&StorageKey::new("shop", 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.record.info.status, Status::Deployed);

    let helm = world
        .cluster
        .helm(&["history", "shop", "-n", namespace, "-o", "json"])
        .await
        .unwrap();
    let history: Value = serde_json::from_str(&helm.stdout).unwrap();
    assert_eq!(history[0]["status"], "deployed");
    assert_eq!(history[0]["chart"], "shop-1.2.3");

    assert!(storage.delete(&StorageKey::new("shop", 1)).await.unwrap());
    assert!(!storage.delete(&StorageKey::new("shop", 1)).await.unwrap());
}

#[tokio::test]
async fn a_ledger_is_replaced_only_from_the_state_that_was_read() {
    let world = world("ledger").await;
    let ledger: Ledger<Value> =
        Ledger::new(world.connection.clone(), world.namespace.name(), "shop");
    assert_eq!(ledger.read().await.unwrap(), None);
    let Swap::Done(first) = ledger.create(&json!({"stage": 1})).await.unwrap() else {
        panic!("it is there already")
    };
    assert_eq!(ledger.create(&json!({})).await.unwrap(), Swap::Conflict);

    let Swap::Done(second) = ledger.replace(&json!({"stage": 2}), &first).await.unwrap() else {
        panic!("conflict")
    };
    assert_eq!(
        ledger.replace(&json!({"stage": 3}), &first).await.unwrap(),
        Swap::Conflict
    );
    let entry = ledger.read().await.unwrap().unwrap();
    assert_eq!(
        (entry.value.clone(), entry.stamp()),
        (json!({"stage": 2}), second)
    );

    let found = world
        .connection
        .ledgers(Some(world.namespace.name()))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].release, "shop");
    assert!(ledger.delete().await.unwrap());
    assert_eq!(
        ledger.replace(&json!({}), &entry.stamp()).await.unwrap(),
        Swap::Conflict,
        "a deleted one stays deleted"
    );
}

fn claim(namespace: &str, holder: &str) -> ClaimOptions {
    ClaimOptions {
        namespace: namespace.into(),
        name: "shard-0".into(),
        holder: holder.into(),
        duration: Duration::from_secs(6),
    }
}

#[tokio::test]
async fn a_claim_has_one_holder_and_passes_on_when_it_is_released() {
    let world = world("claim").await;
    let first = Claim::start(&world.connection, claim(world.namespace.name(), "first"));
    first.held().await;
    let second = Claim::start(&world.connection, claim(world.namespace.name(), "second"));
    second.answered().await;
    assert!(first.is_held() && !second.is_held());

    first.release().await;
    assert!(!first.is_held());
    tokio::time::timeout(belay_harness::GENEROUS, second.held())
        .await
        .unwrap();
    let holder = world
        .kubectl(&[
            "get",
            "lease",
            "shard-0",
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
        .await;
    assert_eq!(holder, "second");
    // Given back, it is free: nobody has to wait until it is over.
    second.release().await;
    let holder = world
        .kubectl(&[
            "get",
            "lease",
            "shard-0",
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
        .await;
    assert_eq!(holder, "");
}

#[tokio::test]
async fn a_claim_that_somebody_takes_away_is_lost_at_once() {
    let world = world("taken").await;
    let lasting = ClaimOptions {
        duration: Duration::from_secs(30),
        ..claim(world.namespace.name(), "ours")
    };
    let ours = Claim::start(&world.connection, lasting);
    ours.held().await;
    let runs_out = Instant::now() + ours.remaining().unwrap();
    let patch = r#"{"spec":{"holderIdentity":"thief","leaseDurationSeconds":3600}}"#;
    world
        .kubectl(&["patch", "lease", "shard-0", "--type=merge", "-p", patch])
        .await;
    tokio::time::timeout(belay_harness::GENEROUS, ours.lost())
        .await
        .unwrap();
    assert!(Instant::now() < runs_out, "not only when it runs out");
    assert!(!ours.is_held());
    ours.release().await;
    let holder = world
        .kubectl(&[
            "get",
            "lease",
            "shard-0",
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
        .await;
    assert_eq!(holder, "thief");
}
