//! Pods of the namespaces in which something rolls out: whose they are, and what is wrong with them.

use std::collections::BTreeMap;

use belay_health::{
    Controller, ObjectKey, PodFault, Sighting, controller_of, is_new_pod, is_stranded_pod,
    pod_fault,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A pod of a release with something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodObservation {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container; `None` when it is the pod as a whole.
    pub container: Option<String>,
    /// The object of the release that the pod belongs to.
    pub owner: ObjectKey,
    /// What is wrong.
    pub fault: PodFault,
    /// When it was first seen by us, without a break since.
    pub first_seen: Timestamp,
    /// Was the pod ready at any time that we saw?
    pub was_ready: bool,
}

impl PodObservation {
    /// What [`belay_health::patience`] asks, in milliseconds since 1970.
    pub fn sighting(&self) -> Sighting {
        Sighting {
            first_seen_ms: u64::try_from(self.first_seen.as_millisecond()).unwrap_or(0),
            was_ready: self.was_ready,
        }
    }
}

/// A broken pod of an older template that its `StatefulSet` waits for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrandedPod {
    /// The pod.
    pub pod: ObjectKey,
    /// Its uid.
    pub uid: String,
    /// The object of the release that the pod belongs to.
    pub owner: ObjectKey,
    /// What is wrong.
    pub fault: PodFault,
}

/// What is kept of one namespace.
#[derive(Debug, Default)]
pub(crate) struct PodTable {
    pods: BTreeMap<String, PodEntry>,
    /// Trimmed `ReplicaSets` by uid.
    replica_sets: BTreeMap<String, Value>,
}

#[derive(Debug)]
struct PodEntry {
    uid: String,
    created: Option<Timestamp>,
    /// Trimmed to what tells whose it is.
    trimmed: Value,
    fault: Option<(PodFault, Timestamp)>,
    was_ready: bool,
}

/// Whom news of a pod or of a `ReplicaSet` may concern: the uids of itself and of all that it was made by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lineage(Vec<String>);

impl Lineage {
    pub fn has(&self, uid: &str) -> bool {
        self.0.iter().any(|of| of == uid)
    }
}

/// An object of the release that may own pods, trimmed by [`trim_owner`].
pub(crate) struct PodOwner<'a> {
    pub key: &'a ObjectKey,
    pub trimmed: &'a Value,
}

impl PodTable {
    /// Takes a pod's state in; answers with its lineage when what is wrong with it changed.
    pub fn pod_seen(&mut self, name: &str, pod: &Value, now: Timestamp) -> Option<Lineage> {
        let uid = text(pod, "/metadata/uid").to_owned();
        let known = self.pods.get(name).filter(|known| known.uid == uid);
        let was_ready = known.is_some_and(|known| known.was_ready) || is_ready(pod);
        let before = known.and_then(|known| known.fault.clone());
        let fault = pod_fault(pod).map(|fault| {
            // A pull that fails alternates between two reasons; it is one fault all the same.
            let since = before
                .as_ref()
                .filter(|(old, _)| old.container == fault.container && old.class == fault.class)
                .map_or(now, |(_, since)| *since);
            (fault, since)
        });
        let changed =
            before.as_ref().map(|(fault, _)| fault) != fault.as_ref().map(|(fault, _)| fault);
        let created = text(pod, "/metadata/creationTimestamp").parse().ok();
        let trimmed = trim(
            pod,
            &[
                "controller-revision-hash",
                "pod-template-generation",
                "apps.kubernetes.io/pod-index",
            ],
            &[],
        );
        let lineage = changed.then(|| self.lineage(&trimmed));
        self.pods.insert(
            name.to_owned(),
            PodEntry {
                uid,
                created,
                trimmed,
                fault,
                was_ready,
            },
        );
        lineage
    }

    /// A pod is gone; answers with its lineage when something was wrong with it.
    pub fn pod_gone(&mut self, name: &str) -> Option<Lineage> {
        let gone = self.pods.remove(name)?;
        gone.fault.is_some().then(|| self.lineage(&gone.trimmed))
    }

    /// Takes the metadata of a `ReplicaSet` in; answers with its lineage when faults of its pods may now be told whose
    /// they are.
    pub fn replica_set_seen(&mut self, set: &Value) -> Option<Lineage> {
        let trimmed = trim(set, &[], &["deployment.kubernetes.io/revision"]);
        let uid = text(set, "/metadata/uid").to_owned();
        let concerns = self.pods.values().any(|pod| {
            pod.fault.is_some() && controller_of(&pod.trimmed).is_some_and(|by| by.uid == uid)
        });
        let lineage = self.lineage(&trimmed);
        let before = self.replica_sets.insert(uid, trimmed.clone());
        (concerns && before.as_ref() != Some(&trimmed)).then_some(lineage)
    }

    fn lineage(&self, trimmed: &Value) -> Lineage {
        let mut uids = vec![text(trimmed, "/metadata/uid").to_owned()];
        let by = controller_of(trimmed);
        let set = by.as_ref().and_then(|by| self.replica_sets.get(&by.uid));
        uids.extend(set.and_then(controller_of).map(|by| by.uid));
        uids.extend(by.map(|by| by.uid));
        Lineage(uids)
    }

    pub fn replica_set_gone(&mut self, set: &Value) {
        self.replica_sets.remove(text(set, "/metadata/uid"));
    }

    pub fn has_faults(&self) -> bool {
        self.pods.values().any(|pod| pod.fault.is_some())
    }

    /// Forgets pods that a new list does not have.
    pub fn retain_pods(&mut self, listed: &std::collections::BTreeSet<String>) -> bool {
        let before = self.pods.len();
        self.pods.retain(|name, _| listed.contains(name));
        self.pods.len() != before
    }

    /// What is wrong with pods of these owners that were created since, and from their newest template.
    pub fn faults(
        &self,
        namespace: &str,
        owners: &[PodOwner<'_>],
        since: Timestamp,
    ) -> Vec<PodObservation> {
        // One release has few of them, a namespace of many releases has many.
        let is_ours = |set: &&Value| {
            controller_of(set).is_some_and(|by| {
                let mut uids = owners
                    .iter()
                    .map(|owner| text(owner.trimmed, "/metadata/uid"));
                uids.any(|uid| uid == by.uid)
            })
        };
        let sets: Vec<Value> = self
            .replica_sets
            .values()
            .filter(is_ours)
            .cloned()
            .collect();
        let mut faults = Vec::new();
        for (name, pod) in &self.pods {
            let Some((fault, first_seen)) = &pod.fault else {
                continue;
            };
            if pod.created.is_none_or(|created| created < since) {
                continue;
            }
            let Some(owner) = owners
                .iter()
                .find(|owner| is_new_pod(&pod.trimmed, owner.trimmed, &sets))
            else {
                continue;
            };
            faults.push(PodObservation {
                namespace: namespace.to_owned(),
                pod: name.clone(),
                container: fault.container.clone(),
                owner: owner.key.clone(),
                fault: fault.clone(),
                first_seen: *first_seen,
                was_ready: pod.was_ready,
            });
        }
        faults
    }

    /// Broken pods of older templates that keep `StatefulSets` among these owners from going on.
    pub fn stranded(&self, namespace: &str, owners: &[PodOwner<'_>]) -> Vec<StrandedPod> {
        let mut stranded = Vec::new();
        for (name, pod) in &self.pods {
            let Some((fault, _)) = &pod.fault else {
                continue;
            };
            let owner = owners
                .iter()
                .find(|owner| is_stranded_pod(&pod.trimmed, owner.trimmed));
            if let Some(owner) = owner {
                stranded.push(StrandedPod {
                    pod: ObjectKey {
                        group: String::new(),
                        kind: "Pod".to_owned(),
                        namespace: Some(namespace.to_owned()),
                        name: name.clone(),
                    },
                    uid: pod.uid.clone(),
                    owner: owner.key.clone(),
                    fault: fault.clone(),
                });
            }
        }
        stranded
    }
}

/// What tells whether pods of an object are of its newest template; `None` for kinds that own no pods.
pub(crate) fn trim_owner(object: &Value) -> Option<Value> {
    let kind = text(object, "/kind");
    let owns = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "ReplicaSet",
        "ReplicationController",
        "Pod",
    ];
    if !owns.contains(&kind) {
        return None;
    }
    let mut trimmed = trim(
        object,
        &[],
        &[
            "deployment.kubernetes.io/revision",
            "deprecated.daemonset.template.generation",
        ],
    );
    trimmed["kind"] = Value::from(kind);
    if let Some(strategy) = object.pointer("/spec/updateStrategy") {
        trimmed["spec"]["updateStrategy"] = strategy.clone();
    }
    for path in ["observedGeneration", "updateRevision"] {
        if let Some(value) = object.pointer(&format!("/status/{path}")) {
            trimmed["status"][path] = value.clone();
        }
    }
    Some(trimmed)
}

fn trim(object: &Value, labels: &[&str], annotations: &[&str]) -> Value {
    let pick = |map: &str, keys: &[&str]| -> Map<String, Value> {
        let from = object.pointer(&format!("/metadata/{map}"));
        keys.iter()
            .filter_map(|key| Some(((*key).to_owned(), from?.get(key)?.clone())))
            .collect()
    };
    let mut metadata = json!({
        "uid": text(object, "/metadata/uid"),
        "labels": pick("labels", labels),
        "annotations": pick("annotations", annotations),
    });
    for kept in ["generation", "deletionTimestamp"] {
        if let Some(value) = object.pointer(&format!("/metadata/{kept}")) {
            metadata[kept] = value.clone();
        }
    }
    if let Some(Controller { kind, name, uid }) = controller_of(object) {
        metadata["ownerReferences"] =
            json!([{"kind": kind, "name": name, "uid": uid, "controller": true}]);
    }
    json!({"metadata": metadata})
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        condition.get("type").and_then(Value::as_str) == Some("Ready")
            && condition.get("status").and_then(Value::as_str) == Some("True")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn key() -> ObjectKey {
        ObjectKey {
            group: "apps".into(),
            kind: "Deployment".into(),
            namespace: Some("a".into()),
            name: "web".into(),
        }
    }

    fn deployment() -> Value {
        trim_owner(&json!({"kind": "Deployment", "metadata": {"uid": "d", "generation": 1,
            "annotations": {"deployment.kubernetes.io/revision": "2"}}, "status": {"observedGeneration": 1}}))
        .unwrap()
    }

    fn replica_set(uid: &str, revision: &str) -> Value {
        json!({"metadata": {"uid": uid, "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d", "controller": true}]}})
    }

    fn pod(set: &str, created: i64, reason: Option<&str>) -> Value {
        let mut pod = json!({"metadata": {"uid": format!("p-{set}"), "creationTimestamp": at(created).to_string(),
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "uid": set, "controller": true}]},
            "status": {"phase": "Pending"}});
        if let Some(reason) = reason {
            pod["status"]["containerStatuses"] = json!([{"name": "app", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": reason, "message": "manifest unknown"}}}]);
        }
        pod
    }

    fn faults(table: &PodTable, since: i64) -> Vec<PodObservation> {
        let (key, trimmed) = (key(), deployment());
        table.faults(
            "a",
            &[PodOwner {
                key: &key,
                trimmed: &trimmed,
            }],
            at(since),
        )
    }

    #[test]
    fn a_pod_of_the_newest_template_is_held_against_its_deployment() {
        let mut table = PodTable::default();
        table.replica_set_seen(&replica_set("new", "2"));
        let news = table.pod_seen("web-1", &pod("new", 100, Some("ImagePullBackOff")), at(110));
        assert!(news.unwrap().has("d"));
        let found = faults(&table, 100);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].owner.clone(), found[0].first_seen),
            (key(), at(110))
        );
    }

    #[test]
    fn what_was_broken_before_is_not_held_against_the_attempt() {
        let mut table = PodTable::default();
        table.replica_set_seen(&replica_set("new", "2"));
        table.replica_set_seen(&replica_set("old", "1"));
        table.pod_seen("early", &pod("new", 99, Some("ImagePullBackOff")), at(110));
        table.pod_seen(
            "of-the-old-template",
            &pod("old", 101, Some("ImagePullBackOff")),
            at(110),
        );
        assert_eq!(faults(&table, 100), []);
    }

    #[test]
    fn a_replica_set_that_is_seen_after_its_pod_still_tells_whose_the_pod_is() {
        let mut table = PodTable::default();
        table.pod_seen("web-1", &pod("new", 100, Some("ImagePullBackOff")), at(110));
        assert_eq!(faults(&table, 100), []);
        let news = table.replica_set_seen(&replica_set("new", "2"));
        assert!(news.unwrap().has("d"));
        assert_eq!(faults(&table, 100).len(), 1);
    }

    #[test]
    fn a_replica_set_without_broken_pods_is_no_news() {
        let mut table = PodTable::default();
        table.pod_seen("web-1", &pod("new", 100, Some("ImagePullBackOff")), at(110));
        assert_eq!(table.replica_set_seen(&replica_set("other", "1")), None);
    }

    #[test]
    fn a_fault_that_goes_on_keeps_the_moment_when_it_began() {
        let mut table = PodTable::default();
        table.replica_set_seen(&replica_set("new", "2"));
        table.pod_seen("web-1", &pod("new", 100, Some("ImagePullBackOff")), at(110));
        table.pod_seen("web-1", &pod("new", 100, Some("ImagePullBackOff")), at(120));
        assert_eq!(faults(&table, 100)[0].first_seen, at(110));
        let news = table.pod_seen("web-1", &pod("new", 100, None), at(130));
        assert!(news.is_some());
        table.pod_seen("web-1", &pod("new", 100, Some("ImagePullBackOff")), at(140));
        assert_eq!(faults(&table, 100)[0].first_seen, at(140));
    }
}
