//! Our verdicts beside those of kstatus itself, for the kinds that Kubernetes brings. Where they differ it is meant to
//! be, and stands here.

use belay_harness::Judges;
use belay_health::{Verdict, verdict};
use serde_json::{Value, json};

/// Whether both say the same.
enum Together {
    /// They do.
    Same,
    /// They do not: kstatus' word, and why ours is another.
    Apart(&'static str, &'static str),
}
use Together::{Apart, Same};

/// An object, what we say of it, and what kstatus says.
struct Case {
    name: &'static str,
    object: Value,
    ours: &'static str,
    theirs: Together,
}

fn case(name: &'static str, object: Value, ours: &'static str, theirs: Together) -> Case {
    Case {
        name,
        object,
        ours,
        theirs,
    }
}

/// An object of this kind, in its second generation.
fn object(api: &str, kind: &str, spec: &Value, status: &Value) -> Value {
    json!({
        "apiVersion": api, "kind": kind,
        "metadata": {
            "name": "x", "namespace": "shop", "generation": 2,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec, "status": status,
    })
}

/// The same with more of a status.
fn with(mut status: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        status[key] = value.clone();
    }
    status
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "it says so"})
}

fn deployment(spec: &Value, status: &Value) -> Value {
    object("apps/v1", "Deployment", spec, status)
}

/// A Deployment's status with these replicas: all, updated, ready, available.
fn replicas(all: u32, updated: u32, ready: u32, available: u32) -> Value {
    json!({
        "observedGeneration": 2, "replicas": all, "updatedReplicas": updated,
        "readyReplicas": ready, "availableReplicas": available,
        "conditions": [
            condition("Available", "True", "MinimumReplicasAvailable"),
            condition("Progressing", "True", "NewReplicaSetAvailable"),
        ],
    })
}

fn deployments() -> Vec<Case> {
    let three = json!({"replicas": 3, "progressDeadlineSeconds": 600});
    let exceeded = json!({"conditions": [
        condition("Available", "True", "MinimumReplicasAvailable"),
        condition("Progressing", "False", "ProgressDeadlineExceeded"),
    ]});
    let paused = json!({"replicas": 3, "paused": true, "progressDeadlineSeconds": 600});
    let old = with(replicas(3, 3, 3, 3), &json!({"observedGeneration": 1}));
    let mut going = deployment(&three, &replicas(3, 3, 3, 3));
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    vec![
        case(
            "all there",
            deployment(&three, &replicas(3, 3, 3, 3)),
            "Current",
            Same,
        ),
        case(
            "none yet",
            deployment(&three, &json!({"observedGeneration": 2})),
            "Progressing",
            Same,
        ),
        case(
            "an older spec's status",
            deployment(&three, &old),
            "Progressing",
            Same,
        ),
        case("being deleted", going, "Terminating", Same),
        case(
            "some not updated",
            deployment(&three, &replicas(4, 2, 3, 3)),
            "Progressing",
            Same,
        ),
        case(
            "old pods still there",
            deployment(&three, &replicas(4, 3, 3, 3)),
            "Progressing",
            Same,
        ),
        case(
            "some not available",
            deployment(&three, &replicas(3, 3, 2, 2)),
            "Progressing",
            Same,
        ),
        case(
            "its deadline is over",
            deployment(&three, &with(replicas(3, 1, 3, 3), &exceeded)),
            "Failed",
            Same,
        ),
        case(
            "all there, and an older revision's deadline still stands",
            deployment(&three, &with(replicas(3, 3, 3, 3), &exceeded)),
            "Current",
            Apart(
                "Failed",
                "what runs is what was asked for; the condition is of before",
            ),
        ),
        case(
            "paused in the middle",
            deployment(&paused, &replicas(3, 1, 3, 3)),
            "Current",
            Apart(
                "InProgress",
                "somebody paused it: nothing comes by itself (Helm waits for none)",
            ),
        ),
        case(
            "nobody has looked at it yet",
            deployment(&json!({"replicas": 0}), &json!({})),
            "Progressing",
            Same,
        ),
    ]
}

fn stateful_sets() -> Vec<Case> {
    let set = |spec: Value, status: Value| object("apps/v1", "StatefulSet", &spec, &status);
    let status = |ready: u32, updated: u32, revision: &str| {
        json!({
            "observedGeneration": 2, "replicas": 2, "readyReplicas": ready,
            "currentReplicas": 2, "updatedReplicas": updated,
            "currentRevision": revision, "updateRevision": "new",
        })
    };
    let two = json!({"replicas": 2});
    let partitioned = json!({
        "replicas": 2, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
    });
    let by_hand = json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
    vec![
        case(
            "all there",
            set(two.clone(), status(2, 2, "new")),
            "Current",
            Same,
        ),
        case(
            "one not ready",
            set(two.clone(), status(1, 2, "new")),
            "Progressing",
            Same,
        ),
        case(
            "an update under way",
            set(two.clone(), status(2, 1, "old")),
            "Progressing",
            Same,
        ),
        case(
            "a partition is updated",
            set(partitioned.clone(), status(2, 1, "old")),
            "Current",
            Same,
        ),
        case(
            "a partition is not",
            set(partitioned, status(2, 0, "old")),
            "Progressing",
            Same,
        ),
        case(
            "replaced by hand",
            set(by_hand, status(1, 0, "old")),
            "Current",
            Same,
        ),
        case(
            "nobody has looked at it yet",
            set(json!({"replicas": 0}), json!({})),
            "Progressing",
            Apart(
                "Current",
                "a controller reports with its first status; before that nothing is known",
            ),
        ),
        case(
            "ready, and not for long enough",
            set(
                json!({"replicas": 2, "minReadySeconds": 30}),
                with(status(2, 2, "new"), &json!({"availableReplicas": 0})),
            ),
            "Progressing",
            Apart("Current", "kstatus does not know minReadySeconds"),
        ),
    ]
}

fn other_workloads() -> Vec<Case> {
    let daemon = |spec: Value, status: Value| object("apps/v1", "DaemonSet", &spec, &status);
    let nodes = |updated: u32, available: u32| {
        json!({
            "observedGeneration": 2, "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
            "updatedNumberScheduled": updated, "numberAvailable": available, "numberReady": available,
        })
    };
    let set = |status: Value| object("apps/v1", "ReplicaSet", &json!({"replicas": 2}), &status);
    let pods = |available: u32| {
        json!({
            "observedGeneration": 2, "replicas": 2, "fullyLabeledReplicas": 2,
            "readyReplicas": available, "availableReplicas": available,
        })
    };
    vec![
        case(
            "on all nodes",
            daemon(json!({}), nodes(3, 3)),
            "Current",
            Same,
        ),
        case(
            "not on all nodes",
            daemon(json!({}), nodes(3, 2)),
            "Progressing",
            Same,
        ),
        case(
            "not updated everywhere",
            daemon(json!({}), nodes(2, 3)),
            "Progressing",
            Same,
        ),
        case(
            "nodes not counted yet",
            daemon(json!({}), json!({})),
            "Progressing",
            Same,
        ),
        case(
            "replaced by hand",
            daemon(json!({"updateStrategy": {"type": "OnDelete"}}), nodes(1, 3)),
            "Current",
            Apart(
                "InProgress",
                "kstatus excuses OnDelete for StatefulSets only; a person replaces the pods",
            ),
        ),
        case("all there", set(pods(2)), "Current", Same),
        case("one not available", set(pods(1)), "Progressing", Same),
        case(
            "pods are refused",
            set(with(
                pods(1),
                &json!({"conditions": [condition("ReplicaFailure", "True", "FailedCreate")]}),
            )),
            "Progressing",
            Same,
        ),
    ]
}

fn pods() -> Vec<Case> {
    let pod = |status: Value| object("v1", "Pod", &json!({}), &status);
    let ready = |status: &str| condition("Ready", status, "");
    let crashes = json!([{
        "name": "web", "restartCount": 4, "ready": false,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
    }]);
    vec![
        case(
            "ready",
            pod(json!({"phase": "Running", "conditions": [ready("True")]})),
            "Current",
            Same,
        ),
        case("done", pod(json!({"phase": "Succeeded"})), "Current", Same),
        case(
            "not ready",
            pod(json!({"phase": "Running", "conditions": [ready("False")]})),
            "Progressing",
            Same,
        ),
        case(
            "pending",
            pod(json!({"phase": "Pending"})),
            "Progressing",
            Same,
        ),
        case("no phase yet", pod(json!({})), "Progressing", Same),
        case(
            "failed",
            pod(json!({"phase": "Failed"})),
            "Failed",
            Apart("Current", "a pod that failed has failed"),
        ),
        case(
            "crashes again and again",
            pod(
                json!({"phase": "Running", "conditions": [ready("False")], "containerStatuses": crashes}),
            ),
            "Progressing",
            Apart(
                "Failed",
                "how long a crash loop is borne with is decided by patience, not by one look",
            ),
        ),
        case(
            "no node takes it",
            pod(
                json!({"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable")]}),
            ),
            "Progressing",
            Apart("Failed", "a node may still come: decided at the deadline"),
        ),
    ]
}

fn jobs() -> Vec<Case> {
    let job = |spec: Value, status: Value| object("batch/v1", "Job", &spec, &status);
    let started = json!({"startTime": "2026-01-01T00:00:00Z", "active": 1});
    let ended = |kind: &str| {
        with(
            started.clone(),
            &json!({"conditions": [condition(kind, "True", "")]}),
        )
    };
    vec![
        case(
            "complete",
            job(json!({}), ended("Complete")),
            "Current",
            Same,
        ),
        case("failed", job(json!({}), ended("Failed")), "Failed", Same),
        case(
            "not started",
            job(json!({}), json!({})),
            "Progressing",
            Same,
        ),
        case(
            "running",
            job(json!({}), started.clone()),
            "Progressing",
            Apart(
                "Current",
                "a Job has to complete; kstatus is content with its start",
            ),
        ),
        case(
            "about to fail",
            job(json!({}), ended("FailureTarget")),
            "Failed",
            Apart(
                "Current",
                "the end is announced before the last pods are gone",
            ),
        ),
        case(
            "suspended",
            job(json!({"suspend": true}), json!({})),
            "Current",
            Apart(
                "InProgress",
                "somebody suspended it: nothing comes by itself",
            ),
        ),
        case(
            "a CronJob",
            object("batch/v1", "CronJob", &json!({}), &json!({})),
            "Current",
            Same,
        ),
    ]
}

fn api_service(available: &str, reason: &str) -> Value {
    let spec = json!({"group": "example.org", "version": "v1", "service": {"name": "adapter", "namespace": "shop"}});
    let status = json!({"conditions": [condition("Available", available, reason)]});
    let mut object = object("apiregistration.k8s.io/v1", "APIService", &spec, &status);
    // The aggregator counts no generations.
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("generation");
    object
}

fn the_rest() -> Vec<Case> {
    let claim = |phase: &str| {
        object(
            "v1",
            "PersistentVolumeClaim",
            &json!({}),
            &json!({"phase": phase}),
        )
    };
    let service = |spec: Value, status: Value| object("v1", "Service", &spec, &status);
    let balancer = json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"});
    let address = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    let definition = |conditions: Value| {
        let kind = "CustomResourceDefinition";
        object(
            "apiextensions.k8s.io/v1",
            kind,
            &json!({}),
            &json!({"conditions": conditions}),
        )
    };
    let custom = |status: Value| object("example.com/v1", "Thing", &json!({}), &status);
    let observed = |reason: Value| json!({"observedGeneration": 2, "conditions": [reason]});
    let mut stale = condition("Ready", "True", "Fine");
    stale["observedGeneration"] = 1.into();
    vec![
        case("bound", claim("Bound"), "Current", Same),
        case("pending", claim("Pending"), "Progressing", Same),
        case(
            "lost",
            claim("Lost"),
            "Failed",
            Apart("InProgress", "a volume that is gone does not come back"),
        ),
        case(
            "within the cluster",
            service(json!({"clusterIP": "10.0.0.1"}), json!({})),
            "Current",
            Same,
        ),
        case(
            "with an address",
            service(balancer.clone(), address),
            "Current",
            Same,
        ),
        case(
            "a load balancer without an address",
            service(balancer, json!({})),
            "Progressing",
            Apart(
                "Current",
                "kstatus looks at the address within the cluster only",
            ),
        ),
        case(
            "served",
            definition(json!([condition("Established", "True", "")])),
            "Current",
            Same,
        ),
        case("not served yet", definition(json!([])), "Progressing", Same),
        case(
            "its names are taken",
            definition(json!([condition("NamesAccepted", "False", "Conflict")])),
            "Failed",
            Same,
        ),
        case(
            "its server answers",
            api_service("True", "Passed"),
            "Current",
            Same,
        ),
        case(
            "its server does not answer",
            api_service("False", "FailedDiscoveryCheck"),
            "Progressing",
            Apart("Current", "kstatus has no rule for the kind"),
        ),
        case(
            "a Secret",
            object("v1", "Secret", &json!({}), &json!({})),
            "Current",
            Same,
        ),
        case(
            "a ConfigMap",
            object("v1", "ConfigMap", &json!({}), &json!({})),
            "Current",
            Same,
        ),
        case("no conditions", custom(json!({})), "Current", Same),
        case(
            "Ready",
            custom(observed(condition("Ready", "True", ""))),
            "Current",
            Same,
        ),
        case(
            "not Ready",
            custom(observed(condition("Ready", "False", ""))),
            "Progressing",
            Same,
        ),
        case(
            "reconciling",
            custom(observed(condition("Reconciling", "True", ""))),
            "Progressing",
            Same,
        ),
        case(
            "stalled",
            custom(observed(condition("Stalled", "True", ""))),
            "Failed",
            Same,
        ),
        case(
            "Ready for an older spec",
            custom(json!({"conditions": [stale]})),
            "Progressing",
            Apart("Current", "a condition of an older generation says nothing"),
        ),
    ]
}

/// Our verdict in kstatus' word.
fn as_kstatus(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Progressing { .. } => "InProgress",
        other => other.as_str(),
    }
}

#[tokio::test]
async fn our_verdicts_are_those_of_kstatus_but_where_it_is_meant_otherwise() {
    let judges = Judges::start().await.unwrap();
    let tables = [
        deployments(),
        stateful_sets(),
        other_workloads(),
        pods(),
        jobs(),
        the_rest(),
    ];
    let mut wrong = Vec::new();
    for case in tables.iter().flatten() {
        let kind = case.object["kind"].as_str().unwrap();
        let ours = verdict(&case.object);
        let theirs = judges.kstatus(&case.object).await.unwrap();
        let expected = match case.theirs {
            Same => as_kstatus(&ours),
            Apart(word, why) => {
                assert_ne!(
                    word,
                    as_kstatus(&ours),
                    "{kind}, {}: no difference ({why})",
                    case.name
                );
                word
            }
        };
        if ours.as_str() != case.ours || theirs.word() != expected {
            let name = case.name;
            wrong.push(format!(
                "{kind}, {name}: ours {ours}, expected {}; kstatus {theirs:?}, expected {expected}",
                case.ours
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
