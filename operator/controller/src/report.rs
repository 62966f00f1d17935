//! Report: status, events and metrics out of what was gathered and decided, in one place.

use belay_api::helm_release::{CheckState, CheckStatus, HistoryEntry, Stage};
use belay_api::{HelmRelease, HelmReleaseStatus, RollbackRequest, names};
use belay_cluster::Connection;
use belay_rollout::{DAMAGED, Wait, report};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource, ResourceExt};
use serde_json::{Value, json};

use crate::act::preflight::Untried;
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::reconcile::version;
use crate::session::Session;

/// Writes the status of the release and of its requests where they changed. Answers with the state of the
/// `HelmRelease` after the write, if there was one.
pub(crate) async fn report(
    context: &Context,
    session: &Session,
    wait: &Wait,
) -> Result<Option<u64>, Error> {
    write_requests(context, session).await?;
    let release = context
        .cached_release(&session.release)
        .filter(|cached| version(cached) > version(&session.release))
        .unwrap_or_else(|| session.release.clone());
    let before = release.status.clone().unwrap_or_default();
    let mut status = report::status(&before, &session.world, wait);
    if session.world.ledger.is_some() {
        status.release = Some(format!("{}/{}", session.key.namespace, session.key.release));
    }
    status.last_handled_reconcile = session
        .resolved
        .as_ref()
        .and_then(|resolved| resolved.token.clone())
        .or(status.last_handled_reconcile);
    if status == before {
        return Ok(None);
    }
    write(context, &session.own, &release, &before, &status).await
}

async fn write(
    context: &Context,
    connection: &Connection,
    release: &HelmRelease,
    before: &HelmReleaseStatus,
    status: &HelmReleaseStatus,
) -> Result<Option<u64>, Error> {
    let api: Api<HelmRelease> = Api::namespaced(
        connection.client(),
        &release.namespace().unwrap_or_default(),
    );
    let patch = json!({ "status": difference(before, status) });
    let written = api
        .patch_status(
            &release.name_any(),
            &PatchParams::default(),
            &Patch::Merge(&patch),
        )
        .await;
    match written {
        Ok(release) => {
            tell(context, &release, before).await;
            context.metrics.status(&release);
            Ok(version(&release))
        }
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(None),
        Err(error) => Err(Error::kube("writing the status")(error)),
    }
}

/// Writes into the status that a release cannot be looked after. Answers as [`report`].
pub(crate) async fn trouble(
    context: &Context,
    release: &HelmRelease,
    error: &Error,
) -> Result<Option<u64>, Error> {
    let cached = context.cached_release(release);
    let release = cached.as_deref().unwrap_or(release);
    let before = release.status.clone().unwrap_or_default();
    let generation = release.metadata.generation.unwrap_or_default();
    let now = clock::now();
    let status = match error {
        Error::Kubeconfig { reason, message } => {
            report::unreachable(&before, *reason, message, generation, now)
        }
        error => report::troubled(&before, &error.to_string(), generation, now),
    };
    if status == before {
        return Ok(None);
    }
    write(context, &context.connection, release, &before, &status).await
}

/// The new status as a merge patch: fields that are gone are null, so that they go.
fn difference(before: &impl serde::Serialize, after: &impl serde::Serialize) -> Value {
    let before = serde_json::to_value(before).unwrap_or_default();
    let mut after = serde_json::to_value(after).unwrap_or_default();
    if let (Some(old), Some(new)) = (before.as_object(), after.as_object_mut()) {
        for name in old.keys() {
            new.entry(name.clone()).or_insert(Value::Null);
        }
        for (name, value) in new.iter_mut() {
            // Inside a field a merge patch would keep what is gone.
            if let (Some(Value::Object(old)), Value::Object(new)) = (old.get(name), value) {
                for inner in old.keys() {
                    new.entry(inner.clone()).or_insert(Value::Null);
                }
            }
        }
    }
    after
}

async fn write_requests(context: &Context, session: &Session) -> Result<(), Error> {
    let namespace = session.release.namespace().unwrap_or_default();
    let ledger = session.world.ledger.as_ref();
    let api: Api<RollbackRequest> = Api::namespaced(session.own.client(), &namespace);
    for order in &session.world.orders {
        if order.phase.is_final() {
            continue;
        }
        // What the watch knows is enough to see that there is nothing to say.
        let known = context.cached_request(&namespace, &order.name);
        if let Some(known) = known.filter(|known| known.uid().as_ref() == Some(&order.uid)) {
            let before = known.status.clone().unwrap_or_default();
            let generation = known.metadata.generation.unwrap_or_default();
            let now = session.world.now;
            if report::request_status(&before, order, ledger, generation, now) == before {
                continue;
            }
        }
        let Some(request) = api
            .get_opt(&order.name)
            .await
            .map_err(Error::kube("reading a RollbackRequest"))?
        else {
            continue;
        };
        let before = request.status.clone().unwrap_or_default();
        let generation = request.metadata.generation.unwrap_or_default();
        let status = report::request_status(&before, order, ledger, generation, session.world.now);
        if status == before || before.phase.is_final() {
            continue;
        }
        api.patch_status(
            &order.name,
            &PatchParams::default(),
            &Patch::Merge(&json!({ "status": difference(&before, &status) })),
        )
        .await
        .map_err(Error::kube("writing the status of a RollbackRequest"))?;
    }
    Ok(())
}

/// Events for what people want to be told: what was begun, what became good, what failed and why.
async fn tell(context: &Context, release: &HelmRelease, before: &HelmReleaseStatus) {
    let Some(status) = &release.status else {
        return;
    };
    let reference = release.object_ref(&());
    let mut events = Vec::new();
    if let Some(attempt) = &status.attempt
        && before.attempt.as_ref().map(|old| &old.id) != Some(&attempt.id)
    {
        events.push(event(
            EventType::Normal,
            &format!("{:?}Started", attempt.kind),
            &format!(
                "revision {}: {:?} begun: {}",
                attempt.revision, attempt.kind, attempt.cause
            ),
        ));
    }
    if let Some(failure) = &status.last_failure
        && before.last_failure.as_ref().map(|old| old.at) != Some(failure.at)
    {
        events.push(event(
            EventType::Warning,
            &failure.reason.to_string(),
            &failure.message,
        ));
    }
    for entry in damaged(status) {
        if !damaged(before).any(|old| old.revision == entry.revision) {
            events.push(event(
                EventType::Warning,
                "RecordDamaged",
                &format!("revision {}: {}", entry.revision, entry.description),
            ));
        }
    }
    if status.phase != before.phase
        && let Some(ready) = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == belay_api::ConditionType::Ready)
        && status.attempt.is_none()
    {
        let kind = match ready.status {
            belay_api::ConditionStatus::False => EventType::Warning,
            _ => EventType::Normal,
        };
        events.push(event(kind, &ready.reason.to_string(), &ready.message));
    }
    events.extend(drift_events(status, before));
    events.extend(check_events(status, before));
    for event in events {
        publish(context, &event, &reference).await;
    }
}

/// An event that cannot be written holds nothing up.
async fn publish(context: &Context, event: &Event, about: &ObjectReference) {
    if let Err(error) = context.recorder.publish(event, about).await {
        tracing::debug!(%error, "an event could not be written");
    }
}

/// Tells what a hook printed that asks for that (`helm.sh/hook-output-log-policy`) and succeeded. What a failed one
/// printed is part of the evidence.
pub(crate) async fn hook_printed(
    context: &Context,
    release: &HelmRelease,
    hook: &str,
    output: &str,
) {
    if output.is_empty() {
        return;
    }
    tracing::info!(release = %release.name_any(), hook, output, "a hook has printed");
    let told = event(
        EventType::Normal,
        "HookOutput",
        &format!("{hook} succeeded and printed last: {output}"),
    );
    publish(context, &told, &release.object_ref(&())).await;
}

/// Tells which objects are applied although nobody could try them before.
pub(crate) async fn untried(context: &Context, release: &HelmRelease, untried: &[Untried]) {
    for Untried { object, why } in untried {
        let note = format!("{object} is applied without having been tried before: {why}");
        let told = Event {
            // Events of one action are counted as one, and another object is another matter.
            action: format!("Try/{}", belay_health::clip(object, 100)),
            ..event(EventType::Warning, "DryRunSkipped", &note)
        };
        publish(context, &told, &release.object_ref(&())).await;
    }
}

/// Revisions whose records cannot be read.
fn damaged(status: &HelmReleaseStatus) -> impl Iterator<Item = &HistoryEntry> {
    let is_damaged = |entry: &&HistoryEntry| entry.description.starts_with(DAMAGED);
    status.history.iter().filter(is_damaged)
}

/// What was newly seen to differ, or cannot be helped any more; and what was put right since.
fn drift_events(status: &HelmReleaseStatus, before: &HelmReleaseStatus) -> Vec<Event> {
    let old = before.drift.clone().unwrap_or_default();
    let new = status.drift.clone().unwrap_or_default();
    let corrections = new
        .corrected
        .iter()
        .filter(|correction| !old.corrected.contains(correction))
        .map(|correction| {
            let object = &correction.object;
            let note = if correction.path.is_empty() {
                format!("{object} was deleted by somebody else, and is made anew")
            } else {
                let (path, found) = (&correction.path, &correction.found);
                let found = if found.is_empty() {
                    "nothing"
                } else {
                    found.as_str()
                };
                format!(
                    "{object} was changed by somebody else, and is put right: {path} was {found}"
                )
            };
            event(EventType::Normal, "DriftCorrected", &note)
        });
    let differs = new
        .objects
        .iter()
        .filter(|object| !old.objects.contains(object))
        .map(|object| {
            let note = format!("{}: {}", object.object, report::sentence(object));
            event(EventType::Warning, &object.reason.to_string(), &note)
        });
    corrections.chain(differs).collect()
}

/// Checks that get no answer any more; and those that a revision counts as good without.
fn check_events(status: &HelmReleaseStatus, before: &HelmReleaseStatus) -> Vec<Event> {
    let soaked = before.attempt.as_ref().filter(|attempt| {
        let current = status.current.as_ref();
        attempt.stage == Stage::Soaking
            && status.attempt.is_none()
            && current.is_some_and(|current| current.revision == attempt.revision)
    });
    let told = status.checks.iter().filter_map(|check| {
        let CheckStatus { name, message, .. } = check;
        let never = matches!(check.state, CheckState::Unanswered | CheckState::Pending);
        let mut known = before.checks.iter();
        let was_told = known.any(|old| old.name == *name && !old.message.is_empty());
        let (reason, note) = match soaked {
            Some(attempt) if never => (
                "CheckNeverAnswered",
                format!(
                    "revision {} counts as good, and the check {name} never had an answer: {message}",
                    attempt.revision
                ),
            ),
            _ if message.is_empty() || was_told => return None,
            _ => (
                "CheckUnanswered",
                format!(
                    "the check {name} gets no answer, which is not held against the revision: {message}"
                ),
            ),
        };
        Some(Event {
            // Events of one action are counted as one, and another check is another matter.
            action: format!("Check/{name}"),
            ..event(EventType::Warning, reason, &note)
        })
    });
    told.collect()
}

fn event(type_: EventType, reason: &str, note: &str) -> Event {
    Event {
        type_,
        reason: reason.to_owned(),
        // The API server takes notes of up to 1 kB.
        note: Some(belay_health::clip(note, 1000)),
        action: "Reconcile".to_owned(),
        secondary: None,
    }
}

/// The name under which the operator writes events.
pub(crate) const REPORTER: &str = names::FIELD_MANAGER;
