//! Somebody ran helm by hand.

use belay_health::ObjectRef;
use belay_release::Status;
use belay_rollout::{Digest, Hold, Pin};

use super::stored::{self, Found};
use super::{Halt, adopt, apply, finish, objects};
use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// Keeps what somebody's helm did until the spec changes.
pub(super) async fn keep(
    context: &Context,
    session: &mut Session,
    revision: u32,
) -> Result<(), Halt> {
    let record = match stored::find(session, revision).await? {
        Found::Whole(stored) => stored.record,
        Found::Gone => return Err(Error::Stale.into()),
        // It says nothing that could be kept, and is no reason to stop.
        Found::Damaged(why) => {
            stored::note_damage(session, revision, &why).await?;
            return Ok(session
                .transition(|ledger| ledger.heard_of(revision))
                .await?);
        }
    };
    // A rollback by hand to a revision that Belay proved is that revision; and what the spec asks for is kept as that,
    // whoever rolled it out: helm, or Belay itself before an older ledger was restored.
    let proven = session
        .ledger()?
        .proven
        .iter()
        .find(|proven| {
            let good = proven.record.record();
            good.is_ok_and(|good| good.manifest == record.manifest)
        })
        .map(|proven| proven.digest.clone());
    let known = match proven {
        Some(digest) => Some(digest),
        None => adopt::same_as_desired(context, session, &record, revision).await?,
    };
    let digest = match known {
        Some(digest) => digest,
        None => Digest::of_manifest(&session.ledger()?.key, &record.manifest),
    };
    let desired = session.world.desired.digest().cloned();
    let pin = (desired.as_ref() != Some(&digest)).then(|| Pin {
        request: None,
        hold: Hold::SpecChange,
        digest: digest.clone(),
        asked: desired,
        generation: session.world.declared.generation,
    });
    let probe = adopt::probe(session, &record, revision, digest).await?;
    let abandoned: Vec<_> = session
        .world
        .storage
        .iter()
        .filter(|stored| stored.revision < revision && stored.status.is_pending())
        .map(|stored| stored.revision)
        .collect();
    for older in abandoned {
        let description = format!("overtaken by revision {revision}, made by helm by hand");
        finish::set_status(session, older, Status::Failed, &description).await?;
    }
    // What a half-applied attempt of ours left behind belongs to no revision any more. It goes before the ledger says that
    // this one is kept: nobody would come back to it after a crash in between.
    let kept: Vec<_> = probe
        .objects
        .iter()
        .map(|tracked| tracked.object.key())
        .collect();
    let left = session.ledger()?.inventory.iter();
    let left = left
        .map(|tracked| tracked.object.key())
        .filter(|key| !kept.contains(key))
        .collect();
    let gone = apply::prune_these(session, left).await?;
    let brought = brought(session).await?;
    let description = record.info.description.clone();
    let now = session.world.now;
    session
        .transition(|ledger| {
            let ledger = ledger.noticed(&brought).adopted(
                probe.running,
                probe.proven,
                probe.objects,
                pin,
                &description,
                now,
            );
            ledger.pruned(&gone)
        })
        .await?;
    Ok(())
}

/// Takes note of what somebody's helm did, up to this revision. None of it is touched now.
pub(super) async fn take_note(session: &mut Session, of: u32) -> Result<(), Error> {
    let brought = brought(session).await?;
    session
        .transition(|ledger| ledger.noticed(&brought).heard_of(of))
        .await
}

/// What revisions brought that the ledger has not heard of. helm itself forgets what a failed one of them made.
pub(super) async fn brought(session: &Session) -> Result<Vec<ObjectRef>, Error> {
    let mut brought = Vec::new();
    for stored in session.world.unheard() {
        let Some(record) = stored::find_whole(session, stored.revision).await? else {
            continue;
        };
        let objects = record.documents()?.objects()?;
        let references = objects::references(&session.connection, &objects, &record.namespace);
        brought.extend(references.await?);
    }
    Ok(brought)
}

/// Marks a pending record that has shown no life for long as failed.
pub(super) async fn bury(session: &mut Session, revision: u32) -> Result<(), Error> {
    let description = "no process was seen to finish this; marked as failed by Belay";
    finish::set_status(session, revision, Status::Failed, description).await
}
