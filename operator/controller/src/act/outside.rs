//! Somebody ran helm by hand.

use belay_release::Status;
use belay_rollout::{Digest, Hold, Pin};

use super::{Halt, adopt, apply, finish};
use crate::error::Error;
use crate::session::Session;

/// Keeps what somebody's helm did until the spec changes.
pub(super) async fn keep(session: &mut Session, revision: u32) -> Result<(), Halt> {
    let record = adopt::read(session, revision).await?;
    let ledger = session.ledger()?;
    // A rollback by hand to a revision that Belay proved is that revision.
    let digest = ledger
        .proven
        .iter()
        .find(|proven| {
            proven
                .record
                .get("manifest")
                .and_then(serde_json::Value::as_str)
                == Some(record.manifest.as_str())
        })
        .map_or_else(
            || Digest::of_manifest(&ledger.key, &record.manifest),
            |proven| proven.digest.clone(),
        );
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
    let description = record.info.description.clone();
    session
        .transition(|ledger| {
            ledger.adopted(
                probe.running,
                probe.proven,
                probe.objects,
                pin,
                &description,
            )
        })
        .await?;
    // What a half-applied attempt of ours left behind belongs to no revision any more.
    let gone = apply::prune_unwanted(session).await?;
    if !gone.is_empty() {
        session.transition(|ledger| ledger.pruned(&gone)).await?;
    }
    Ok(())
}

/// Marks a pending record that has shown no life for long as failed.
pub(super) async fn bury(session: &mut Session, revision: u32) -> Result<(), Error> {
    let description = "no process was seen to finish this; marked as failed by Belay";
    finish::set_status(session, revision, Status::Failed, description).await
}
