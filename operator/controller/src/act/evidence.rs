//! Evidence: what the pods and their events said before they are gone, secrets masked.

use std::collections::BTreeMap;

use belay_api::helm_release::Moment;
use belay_api::{Reason, Timestamp};
use belay_cluster::Connection;
use belay_cluster::pods::ContainerLog;
use belay_cluster::warnings::Warning;
use belay_health::{Mask, ObjectKey, PodEvidence, pod_fault};
use belay_rollout::{Failure, HookProgress};
use serde_json::Value;

use super::secrets::secrets_of;
use crate::session::Session;

/// The most bytes of one container's log.
const LOG_BYTES: usize = 2048;
/// Of how many pods of a hook the logs are kept.
const HOOK_PODS: usize = 2;
/// Of how many containers of such a pod.
const HOOK_CONTAINERS: usize = 4;
/// The most bytes of one container's log of a hook that succeeded.
const OUTPUT_BYTES: usize = 800;
/// Of how many objects and of how many pods the events are read.
const EVENTS_OF: usize = 2;
/// The most events that are told of one object.
const EVENTS_EACH: usize = 3;

/// Adds what can still be learnt to a failure, masks secrets and keeps it within bounds. What cannot be
/// read is left out: a failure is recorded whatever its evidence.
pub(super) async fn collect(session: &mut Session, mut failure: Failure) -> Failure {
    if matches!(failure.reason, Reason::HookFailed | Reason::TestFailed) {
        failure.pods.extend(pods_of_hook(session).await);
    }
    for pod in &mut failure.pods {
        pod.log_tail = last_words(&session.connection, pod).await;
    }
    let since = session
        .attempt()
        .map_or(failure.at, |attempt| attempt.started_at);
    let pods = failure.pods.iter().map(|pod| ObjectKey {
        group: String::new(),
        kind: "Pod".to_owned(),
        namespace: Some(pod.namespace.clone()),
        name: pod.name.clone(),
    });
    let objects = failure.objects.iter().map(|object| object.object.clone());
    let told: Vec<_> = objects
        .take(EVENTS_OF)
        .chain(pods.take(EVENTS_OF))
        .collect();
    let mut warned = BTreeMap::new();
    for object in &told {
        // Events of cluster-scoped objects are kept in `default`.
        let namespace = object.namespace.as_deref().unwrap_or("default");
        if !warned.contains_key(namespace) {
            warned.insert(namespace, session.connection.warnings_in(namespace).await);
        }
        let of_namespace = warned.get(namespace).map_or(&[][..], |warned| &**warned);
        failure
            .timeline
            .extend(warnings(of_namespace, object, since));
    }
    // Events know whole seconds only: within one, what the attempt did comes first.
    failure
        .timeline
        .sort_by_key(|moment| moment.at.whole_seconds());
    let mask = mask(session).await;
    failure.presentable(&mask)
}

/// The end of what the pods of a hook printed, secrets masked; empty if nobody can tell.
pub(super) async fn output(session: &mut Session, hook: &ObjectKey) -> String {
    let connection = &session.connection;
    let pods = connection.pods_of(hook).await.unwrap_or_default();
    let mut printed = String::new();
    for pod in pods.iter().take(HOOK_PODS) {
        let text = |path: &str| pod.pointer(path).and_then(Value::as_str);
        let (Some(namespace), Some(name)) = (text("/metadata/namespace"), text("/metadata/name"))
        else {
            continue;
        };
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
        let containers = containers.into_iter().flatten();
        let names = containers.filter_map(|container| container.get("name")?.as_str());
        for container in names.take(HOOK_CONTAINERS) {
            let log = ContainerLog {
                namespace,
                pod: name,
                container,
                previous: false,
            };
            if let Ok(Some(tail)) = connection.log_tail(log, OUTPUT_BYTES).await {
                printed.push_str(&tail);
                printed.push('\n');
            }
        }
    }
    let mask = mask(session).await;
    mask.apply(printed.trim_end())
}

/// The broken pods of the hook that an attempt fails with. Its output belongs to the evidence whether or not
/// `helm.sh/hook-output-log-policy` asks for it.
async fn pods_of_hook(session: &Session) -> Vec<PodEvidence> {
    let hooks = session.attempt().map(|attempt| attempt.hooks.as_slice());
    let running = hooks
        .unwrap_or_default()
        .iter()
        .find(|hook| hook.progress == HookProgress::Started);
    let Some(hook) = running else {
        return Vec::new();
    };
    let pods = session.connection.pods_of(&hook.object.key()).await;
    let told = pods.unwrap_or_default();
    let told = told.iter().filter_map(|pod| {
        let text = |field: &str| pod.pointer(field)?.as_str();
        let fault = pod_fault(pod)?;
        Some(PodEvidence::new(
            text("/metadata/namespace")?,
            text("/metadata/name")?,
            &fault,
            "",
        ))
    });
    told.take(HOOK_PODS).collect()
}

/// The end of what a container printed in the run that ended, or in the one that runs.
async fn last_words(connection: &Connection, pod: &PodEvidence) -> String {
    // A container that never ran has nothing to say.
    let ran = pod.restarts > 0 || pod.exit_code.is_some();
    let Some(container) = pod.container.as_deref().filter(|_| ran) else {
        return String::new();
    };
    for previous in [true, false] {
        let log = ContainerLog {
            namespace: &pod.namespace,
            pod: &pod.name,
            container,
            previous,
        };
        if let Ok(Some(tail)) = connection.log_tail(log, LOG_BYTES).await
            && !tail.trim().is_empty()
        {
            return tail;
        }
    }
    String::new()
}

/// What the cluster warned of since the attempt began.
fn warnings<'a>(
    warned: &'a [Warning],
    object: &'a ObjectKey,
    since: Timestamp,
) -> impl Iterator<Item = Moment> + 'a {
    let of_object =
        move |warning: &&Warning| warning.kind == object.kind && warning.name == object.name;
    let told = warned.iter().rev().filter(of_object);
    let told = told.filter_map(move |warning| {
        let at: Timestamp = warning.at.parse().ok()?;
        let repeated = match warning.count {
            0 | 1 => String::new(),
            count => format!(" ({count} times)"),
        };
        (at >= since.whole_seconds()).then(|| Moment {
            at,
            what: format!(
                "{object}: {}{repeated}: {}",
                warning.reason, warning.message
            ),
        })
    });
    told.take(EVENTS_EACH)
}

/// Everything that the manifest's Secrets hold.
async fn mask(session: &mut Session) -> Mask {
    let record = super::record::pending(session).await;
    let objects = record
        .ok()
        .and_then(|record| {
            record
                .documents()
                .and_then(|manifest| manifest.objects())
                .ok()
        })
        .unwrap_or_default();
    Mask::new(secrets_of(objects.iter()))
}
