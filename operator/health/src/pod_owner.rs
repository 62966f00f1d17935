//! Whose pod it is, and whether it is of the newest template.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::{at, flag, int, list, text};

const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HASH: &str = "controller-revision-hash";
const TEMPLATE_GENERATION: &str = "pod-template-generation";
const DAEMON_SET_GENERATION: &str = "deprecated.daemonset.template.generation";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The controller of an object, from its owner references.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Controller {
    /// Kind, for example `ReplicaSet`.
    pub kind: String,
    /// Name, in the object's own namespace.
    pub name: String,
    /// Unique id.
    pub uid: String,
}

/// The controller that an object's `ownerReferences` name.
pub fn controller_of(object: &Value) -> Option<Controller> {
    let owner = list(object, &["metadata", "ownerReferences"])
        .iter()
        .find(|owner| flag(owner, &["controller"]))?;
    Some(Controller {
        kind: text(owner, &["kind"])?.to_owned(),
        name: text(owner, &["name"])?.to_owned(),
        uid: text(owner, &["uid"])?.to_owned(),
    })
}

/// Whether a pod was made from the newest template of `owner`, an object of the release, so that
/// what is wrong with it can be held against the attempt in progress.
///
/// `replica_sets` are those of the namespace; only a Deployment needs them. While the owner's
/// controller has not observed the newest specification no pod counts as new, because the marks
/// that would tell are still those of the template before.
pub fn is_new_pod(pod: &Value, owner: &Value, replica_sets: &[Value]) -> bool {
    let Some(owner_uid) = text(owner, &["metadata", "uid"]) else {
        return false;
    };
    let kind = text(owner, &["kind"]).unwrap_or_default();
    if kind == "Pod" {
        return text(pod, &["metadata", "uid"]) == Some(owner_uid);
    }
    let Some(controller) = controller_of(pod) else {
        return false;
    };
    if kind == "Deployment" {
        return is_observed(owner)
            && replica_sets.iter().any(|set| {
                text(set, &["metadata", "uid"]) == Some(controller.uid.as_str())
                    && is_newest_replica_set(set, owner, owner_uid)
            });
    }
    if controller.uid != owner_uid {
        return false;
    }
    match kind {
        "StatefulSet" => {
            is_observed(owner)
                && equal(
                    label(pod, REVISION_HASH),
                    text(owner, &["status", "updateRevision"]),
                )
        }
        "DaemonSet" => {
            is_observed(owner)
                && equal(
                    label(pod, TEMPLATE_GENERATION),
                    annotation(owner, DAEMON_SET_GENERATION),
                )
        }
        // A Job's template never changes, and a ReplicaSet does not replace pods.
        _ => true,
    }
}

/// Whether a pod with something wrong keeps its `StatefulSet` from rolling out the newest template.
///
/// A `StatefulSet` replaces a pod of an older template only once that pod is ready, so that one which can never be
/// ready is waited for in vain, after its template was taken back too. Kubernetes documents this and leaves the
/// deletion to people: "Forced rollback" in its page on `StatefulSets`. Pods that the update strategy leaves alone
/// (`OnDelete`, a partition) are not meant, nor one that is going already.
pub fn is_stranded_pod(pod: &Value, owner: &Value) -> bool {
    let ours = controller_of(pod).is_some_and(|controller| {
        Some(controller.uid.as_str()) == text(owner, &["metadata", "uid"])
    });
    if !ours
        || text(owner, &["kind"]) != Some("StatefulSet")
        || !is_observed(owner)
        || text(pod, &["metadata", "deletionTimestamp"]).is_some()
        || text(owner, &["spec", "updateStrategy", "type"]) == Some("OnDelete")
    {
        return false;
    }
    let partition = int(
        owner,
        &["spec", "updateStrategy", "rollingUpdate", "partition"],
    );
    let index = label(pod, POD_INDEX).and_then(|index| index.parse::<i64>().ok());
    if partition.is_some_and(|partition| index.is_none_or(|index| index < partition)) {
        return false;
    }
    match (
        label(pod, REVISION_HASH),
        text(owner, &["status", "updateRevision"]),
    ) {
        (Some(of), Some(newest)) => of != newest,
        _ => false,
    }
}

fn is_newest_replica_set(set: &Value, deployment: &Value, deployment_uid: &str) -> bool {
    controller_of(set).is_some_and(|controller| controller.uid == deployment_uid)
        && equal(annotation(set, REVISION), annotation(deployment, REVISION))
}

fn is_observed(owner: &Value) -> bool {
    let generation = int(owner, &["metadata", "generation"]);
    let observed = int(owner, &["status", "observedGeneration"]);
    observed.is_some() && observed >= generation
}

fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    at(object, &["metadata", "labels", name]).and_then(Value::as_str)
}

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    at(object, &["metadata", "annotations", name]).and_then(Value::as_str)
}

fn equal(left: Option<&str>, right: Option<&str>) -> bool {
    left.is_some() && left == right
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owned(by: (&str, &str), metadata: &Value) -> Value {
        let mut object = json!({"metadata": metadata});
        object["metadata"]["ownerReferences"] =
            json!([{"kind": by.0, "name": "web", "uid": by.1, "controller": true}]);
        object
    }

    fn deployment(revision: &str, observed: i64) -> Value {
        json!({"kind": "Deployment", "metadata": {"uid": "d", "generation": 2,
               "annotations": {REVISION: revision}}, "status": {"observedGeneration": observed}})
    }

    fn replica_sets() -> Vec<Value> {
        vec![
            owned(
                ("Deployment", "d"),
                &json!({"uid": "rs1", "annotations": {REVISION: "1"}}),
            ),
            owned(
                ("Deployment", "d"),
                &json!({"uid": "rs2", "annotations": {REVISION: "2"}}),
            ),
        ]
    }

    #[test]
    fn a_deployments_pod_is_new_when_its_replica_set_carries_the_deployments_revision() {
        let old = owned(("ReplicaSet", "rs1"), &json!({}));
        let new = owned(("ReplicaSet", "rs2"), &json!({}));
        let owner = deployment("2", 2);
        assert!(is_new_pod(&new, &owner, &replica_sets()));
        assert!(!is_new_pod(&old, &owner, &replica_sets()));
    }

    #[test]
    fn no_pod_is_new_before_the_controller_has_seen_the_change() {
        let pod = owned(("ReplicaSet", "rs1"), &json!({}));
        assert!(!is_new_pod(&pod, &deployment("1", 1), &replica_sets()));
    }

    #[test]
    fn another_deployments_pod_is_never_new() {
        let pod = owned(("ReplicaSet", "rs2"), &json!({}));
        let mut other = deployment("2", 2);
        other["metadata"]["uid"] = json!("e");
        assert!(!is_new_pod(&pod, &other, &replica_sets()));
    }

    #[test]
    fn a_stateful_sets_pod_is_new_when_it_has_the_update_revision() {
        let owner = json!({"kind": "StatefulSet", "metadata": {"uid": "s", "generation": 3},
                           "status": {"observedGeneration": 3, "updateRevision": "web-b"}});
        let pod = |hash: &str| {
            owned(
                ("StatefulSet", "s"),
                &json!({"labels": {REVISION_HASH: hash}}),
            )
        };
        assert!(is_new_pod(&pod("web-b"), &owner, &[]));
        assert!(!is_new_pod(&pod("web-a"), &owner, &[]));
    }

    #[test]
    fn a_stateful_set_waits_in_vain_for_a_broken_pod_of_another_template() {
        let set = json!({"kind": "StatefulSet", "metadata": {"uid": "s", "generation": 3},
                         "spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
                         "status": {"observedGeneration": 3, "updateRevision": "web-b"}});
        let pod = |hash: &str, index: &str| {
            owned(
                ("StatefulSet", "s"),
                &json!({"labels": {REVISION_HASH: hash, POD_INDEX: index}}),
            )
        };
        assert!(is_stranded_pod(&pod("web-a", "1"), &set));
        assert!(!is_stranded_pod(&pod("web-b", "1"), &set));
        // Below the partition the older template is what is asked for.
        assert!(!is_stranded_pod(&pod("web-a", "0"), &set));
        let mut unseen = set.clone();
        unseen["metadata"]["generation"] = json!(4);
        assert!(!is_stranded_pod(&pod("web-a", "1"), &unseen));
        let mut by_hand = set.clone();
        by_hand["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        assert!(!is_stranded_pod(&pod("web-a", "1"), &by_hand));
        let mut going = pod("web-a", "1");
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(!is_stranded_pod(&going, &set));
    }

    #[test]
    fn a_daemon_sets_pod_is_new_when_it_has_the_template_generation() {
        let owner = json!({"kind": "DaemonSet",
            "metadata": {"uid": "n", "generation": 3, "annotations": {DAEMON_SET_GENERATION: "3"}},
            "status": {"observedGeneration": 3}});
        let pod = |generation: &str| {
            owned(
                ("DaemonSet", "n"),
                &json!({"labels": {TEMPLATE_GENERATION: generation}}),
            )
        };
        assert!(is_new_pod(&pod("3"), &owner, &[]));
        assert!(!is_new_pod(&pod("2"), &owner, &[]));
    }

    #[test]
    fn pods_of_a_job_and_a_pod_of_its_own_are_always_new() {
        let job = json!({"kind": "Job", "metadata": {"uid": "j"}});
        assert!(is_new_pod(&owned(("Job", "j"), &json!({})), &job, &[]));
        assert!(!is_new_pod(&owned(("Job", "k"), &json!({})), &job, &[]));
        let bare = json!({"kind": "Pod", "metadata": {"uid": "p"}});
        assert!(is_new_pod(&bare, &bare, &[]));
    }
}
