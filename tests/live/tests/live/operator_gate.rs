//! What a success has to pass, and what is known with it: tests of the chart, and the way back.

use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, Files, GOOD, note, shop};
use crate::operator_world::{SHOP, condition, current, holds, operated_world};

/// A pod of a Job that ends well at once, and one that fails.
const SUCCEEDS: &str = "registry.example/check:1";
const FAILS: &str = "belay.test/fail:1";

fn tested(chart: &Files, values: &Value) -> Value {
    json!({"chart": chart.inline(), "values": values, "tests": {"enabled": true}})
}

fn told(release: &HelmRelease, type_: ConditionType) -> (ConditionStatus, Reason, String) {
    let found = condition(release, type_).unwrap();
    (found.status, found.reason, found.message.clone())
}

#[tokio::test]
async fn an_upgrade_whose_test_fails_is_taken_back() {
    let world = operated_world("gate").await;
    let good = shop().with_hook("check", SUCCEEDS, "test", "");
    let asked = world.apply(SHOP, &tested(&good, &json!({}))).await;
    let release = world.deployed(&asked).await;
    let (status, reason, message) = told(&release, ConditionType::TestSuccess);
    assert_eq!(status, ConditionStatus::True, "{message}");
    assert_eq!(reason, Reason::TestsSucceeded);

    let bad = shop().with_hook("check", FAILS, "test", "");
    let asked = world
        .apply(SHOP, &tested(&bad, &json!({"image": BETTER})))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.image(SHOP).await, GOOD);
    assert_eq!(current(&release), Some(3));
    assert!(holds(&release, ConditionType::Available));
    let (status, reason, message) = told(&release, ConditionType::TestSuccess);
    assert_eq!(status, ConditionStatus::False);
    assert_eq!(reason, Reason::TestFailed);
    assert!(message.contains("check"), "{message}");
    world.end().await;
}

#[tokio::test]
async fn without_asking_for_them_tests_do_not_run() {
    let world = operated_world("ungated").await;
    let chart = shop().with_hook("check", FAILS, "test", "");
    let release = world.deploy(SHOP, &chart, &json!({})).await;
    assert!(condition(&release, ConditionType::TestSuccess).is_none());
    assert!(
        !world
            .states()
            .await
            .iter()
            .any(|state| state.contains("check"))
    );
    world.end().await;
}

#[tokio::test]
async fn each_success_tells_whether_the_revision_before_it_could_be_brought_back() {
    let world = operated_world("wayback").await;
    let fixed = |object: &Value| note().with("templates/fixed.yaml", &object.to_string());
    let map = |data: &str, immutable: bool| {
        fixed(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "immutable": immutable,
            "metadata": {"name": "fixed"}, "data": {"is": data},
        }))
    };
    let release = world.deploy(SHOP, &map("one", false), &json!({})).await;
    assert!(condition(&release, ConditionType::RollbackReady).is_none());

    let release = world.deploy(SHOP, &map("two", false), &json!({})).await;
    let (status, reason, message) = told(&release, ConditionType::RollbackReady);
    assert_eq!(status, ConditionStatus::True, "{message}");
    assert_eq!(reason, Reason::RevisionAccepted);

    // From here on there is no way back: what is immutable keeps its data.
    let release = world.deploy(SHOP, &map("three", true), &json!({})).await;
    let (status, reason, message) = told(&release, ConditionType::RollbackReady);
    assert_eq!(status, ConditionStatus::False);
    assert_eq!(reason, Reason::RevisionRefused);
    for part in ["revision 2", "fixed", "immutable"] {
        assert!(message.contains(part), "{message}");
    }
    let told = release.status.unwrap().rollback_ready.unwrap();
    assert!(!told.ready);
    assert_eq!((told.revision, told.refused.len()), (2, 1));
    world.end().await;
}
