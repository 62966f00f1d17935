//! Hooks as real Jobs.

use std::time::Duration;

use belay_cluster::{HookEnd, HookObject, RefusalKind};
use serde_json::{Value, json};

use crate::cluster_world::{World, world};

fn job(name: &str, image: &str, ttl: Option<u32>) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "app", "image": image}]}}},
    });
    if let Some(ttl) = ttl {
        job["spec"]["ttlSecondsAfterFinished"] = json!(ttl);
    }
    job
}

fn hook<'a>(
    world: &'a World,
    object: &'a Value,
    attempt: &'a str,
    replace: bool,
) -> HookObject<'a> {
    HookObject {
        object,
        attempt,
        namespace: world.namespace.name(),
        replace,
        gone_within: Duration::from_mins(1),
    }
}

#[tokio::test]
async fn a_hook_runs_once_for_an_attempt_and_again_for_the_next() {
    let world = world("hook").await;
    let object = job("migrate", "registry.example/migrate:1", None);
    let first = world
        .connection
        .ensure_hook(hook(&world, &object, "one", true))
        .await
        .unwrap();
    assert!(!first.resumed);
    let end = world
        .connection
        .await_hook(&first, belay_harness::GENEROUS)
        .await
        .unwrap();
    assert_eq!(end, HookEnd::Succeeded);

    let resumed = world
        .connection
        .ensure_hook(hook(&world, &object, "one", true))
        .await
        .unwrap();
    assert!(resumed.resumed);
    assert_eq!(resumed.uid, first.uid);
    assert!(resumed.verdict.is_current());

    let kept = world
        .connection
        .ensure_hook(hook(&world, &object, "two", false))
        .await
        .unwrap_err();
    assert!(kept.is(RefusalKind::AlreadyExists), "{kept}");
    let second = world
        .connection
        .ensure_hook(hook(&world, &object, "two", true))
        .await
        .unwrap();
    assert!(!second.resumed);
    assert_ne!(second.uid, first.uid);

    assert!(
        !world.connection.clean_up_hook(&first).await.unwrap(),
        "another one's object is left alone"
    );
    assert!(world.connection.clean_up_hook(&second).await.unwrap());
}

#[tokio::test]
async fn a_failing_hook_says_so_and_one_that_is_deleted_right_after_its_end_has_ended() {
    let world = world("hookend").await;
    let failing = job("failing", "belay.test/fail:1", None);
    let run = world
        .connection
        .ensure_hook(hook(&world, &failing, "one", true))
        .await
        .unwrap();
    let end = world
        .connection
        .await_hook(&run, belay_harness::GENEROUS)
        .await
        .unwrap();
    assert!(matches!(end, HookEnd::Failed { .. }), "{end:?}");

    let short = job("short", "registry.example/migrate:1", Some(0));
    let run = world
        .connection
        .ensure_hook(hook(&world, &short, "one", true))
        .await
        .unwrap();
    let end = world
        .connection
        .await_hook(&run, belay_harness::GENEROUS)
        .await
        .unwrap();
    assert_eq!(end, HookEnd::Succeeded);
}
