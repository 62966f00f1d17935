//! What fails goes back, whole, and is not tried again unasked.

use std::collections::BTreeSet;
use std::pin::pin;

use belay_api::helm_release::FailureClass;
use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionType, HelmRelease, Phase, Reason};
use belay_harness::{GENEROUS, gone};
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use crate::operator_charts::{BETTER, BROKEN, GOOD, REPLICAS, note, shop};
use crate::operator_serving::{Serving, ready_pods};
use crate::operator_world::{
    SHOP, World, condition, current, desired, holds, message, operated_world, phase, ready,
};

/// One of the charts has what the other has not.
const ONLY_OLD: &str = "only-old";
const ONLY_NEW: &str = "only-new";

#[tokio::test]
async fn an_upgrade_whose_image_cannot_be_pulled_is_taken_back_while_the_old_pods_serve() {
    let world = operated_world("revert").await;
    let old = shop().with_config_map(ONLY_OLD, &json!({}));
    let new = shop().with_config_map(ONLY_NEW, &json!({}));
    world.deploy(SHOP, &old, &json!({})).await;
    let serving = Serving::watch(&world, SHOP).await;
    assert_eq!(serving.pods().len(), REPLICAS as usize);

    let values = json!({"image": BROKEN, "greeting": "new"});
    let asked = world.roll_out(SHOP, &new, &values).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;

    // The old pods: the same ones, ready all the time.
    assert!(serving.fewest() >= REPLICAS, "{} served", serving.fewest());
    assert_eq!(ready_pods(&world, SHOP).await, serving.pods());
    // The cluster holds the old manifest and nothing else.
    assert_eq!(world.image(SHOP).await, GOOD);
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert!(world.config_map(ONLY_OLD).await.is_some());
    gone(&world.api::<ConfigMap>(), ONLY_NEW, GENEROUS)
        .await
        .unwrap();
    // The status tells it apart from both a good and a dead release.
    assert!(holds(&release, ConditionType::Available));
    assert!(holds(&release, ConditionType::Stalled));
    assert!(holds(&release, ConditionType::Consistent));
    assert!(holds(&release, ConditionType::RolledBack));
    assert!(condition(&release, ConditionType::Reconciling).is_none());
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.phase, Phase::RolledBack);
    assert_eq!(status.last_good.as_ref().unwrap().revision, 3);
    assert_eq!(status.blocked[0].digest, desired(&release));
    assert_eq!(status.blocked[0].class, FailureClass::Terminal);
    // The evidence outlives the pods.
    let failure = status.last_failure.as_ref().unwrap();
    assert_eq!(failure.revision, Some(2));
    assert_eq!(failure.class, FailureClass::Terminal);
    assert_eq!(failure.reason, Reason::ImagePullFailed);
    assert!(
        failure.objects[0].object.contains("shop-web"),
        "{failure:?}"
    );
    let evidence = &failure.pods[0];
    assert!(evidence.pod.starts_with("shop-web-"), "{evidence:?}");
    assert!(evidence.message.contains(BROKEN), "{evidence:?}");
    assert!(!failure.timeline.is_empty());
    // Helm tells the same story.
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

/// The `StatefulSet` controller waits for ever for a pod that cannot start, its template taken back or not.
#[tokio::test]
async fn the_broken_pod_of_a_stateful_set_does_not_hold_up_the_way_back() {
    let world = operated_world("stateful").await;
    let chart = note().with_stateful_set();
    world.deploy(SHOP, &chart, &json!({})).await;

    let asked = world
        .roll_out(SHOP, &chart, &json!({"image": BROKEN}))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert!(holds(&release, ConditionType::Available));
    assert!(holds(&release, ConditionType::Consistent));
    assert_eq!(current(&release), Some(3));
    let pods = world
        .api::<Pod>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let images: Vec<_> = pods
        .iter()
        .map(|pod| pod.spec.as_ref().unwrap().containers[0].image.as_deref())
        .collect();
    assert_eq!(images, vec![Some(GOOD); REPLICAS as usize]);
    world.end().await;
}

#[tokio::test]
async fn evidence_has_the_last_words_of_what_crashed_and_no_secrets() {
    const TOKEN: &str = "hush-9c1f27";
    let world = operated_world("evidence").await;
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: shop-token}\nstringData: {token: {{ .Values.token }}}\n";
    let chart = shop().with("templates/token.yaml", secret);
    let values = json!({"token": TOKEN});
    world.deploy(SHOP, &chart, &values).await;

    // A message that names an image that names the token.
    let image = format!("registry.example/no-such-image:{TOKEN}");
    let values = json!({"token": TOKEN, "image": image});
    let asked = world.roll_out(SHOP, &chart, &values).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let status = release.status.unwrap();
    let told = &status.last_failure.as_ref().unwrap().pods[0].message;
    assert!(told.contains(belay_health::MASK), "{told}");
    let told = serde_json::to_string(&status).unwrap();
    assert!(!told.contains(TOKEN), "{told}");

    let values = json!({"token": TOKEN, "image": "belay.test/crash-loop:1"});
    let asked = world.roll_out(SHOP, &chart, &values).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert!(!failure.pods[0].log_tail.is_empty(), "{failure:?}");
    world.end().await;
}

#[tokio::test]
async fn what_happens_is_told_in_events() {
    let world = operated_world("events").await;
    let events = world.api::<Event>();
    let mut seen = pin!(
        watcher(events, watcher::Config::default())
            .default_backoff()
            .touched_objects()
    );
    world.deploy(SHOP, &shop(), &json!({})).await;
    let asked = world
        .roll_out(SHOP, &shop(), &json!({"image": BROKEN}))
        .await;
    world.stopped(&asked, Reason::RevisionBlocked).await;

    let mut missing = BTreeSet::from(
        [
            "Normal InstallStarted",
            "Normal Deployed",
            "Normal UpgradeStarted",
            "Warning ImagePullFailed",
            "Normal RevertStarted",
            "Warning RevisionBlocked",
        ]
        .map(str::to_owned),
    );
    let all = async {
        while !missing.is_empty() {
            let Some(Ok(event)) = seen.next().await else {
                continue;
            };
            let of = event.regarding.as_ref().and_then(|of| of.kind.as_deref());
            if of == Some("HelmRelease") {
                let kind = event.type_.unwrap_or_default();
                missing.remove(&format!("{kind} {}", event.reason.unwrap_or_default()));
            }
        }
    };
    let told = tokio::time::timeout(GENEROUS, all).await;
    assert!(told.is_ok(), "not told: {missing:?}");
    world.end().await;
}

#[tokio::test]
async fn a_blocked_digest_is_tried_again_only_by_its_name_and_then_once() {
    let world = operated_world("blocked").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let asked = world
        .roll_out(SHOP, &shop(), &json!({"image": BROKEN}))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let blocked = desired(&release);
    let history = world.history(SHOP).await;
    assert_eq!(history.len(), 3);

    // An edit that asks for nothing else.
    let values = json!({"image": BROKEN});
    let spec = json!({"chart": shop().inline(), "values": values, "interval": "7m"});
    let asked = world.apply(SHOP, &spec).await;
    world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.history(SHOP).await, history);

    // Another digest's name.
    world
        .annotate(SHOP, &json!({"belay.dev/retry": format!("{blocked}0")}))
        .await;
    world.looked_at(SHOP, "wrong").await;
    assert_eq!(world.history(SHOP).await, history);

    // The right one: one attempt, which fails again and is taken back again.
    world
        .annotate(SHOP, &json!({"belay.dev/retry": blocked}))
        .await;
    world
        .until_release(SHOP, "one more attempt, taken back", |release| {
            current(release) == Some(5)
                && ready(release).is_some_and(|ready| ready.reason == Reason::RevisionBlocked)
        })
        .await;
    world.looked_at(SHOP, "right").await;
    let statuses: Vec<_> = world.history(SHOP).await;
    assert_eq!(statuses.len(), 5, "exactly one attempt: {statuses:?}");
    assert_eq!(statuses[3].1, "failed");
    assert_eq!(statuses[4].1, "deployed");
    assert_eq!(world.image(SHOP).await, GOOD);

    // What asks for something else is tried at once.
    let release = world.deploy(SHOP, &shop(), &json!({"image": BETTER})).await;
    assert_eq!(current(&release), Some(6));
    world.end().await;
}

#[tokio::test]
async fn a_first_install_that_fails_leaves_nothing_behind() {
    let world = operated_world("failed").await;
    let asked = world
        .roll_out(SHOP, &shop(), &json!({"image": BROKEN}))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;

    assert!(!holds(&release, ConditionType::Available));
    assert!(holds(&release, ConditionType::Stalled));
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.blocked[0].digest, desired(&release));
    let failure = status.last_failure.as_ref().unwrap();
    assert_eq!(failure.reason, Reason::ImagePullFailed);
    assert!(failure.pods[0].message.contains(BROKEN), "{failure:?}");
    assert_eq!(bare(&world).await, Vec::<String>::new());
    assert_eq!(world.helm_json(&["list"]).await, json!([]));

    // And it stays so until it is asked for something else.
    world.looked_at(SHOP, "again").await;
    assert_eq!(bare(&world).await, Vec::<String>::new());
    world.deploy(SHOP, &shop(), &json!({})).await;
    world.end().await;
}

#[tokio::test]
async fn what_is_not_ready_in_time_is_taken_back_when_the_time_is_over() {
    let world = operated_world("timeout").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let values = json!({"image": "belay.test/never-ready:1"});
    let spec = json!({"chart": shop().inline(), "values": values, "timeout": "3s"});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;

    assert!(holds(&release, ConditionType::Available));
    let failure = release.status.clone().unwrap().last_failure.unwrap();
    assert_eq!(failure.class, FailureClass::Timeout);
    assert_eq!(failure.reason, Reason::Timeout);
    assert!(
        message(&release).contains("shop-web"),
        "{}",
        message(&release)
    );
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

#[tokio::test]
async fn without_atomic_a_failed_upgrade_is_left_in_place_and_told() {
    let world = operated_world("lenient").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let values = json!({"image": BROKEN});
    let spec = json!({"chart": shop().inline(), "values": values, "atomic": false});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::LeftInPlace).await;

    assert!(!holds(&release, ConditionType::Consistent));
    assert_eq!(world.image(SHOP).await, BROKEN);
    let history = world.history(SHOP).await;
    assert_eq!(history.last().unwrap(), &(2, "failed".to_owned()));
    world.end().await;
}

#[tokio::test]
async fn a_short_history_never_loses_what_was_good() {
    let world = operated_world("short").await;
    let spec = |greeting: &str, image: &str| {
        let values = json!({"greeting": greeting, "image": image});
        json!({"chart": shop().inline(), "values": values, "maxHistory": 2})
    };
    for greeting in ["one", "two"] {
        let asked = world.apply(SHOP, &spec(greeting, GOOD)).await;
        world.deployed(&asked).await;
    }
    for greeting in ["three", "four", "five"] {
        let asked = world.apply(SHOP, &spec(greeting, BROKEN)).await;
        world.stopped(&asked, Reason::RevisionBlocked).await;
        assert_eq!(world.greeting(SHOP).await, "two", "after {greeting}");
        let history = world.history(SHOP).await;
        assert_eq!(history.last().unwrap().1, "deployed", "{history:?}");
    }
    // Two are asked for; the record of what ran well before comes on top.
    let history = [
        (1, "superseded".to_owned()),
        (7, "failed".to_owned()),
        (8, "deployed".to_owned()),
    ];
    assert_eq!(world.history(SHOP).await, history);
    let request = world
        .order("back", &json!({"target": {"previous": {}}}))
        .await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(world.greeting(SHOP).await, "one");
    world.end().await;
}

#[tokio::test]
async fn a_lost_status_is_told_again_without_touching_anything() {
    let world = operated_world("amnesia").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    let release = world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    let states = world.states().await;
    let none = json!({"status": null});
    world
        .api::<HelmRelease>()
        .patch_status(SHOP, &PatchParams::default(), &Patch::Merge(&none))
        .await
        .unwrap();
    let rebuilt = world.deployed(&release).await;
    let (before, after) = (release.status.unwrap(), rebuilt.status.unwrap());
    assert_eq!(after.current, before.current);
    assert_eq!(after.last_good, before.last_good);
    assert_eq!(after.previous_good, before.previous_good);
    assert_eq!(after.history, before.history);
    assert_eq!(world.states().await, states);
    world.end().await;
}

/// What is in the namespace besides the ledger and what every namespace has.
async fn bare(world: &World) -> Vec<String> {
    let mut states = world.states().await;
    states.retain(|line| {
        let ours = line.starts_with("Secret/belay");
        // Pods go after their owner, at their own pace.
        !ours && !line.starts_with("Pod/") && !line.starts_with("ConfigMap/kube-root-ca.crt")
    });
    states
}
