//! `spec.suspend` at every stage: nothing new is begun, what was begun is finished.

use belay_api::helm_release::Stage;
use belay_api::{ConditionType, HelmRelease, Phase, Reason};
use belay_harness::{GENEROUS, gone};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, BROKEN, Files, GOOD, note, shop};
use crate::operator_world::{SHOP, World, current, holds, operated_world, ready};

/// Runs, and becomes ready when its annotation is taken off or its time has come.
const SLOW: &str = "belay.test/never-ready:1";

/// The chart whose pods take three seconds to get ready.
fn takes_its_time() -> Files {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "{{ .Release.Name }}-web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "{{ .Release.Name }}"}},
            "template": {
                "metadata": {
                    "labels": {"app": "{{ .Release.Name }}"},
                    "annotations": {"belay.test/ready-after": "3s"},
                },
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "web", "image": "{{ .Values.image }}"}],
                },
            },
        },
    });
    shop().with("templates/deployment.yaml", &deployment.to_string())
}

async fn suspend(world: &World, suspended: bool) -> HelmRelease {
    world
        .edit(SHOP, &json!({"spec": {"suspend": suspended}}))
        .await
}

fn stage(release: &HelmRelease) -> Option<Stage> {
    let attempt = release.status.as_ref()?.attempt.as_ref()?;
    Some(attempt.stage)
}

async fn at(world: &World, wanted: Stage) -> HelmRelease {
    let what = format!("{wanted:?}");
    world
        .until_release(SHOP, &what, |release| stage(release) == Some(wanted))
        .await
}

/// Waits until the release is suspended and nothing is under way, and that is what its status says.
async fn suspended(world: &World, asked: &HelmRelease) -> HelmRelease {
    let release = world.stopped(asked, Reason::Suspended).await;
    assert!(holds(&release, ConditionType::Stalled));
    let phase = release.status.as_ref().unwrap().phase;
    assert_eq!(phase, Phase::Suspended);
    release
}

#[tokio::test]
async fn suspended_before_anything_was_begun_nothing_is() {
    let world = operated_world("never").await;
    let spec = json!({"chart": note().inline(), "suspend": true});
    let asked = world.apply(SHOP, &spec).await;
    suspended(&world, &asked).await;
    assert!(world.secrets().await.is_empty(), "not even a ledger");
    let asked = suspend(&world, false).await;
    world.deployed(&asked).await;
    // An upgrade and an order that come while it is suspended wait, and then have their turn.
    let asked = suspend(&world, true).await;
    suspended(&world, &asked).await;
    let values = json!({"spec": {"values": {"greeting": "two"}}});
    let asked = world.edit(SHOP, &values).await;
    suspended(&world, &asked).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    let asked = suspend(&world, false).await;
    world.deployed(&asked).await;
    assert_eq!(world.greeting(SHOP).await, "two");
    world.end().await;
}

#[tokio::test]
async fn suspended_while_a_hook_runs_the_upgrade_is_finished_and_a_newer_spec_waits() {
    let world = operated_world("hook").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    let hook = note().with("templates/prepare.yaml", &slow_hook());
    let values = json!({"greeting": "two"});
    world.roll_out(SHOP, &hook, &values).await;
    at(&world, Stage::PreHooks).await;
    // Suspended by the same edit that asks for something newer.
    let newer = json!({"spec": {"suspend": true, "values": {"greeting": "three"}}});
    let asked = world.edit(SHOP, &newer).await;
    let release = suspended(&world, &asked).await;
    assert_eq!(
        world.greeting(SHOP).await,
        "two",
        "what was begun is finished"
    );
    assert_eq!(current(&release), Some(2));
    assert!(holds(&release, ConditionType::Available));
    let asked = suspend(&world, false).await;
    world.deployed(&asked).await;
    assert_eq!(world.greeting(SHOP).await, "three");
    world.end().await;
}

/// A hook that runs for three seconds.
fn slow_hook() -> String {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "prepare", "annotations": {"helm.sh/hook": "pre-upgrade"}},
        "spec": {"backoffLimit": 0, "template": {
            "metadata": {"annotations": {"belay.test/runs-for": "3s"}},
            "spec": {
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "hook", "image": "registry.example/migrate:1"}],
            },
        }},
    })
    .to_string()
}

#[tokio::test]
async fn suspended_while_objects_become_ready_the_upgrade_is_finished_and_proven() {
    let world = operated_world("waiting").await;
    let chart = takes_its_time();
    world.deploy(SHOP, &chart, &json!({"image": GOOD})).await;
    world
        .roll_out(SHOP, &chart, &json!({"image": BETTER}))
        .await;
    at(&world, Stage::Waiting).await;
    let asked = suspend(&world, true).await;
    let release = suspended(&world, &asked).await;
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.last_good.as_ref().unwrap().revision, 2);
    assert_eq!(world.image(SHOP).await, BETTER);
    assert_eq!(world.history(SHOP).await[1], (2, "deployed".to_owned()));
    // And what the spec asks for runs, so that it is Ready at once.
    let asked = suspend(&world, false).await;
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(2));
    world.end().await;
}

#[tokio::test]
async fn suspended_while_an_upgrade_is_lost_it_is_taken_back_all_the_same() {
    let world = operated_world("lost").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let spec = json!({
        "chart": shop().inline(), "values": {"image": BROKEN}, "failFast": {"grace": "3s"},
    });
    world.apply(SHOP, &spec).await;
    // Within the grace: it has not failed yet.
    at(&world, Stage::Waiting).await;
    let asked = suspend(&world, true).await;
    let release = suspended(&world, &asked).await;
    assert_eq!(world.image(SHOP).await, GOOD);
    assert!(holds(&release, ConditionType::Available));
    let status = release.status.as_ref().unwrap();
    assert_eq!(
        status.last_failure.as_ref().unwrap().reason,
        Reason::ImagePullFailed
    );
    assert_eq!(current(&release), Some(3), "the way back is finished");
    // It is not tried again unasked when the suspension ends.
    let asked = suspend(&world, false).await;
    world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.history(SHOP).await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn suspended_after_a_failure_and_before_its_revert_the_revert_is_done() {
    // Given an upgrade that is lost, and whose way back has begun.
    let world = operated_world("reverting").await;
    let chart = takes_its_time();
    world.deploy(SHOP, &chart, &json!({"image": GOOD})).await;
    world
        .roll_out(SHOP, &chart, &json!({"image": BROKEN}))
        .await;
    world
        .until_release(SHOP, "a way back", |release| {
            let status = release.status.as_ref();
            status.is_some_and(|status| status.phase == Phase::Reverting)
        })
        .await;
    // When it is suspended in the middle.
    let asked = suspend(&world, true).await;
    // Then it is finished.
    let release = suspended(&world, &asked).await;
    assert_eq!(current(&release), Some(3));
    assert_eq!(world.image(SHOP).await, GOOD);
    assert!(holds(&release, ConditionType::Consistent));
    world.end().await;
}

#[tokio::test]
async fn suspended_while_it_soaks_the_soak_is_watched_to_its_end() {
    let world = operated_world("soaking").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let soaks = |image: &str, duration: &str| {
        json!({
            "chart": shop().inline(), "values": {"image": image},
            "soak": {"duration": duration, "grace": "1s"},
        })
    };
    world.apply(SHOP, &soaks(BETTER, "4s")).await;
    at(&world, Stage::Soaking).await;
    let asked = suspend(&world, true).await;
    let release = suspended(&world, &asked).await;
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.last_good.as_ref().unwrap().revision, 2);

    // One that degrades meanwhile is taken back, suspended or not.
    suspend(&world, false).await;
    world
        .apply(SHOP, &soaks("belay.test/degrade:1", "10m"))
        .await;
    at(&world, Stage::Soaking).await;
    let asked = suspend(&world, true).await;
    let release = suspended(&world, &asked).await;
    assert_eq!(current(&release), Some(4));
    assert_eq!(world.image(SHOP).await, BETTER);
    world.end().await;
}

#[tokio::test]
async fn a_suspended_release_is_removed_when_it_is_deleted() {
    let world = operated_world("removing").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    // Suspended before the deletion, and the deletion is carried out.
    let asked = suspend(&world, true).await;
    suspended(&world, &asked).await;
    world.delete::<HelmRelease>(SHOP).await;
    assert!(world.config_map("shop-config").await.is_none());
    assert!(world.secrets().await.is_empty());

    // Suspended in the middle of a removal, which is finished.
    world.deploy(SHOP, &note(), &json!({})).await;
    let maps = world.api::<ConfigMap>();
    let finalizers = |list: Value| Patch::Merge(json!({"metadata": {"finalizers": list}}));
    let held = finalizers(json!(["belay.test/held"]));
    let params = PatchParams::default();
    maps.patch("shop-config", &params, &held).await.unwrap();
    let releases = world.api::<HelmRelease>();
    let delete = kube::api::DeleteParams::default();
    releases.delete(SHOP, &delete).await.unwrap();
    at(&world, Stage::Removing).await;
    suspend(&world, true).await;
    let free = finalizers(Value::Null);
    maps.patch("shop-config", &params, &free).await.unwrap();
    gone(&releases, SHOP, GENEROUS).await.unwrap();
    assert!(world.secrets().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn an_install_that_never_gets_ready_is_removed_although_it_is_suspended() {
    let world = operated_world("first").await;
    let spec = json!({
        "chart": shop().inline(), "values": {"image": SLOW}, "timeout": "6s",
    });
    world.apply(SHOP, &spec).await;
    at(&world, Stage::Waiting).await;
    let asked = suspend(&world, true).await;
    let release = suspended(&world, &asked).await;
    assert!(world.config_map("shop-config").await.is_none());
    assert_eq!(current(&release), None);
    assert_eq!(ready(&release).unwrap().reason, Reason::Suspended);
    assert_eq!(release.name_any(), SHOP);
    world.end().await;
}
