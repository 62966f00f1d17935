//! A `RollbackRequest` brings an older revision back, and the release stays there.

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionType, HelmRelease, Reason, RollbackRequest};
use belay_harness::{GENEROUS, until};
use kube::api::PostParams;
use serde_json::json;

use crate::operator_charts::{BETTER, BROKEN, GOOD, note, shop};
use crate::operator_world::{
    SHOP, World, current, holds, message, operated_world, phase, ready, verdict,
};

/// Three good revisions that greet differently: `one`, `two`, `three`.
async fn three_revisions(world: &World) -> HelmRelease {
    for greeting in ["one", "two"] {
        world
            .deploy(SHOP, &note(), &json!({"greeting": greeting}))
            .await;
    }
    world
        .deploy(SHOP, &note(), &json!({"greeting": "three"}))
        .await
}

#[tokio::test]
async fn a_request_brings_the_previous_revision_back_and_the_release_stays_there() {
    let world = operated_world("previous").await;
    let values = json!({"greeting": "ahoy"});
    world.deploy(SHOP, &shop(), &values).await;
    world.deploy(SHOP, &shop(), &json!({"image": BETTER})).await;

    let request = world
        .order(
            "back",
            &json!({"reason": "2 is slow", "requestedBy": "jane"}),
        )
        .await;
    assert_eq!(phase(&request), RequestPhase::Complete);
    let status = request.status.unwrap();
    assert_eq!(status.from.unwrap().revision, 2);
    assert_eq!(status.to.unwrap().revision, 1);
    assert_eq!(status.new_revision, Some(3));

    let release = world.looked_at(SHOP, "after the request").await;
    assert_eq!(world.image(SHOP).await, GOOD);
    assert_eq!(current(&release), Some(3));
    assert_eq!(ready(&release).unwrap().reason, Reason::Pinned);
    assert!(message(&release).contains("back"), "{}", message(&release));
    assert!(holds(&release, ConditionType::Available));
    assert!(holds(&release, ConditionType::RolledBack));
    let status = release.status.unwrap();
    assert_eq!(status.pin.unwrap().request.as_deref(), Some("back"));
    assert_eq!(status.last_good.unwrap().revision, 3);
    let history = world.history(SHOP).await;
    assert_eq!(history.last().unwrap(), &(3, "deployed".to_owned()));
    let history = world.helm_json(&["history", SHOP]).await;
    assert_eq!(history[2]["description"], "Rollback to 1");
    assert_eq!(world.helm_json(&["get", "values", SHOP]).await, values);

    // A spec that asks for something else is tried.
    let values = json!({"image": BETTER, "greeting": "fixed"});
    let release = world.deploy(SHOP, &shop(), &values).await;
    assert_eq!(current(&release), Some(4));
    assert!(release.status.unwrap().pin.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_request_brings_the_revision_back_that_it_names() {
    let world = operated_world("named").await;
    three_revisions(&world).await;
    let request = world
        .order("first", &json!({"target": {"revision": 1}}))
        .await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(world.greeting(SHOP).await, "one");
    let values = world.helm_json(&["get", "values", SHOP]).await;
    assert_eq!(values, json!({"greeting": "one"}));

    // Three looks later it is still there.
    for token in ["one", "two", "three"] {
        let release = world.looked_at(SHOP, token).await;
        assert_eq!(ready(&release).unwrap().reason, Reason::Pinned);
    }
    assert_eq!(world.greeting(SHOP).await, "one");
    assert_eq!(world.history(SHOP).await.len(), 4);
    world.end().await;
}

#[tokio::test]
async fn a_request_goes_back_from_a_release_whose_upgrade_was_taken_back() {
    let world = operated_world("further").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    world.deploy(SHOP, &shop(), &json!({"image": BETTER})).await;
    let asked = world
        .roll_out(SHOP, &shop(), &json!({"image": BROKEN}))
        .await;
    world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.image(SHOP).await, BETTER);

    let request = world.order("back", &json!({})).await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

#[tokio::test]
async fn a_request_that_is_made_again_is_not_carried_out_again() {
    let world = operated_world("again").await;
    three_revisions(&world).await;
    let spec = json!({"target": {"revision": 1}});
    world.order("back", &spec).await;
    // The spec goes on from there, and a GitOps tool makes the old request anew.
    world
        .deploy(SHOP, &note(), &json!({"greeting": "four"}))
        .await;
    let history = world.history(SHOP).await;
    world.delete::<RollbackRequest>("back").await;
    let (phase, reason, message) = verdict(&world.order("back", &spec).await);
    assert_eq!(phase, RequestPhase::Refused);
    assert_eq!(reason, Some(Reason::AlreadyExecuted), "{message}");
    assert_eq!(world.greeting(SHOP).await, "four");
    assert_eq!(world.history(SHOP).await, history);
    world.end().await;
}

#[tokio::test]
async fn a_request_that_cannot_be_carried_out_says_why_and_changes_nothing() {
    let world = operated_world("refused").await;
    three_revisions(&world).await;
    let states = world.states().await;
    let cases = [
        (
            "missing",
            json!({"target": {"revision": 7}}),
            Reason::RevisionNotFound,
            vec!["revision 7", "3, 2, 1"],
        ),
        (
            "digest",
            json!({"target": {"digest": "v1:none"}}),
            Reason::RevisionNotFound,
            vec![
                "v1:none",
                "revision 3 (shop-1.0.0)",
                "revision 2 (shop-1.0.0)",
            ],
        ),
        (
            "version",
            json!({"target": {"chartVersion": "9.9.9"}}),
            Reason::RevisionNotFound,
            vec!["9.9.9", "revision 2"],
        ),
        (
            "moved",
            json!({"expectedCurrent": {"revision": 2}}),
            Reason::ExpectationFailed,
            vec!["expects revision 2", "revision 3 runs"],
        ),
        (
            "there",
            json!({"target": {"revision": 3}}),
            Reason::AlreadyThere,
            vec!["revision 3"],
        ),
        (
            "late",
            json!({"notAfter": "2020-01-01T00:00:00Z"}),
            Reason::Expired,
            vec!["notAfter"],
        ),
    ];
    for (name, spec, expected, parts) in cases {
        let (phase, reason, message) = verdict(&world.order(name, &spec).await);
        assert_eq!(phase, RequestPhase::Refused, "{name}");
        assert_eq!(reason, Some(expected), "{name}: {message}");
        for part in parts {
            assert!(message.contains(part), "{name}: {message}");
        }
    }
    world.looked_at(SHOP, "afterwards").await;
    assert_eq!(world.states().await, states, "the ledger included");
    assert_eq!(world.greeting(SHOP).await, "three");

    // The same with the right expectation is carried out.
    let spec = json!({"expectedCurrent": {"revision": 3}});
    let request = world.order("right", &spec).await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(world.greeting(SHOP).await, "two");
    world.end().await;
}

#[tokio::test]
async fn a_request_concerns_the_release_that_it_names_and_no_other() {
    let world = operated_world("neighbours").await;
    for name in [SHOP, "other"] {
        for greeting in ["one", "two"] {
            let values = json!({"greeting": greeting});
            world.deploy(name, &note(), &values).await;
        }
    }
    open_request(&world).await;
    let other = world.looked_at("other", "while it is open").await;
    assert_eq!(current(&other), Some(2));
    assert_eq!(world.greeting("other").await, "two");
    assert_eq!(world.greeting(SHOP).await, "two");

    world.edit(SHOP, &json!({"spec": {"suspend": false}})).await;
    let request = ended(&world).await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(world.greeting(SHOP).await, "one");
    let other = world.looked_at("other", "afterwards").await;
    assert_eq!(current(&other), Some(2));
    world.end().await;
}

#[tokio::test]
async fn a_request_that_is_open_when_its_release_goes_is_ended() {
    let world = operated_world("left").await;
    for greeting in ["one", "two"] {
        let values = json!({"greeting": greeting});
        world.deploy(SHOP, &note(), &values).await;
    }
    open_request(&world).await;
    assert_eq!(world.greeting(SHOP).await, "two");

    world.delete::<HelmRelease>(SHOP).await;
    let (phase, reason, message) = verdict(&ended(&world).await);
    assert_eq!(phase, RequestPhase::Refused);
    assert_eq!(reason, Some(Reason::ReleaseNotFound), "{message}");
    world.end().await;
}

/// Suspends the release, and orders it back: that waits.
async fn open_request(world: &World) {
    let suspended = world.edit(SHOP, &json!({"spec": {"suspend": true}})).await;
    world.stopped(&suspended, Reason::Suspended).await;
    let request = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": "open"}, "spec": {"releaseRef": {"name": SHOP}},
    });
    let request = serde_json::from_value(request).unwrap();
    let requests = world.api::<RollbackRequest>();
    requests
        .create(&PostParams::default(), &request)
        .await
        .unwrap();
    world.looked_at(SHOP, "still suspended").await;
}

async fn ended(world: &World) -> RollbackRequest {
    let requests = world.api();
    until(&requests, "open", "its end", GENEROUS, |request| {
        phase(request).is_final()
    })
    .await
    .unwrap()
}
