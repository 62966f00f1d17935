//! Parts of the truth come back from a backup, older than the rest.

use belay_api::{HelmRelease, Reason};
use belay_harness::{gone, until};
use serde_json::json;

use crate::endure_charts::tiny;
use crate::endure_world::{LIMIT, RELEASE, World, current, rests, spec, world};

const LEDGER: &str = "belay.v1.shop";

async fn ledger(world: &World, path: &str) -> String {
    let path = format!("jsonpath={{{path}}}");
    world.kubectl(&["get", "secret", LEDGER, "-o", &path]).await
}

/// A look that nobody can have had before.
async fn looked_at(world: &World) -> HelmRelease {
    let ask = [
        "annotate",
        "helmrelease",
        RELEASE,
        "belay.dev/reconcile=restored",
    ];
    world.kubectl(&ask).await;
    until(
        &world.api(),
        RELEASE,
        "another look",
        LIMIT,
        |release: &HelmRelease| {
            let status = release.status.as_ref();
            rests(release).is_some()
                && status.is_some_and(|status| {
                    status.last_handled_reconcile.as_deref() == Some("restored")
                })
        },
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn an_older_ledger_learns_from_helms_records_what_it_missed_and_touches_nothing() {
    // Given a release whose ledger is restored as it was two revisions ago.
    let world = world("oldledger").await;
    let operator = world.start();
    let mut saved = None;
    for greeting in ["one", "two", "three"] {
        let asked = spec(&tiny(), &json!({"greeting": greeting}));
        world.declare(RELEASE, &asked).await;
        world.rests(RELEASE, Reason::Deployed).await;
        if saved.is_none() {
            saved = Some(ledger(&world, ".data.ledger").await);
        }
    }
    operator.stop(LIMIT).await.unwrap();
    let (states, history) = (world.states(RELEASE).await, world.history(RELEASE).await);
    let patch = json!({"data": {"ledger": saved}}).to_string();
    world
        .kubectl(&["patch", "secret", LEDGER, "--type=merge", "-p", &patch])
        .await;

    // When an operator looks, then it finds what runs, that it is what the spec asks for, and writes to none of it.
    let operator = world.start();
    let release = looked_at(&world).await;
    assert_eq!(rests(&release), Some(Reason::Deployed));
    assert_eq!(current(&release), Some(3));
    assert_eq!(release.status.unwrap().pin, None);
    assert_eq!(world.states(RELEASE).await, states);
    assert_eq!(world.history(RELEASE).await, history);

    // And goes on from there.
    let asked = spec(&tiny(), &json!({"greeting": "four"}));
    world.declare(RELEASE, &asked).await;
    let release = world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(current(&release), Some(4));
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_release_that_is_made_anew_under_its_name_keeps_its_ledger() {
    // Given a HelmRelease that was lost with its uid, and came back from a backup.
    let world = world("anew").await;
    let operator = world.start();
    let asked = spec(&tiny(), &json!({"greeting": "one"}));
    let before = world.declare(RELEASE, &asked).await;
    world.rests(RELEASE, Reason::Deployed).await;
    operator.stop(LIMIT).await.unwrap();
    let (states, uid) = (
        world.states(RELEASE).await,
        ledger(&world, ".metadata.uid").await,
    );
    let free = r#"{"metadata":{"finalizers":null}}"#;
    world
        .kubectl(&["patch", "helmrelease", RELEASE, "--type=merge", "-p", free])
        .await;
    world.delete_release(RELEASE).await;
    gone(&world.api::<HelmRelease>(), RELEASE, LIMIT)
        .await
        .unwrap();
    let after = world.declare(RELEASE, &asked).await;
    assert_ne!(after.metadata.uid, before.metadata.uid);

    // When an operator looks, then it is the same release's, and nothing was touched.
    let operator = world.start();
    let release = world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(current(&release), Some(1));
    assert_eq!(world.states(RELEASE).await, states);
    assert_eq!(ledger(&world, ".metadata.uid").await, uid);

    // And it goes as any other.
    world.delete_release(RELEASE).await;
    crate::endure_world::forgotten(&world, RELEASE).await;
    assert_eq!(world.setting("shop-settings", "greeting").await, None);
    operator.stop(LIMIT).await.unwrap();
}
