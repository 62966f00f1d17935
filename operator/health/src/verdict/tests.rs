use serde_json::{Value, json};

use super::*;

/// An object whose controller has observed generation 2.
fn object(api_version: &str, kind: &str, spec: &Value, status: &Value) -> Value {
    let mut object = json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": "web", "namespace": "shop", "generation": 2},
        "spec": spec, "status": status
    });
    if object["status"].get("observedGeneration").is_none() {
        object["status"]["observedGeneration"] = json!(2);
    }
    object
}

fn deployment(spec: &Value, status: &Value) -> Value {
    object("apps/v1", "Deployment", spec, status)
}

fn widget(status: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget",
           "metadata": {"name": "w", "generation": 2}, "status": status})
}

fn waits(object: &Value) -> (ProgressReason, String) {
    match verdict(object) {
        Verdict::Progressing { reason, message } => (reason, message),
        other => panic!("expected Progressing, found {other}"),
    }
}

fn fails(object: &Value) -> (FailureClass, String, String) {
    match verdict(object) {
        Verdict::Failed {
            class,
            reason,
            message,
        } => (class, reason, message),
        other => panic!("expected Failed, found {other}"),
    }
}

fn is_current(object: &Value) {
    assert_eq!(verdict(object), Verdict::Current);
}

#[test]
fn what_is_not_there_is_missing() {
    assert_eq!(verdict(&Value::Null), Verdict::Missing);
}

#[test]
fn deletion_is_asked_before_everything_else() {
    let mut stalled = widget(&json!({"conditions": [{"type": "Stalled", "status": "True"}]}));
    stalled["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(verdict(&stalled), Verdict::Terminating);
}

#[test]
fn a_status_of_an_older_generation_is_not_believed() {
    let stale = widget(&json!({"observedGeneration": 1,
                               "conditions": [{"type": "Ready", "status": "True"}]}));
    assert_eq!(
        waits(&stale),
        (
            ProgressReason::GenerationNotObserved,
            "generation 2 is not observed yet, the status is of 1".to_owned()
        )
    );
}

#[test]
fn an_object_that_reconciles_or_is_stalled_is_believed_before_its_kind_is_asked() {
    let busy = widget(&json!({"conditions": [
        {"type": "Ready", "status": "True"},
        {"type": "Reconciling", "status": "True", "message": "building"}]}));
    assert_eq!(
        waits(&busy),
        (ProgressReason::Reconciling, "building".to_owned())
    );
    let stalled = widget(&json!({"conditions": [
        {"type": "Ready", "status": "True"},
        {"type": "Stalled", "status": "True", "reason": "BadSpec", "message": "no such size"}]}));
    assert_eq!(
        fails(&stalled),
        (
            FailureClass::Terminal,
            "BadSpec".to_owned(),
            "no such size".to_owned()
        )
    );
}

#[test]
fn a_custom_resource_is_ready_when_it_says_so_or_says_nothing() {
    is_current(&widget(
        &json!({"conditions": [{"type": "Ready", "status": "True"}]}),
    ));
    is_current(&widget(&json!({})));
    let not_ready = widget(&json!({"conditions": [
        {"type": "Ready", "status": "False", "reason": "Pending", "message": "issuing"}]}));
    assert_eq!(
        waits(&not_ready),
        (ProgressReason::NotReady, "issuing".to_owned())
    );
}

#[test]
fn a_ready_condition_of_an_older_generation_is_not_believed() {
    let stale = widget(&json!({"conditions": [
        {"type": "Ready", "status": "True", "observedGeneration": 1}]}));
    assert_eq!(waits(&stale).0, ProgressReason::GenerationNotObserved);
}

#[test]
fn a_custom_resource_that_nobody_reported_on_is_told_apart() {
    assert!(without_report(&widget(&json!({}))));
    assert!(!without_report(&widget(&json!({"observedGeneration": 2}))));
    assert!(!without_report(&widget(
        &json!({"conditions": [{"type": "Synced"}]})
    )));
    assert!(!without_report(&object(
        "networking.k8s.io/v1",
        "Ingress",
        &json!({}),
        &json!({})
    )));
}

#[test]
fn a_deployment_is_current_when_all_replicas_are_updated_and_available_and_none_is_surplus() {
    let cases = [
        ((3, 1, 3), "1 of 3 replicas updated"),
        ((4, 3, 1), "1 of 3 updated replicas available"),
        ((4, 3, 3), "1 old replica not gone yet"),
        ((5, 3, 3), "2 old replicas not gone yet"),
    ];
    for ((total, updated, available), message) in cases {
        let rolling = deployment(
            &json!({"replicas": 3}),
            &json!({"replicas": total, "updatedReplicas": updated, "availableReplicas": available}),
        );
        assert_eq!(
            waits(&rolling),
            (ProgressReason::Replicas, message.to_owned())
        );
    }
    is_current(&deployment(
        &json!({"replicas": 3}),
        &json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}),
    ));
}

#[test]
fn a_single_replica_that_may_be_unavailable_is_waited_for_all_the_same() {
    let spec = json!({"replicas": 1,
                      "strategy": {"rollingUpdate": {"maxUnavailable": 1}}});
    let starting = deployment(&spec, &json!({"replicas": 1, "updatedReplicas": 1}));
    assert_eq!(waits(&starting).1, "0 of 1 updated replicas available");
}

#[test]
fn a_deployment_scaled_to_nothing_is_current_once_its_controller_has_seen_it() {
    is_current(&deployment(&json!({"replicas": 0}), &json!({})));
    let unseen = json!({"apiVersion": "apps/v1", "kind": "Deployment",
                        "metadata": {"generation": 1}, "spec": {"replicas": 0}});
    assert_eq!(waits(&unseen).0, ProgressReason::GenerationNotObserved);
}

#[test]
fn a_paused_deployment_counts_as_ready() {
    is_current(&deployment(
        &json!({"replicas": 3, "paused": true}),
        &json!({}),
    ));
}

#[test]
fn a_passed_progress_deadline_is_a_timeout_unless_everything_is_there() {
    let conditions = json!([{"type": "Progressing", "status": "False",
                             "reason": "ProgressDeadlineExceeded", "message": "too long"}]);
    let stuck = deployment(
        &json!({"replicas": 1}),
        &json!({"replicas": 2, "updatedReplicas": 1, "conditions": conditions}),
    );
    assert_eq!(
        fails(&stuck),
        (
            FailureClass::Timeout,
            "ProgressDeadlineExceeded".to_owned(),
            "progress deadline exceeded, 0 of 1 updated replicas available".to_owned()
        )
    );
    is_current(&deployment(
        &json!({"replicas": 1}),
        &json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
                "conditions": conditions}),
    ));
}

#[test]
fn pods_that_cannot_be_created_say_why_and_decide_the_class_of_a_timeout() {
    let cases = [
        (
            "pods \"web\" is forbidden: exceeded quota: q",
            ProgressReason::QuotaExceeded,
        ),
        (
            "Internal error: failed calling webhook \"x\"",
            ProgressReason::WebhookUnreachable,
        ),
        (
            "pods \"web\" is forbidden: violates PodSecurity",
            ProgressReason::ReplicaFailure,
        ),
    ];
    for (message, reason) in cases {
        let held = deployment(
            &json!({"replicas": 1}),
            &json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]}),
        );
        assert_eq!(waits(&held), (reason, message.to_owned()));
    }
    assert_eq!(
        ProgressReason::QuotaExceeded.class_at_deadline(),
        FailureClass::Transient
    );
    assert_eq!(
        ProgressReason::ReplicaFailure.class_at_deadline(),
        FailureClass::Timeout
    );
}

fn stateful_set(spec: &Value, status: &Value) -> Value {
    object("apps/v1", "StatefulSet", spec, status)
}

#[test]
fn a_stateful_set_needs_its_replicas_updated_ready_and_of_one_revision() {
    let status = |updated: i64, ready: i64, total: i64, current: &str| {
        json!({"replicas": total, "updatedReplicas": updated, "readyReplicas": ready,
               "availableReplicas": ready, "currentRevision": current, "updateRevision": "b"})
    };
    let spec = json!({"replicas": 3, "updateStrategy":
                      {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}});
    let cases = [
        (status(2, 3, 3, "a"), "2 of 3 replicas updated"),
        (status(3, 2, 3, "a"), "2 of 3 replicas ready"),
        (status(3, 3, 4, "a"), "1 surplus replica not gone yet"),
        (
            status(3, 3, 3, "a"),
            "the update to the newest revision is not complete",
        ),
    ];
    for (status, message) in cases {
        assert_eq!(
            waits(&stateful_set(&spec, &status)),
            (ProgressReason::Replicas, message.to_owned())
        );
    }
    is_current(&stateful_set(&spec, &status(3, 3, 3, "b")));
}

#[test]
fn a_partition_holds_back_replicas_and_revisions_may_differ() {
    let spec = json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
    is_current(&stateful_set(
        &spec,
        &json!({"replicas": 3, "updatedReplicas": 1, "readyReplicas": 3,
                "currentRevision": "a", "updateRevision": "b"}),
    ));
}

#[test]
fn who_replaces_pods_by_hand_is_not_waited_for() {
    let spec = json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}});
    is_current(&stateful_set(&spec, &json!({})));
    is_current(&object("apps/v1", "DaemonSet", &spec, &json!({})));
}

#[test]
fn ready_replicas_that_have_to_settle_are_not_available_yet() {
    let settling = stateful_set(
        &json!({"replicas": 1, "minReadySeconds": 5}),
        &json!({"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 0,
                "currentRevision": "b", "updateRevision": "b"}),
    );
    assert_eq!(waits(&settling).1, "0 of 1 replicas available");
}

#[test]
fn a_daemon_set_needs_an_updated_available_pod_on_every_node() {
    let status = |scheduled: i64, updated: i64, available: i64| {
        json!({"desiredNumberScheduled": 2, "currentNumberScheduled": scheduled,
               "updatedNumberScheduled": updated, "numberAvailable": available})
    };
    let cases = [
        (status(1, 1, 1), "1 of 2 pods scheduled"),
        (status(2, 1, 2), "1 of 2 pods updated"),
        (status(2, 2, 1), "1 of 2 pods available"),
    ];
    for (status, message) in cases {
        let rolling = object("apps/v1", "DaemonSet", &json!({}), &status);
        assert_eq!(waits(&rolling).1, message);
    }
    is_current(&object(
        "apps/v1",
        "DaemonSet",
        &json!({}),
        &status(2, 2, 2),
    ));
    let uncounted = object("apps/v1", "DaemonSet", &json!({}), &json!({}));
    assert_eq!(waits(&uncounted).0, ProgressReason::GenerationNotObserved);
}

#[test]
fn a_replica_set_needs_its_replicas_available() {
    let spec = json!({"replicas": 2});
    let starting = json!({"replicas": 2, "availableReplicas": 1});
    let done = json!({"replicas": 2, "availableReplicas": 2});
    for (version, kind) in [("apps/v1", "ReplicaSet"), ("v1", "ReplicationController")] {
        let message = waits(&object(version, kind, &spec, &starting)).1;
        assert_eq!(message, "1 of 2 replicas available");
        is_current(&object(version, kind, &spec, &done));
    }
}

#[test]
fn a_claim_is_current_when_bound_and_lost_for_good_without_its_volume() {
    let claim = |phase: &str| json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": phase}});
    is_current(&claim("Bound"));
    assert_eq!(waits(&claim("Pending")).0, ProgressReason::ClaimPending);
    assert_eq!(fails(&claim("Lost")).1, "ClaimLost");
}

#[test]
fn a_load_balancer_needs_an_address_and_other_services_nothing() {
    let service = |spec: &Value, status: &Value| json!({"apiVersion": "v1", "kind": "Service", "spec": spec, "status": status});
    let balancer = json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"});
    let waiting = service(&balancer, &json!({"loadBalancer": {}}));
    assert_eq!(waits(&waiting).0, ProgressReason::NoAddress);
    is_current(&service(
        &balancer,
        &json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}),
    ));
    is_current(&service(
        &json!({"type": "LoadBalancer", "externalIPs": ["1.2.3.4"]}),
        &json!({}),
    ));
    is_current(&service(&json!({"type": "ClusterIP"}), &json!({})));
}

#[test]
fn a_definition_is_current_when_served_and_failed_when_its_names_are_taken() {
    let definition = |conditions: &Value| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "status": {"conditions": conditions}})
    };
    is_current(&definition(
        &json!([{"type": "Established", "status": "True"}]),
    ));
    let installing = json!([{"type": "Established", "status": "False", "reason": "Installing"}]);
    assert_eq!(
        waits(&definition(&installing)).0,
        ProgressReason::NotEstablished
    );
    assert_eq!(
        waits(&definition(&json!([]))).0,
        ProgressReason::NotEstablished
    );
    let taken = json!([{"type": "NamesAccepted", "status": "False",
                        "reason": "ListKindConflict", "message": "taken"}]);
    assert_eq!(fails(&definition(&taken)).1, "ListKindConflict");
}

fn job(spec: &Value, status: &Value) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "spec": spec, "status": status})
}

#[test]
fn a_job_has_to_complete() {
    let running = job(
        &json!({"completions": 3}),
        &json!({"succeeded": 1, "failed": 1, "active": 1}),
    );
    assert_eq!(
        waits(&running),
        (
            ProgressReason::JobRunning,
            "1 of 3 completions, 1 failed".to_owned()
        )
    );
    is_current(&job(
        &json!({}),
        &json!({"conditions": [{"type": "Complete", "status": "True"}]}),
    ));
}

#[test]
fn a_job_fails_as_soon_as_its_failure_is_decided() {
    for kind in ["Failed", "FailureTarget"] {
        let failed = job(
            &json!({}),
            &json!({"conditions": [{"type": kind, "status": "True",
                    "reason": "BackoffLimitExceeded", "message": "too often"}]}),
        );
        assert_eq!(
            fails(&failed),
            (
                FailureClass::Terminal,
                "BackoffLimitExceeded".to_owned(),
                "too often".to_owned()
            )
        );
    }
    let counted = job(&json!({"backoffLimit": 0}), &json!({"failed": 1}));
    assert_eq!(fails(&counted).2, "1 pods failed, 0 may be retried");
}

#[test]
fn a_suspended_job_of_a_release_has_nothing_to_wait_for() {
    is_current(&job(&json!({"suspend": true}), &json!({})));
}

fn pod(status: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "status": status})
}

#[test]
fn a_pod_is_current_when_ready_or_succeeded() {
    is_current(&pod(
        &json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
    ));
    is_current(&pod(&json!({"phase": "Succeeded"})));
    assert_eq!(
        waits(&pod(&json!({"phase": "Pending"}))).0,
        ProgressReason::PodStarting
    );
    assert_eq!(waits(&pod(&json!({}))).0, ProgressReason::PodStarting);
}

#[test]
fn a_failed_pod_is_a_failure_and_an_evicted_one_a_transient() {
    let failed = pod(&json!({"phase": "Failed", "containerStatuses": [
        {"name": "web", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}));
    assert_eq!(
        fails(&failed),
        (
            FailureClass::Terminal,
            "PodFailed".to_owned(),
            "container web: PodFailed (exit code 3)".to_owned()
        )
    );
    let evicted = pod(&json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}));
    assert_eq!(fails(&evicted).0, FailureClass::Transient);
}

#[test]
fn a_pod_that_no_node_takes_or_that_crashes_is_still_on_its_way() {
    let unscheduled = pod(&json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
         "message": "0/3 nodes are available"}]}));
    assert_eq!(
        waits(&unscheduled),
        (
            ProgressReason::Unschedulable,
            "0/3 nodes are available".to_owned()
        )
    );
    let crashing = pod(&json!({"phase": "Running", "containerStatuses": [
        {"name": "web", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}));
    assert_eq!(
        waits(&crashing),
        (
            ProgressReason::PodStarting,
            "container web: CrashLoopBackOff (2 restarts)".to_owned()
        )
    );
}

#[test]
fn kinds_that_only_hold_something_are_current_as_soon_as_they_exist() {
    for (version, kind) in [
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("batch/v1", "CronJob"),
        ("policy/v1", "PodDisruptionBudget"),
        ("networking.k8s.io/v1", "Ingress"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ] {
        is_current(&json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}));
    }
}

#[test]
fn a_kind_of_the_same_name_in_another_group_is_not_taken_for_kubernetes_own() {
    let foreign = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service",
                         "spec": {"type": "LoadBalancer"}, "status": {"conditions": [
                             {"type": "Ready", "status": "True"}]}});
    is_current(&foreign);
}

#[test]
fn fields_of_a_wrong_type_never_stop_the_judgement() {
    for odd in [
        json!(5),
        json!([]),
        json!({"apiVersion": 1, "kind": [], "status": "up"}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "status": {"conditions": {}}}),
    ] {
        let _ = verdict(&odd);
    }
}

fn api_service(service: &Value, status: &Value) -> Value {
    json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1.example.org"}, "spec": {"service": service}, "status": status,
    })
}

#[test]
fn an_aggregated_api_has_to_answer() {
    let behind = json!({"name": "adapter", "namespace": "shop"});
    let available = |status: &str| {
        let message = "failing or missing response from https://10.0.0.7:443/apis/example.org/v1";
        json!({"conditions": [{
            "type": "Available", "status": status, "reason": "FailedDiscoveryCheck", "message": message,
        }]})
    };
    is_current(&api_service(&behind, &available("True")));
    let (reason, message) = waits(&api_service(&behind, &available("False")));
    assert_eq!(reason, ProgressReason::ApiNotAvailable);
    assert!(
        message.starts_with("FailedDiscoveryCheck: failing or missing response from https://"),
        "{message}"
    );
    // Nobody has asked the server behind it yet; without one the API server answers by itself.
    assert_eq!(
        waits(&api_service(&behind, &json!({}))).0,
        ProgressReason::ApiNotAvailable
    );
    is_current(&api_service(&Value::Null, &json!({})));
}
