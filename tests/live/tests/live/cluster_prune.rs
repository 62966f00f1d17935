//! Taking objects away.

use std::time::Duration;

use belay_cluster::{ApplyOptions, Item, OnImmutable, Pruned};
use serde_json::json;

use crate::cluster_world::{config_map, world};

#[tokio::test]
async fn only_what_is_ours_goes_and_what_asks_to_be_kept_stays() {
    let world = world("prune").await;
    let options = world.apply_options();
    let plain = world
        .connection
        .apply(&Item::new(config_map("plain", &json!({}))), &options)
        .await
        .unwrap();
    let mut keep = config_map("keep", &json!({}));
    keep["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
    let keep = world
        .connection
        .apply(&Item::new(keep), &options)
        .await
        .unwrap();
    let theirs = ApplyOptions {
        owner: world.owner_of("other"),
        take_ownership: false,
        on_immutable: OnImmutable::Fail,
    };
    let foreign = world
        .connection
        .apply(&Item::new(config_map("foreign", &json!({}))), &theirs)
        .await
        .unwrap();

    let prune = async |applied: &belay_cluster::Applied| {
        world
            .connection
            .prune(&applied.key, &world.owner())
            .await
            .unwrap()
    };
    assert_eq!(
        prune(&plain).await,
        Pruned::Deleted {
            uid: plain.uid.clone()
        }
    );
    world
        .connection
        .wait_gone(&plain.key, &plain.uid, Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(prune(&plain).await, Pruned::AlreadyGone);
    assert_eq!(prune(&keep).await, Pruned::Kept);
    assert_eq!(
        prune(&foreign).await,
        Pruned::NotOurs {
            owner: Some(world.owner_of("other"))
        }
    );
    for applied in [&keep, &foreign] {
        assert!(world.connection.get(&applied.key).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_deletion_waits_for_finalizers_and_another_of_that_name_counts_as_gone() {
    let world = world("finalizer").await;
    let mut held = config_map("held", &json!({}));
    held["metadata"]["finalizers"] = json!(["example.org/hold"]);
    let held = world
        .connection
        .apply(&Item::new(held), &world.apply_options())
        .await
        .unwrap();
    world
        .connection
        .prune(&held.key, &world.owner())
        .await
        .unwrap();

    let early = world
        .connection
        .wait_gone(&held.key, &held.uid, Duration::from_millis(300))
        .await
        .unwrap_err();
    assert_eq!(early.category(), "deadline");

    let waiting = world
        .connection
        .wait_gone(&held.key, &held.uid, Duration::from_mins(1));
    let freeing = async {
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        world
            .kubectl(&["patch", "configmap", "held", "--type=merge", "-p", patch])
            .await;
        world.kubectl(&["create", "configmap", "held"]).await;
    };
    let (gone, ()) = tokio::join!(waiting, freeing);
    gone.unwrap();
    // The other one stands there now, and is not waited for.
    let waiting = world
        .connection
        .wait_gone(&held.key, &held.uid, Duration::from_mins(1));
    waiting.await.unwrap();
}
