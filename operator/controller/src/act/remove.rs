//! Removing: objects in Helm's order, then the records.

use belay_api::helm_release::AttemptKind;
use belay_cluster::{NotDone, Pruned, Tracked};
use belay_health::{FailureClass, ObjectKey, Verdict};
use belay_release::{StorageKey, uninstall_order};
use belay_rollout::Proof;

use super::apply::has_a_say;
use super::preflight::is_of_admission;
use super::{claim, requests};
use crate::clock;
use crate::error::Error;
use crate::gather;
use crate::session::Session;

/// Deletes every object of the release that is ours, and finds out which are still there.
pub(super) async fn remove(session: &mut Session) -> Result<(), Error> {
    let attempt = session.attempt()?;
    let kind = attempt.kind;
    let keys: Vec<_> = session
        .ledger()?
        .inventory
        .iter()
        // A failed first install takes back what it made, and nothing that was there before.
        .filter(|tracked| {
            kind == AttemptKind::Uninstall || tracked.created || tracked.uid.is_none()
        })
        .map(|tracked| tracked.object.key())
        .collect();
    let Deleted {
        going,
        mut denied,
        kept_back,
    } = delete(session, keys).await?;
    let tracked: Vec<_> = going
        .iter()
        .map(|(key, uid)| Tracked {
            uid: Some(uid.clone()),
            ..Tracked::expected(key.clone())
        })
        .collect();
    gather::track(session, tracked.clone(), None);
    let mut still_there: Vec<_> = session
        .connection
        .verdicts(&tracked)
        .await?
        .into_iter()
        .filter(|(_, verdict)| *verdict != Verdict::Missing)
        .map(|(key, _)| (key, Verdict::Terminating))
        .collect();
    if !denied.is_empty() && claim::namespace_is_deleted(session).await? {
        // The account went before its release, and the rest goes with the namespace; what does not is left.
        let namespace = session.release.target_namespace();
        denied.retain(|(key, _)| {
            if key.namespace.as_deref() != Some(namespace) {
                tracing::warn!(object = %key, "left, since the release's account may not delete it any more");
            }
            false
        });
    }
    still_there.extend(denied);
    still_there.extend(kept_back);
    session.world.now = clock::now();
    session.world.proof = Some(Proof {
        not_current: still_there,
    });
    Ok(())
}

/// What became of objects that were to go.
#[derive(Default)]
struct Deleted {
    /// These are going, by their uids.
    going: Vec<(ObjectKey, String)>,
    /// These may not be deleted.
    denied: Vec<(ObjectKey, Verdict)>,
    /// These cannot go yet.
    kept_back: Vec<(ObjectKey, Verdict)>,
}

/// Deletes these, as far as they are ours, in Helm's order.
async fn delete(session: &Session, mut keys: Vec<ObjectKey>) -> Result<Deleted, Error> {
    // Admission policies, which Helm's order does not know, may refuse that the others go.
    keys.sort_by(|a, b| {
        let say = has_a_say(b).cmp(&has_a_say(a));
        say.then_with(|| uninstall_order(&a.kind, &b.kind))
    });
    let owner = session.marks();
    let mut all = Deleted::default();
    for key in keys {
        let pruned = match session.connection.prune(&key, &owner).await {
            Err(error) if error.error().is_access_denied() => {
                all.denied.push((key, not_deleted("AccessDenied", &error)));
                continue;
            }
            // One object that cannot go is no reason for the others to stay.
            Err(error) if is_of_admission(&error) => {
                let verdict = not_deleted("AdmissionRefused", &error);
                all.kept_back.push((key, verdict));
                continue;
            }
            Err(error) if error.error().is_api_unavailable() => {
                let verdict = not_deleted("ApiNotAvailable", &error);
                all.kept_back.push((key, verdict));
                continue;
            }
            pruned => pruned?,
        };
        match pruned {
            Pruned::Deleted { uid } => all.going.push((key, uid)),
            Pruned::AlreadyGone => {}
            Pruned::Kept => tracing::info!(object = %key, "kept, as helm.sh/resource-policy asks"),
            Pruned::NotOurs { owner } => {
                tracing::info!(object = %key, ?owner, "left, since it is not marked as this release's");
            }
        }
    }
    Ok(all)
}

/// Deletes what a ledger held that has gone before its release, and lets the release go. Without a ledger nothing can be
/// noted, so that nobody waits: what is in the namespace goes with it, and what is not is told if it cannot go.
pub(super) async fn sweep(session: &mut Session) -> Result<(), Error> {
    let lost = session.world.lost.as_ref().ok_or(Error::Stale)?;
    let keys = lost.inventory.iter();
    let keys = keys.map(|tracked| tracked.object.key()).collect();
    let swept = delete(session, keys).await?;
    for (object, verdict) in swept.denied.iter().chain(&swept.kept_back) {
        tracing::warn!(%object, ?verdict, "left behind: the ledger went before its release, and this cannot be deleted");
    }
    requests::end_all(session).await?;
    claim::remove_finalizer(session).await
}

/// An object whose deletion is refused, or whose API does not answer.
fn not_deleted(reason: &str, error: &NotDone) -> Verdict {
    Verdict::Failed {
        class: FailureClass::Transient,
        reason: reason.to_owned(),
        message: error.error().to_string(),
    }
}

/// Removes the records of a release whose objects are gone. After a failed first install the ledger stays:
/// it remembers the digest that failed.
pub(super) async fn forget(session: &mut Session) -> Result<(), Error> {
    let kind = session.attempt()?.kind;
    let storage = session.storage();
    let revisions: Vec<_> = session
        .world
        .storage
        .iter()
        .map(|stored| stored.revision)
        .collect();
    for revision in revisions {
        session.announce(revision, None);
        storage
            .delete(&StorageKey::new(&session.key.release, revision))
            .await?;
    }
    session.world.storage.clear();
    session.record = None;
    if kind == AttemptKind::Uninstall {
        requests::end_all(session).await?;
        session.store().delete().await?;
        claim::remove_finalizer(session).await
    } else {
        session.transition(belay_rollout::Ledger::cleared).await
    }
}
