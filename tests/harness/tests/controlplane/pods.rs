//! The manifests of these tests, and what healthy pods do.

use belay_harness::{Cluster, GENEROUS, TestNamespace, until};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use serde_json::{Value, json};

/// A pod template with one container, as JSON.
pub fn template(image: &str, annotations: &Value) -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}, "annotations": annotations},
        "spec": {"containers": [{"name": "web", "image": image}]},
    })
}

/// Applies an object made of these parts.
pub async fn apply(
    cluster: &Cluster,
    namespace: &TestNamespace,
    api_version: &str,
    kind: &str,
    spec: Value,
) {
    let object = json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "web", "namespace": namespace.name()},
        "spec": spec,
    });
    cluster
        .apply(&object.to_string())
        .await
        .unwrap()
        .ok()
        .unwrap();
}

/// Applies a bare pod and waits for what is looked for in it.
pub async fn pod(
    image: &str,
    annotations: Value,
    what: &str,
    holds: impl FnMut(&Pod) -> bool,
) -> Pod {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("pod").await.unwrap();
    let pod = template(image, &annotations);
    let object = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": namespace.name(), "annotations": annotations},
        "spec": pod["spec"],
    });
    cluster
        .apply(&object.to_string())
        .await
        .unwrap()
        .ok()
        .unwrap();
    let pods = Api::<Pod>::namespaced(cluster.client().await.unwrap(), namespace.name());
    until(&pods, "web", what, GENEROUS, holds).await.unwrap()
}

pub fn is_ready(pod: &Pod) -> bool {
    let status = serde_json::to_value(&pod.status).unwrap();
    status["conditions"].as_array().is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    })
}

#[tokio::test]
async fn a_deployment_becomes_available() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("deployment").await.unwrap();
    let spec = json!({
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template("registry.example/web:1", &json!({})),
    });
    apply(&cluster, &namespace, "apps/v1", "Deployment", spec).await;

    let deployments =
        Api::<Deployment>::namespaced(cluster.client().await.unwrap(), namespace.name());
    let seen = until(
        &deployments,
        "web",
        "two available replicas",
        GENEROUS,
        |deployment| {
            deployment
                .status
                .as_ref()
                .is_some_and(|status| status.available_replicas == Some(2))
        },
    );
    seen.await.unwrap();
}

#[tokio::test]
async fn a_stateful_set_gets_the_volumes_that_it_claims() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("claims").await.unwrap();
    let spec = json!({
        "replicas": 2,
        "serviceName": "web",
        "selector": {"matchLabels": {"app": "web"}},
        "template": template("registry.example/db:1", &json!({})),
        "volumeClaimTemplates": [{
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }],
    });
    apply(&cluster, &namespace, "apps/v1", "StatefulSet", spec).await;

    let sets = Api::<StatefulSet>::namespaced(cluster.client().await.unwrap(), namespace.name());
    let seen = until(&sets, "web", "two ready replicas", GENEROUS, |set| {
        set.status
            .as_ref()
            .is_some_and(|status| status.ready_replicas == Some(2))
    });
    seen.await.unwrap();
}

#[tokio::test]
async fn a_job_completes() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("job").await.unwrap();
    let mut template = template("registry.example/migrate:1", &json!({}));
    template["spec"]["restartPolicy"] = json!("Never");
    apply(
        &cluster,
        &namespace,
        "batch/v1",
        "Job",
        json!({"template": template}),
    )
    .await;

    let jobs = Api::<Job>::namespaced(cluster.client().await.unwrap(), namespace.name());
    let seen = until(&jobs, "web", "completion", GENEROUS, |job| {
        job.status
            .as_ref()
            .is_some_and(|status| status.succeeded == Some(1) && status.completion_time.is_some())
    });
    seen.await.unwrap();
}

#[tokio::test]
async fn a_load_balancer_has_an_address() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("service").await.unwrap();
    let spec = json!({"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]});
    apply(&cluster, &namespace, "v1", "Service", spec).await;

    let services = Api::<Service>::namespaced(cluster.client().await.unwrap(), namespace.name());
    let seen = until(&services, "web", "an address", GENEROUS, |service| {
        serde_json::to_value(&service.status).unwrap()["loadBalancer"]["ingress"][0]["ip"]
            .is_string()
    });
    seen.await.unwrap();
}

#[tokio::test]
async fn a_pod_can_be_told_to_be_ready_later() {
    let mut unready_seen = false;
    pod(
        "registry.example/web:1",
        json!({"belay.test/ready-after": "1s"}),
        "readiness",
        |pod| {
            let running = pod
                .status
                .as_ref()
                .and_then(|status| status.phase.as_deref())
                == Some("Running");
            unready_seen |= running && !is_ready(pod);
            is_ready(pod)
        },
    )
    .await;
    assert!(unready_seen, "it was never seen running and not ready");
}
