//! Each fault looks as it does on a real node.

use belay_harness::{Cluster, GENEROUS, until};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::Api;
use serde_json::json;

use super::pods::{apply, is_ready, pod, template};

fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

/// Reason and message of the first container's waiting.
fn waiting(pod: &Pod) -> Option<(String, String)> {
    let waiting = container(pod)?.state.as_ref()?.waiting.clone()?;
    Some((waiting.reason?, waiting.message.unwrap_or_default()))
}

fn waits_for(reason: &'static str) -> impl FnMut(&Pod) -> bool {
    move |pod| waiting(pod).is_some_and(|(seen, _)| seen == reason)
}

#[tokio::test]
async fn an_image_that_does_not_exist_cannot_be_pulled() {
    for image in [
        "registry.example/no-such-image:1",
        "registry.example/web:does-not-exist",
        "belay.test/cannot-pull:1",
    ] {
        let pod = pod(
            image,
            json!({}),
            "ImagePullBackOff",
            waits_for("ImagePullBackOff"),
        )
        .await;
        let (_, message) = waiting(&pod).unwrap();
        assert!(
            message.contains(&format!("failed to pull and unpack image \"{image}\"")),
            "{message}"
        );
        assert!(message.ends_with("not found"), "{message}");
        assert!(!is_ready(&pod));
    }
}

#[tokio::test]
async fn an_annotation_chooses_a_fault_for_any_image() {
    let annotations = json!({"belay.test/fault": "invalid-image-name"});
    let pod = pod(
        "registry.example/web:1",
        annotations,
        "InvalidImageName",
        waits_for("InvalidImageName"),
    )
    .await;
    assert!(
        waiting(&pod)
            .unwrap()
            .1
            .contains("invalid reference format")
    );
}

#[tokio::test]
async fn a_container_that_lacks_its_configuration_does_not_start() {
    pod(
        "belay.test/config-error:1",
        json!({}),
        "CreateContainerConfigError",
        waits_for("CreateContainerConfigError"),
    )
    .await;
}

#[tokio::test]
async fn a_registry_that_answers_again_lets_the_pod_start() {
    let annotations = json!({"belay.test/recovers-after": "500ms"});
    let mut waited = false;
    pod(
        "belay.test/registry-unreachable:1",
        annotations,
        "readiness",
        |pod| {
            waited |= waiting(pod).is_some_and(|(_, message)| message.contains("i/o timeout"));
            is_ready(pod)
        },
    )
    .await;
    assert!(waited);
}

#[tokio::test]
async fn a_crash_loop_counts_its_restarts() {
    let pod = pod(
        "belay.test/crash-loop:1",
        json!({}),
        "a third restart",
        |pod| {
            container(pod).is_some_and(|container| container.restart_count >= 2)
                && waits_for("CrashLoopBackOff")(pod)
        },
    )
    .await;
    let last = container(&pod)
        .unwrap()
        .last_state
        .clone()
        .unwrap()
        .terminated
        .unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (1, Some("Error")));
}

#[tokio::test]
async fn a_container_without_enough_memory_is_killed() {
    let pod = pod(
        "belay.test/oom-killed:1",
        json!({}),
        "CrashLoopBackOff",
        waits_for("CrashLoopBackOff"),
    )
    .await;
    let last = container(&pod)
        .unwrap()
        .last_state
        .clone()
        .unwrap()
        .terminated
        .unwrap();
    assert_eq!(
        (last.exit_code, last.reason.as_deref()),
        (137, Some("OOMKilled"))
    );
}

#[tokio::test]
async fn a_pod_can_degrade_after_it_was_ready() {
    let mut was_ready = false;
    pod(
        "registry.example/web:1",
        json!({"belay.test/degrade-after": "500ms"}),
        "degradation",
        |pod| {
            was_ready |= is_ready(pod);
            was_ready && !is_ready(pod)
        },
    )
    .await;
}

#[tokio::test]
async fn a_pod_can_run_and_never_be_ready() {
    let pod = pod("belay.test/never-ready:1", json!({}), "running", |pod| {
        pod.status
            .as_ref()
            .and_then(|status| status.phase.as_deref())
            == Some("Running")
    })
    .await;
    assert!(!is_ready(&pod));
}

#[tokio::test]
async fn only_the_container_whose_image_names_the_fault_has_it() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("sidecar").await.unwrap();
    let spec = json!({"containers": [
        {"name": "web", "image": "registry.example/web:1"},
        {"name": "sidecar", "image": "belay.test/cannot-pull:1"},
    ]});
    apply(&cluster, &namespace, "v1", "Pod", spec).await;

    let pods = Api::<Pod>::namespaced(cluster.client().await.unwrap(), namespace.name());
    let pod = until(&pods, "web", "a sidecar that waits", GENEROUS, |pod| {
        let containers = pod
            .status
            .as_ref()
            .and_then(|status| status.container_statuses.as_ref());
        containers.is_some_and(|all| {
            all.iter().any(|one| {
                one.state
                    .as_ref()
                    .is_some_and(|state| state.waiting.is_some())
            })
        })
    })
    .await
    .unwrap();
    let containers = pod.status.unwrap().container_statuses.unwrap();
    let ready: Vec<_> = containers
        .iter()
        .map(|one| (one.name.as_str(), one.ready))
        .collect();
    assert_eq!(ready, [("web", true), ("sidecar", false)]);
}

#[tokio::test]
async fn a_job_fails() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("job").await.unwrap();
    let mut template = template("belay.test/fail:1", &json!({}));
    template["spec"]["restartPolicy"] = json!("Never");
    apply(
        &cluster,
        &namespace,
        "batch/v1",
        "Job",
        json!({"backoffLimit": 0, "template": template}),
    )
    .await;

    let jobs = Api::<Job>::namespaced(cluster.client().await.unwrap(), namespace.name());
    let seen = until(&jobs, "web", "failure", GENEROUS, |job| {
        let conditions = job
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| {
            all.iter()
                .any(|one| one.type_ == "Failed" && one.status == "True")
        })
    });
    seen.await.unwrap();
}

#[tokio::test]
async fn the_logs_of_the_crashed_container_can_be_read() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("logs").await.unwrap();
    let spec = json!({"containers": [{"name": "web", "image": "belay.test/crash-loop:1"}]});
    apply(&cluster, &namespace, "v1", "Pod", spec).await;
    let pods = Api::<Pod>::namespaced(cluster.client().await.unwrap(), namespace.name());
    until(
        &pods,
        "web",
        "CrashLoopBackOff",
        GENEROUS,
        waits_for("CrashLoopBackOff"),
    )
    .await
    .unwrap();

    let logs = cluster
        .kubectl(&["logs", "web", "-n", namespace.name(), "--previous"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(logs.contains("panic: cannot reach the database"), "{logs}");
}
