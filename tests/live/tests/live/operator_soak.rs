//! A soak: what became ready is watched before it counts as good.

use belay_api::helm_release::{FailureClass, Stage};
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, GOOD, shop};
use crate::operator_world::{SHOP, condition, current, holds, operated_world, ready};

/// Its pods become ready, and are not any more five seconds later.
const DEGRADES: &str = "belay.test/degrade:1";

fn spec(image: &str, soak: &Value) -> Value {
    json!({"chart": shop().inline(), "values": {"image": image}, "soak": soak})
}

fn soaks(release: &HelmRelease) -> bool {
    let status = release.status.as_ref();
    let attempt = status.and_then(|status| status.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.stage == Stage::Soaking)
}

#[tokio::test]
async fn an_upgrade_counts_as_good_only_after_its_soak() {
    let world = operated_world("soak").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let soak = json!({"duration": "3s", "grace": "1s"});
    let asked = world.apply(SHOP, &spec(BETTER, &soak)).await;

    let release = world.until_release(SHOP, "a soak", soaks).await;
    let told = ready(&release).unwrap();
    assert_eq!(told.status, ConditionStatus::Unknown);
    assert_eq!(told.reason, Reason::Soaking);
    assert!(holds(&release, ConditionType::Available));
    assert!(holds(&release, ConditionType::Consistent));
    assert_eq!(current(&release), Some(2));
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.last_good.as_ref().unwrap().revision, 1);
    assert_eq!(status.history[0].status, "deployed");

    let release = world.deployed(&asked).await;
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.last_good.as_ref().unwrap().revision, 2);
    assert_eq!(world.image(SHOP).await, BETTER);
    // At rest nothing is watched or written any more.
    world.writes();
    world.looked_at(SHOP, "after the soak").await;
    assert_eq!(world.history(SHOP).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_degrades_while_it_soaks_is_taken_back_with_its_evidence() {
    let world = operated_world("degrade").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let soak = json!({"duration": "10m", "grace": "1s"});
    let asked = world.apply(SHOP, &spec(DEGRADES, &soak)).await;
    world.until_release(SHOP, "a soak", soaks).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;

    assert_eq!(world.image(SHOP).await, GOOD);
    assert!(holds(&release, ConditionType::Available));
    assert!(condition(&release, ConditionType::RolledBack).is_some());
    let status = release.status.as_ref().unwrap();
    let failure = status.last_failure.as_ref().unwrap();
    assert_eq!(failure.class, FailureClass::Degraded);
    assert_eq!(failure.reason, Reason::Degraded);
    assert!(failure.message.contains("shop-web"), "{failure:?}");
    assert!(
        failure
            .timeline
            .iter()
            .any(|moment| moment.what.contains("Soaking")),
        "{failure:?}"
    );
    assert_eq!(
        world.history(SHOP).await,
        [
            (1, "superseded".to_owned()),
            (2, "failed".to_owned()),
            (3, "deployed".to_owned())
        ]
    );
    world.end().await;
}
