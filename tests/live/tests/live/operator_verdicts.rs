//! When objects are ready, where Helm is known to be wrong or to wait in vain.

use belay_api::helm_release::FailureClass;
use belay_api::{HelmRelease, Reason};
use belay_harness::{GENEROUS, gone};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::operator_charts::{BROKEN, GOOD, note, shop};
use crate::operator_world::{SHOP, World, operated_world};

/// A Deployment of one pod that may be gone while it is replaced: all of it is "available" with no pod at all.
fn single() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{{ .Release.Name }}-web"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "{{ .Release.Name }}"}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            "template": {"metadata": {"labels": {"app": "{{ .Release.Name }}"}}, "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "web", "image": "{{ .Values.image }}"}],
            }},
        },
    })
}

#[tokio::test]
async fn one_replica_that_may_be_unavailable_is_waited_for_all_the_same() {
    let world = operated_world("single").await;
    let chart = shop().with("templates/deployment.yaml", &single().to_string());
    world.deploy(SHOP, &chart, &json!({})).await;
    let asked = world
        .roll_out(SHOP, &chart, &json!({"image": BROKEN}))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert_eq!(failure.class, FailureClass::Terminal);
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

/// A storage class whose claims are bound when a pod uses them, by nobody here.
async fn late_class(world: &World) -> String {
    let name = format!("{}-late", world.namespace());
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
        "provisioner": "belay.test/nobody", "volumeBindingMode": "WaitForFirstConsumer",
    });
    let classes: Api<StorageClass> = Api::all(world.client.clone());
    let class = serde_json::from_value(class).unwrap();
    let created = classes.create(&PostParams::default(), &class).await;
    created.unwrap();
    name
}

#[tokio::test]
async fn a_claim_that_waits_for_its_first_consumer_is_not_waited_for() {
    let world = operated_world("claim").await;
    let class = late_class(&world).await;
    let claim = |class: &str| {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "later"},
            "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": "1Gi"}}},
        })
    };
    let chart = note().with_object(&claim(&class));
    world.deploy(SHOP, &chart, &json!({})).await;
    let claims = world.api::<PersistentVolumeClaim>();
    let later = claims.get("later").await.unwrap();
    assert_eq!(later.status.unwrap().phase.as_deref(), Some("Pending"));
    // After a restart of what is known, too: the next revision leaves the claim as it is.
    world
        .deploy(SHOP, &chart, &json!({"greeting": "two"}))
        .await;

    // One that nobody binds, though nothing is waited for, is not ready.
    let spec =
        json!({"chart": note().with_object(&claim("no-such-class")).inline(), "timeout": "5s"});
    let asked = world.apply("other", &renamed(spec, "other")).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert!(
        failure.message.contains("the claim is not bound"),
        "{failure:?}"
    );
    let classes: Api<StorageClass> = Api::all(world.client.clone());
    classes
        .delete(&class, &DeleteParams::default())
        .await
        .unwrap();
    world.end().await;
}

/// The same chart for another release of the namespace.
fn renamed(mut spec: Value, name: &str) -> Value {
    let claim = &mut spec["chart"]["inline"]["files"]["templates/persistentvolumeclaim.yaml"];
    *claim = json!(claim.as_str().unwrap().replace("later", name));
    spec
}

fn job(ttl: u32) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "{{ .Release.Name }}-work"},
        "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": ttl, "template": {"spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "work", "image": "registry.example/work:1"}],
        }}},
    })
}

#[tokio::test]
async fn a_hook_job_that_the_cluster_deletes_when_it_is_complete_has_run() {
    let world = operated_world("hookttl").await;
    let mut hook = job(0);
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-install,post-install"});
    let chart = note().with_object(&hook);
    world.deploy(SHOP, &chart, &json!({})).await;
    world.end().await;
}

#[tokio::test]
async fn a_job_of_the_manifest_that_the_cluster_deletes_when_it_is_complete_is_not_missed() {
    let world = operated_world("jobttl").await;
    let chart = note().with_object(&job(0));
    world.deploy(SHOP, &chart, &json!({})).await;
    gone(&world.api::<Job>(), "shop-work", GENEROUS)
        .await
        .unwrap();
    world.deploy(SHOP, &chart, &json!({"note": "second"})).await;
    world.end().await;
}

#[tokio::test]
async fn a_job_of_the_manifest_that_failed_has_failed_although_the_cluster_deletes_it() {
    let world = operated_world("jobfails").await;
    let mut failing = job(0);
    failing["spec"]["template"]["spec"]["containers"][0]["image"] = json!("belay.test/fail:1");
    let chart = note().with_object(&failing);
    let asked = world
        .apply(
            SHOP,
            &json!({"chart": chart.inline(), "failFast": {"mode": "disabled"}, "timeout": "8s"}),
        )
        .await;
    let failed: HelmRelease = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = failed.status.unwrap().last_failure.unwrap();
    assert!(failure.message.contains("shop-work"), "{failure:?}");
    world.end().await;
}

/// As Helm: many kinds never get a report of any controller. Who knows better says so in `spec.readiness`.
#[tokio::test]
async fn a_custom_resource_is_ready_without_a_report_and_waited_for_with_one() {
    let world = operated_world("reports").await;
    let release = |ready: Option<&str>| {
        let conditions = ready
            .map(|status| json!([{"type": "Ready", "status": status, "message": "not today"}]));
        json!({"chart": crate::operator_readiness::gadgets(&world, conditions.as_ref()).inline(), "timeout": "5s"})
    };
    let asked = world.apply(SHOP, &release(None)).await;
    world.deployed(&asked).await;
    let asked = world.apply(SHOP, &release(Some("False"))).await;
    let failed: HelmRelease = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = failed.status.unwrap().last_failure.unwrap();
    assert!(failure.message.contains("not today"), "{failure:?}");
    crate::operator_readiness::forget(&world).await;
    world.end().await;
}
