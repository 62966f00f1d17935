//! Fields that cannot change: found before anything is written, and where the spec allows it, the object is deleted
//! and made anew, on the way back too.

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionStatus, ConditionType, Reason};
use belay_harness::{GENEROUS, until};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod};
use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::endure_world::{Jobs, LIMIT, RELEASE, rests, world};
use crate::operator_charts::{BROKEN, Files, note, shop};
use crate::operator_world::{
    SHOP, World, condition, current, holds, message, operated_world, phase, verdict,
};

/// What keeps an object that is being deleted until somebody takes it away.
const HELD: &str = "belay.test/held";

/// A Job of the manifest, whose template follows the image.
fn job(image: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "migrate", "image": image}],
        }}},
    })
}

fn with(chart: Files, object: &Value) -> Files {
    chart.with("templates/extra.yaml", &object.to_string())
}

/// A spec that allows objects to be made anew.
fn recreating(chart: &Files, values: &Value) -> Value {
    json!({"chart": chart.inline(), "values": values, "upgrade": {"onImmutable": "Recreate"}})
}

async fn job_of(world: &World) -> (String, String) {
    let job = world.api::<Job>().get("migrate").await.unwrap();
    let pod = job.spec.as_ref().unwrap().template.spec.clone().unwrap();
    let image = pod.containers[0].image.clone().unwrap();
    (job.uid().unwrap(), image)
}

#[tokio::test]
async fn a_field_that_cannot_change_is_found_before_anything_is_written() {
    let world = operated_world("immutable").await;
    let chart = |image: &str| with(note(), &job(image));
    world
        .deploy(SHOP, &chart("registry.example/m:1"), &json!({}))
        .await;
    let before = world.states().await;
    let history = world.history(SHOP).await;

    let values = json!({"greeting": "changed"});
    let asked = world
        .roll_out(SHOP, &chart("registry.example/m:2"), &values)
        .await;
    let release = world.stopped(&asked, Reason::ManifestRejected).await;
    for part in [
        "migrate",
        "spec.template",
        "immutable",
        "spec.upgrade.onImmutable: Recreate",
    ] {
        assert!(message(&release).contains(part), "{}", message(&release));
    }
    assert_eq!(world.states().await, before);
    assert_eq!(world.history(SHOP).await, history);
    assert_eq!(world.greeting(SHOP).await, "hello");
    world.end().await;
}

#[tokio::test]
async fn where_it_is_allowed_such_an_object_is_made_anew_by_the_upgrade_and_by_its_way_back() {
    let world = operated_world("recreate").await;
    let chart = |image: &str| with(shop(), &job(image));
    let spec = recreating(&chart("registry.example/m:1"), &json!({}));
    let first = world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(current(&first), Some(1));
    let one = job_of(&world).await;

    let spec = recreating(&chart("registry.example/m:2"), &json!({}));
    let second = world.deployed(&world.apply(SHOP, &spec).await).await;
    let two = job_of(&world).await;
    assert_eq!(two.1, "registry.example/m:2");
    assert_ne!(one.0, two.0, "it was made anew");
    assert_eq!(
        world.history(SHOP).await.last().unwrap(),
        &(2, "deployed".to_owned())
    );
    // The way back is known to make it anew.
    let told = condition(&second, ConditionType::RollbackReady).unwrap();
    assert_eq!(told.status, ConditionStatus::True, "{}", told.message);
    assert!(told.message.contains("migrate"), "{}", told.message);
    let told = second.status.unwrap().rollback_ready.unwrap();
    assert_eq!(told.recreated.len(), 1, "{told:?}");

    // What is equal is left alone.
    let spec = recreating(
        &chart("registry.example/m:2"),
        &json!({"greeting": "again"}),
    );
    world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(job_of(&world).await, two);

    // An upgrade that fails goes back over the same field.
    let spec = recreating(&chart("registry.example/m:3"), &json!({"image": BROKEN}));
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert!(holds(&release, ConditionType::Available));
    let back = job_of(&world).await;
    assert_eq!(back.1, "registry.example/m:2");
    assert_ne!(back.0, two.0);
    world.end().await;
}

#[tokio::test]
async fn a_rollback_over_such_a_field_is_told_of_beforehand_and_done_only_where_it_is_allowed() {
    let world = operated_world("over").await;
    let chart = |data: &str| {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
            "metadata": {"name": "fixed"}, "data": {"is": data},
        });
        with(note(), &map)
    };
    let spec = |data: &str, back: &str| {
        let mut spec = recreating(&chart(data), &json!({}));
        spec["atomic"] = json!(false);
        spec["rollback"] = json!({"onImmutable": back});
        spec
    };
    for data in ["one", "two"] {
        world
            .deployed(&world.apply(SHOP, &spec(data, "Fail")).await)
            .await;
    }
    let release = world.looked_at(SHOP, "two").await;
    let told = condition(&release, ConditionType::RollbackReady).unwrap();
    assert_eq!(told.status, ConditionStatus::False);
    assert!(
        told.message.contains("rollback.onImmutable"),
        "{}",
        told.message
    );
    let planned = world.order("look", &json!({"dryRun": true})).await;
    let plan = planned.status.unwrap().plan.unwrap();
    assert_eq!((plan.refused.len(), plan.recreated.len()), (1, 0));
    let (phase_, _, said) = verdict(&world.order("try", &json!({})).await);
    assert_eq!(phase_, RequestPhase::Failed, "{said}");
    let data = async || {
        let map = world.api::<ConfigMap>().get("fixed").await.unwrap();
        map.data.unwrap()["is"].clone()
    };
    assert_eq!(data().await, "two");

    // Allowed, it is planned as what it is, and done.
    world.apply(SHOP, &spec("two", "Recreate")).await;
    world.looked_at(SHOP, "allowed").await;
    let planned = world.order("look-again", &json!({"dryRun": true})).await;
    let status = planned.status.unwrap();
    assert!(
        status.message.contains("1 deleted and made anew"),
        "{}",
        status.message
    );
    let plan = status.plan.unwrap();
    assert_eq!((plan.refused.len(), plan.changed.len()), (0, 0), "{plan:?}");
    assert_eq!(plan.recreated.len(), 1);
    assert_eq!(data().await, "two", "a dry run");
    let request = world.order("back", &json!({})).await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(data().await, "one");
    world.end().await;
}

#[tokio::test]
async fn what_may_hold_data_is_never_deleted_to_be_made_anew() {
    let world = operated_world("data").await;
    let claim = |mode: &str| {
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
            "spec": {
                "accessModes": [mode], "storageClassName": "",
                "resources": {"requests": {"storage": "1Mi"}},
            },
        });
        with(note(), &claim)
    };
    let mut spec = recreating(&claim("ReadWriteOnce"), &json!({}));
    // Nobody provides a volume here: what is looked at is not whether it is bound.
    spec["failFast"] = json!({"grace": "1s"});
    spec["timeout"] = json!("5s");
    spec["atomic"] = json!(false);
    let asked = world.apply(SHOP, &spec).await;
    world.stopped(&asked, Reason::LeftInPlace).await;
    let uid = async || {
        let claim = world.api::<PersistentVolumeClaim>().get("data").await;
        claim.unwrap().uid().unwrap()
    };
    let before = uid().await;

    let mut spec = recreating(&claim("ReadWriteMany"), &json!({}));
    spec["install"] = json!({"onImmutable": "Recreate"});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::ManifestRejected).await;
    for part in ["data", "immutable", "not deleted and made anew", "by hand"] {
        assert!(message(&release).contains(part), "{}", message(&release));
    }
    assert_eq!(uid().await, before);
    world.end().await;
}

#[tokio::test]
async fn a_stateful_set_is_made_anew_around_its_pods_and_claims() {
    let world = operated_world("stateful").await;
    // The name of its Service cannot change. Volumes, which cannot either, nobody provides here.
    let set = |service: &str, label: &str| {
        let set = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "data"},
            "spec": {
                "serviceName": service, "replicas": 2, "podManagementPolicy": "Parallel",
                "selector": {"matchLabels": {"app": label}},
                "template": {
                    "metadata": {"labels": {"app": label}},
                    "spec": {
                        "terminationGracePeriodSeconds": 0,
                        "containers": [{"name": "data", "image": "registry.example/data:1"}],
                    },
                },
            },
        });
        with(note(), &set)
    };
    let spec = recreating(&set("one", "data"), &json!({}));
    world.deployed(&world.apply(SHOP, &spec).await).await;
    let pods = async || {
        let selected = ListParams::default().labels("app=data");
        let pods = world.api::<Pod>().list(&selected).await.unwrap();
        let mut uids: Vec<_> = pods.iter().map(|pod| pod.uid().unwrap()).collect();
        uids.sort();
        uids
    };
    let uid = async || {
        let set = world.api::<StatefulSet>().get("data").await.unwrap();
        set.uid().unwrap()
    };
    let (before, set_before) = (pods().await, uid().await);
    assert_eq!(before.len(), 2);

    let spec = recreating(&set("two", "data"), &json!({}));
    world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_ne!(uid().await, set_before);
    assert_eq!(pods().await, before, "no pod was restarted");

    // With another selector its pods would be lost.
    let spec = recreating(&set("three", "other"), &json!({}));
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::ManifestRejected).await;
    assert!(
        message(&release).contains("selector"),
        "{}",
        message(&release)
    );
    assert_eq!(pods().await, before);
    world.end().await;
}

#[tokio::test]
async fn killed_between_deletion_and_creation_the_next_run_creates() {
    // Given a Job that takes its time to go.
    let world = world("between").await;
    let jobs = Jobs::watch(world.api());
    let files = |image: &str| {
        let mut job = job(image);
        job["metadata"]["finalizers"] = json!([HELD]);
        let chart = with(note(), &job);
        json!({
            "chart": chart.inline(), "timeout": "1m30s", "failFast": {"grace": "1s"},
            "upgrade": {"onImmutable": "Recreate"},
        })
    };
    let operator = world.start();
    world.declare(RELEASE, &files("registry.example/m:1")).await;
    world.rests(RELEASE, Reason::Deployed).await;

    // When the operator dies while the old one is going, and that is gone when another operator comes.
    world.declare(RELEASE, &files("registry.example/m:2")).await;
    let api = world.api::<Job>();
    let going = |job: &Job| job.metadata.deletion_timestamp.is_some();
    until(&api, "migrate", "its deletion", LIMIT, going)
        .await
        .unwrap();
    operator.kill().unwrap();
    let let_go = || {
        let patch = json!({"metadata": {"finalizers": null}});
        let api = api.clone();
        async move {
            let patch = Patch::Merge(&patch);
            api.patch("migrate", &PatchParams::default(), &patch)
                .await
                .unwrap();
        }
    };
    let_go().await;
    belay_harness::gone(&api, "migrate", LIMIT).await.unwrap();
    let operator = world.start();

    // Then it makes the new one, once.
    let releases = world.api::<belay_api::HelmRelease>();
    until(&releases, RELEASE, "revision 2", GENEROUS, |release| {
        rests(release) == Some(Reason::Deployed) && crate::endure_world::current(release) == Some(2)
    })
    .await
    .unwrap();
    assert_eq!(world.history(RELEASE).await, ["superseded", "deployed"]);
    assert_eq!(jobs.counts()["migrate"], 2);
    operator.stop(LIMIT).await.unwrap();
    let_go().await;
}

#[tokio::test]
async fn a_spec_that_recreates_and_could_not_go_back_is_refused() {
    let world = operated_world("oneway").await;
    let mut spec = recreating(&note(), &json!({}));
    spec["rollback"] = json!({"onImmutable": "Fail"});
    let refused = world.try_apply(SHOP, &spec).await.unwrap_err().to_string();
    assert!(refused.contains("rollback.onImmutable"), "{refused}");
    world.end().await;
}
