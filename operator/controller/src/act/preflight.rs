//! Before the intent: whether the API server would take what is to be applied. Nothing is written.

use std::collections::BTreeSet;

use belay_api::helm_release::AttemptKind;
use belay_api::{Duration, Reason};
use belay_cluster::{Error as ClusterError, Item, NotDone, RefusalKind, Say};
use belay_health::{ObjectError, ObjectRef, clip};
use belay_release::{Manifest, Record};
use belay_rollout::Rejection;

use super::Halt;
use super::apply::options;
use super::objects;
use super::record::crd_policy;
use super::surroundings::{Surroundings, undone};
use crate::clock;
use crate::error::Error;
use crate::render::Rendering;
use crate::session::Session;

/// How long a refusal that may pass (quota, rights, a webhook that does not answer) is left alone.
const RETRY_REFUSED: Duration = Duration::seconds(30);
/// How many objects that could not be tried are told.
const MOST_UNTRIED: usize = 3;
/// The most bytes of the API server's words.
const WORDS: usize = 300;

/// An object that nobody can try before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Untried {
    /// The object.
    pub(crate) object: String,
    /// Why.
    pub(crate) why: String,
}

/// Asks the API server whether it would take every object that is new or changed. Answers with what could not be tried,
/// since a webhook that is asked about it takes no dry runs; a few of them.
pub(super) async fn preflight(
    session: &Session,
    record: &Record,
    rendering: &Rendering,
    kind: AttemptKind,
) -> Result<Vec<Untried>, Halt> {
    let mut untried = Vec::new();
    let policy = crd_policy(session, kind);
    if let Err((name, error)) = session.connection.try_crds(&rendering.crds, policy).await {
        let name = format!("crds/: {name}");
        if !error.is(RefusalKind::DryRunUnsupported) {
            return Err(judge_refusal(error, &name, kind));
        }
        untried.push(not_tried(name, &error));
    }
    for hook in &record.hooks {
        let object = objects::hook_object(hook)?;
        if let Err(error) = ObjectRef::of(&object) {
            return Err(Halt::Rejected(nameless(&hook.path, &error)));
        }
    }
    let manifest = Manifest::parse(&record.manifest).map_err(Error::from)?;
    let unchanged = unchanged_texts(session);
    let mut items = Vec::new();
    let mut speakers = Vec::new();
    for document in &manifest.documents {
        let changed = !unchanged.contains(&document.text);
        let speaks = document.may_have_a_say();
        if !changed && !speaks {
            continue;
        }
        let found = document.objects().map_err(Error::from)?;
        if speaks {
            speakers.extend(found.iter().cloned());
        }
        for object in found.into_iter().filter(|_| changed) {
            if let Err(error) = ObjectRef::of(&object) {
                return Err(Halt::Rejected(nameless(&document.path, &error)));
            }
            let reference =
                objects::reference(&session.connection, &object, &record.namespace).await?;
            items.push(Item {
                known: objects::known(session.world.ledger.as_ref(), &reference),
                object,
            });
        }
    }
    let options = options(session, kind);
    let tries = session.connection.dry_run_all(&items, &options).await;
    let refused: Vec<_> = tries
        .into_iter()
        .zip(&items)
        .filter_map(|(dry, item)| Some((dry.key, dry.outcome.err()?, &item.object)))
        .collect();
    let mut surroundings = Surroundings {
        brings: Say::of(&speakers).with_definitions(!rendering.crds.is_empty()),
        undone: Say::default(),
    };
    if refused.iter().any(|(_, error, _)| is_of_admission(error)) {
        let stays: BTreeSet<_> =
            objects::references(&session.connection, &speakers, &record.namespace)
                .await?
                .iter()
                .map(ObjectRef::key)
                .collect();
        let inventory = session.world.ledger.as_ref();
        let inventory = inventory.into_iter().flat_map(|ledger| &ledger.inventory);
        let keys = inventory.map(|tracked| tracked.object.key());
        let goes = keys.filter(|key| !stays.contains(key)).collect();
        surroundings.undone = undone(&session.connection, &session.marks(), goes).await?;
    }
    for (key, error, object) in refused {
        let name = key.map_or_else(|| "an object".to_owned(), |key| key.to_string());
        if surroundings.passes(&error, object) {
            continue;
        }
        if error.is(RefusalKind::DryRunUnsupported) {
            untried.push(not_tried(name, &error));
            continue;
        }
        return Err(judge_refusal(error, &name, kind));
    }
    untried.truncate(MOST_UNTRIED);
    Ok(untried)
}

/// Whether admission refused, or could not be asked.
pub(super) fn is_of_admission(error: &NotDone) -> bool {
    error
        .refusal()
        .is_some_and(|refusal| refusal.admission().is_some())
}

fn not_tried(object: String, error: &NotDone) -> Untried {
    Untried {
        object,
        why: clip(&error.to_string(), WORDS),
    }
}

/// Server-side apply goes by the name, so that `generateName` is not one.
fn nameless(path: &str, error: &ObjectError) -> Rejection {
    Rejection {
        reason: Reason::ManifestRejected,
        message: format!(
            "{path}: {error} (a generateName alone would make another object each time)"
        ),
        retry_at: None,
    }
}

fn unchanged_texts(session: &Session) -> BTreeSet<String> {
    let Some(ledger) = &session.world.ledger else {
        return BTreeSet::new();
    };
    let current = ledger.current.as_ref();
    let running = current.filter(|current| current.consistent);
    running
        .and_then(|running| ledger.proven(&running.digest))
        .and_then(|proven| proven.record.record().ok())
        .and_then(|record| Manifest::parse(&record.manifest).ok())
        .map(|manifest| {
            manifest
                .documents
                .into_iter()
                .map(|document| document.text)
                .collect()
        })
        .unwrap_or_default()
}

/// A refusal that the same manifest meets again is the manifest's; everything else may pass.
fn judge_refusal(error: NotDone, name: &str, kind: AttemptKind) -> Halt {
    let unreachable = error.is(RefusalKind::WebhookUnreachable);
    if !unreachable && !matches!(error, NotDone::Refused(_)) {
        return Halt::Error(error.into());
    }
    let reason = match error.error() {
        ClusterError::NotOurs { .. } => Reason::OwnershipConflict,
        refused if refused.is_access_denied() => Reason::AccessDenied,
        _ if unreachable => Reason::ApiUnavailable,
        _ => Reason::ManifestRejected,
    };
    let may_pass = unreachable || error.is(RefusalKind::Quota) || error.is(RefusalKind::Forbidden);
    Halt::Rejected(Rejection {
        reason,
        message: format!("{name}: {}", objects::with_remedy(&error, kind)),
        retry_at: may_pass.then(|| clock::now().plus(RETRY_REFUSED)),
    })
}
