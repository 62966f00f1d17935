//! Evidence: what the pods said before they are gone, secrets masked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use belay_cluster::pods::ContainerLog;
use belay_health::{Mask, clip, secret_strings};
use belay_rollout::Failure;

use crate::session::Session;

/// The most bytes of one container's log.
const LOG_BYTES: usize = 500;
/// The most bytes of a message.
const MESSAGE_BYTES: usize = 400;
/// The most moments of a timeline.
const MOMENTS: usize = 12;

/// Adds what can still be learnt to a failure, masks secrets and keeps it within bounds. What cannot be
/// read is left out: a failure is recorded whatever its evidence.
pub(super) async fn collect(session: &mut Session, mut failure: Failure) -> Failure {
    for pod in &mut failure.pods {
        // A container that never ran has nothing to say.
        let ran = pod.restarts > 0 || pod.exit_code.is_some();
        let Some(container) = pod.container.clone().filter(|_| ran) else {
            continue;
        };
        for previous in [true, false] {
            let log = ContainerLog {
                namespace: &pod.namespace,
                pod: &pod.pod,
                container: &container,
                previous,
            };
            if let Ok(Some(tail)) = session.connection.log_tail(log, LOG_BYTES).await
                && !tail.trim().is_empty()
            {
                pod.log_tail = tail;
                break;
            }
        }
    }
    let mask = mask(session).await;
    let clean = |text: &str, bytes: usize| clip(&mask.apply(text), bytes);
    failure.message = clean(&failure.message, 2 * MESSAGE_BYTES);
    for object in &mut failure.objects {
        object.message = clean(&object.message, MESSAGE_BYTES);
    }
    for pod in &mut failure.pods {
        pod.message = clean(&pod.message, MESSAGE_BYTES);
        pod.log_tail = clean(&pod.log_tail, LOG_BYTES);
    }
    let surplus = failure.timeline.len().saturating_sub(MOMENTS);
    failure.timeline.drain(..surplus);
    for moment in &mut failure.timeline {
        moment.what = clean(&moment.what, MESSAGE_BYTES / 2);
    }
    failure
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
    let decode = |text: &str| {
        STANDARD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    Mask::new(
        objects
            .iter()
            .filter(|object| {
                object.get("kind").and_then(serde_json::Value::as_str) == Some("Secret")
            })
            .flat_map(|object| secret_strings(object, decode)),
    )
}
