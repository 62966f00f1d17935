//! Warnings of the cluster: of many who ask at once none is a burden of its own.

use futures::future::join_all;
use serde_json::json;

use crate::cluster_world::{World, world};

/// How many releases fail at once.
const AT_ONCE: usize = 30;

async fn warn(world: &World, name: &str) {
    let namespace = world.namespace.name();
    let event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "web", "namespace": namespace},
        "type": "Warning", "reason": "FailedMount", "message": name,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, event.to_string()).unwrap();
    let file = file.display().to_string();
    world.kubectl(&["create", "-f", &file]).await;
}

async fn told(world: &World) -> Vec<String> {
    let warned = world.connection.warnings_in(world.namespace.name()).await;
    warned
        .iter()
        .map(|warning| warning.message.clone())
        .collect()
}

#[tokio::test]
async fn who_asks_while_others_ask_shares_a_read_and_misses_nothing() {
    let world = world("warnings").await;
    assert_eq!(told(&world).await, Vec::<String>::new());
    warn(&world, "first").await;
    assert_eq!(told(&world).await, ["first"], "a read of its own is new");

    warn(&world, "second").await;
    let before = world.requests.count();
    let all = join_all((0..AT_ONCE).map(|_| told(&world))).await;
    for of_one in all {
        assert_eq!(of_one, ["first", "second"]);
    }
    let reads = world.requests.count() - before;
    // The read of the one who asked first, and another one for all who asked while it was under way.
    assert!(reads <= 2, "{reads} reads for {AT_ONCE}");
}
