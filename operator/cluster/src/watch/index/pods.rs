//! What the watches of pods and their owners tell of releases.

use std::collections::BTreeSet;

use belay_health::ObjectKey;
use jiff::Timestamp;
use serde_json::Value;

use super::Index;
use crate::watch::pods::Lineage;

impl Index {
    pub fn pod_seen(&mut self, namespace: &str, pod: &Value, now: Timestamp) {
        let name = pod
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // A watch outlives its last user a little; what it tells then is not kept.
        let news = self
            .pods
            .get_mut(namespace)
            .and_then(|table| table.pod_seen(name, pod, now));
        self.news_of(namespace, news.as_ref());
    }

    pub fn pod_gone(&mut self, namespace: &str, pod: &Value) {
        let name = pod
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.pod_deleted(namespace, name);
    }

    /// A pod was deleted: what was wrong with it says nothing any more.
    pub fn pod_deleted(&mut self, namespace: &str, name: &str) {
        let news = self
            .pods
            .get_mut(namespace)
            .and_then(|table| table.pod_gone(name));
        self.news_of(namespace, news.as_ref());
    }

    pub fn pods_listed(&mut self, namespace: &str, names: &BTreeSet<String>) {
        if self
            .pods
            .get_mut(namespace)
            .is_some_and(|table| table.retain_pods(names))
        {
            self.news_in(namespace);
        }
    }

    pub fn replica_set_seen(&mut self, namespace: &str, set: &Value) {
        let news = self
            .pods
            .get_mut(namespace)
            .and_then(|table| table.replica_set_seen(set));
        self.news_of(namespace, news.as_ref());
    }

    pub fn replica_set_gone(&mut self, namespace: &str, set: &Value) {
        if let Some(table) = self.pods.get_mut(namespace) {
            table.replica_set_gone(set);
        }
    }

    fn news_in(&mut self, namespace: &str) {
        let concerned = self.releases.iter().filter(|(_, release)| {
            release
                .pods
                .as_ref()
                .is_some_and(|scope| scope.namespaces.contains(namespace))
        });
        self.changed.extend(concerned.map(|(key, _)| key.clone()));
    }

    /// News of a pod wake only those that made it: fifty broken releases in one namespace would wake each other.
    fn news_of(&mut self, namespace: &str, lineage: Option<&Lineage>) {
        let Some(lineage) = lineage else { return };
        let seen = |key: &ObjectKey| self.objects.get(key)?.seen.as_ref();
        let concerned = self.releases.iter().filter(|(_, release)| {
            let looks = release
                .pods
                .as_ref()
                .is_some_and(|scope| scope.namespaces.contains(namespace));
            looks
                && release.objects.iter().any(|(key, tracked)| {
                    let applied = tracked.uid.as_deref();
                    let seen = seen(key).map(|seen| seen.observed.uid.as_str());
                    applied.into_iter().chain(seen).any(|uid| lineage.has(uid))
                })
        });
        self.changed.extend(concerned.map(|(key, _)| key.clone()));
    }
}
