//! A `RollbackRequest` brings an older revision back, and the release stays there.

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionType, HelmRelease, Reason, RollbackRequest};
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
    world.deploy(SHOP, &shop(), &json!({})).await;
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
