use serde_json::{Value, json};

use super::*;

fn pod(statuses: &Value) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "web"}, "spec": {"restartPolicy": "Always"},
           "status": {"phase": "Pending", "containerStatuses": statuses}})
}

fn waiting(reason: &str, message: &str) -> Value {
    pod(&json!([{"name": "web", "restartCount": 0,
                 "state": {"waiting": {"reason": reason, "message": message}}}]))
}

fn fault(pod: &Value) -> PodFault {
    pod_fault(pod).expect("a fault")
}

#[test]
fn each_waiting_reason_of_the_kubelet_has_its_class() {
    use FaultClass::{Patience, Terminal, Transient};
    use PodFaultReason as R;
    let cases = [
        (
            "InvalidImageName",
            "couldn't parse image name",
            Terminal,
            R::InvalidImageName,
        ),
        (
            "ErrImageNeverPull",
            "not present with pull policy of Never",
            Terminal,
            R::ErrImageNeverPull,
        ),
        (
            "ErrImagePull",
            "web:9: manifest unknown",
            Terminal,
            R::ImageNotFound,
        ),
        (
            "ImagePullBackOff",
            "Back-off pulling image \"web:9\": ErrImagePull: not found",
            Terminal,
            R::ImageNotFound,
        ),
        (
            "ErrImagePull",
            "unauthorized: authentication required",
            Terminal,
            R::ImagePullDenied,
        ),
        (
            "ErrImagePull",
            "dial tcp: i/o timeout",
            Transient,
            R::RegistryUnavailable,
        ),
        (
            "ErrImagePull",
            "429 Too Many Requests",
            Transient,
            R::RegistryUnavailable,
        ),
        ("RegistryUnavailable", "", Transient, R::RegistryUnavailable),
        (
            "ImagePullBackOff",
            "Back-off pulling image \"web:9\"",
            Patience,
            R::ImagePullBackOff,
        ),
        (
            "SignatureValidationFailed",
            "",
            Terminal,
            R::SignatureValidationFailed,
        ),
        (
            "CreateContainerConfigError",
            "configmap \"settings\" not found",
            Patience,
            R::MissingConfig,
        ),
        (
            "CreateContainerConfigError",
            "couldn't find key url in Secret shop/db",
            Patience,
            R::MissingConfig,
        ),
        (
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root",
            Terminal,
            R::CreateContainerConfigError,
        ),
        (
            "CreateContainerConfigError",
            "odd",
            Patience,
            R::CreateContainerConfigError,
        ),
        (
            "CreateContainerError",
            "no command specified",
            Terminal,
            R::CreateContainerError,
        ),
        (
            "CreateContainerError",
            "context deadline exceeded",
            Transient,
            R::CreateContainerError,
        ),
        (
            "CreateContainerError",
            "odd",
            Patience,
            R::CreateContainerError,
        ),
        (
            "RunContainerError",
            "exec: \"run\": not in $PATH",
            Patience,
            R::RunContainerError,
        ),
        (
            "CrashLoopBackOff",
            "back-off 10s",
            Patience,
            R::CrashLoopBackOff,
        ),
    ];
    for (reason, message, class, expected) in cases {
        let found = fault(&waiting(reason, message));
        assert_eq!(
            (found.class, found.reason),
            (class, expected),
            "{reason}: {message}"
        );
        assert_eq!(found.message, message);
        assert_eq!(found.container.as_deref(), Some("web"));
    }
}

#[test]
fn a_pod_that_is_starting_in_the_ordinary_way_has_no_fault() {
    for reason in ["ContainerCreating", "PodInitializing"] {
        assert_eq!(pod_fault(&waiting(reason, "")), None);
    }
    assert_eq!(pod_fault(&json!({"metadata": {}})), None);
}

#[test]
fn a_crash_loop_tells_restarts_and_exit_code() {
    let crashing = pod(&json!([{"name": "web", "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "Error"}}}]));
    let found = fault(&crashing);
    assert_eq!((found.restarts, found.exit_code), (4, Some(137)));
    assert_eq!(
        found.to_string(),
        "container web: CrashLoopBackOff (exit code 137, 4 restarts): back-off 40s"
    );
}

#[test]
fn being_killed_for_memory_is_told_apart_from_other_crashes() {
    let looping = pod(&json!([{"name": "web", "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]));
    assert_eq!(fault(&looping).reason, PodFaultReason::OOMKilled);
    let just_now = pod(&json!([{"name": "web", "restartCount": 0,
        "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]));
    assert_eq!(fault(&just_now).reason, PodFaultReason::OOMKilled);
}

#[test]
fn a_container_that_ended_is_a_fault_only_if_it_ended_badly() {
    let ended = |code: i64| {
        pod(&json!([{"name": "web", "restartCount": 0,
                     "state": {"terminated": {"exitCode": code}}}]))
    };
    assert_eq!(fault(&ended(1)).reason, PodFaultReason::ContainerExited);
    assert_eq!(pod_fault(&ended(0)), None);
    let mut once = ended(1);
    once["spec"]["restartPolicy"] = json!("Never");
    assert_eq!(fault(&once).reason, PodFaultReason::PodFailed);
}

#[test]
fn a_container_that_runs_now_has_no_fault_whatever_happened_before() {
    let running = pod(
        &json!([{"name": "web", "restartCount": 9, "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 1}}}]),
    );
    assert_eq!(pod_fault(&running), None);
}

#[test]
fn a_failing_init_container_is_named_as_such() {
    let failing = json!({"status": {"phase": "Pending",
        "initContainerStatuses": [{"name": "migrate", "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 2}}}],
        "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "PodInitializing"}}}]}});
    let found = fault(&failing);
    assert!(found.init);
    assert_eq!(
        found.to_string(),
        "init container migrate: CrashLoopBackOff (exit code 2, 1 restart)"
    );
}

#[test]
fn of_several_faults_the_one_that_cannot_get_better_is_told() {
    let several = pod(&json!([
        {"name": "a", "state": {"waiting": {"reason": "ErrImagePull", "message": "i/o timeout"}}},
        {"name": "b", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        {"name": "c", "state": {"waiting": {"reason": "InvalidImageName"}}}]));
    assert_eq!(fault(&several).container.as_deref(), Some("c"));
}

#[test]
fn a_pod_that_no_node_takes_is_transient() {
    let unscheduled = json!({"status": {"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
         "message": "0/3 nodes are available"}]}});
    let found = fault(&unscheduled);
    assert_eq!(
        (found.class, found.reason, found.container),
        (FaultClass::Transient, PodFaultReason::Unschedulable, None)
    );
    let mut gated = unscheduled;
    gated["status"]["conditions"][0]["reason"] = json!("SchedulingGated");
    assert_eq!(pod_fault(&gated), None);
}

#[test]
fn what_the_node_did_to_a_pod_is_not_held_against_it() {
    let failed = |status: Value| json!({"status": status});
    let cases = [
        (
            json!({"phase": "Failed", "reason": "Evicted"}),
            PodFaultReason::Evicted,
        ),
        (
            json!({"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True"}]}),
            PodFaultReason::Evicted,
        ),
        (
            json!({"phase": "Failed", "reason": "OutOfcpu"}),
            PodFaultReason::NodeRejected,
        ),
        (
            json!({"phase": "Failed", "reason": "Terminated"}),
            PodFaultReason::NodeRejected,
        ),
    ];
    for (status, reason) in cases {
        let found = fault(&failed(status));
        assert_eq!((found.class, found.reason), (FaultClass::Transient, reason));
    }
}

#[test]
fn a_pod_that_is_going_or_has_done_its_work_has_no_fault() {
    let mut leaving = waiting("CrashLoopBackOff", "");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(pod_fault(&leaving), None);
    assert_eq!(pod_fault(&json!({"status": {"phase": "Succeeded"}})), None);
}
