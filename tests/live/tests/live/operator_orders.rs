//! Requests that come together, in the middle of something else, or go away again.

use belay_api::rollback_request::RequestPhase;
use belay_api::{HelmRelease, Reason, RollbackRequest};
use belay_harness::{GENEROUS, until};
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, GOOD, note, shop};
use crate::operator_world::{SHOP, World, current, operated_world, phase, verdict};

fn request(name: &str, more: &Value) -> RollbackRequest {
    let mut spec = json!({"releaseRef": {"name": SHOP}});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let object = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": name}, "spec": spec,
    });
    serde_json::from_value(object).unwrap()
}

async fn ended(world: &World, name: &str) -> RollbackRequest {
    let api = world.api::<RollbackRequest>();
    let reached = until(&api, name, "its end", GENEROUS, |request| {
        phase(request).is_final()
    });
    reached.await.unwrap()
}

async fn two_proven(world: &World) -> HelmRelease {
    world.deploy(SHOP, &note(), &json!({})).await;
    world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await
}

#[tokio::test]
async fn of_two_requests_at_once_one_is_carried_out_and_the_other_does_not_undo_it() {
    let world = operated_world("twice").await;
    two_proven(&world).await;
    let api = world.api::<RollbackRequest>();
    let params = PostParams::default();
    let (one, two) = (request("one", &json!({})), request("two", &json!({})));
    let made = tokio::join!(api.create(&params, &one), api.create(&params, &two));
    made.0.unwrap();
    made.1.unwrap();
    let ends = [ended(&world, "one").await, ended(&world, "two").await];
    let count = |wanted| ends.iter().filter(|end| phase(end) == wanted).count();
    assert_eq!(count(RequestPhase::Complete), 1, "{ends:#?}");
    assert_eq!(count(RequestPhase::Refused), 1, "{ends:#?}");
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert_eq!(world.history(SHOP).await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_request_overtakes_an_upgrade_that_waits() {
    let world = operated_world("during").await;
    world.deploy(SHOP, &shop(), &json!({"image": GOOD})).await;
    world.deploy(SHOP, &shop(), &json!({"image": BETTER})).await;
    let never = json!({"image": "belay.test/never-ready:1"});
    world.roll_out(SHOP, &shop(), &never).await;
    world
        .until_release(SHOP, "a wait", |release| {
            let status = release.status.as_ref();
            let attempt = status.and_then(|status| status.attempt.as_ref());
            attempt.is_some_and(|attempt| attempt.stage == belay_api::helm_release::Stage::Waiting)
        })
        .await;
    let back = world
        .order("back", &json!({"target": {"revision": 1}}))
        .await;
    assert_eq!(phase(&back), RequestPhase::Complete, "{:?}", verdict(&back));
    assert_eq!(world.image(SHOP).await, GOOD);
    let history = world.history(SHOP).await;
    assert_eq!(history[2], (3, "failed".to_owned()));
    assert_eq!(history[3], (4, "deployed".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn pruning_a_request_lifts_a_manual_hold_and_no_other() {
    let world = operated_world("pruned").await;
    let asked = two_proven(&world).await;
    // A hold until the spec changes outlives its request.
    world.order("back", &json!({})).await;
    world.stopped(&asked, Reason::Pinned).await;
    world.delete::<RollbackRequest>("back").await;
    world.looked_at(SHOP, "pruned").await;
    let release = world.stopped(&asked, Reason::Pinned).await;
    assert_eq!(current(&release), Some(3));
    assert_eq!(world.greeting(SHOP).await, "hello");
    // The spec changes: on it goes.
    let values = json!({"greeting": "three"});
    let asked = world.deploy(SHOP, &note(), &values).await;
    // One that is held by hand ends with its request, and what the spec asks for runs again.
    world.order("hold", &json!({"until": "Manual"})).await;
    world.stopped(&asked, Reason::Pinned).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    world.delete::<RollbackRequest>("hold").await;
    world
        .until_release(SHOP, "the end of the hold", |release| {
            let status = release.status.as_ref();
            status.is_some_and(|status| status.pin.is_none())
        })
        .await;
    world.end().await;
}
