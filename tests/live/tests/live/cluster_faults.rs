//! What the network can do to a write, between the real code and the real API server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use belay_cluster::{ConnectOptions, FaultPlan, Injection, Item, NotDone, RequestInfo};
use serde_json::json;

use crate::cluster_world::{config_map, deployment, world_with};

/// Disturbs the n-th write, counted from 1.
struct NthWrite {
    nth: usize,
    injection: Injection,
    writes: AtomicUsize,
}

impl FaultPlan for NthWrite {
    fn before(&self, request: &RequestInfo) -> Injection {
        let hit = request.is_write() && self.writes.fetch_add(1, Ordering::SeqCst) + 1 == self.nth;
        if hit { self.injection } else { Injection::Pass }
    }
}

fn options(injection: Injection) -> ConnectOptions {
    disturbing(1, injection)
}

fn disturbing(nth: usize, injection: Injection) -> ConnectOptions {
    ConnectOptions {
        faults: Some(Arc::new(NthWrite {
            nth,
            injection,
            writes: AtomicUsize::new(0),
        })),
        request_timeout: Duration::from_secs(5),
        ..ConnectOptions::default()
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_a_write_open_and_the_repeated_write_settles_it() {
    for injection in [
        Injection::Lose,
        Injection::Stall,
        Injection::AnswerAfter { status: 504 },
    ] {
        let world = world_with("lost", options(injection)).await;
        let item = Item::new(config_map("a", &json!({"x": "1"})));
        let error = world
            .connection
            .apply(&item, &world.apply_options())
            .await
            .unwrap_err();
        assert!(
            matches!(error, NotDone::Ambiguous { .. }),
            "{injection:?}: {error}"
        );
        let again = world
            .connection
            .apply(&item, &world.apply_options())
            .await
            .unwrap();
        assert!(!again.created, "{injection:?}: it had happened");
    }
}

#[tokio::test]
async fn a_write_that_never_left_can_be_repeated() {
    let throttled = Injection::Answer {
        status: 429,
        retry_after: Some(3),
    };
    for (injection, seconds) in [(Injection::Unreachable, 1), (throttled, 3)] {
        let world = world_with("unsent", options(injection)).await;
        let item = Item::new(config_map("a", &json!({"x": "1"})));
        let error = world
            .connection
            .apply(&item, &world.apply_options())
            .await
            .unwrap_err();
        match error {
            NotDone::Retry { after, .. } => assert_eq!(after, Duration::from_secs(seconds)),
            other => panic!("{injection:?}: {other}"),
        }
        assert!(
            world
                .connection
                .apply(&item, &world.apply_options())
                .await
                .unwrap()
                .created
        );
    }
}

/// A Deployment's controller writes its status at any time, also between the look at who owns what and its change.
#[tokio::test]
async fn a_change_of_ownership_that_a_controller_crossed_is_made_anew() {
    // Given a Deployment, whose strategy the API server has filled in.
    let refused = Injection::Answer {
        status: 409,
        retry_after: None,
    };
    // The first write creates it, the second is the refused change of its strategy.
    let world = world_with("crossed", disturbing(3, refused)).await;
    let mut object = deployment("web", "registry.example/web:1", 1);
    let options = world.apply_options();
    let item = Item::new(object.clone());
    let created = world.connection.apply(&item, &options).await.unwrap();
    assert!(created.created);

    // When the strategy's type changes, and the change of ownership that it needs comes too late.
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    let item = Item::new(object);
    let applied = world.connection.apply(&item, &options).await.unwrap();

    // Then it is made from what stands now.
    assert_eq!(
        applied.live["spec"]["strategy"],
        json!({"type": "Recreate"})
    );
}
