//! The outcome on record: `deployed` first, then `superseded`, so that a crash between the two leaves
//! two deployed revisions and never none.

use std::sync::Arc;

use belay_api::Timestamp;
use belay_api::helm_release::AttemptKind;
use belay_cluster::storage::Update;
use belay_health::clip;
use belay_release::{Essence, Status, StorageKey};
use belay_rollout::{At, Attempt, Cause, Proven, report};

use super::Halt;
use super::record::pending;
use super::stored::{self, Found};
use super::way_back::look_back;
use crate::clock;
use crate::error::Error;
use crate::session::Session;

/// The most bytes of a failure's description: `helm history` shows it in one line.
const DESCRIPTION_BYTES: usize = 160;

/// Records a success for Helm; whether it lasts is still to be seen.
pub(super) async fn soak(session: &mut Session, until: Timestamp) -> Result<(), Halt> {
    let attempt = session.attempt()?.clone();
    let description = description(session, &attempt).await?;
    deployed(session, &attempt, &description).await?;
    let now = clock::now();
    Ok(session
        .transition(|ledger| ledger.soaking(until, &description, now))
        .await?)
}

/// Records a success.
pub(super) async fn finish(session: &mut Session) -> Result<(), Halt> {
    let attempt = session.attempt()?.clone();
    let description = description(session, &attempt).await?;
    if !matches!(attempt.at, At::Soaking(_)) {
        deployed(session, &attempt, &description).await?;
    }
    let record = pending(session).await?;
    let now = clock::now();
    let proven = Proven {
        revision: attempt.revision,
        digest: attempt.digest.clone(),
        chart: attempt.chart.clone(),
        proven_at: now,
        record: Essence::of(&record).map_err(Error::from)?,
    };
    let pin = attempt.pin(&session.world.orders);
    let way_back = look_back(session, &record).await;
    let checks = report::soaked(&session.world);
    session
        .transition(|ledger| {
            let finished = ledger.finished(proven, pin, &description, now);
            finished.looked_back(way_back).checked(checks)
        })
        .await?;
    session.record = None;
    Ok(prune_history(session).await?)
}

async fn deployed(
    session: &mut Session,
    attempt: &Attempt,
    description: &str,
) -> Result<(), Error> {
    set_status(session, attempt.revision, Status::Deployed, description).await?;
    let older: Vec<_> = session
        .world
        .storage
        .iter()
        .filter(|stored| stored.revision != attempt.revision && stored.status == Status::Deployed)
        .map(|stored| stored.revision)
        .collect();
    for revision in older {
        set_status(session, revision, Status::Superseded, "").await?;
    }
    Ok(())
}

/// Marks the record of a failed attempt as failed, for Helm and its readers.
pub(super) async fn settle(session: &mut Session) -> Result<(), Error> {
    let attempt = session.attempt()?.clone();
    let message = match &attempt.at {
        At::Failed { failure, .. } => failure.message.clone(),
        _ => "let go before it came to an end".to_owned(),
    };
    let what = match attempt.kind {
        AttemptKind::Install => "Install",
        AttemptKind::Rollback | AttemptKind::Revert => "Rollback",
        AttemptKind::Upgrade | AttemptKind::Uninstall => "Upgrade",
    };
    let description = clip(
        &format!("{what} \"{}\" failed: {message}", session.key.release),
        DESCRIPTION_BYTES,
    );
    set_status(session, attempt.revision, Status::Failed, &description).await
}

/// Gives a record another status; its description stays if the new one is empty. A record that is gone stays so.
pub(super) async fn set_status(
    session: &mut Session,
    revision: u32,
    status: Status,
    description: &str,
) -> Result<(), Error> {
    let storage = session.storage();
    let found = stored::find(session, revision).await?;
    if let Found::Damaged(why) = &found {
        stored::note_damage(session, revision, why).await?;
        session.announce(revision, Some(status));
        let key = StorageKey::new(&session.key.release, revision);
        storage.relabel(&key, status).await?;
    }
    if let Found::Whole(stored) = found {
        let mut record = stored.record;
        if record.info.status != status || !description.is_empty() {
            record.info.status = status;
            if !description.is_empty() {
                description.clone_into(&mut record.info.description);
            }
            session.announce(revision, Some(status));
            match storage.update(&record, &stored.stamp).await? {
                Update::Done(_) => {}
                Update::Conflict => return Err(Error::Stale),
            }
        }
        if session
            .record
            .as_ref()
            .is_some_and(|pending| pending.version == revision)
        {
            session.record = Some(Arc::new(record));
        }
    }
    if let Some(stored) = session
        .world
        .storage
        .iter_mut()
        .find(|stored| stored.revision == revision)
    {
        stored.status = status;
    }
    Ok(())
}

/// What Helm's history and the status say of a success.
async fn description(session: &mut Session, attempt: &Attempt) -> Result<String, Error> {
    let success = success(session, attempt);
    let record = pending(session).await?;
    Ok(match record.left_out() {
        Some(parts) => format!("{success}; the record is without the chart's {parts}: too large"),
        None => success,
    })
}

fn success(session: &Session, attempt: &Attempt) -> String {
    match attempt.kind {
        AttemptKind::Install => "Install complete".to_owned(),
        AttemptKind::Upgrade | AttemptKind::Uninstall => "Upgrade complete".to_owned(),
        AttemptKind::Rollback | AttemptKind::Revert => {
            let target = session.world.ledger.as_ref().and_then(|ledger| {
                let executed = match &attempt.cause {
                    Cause::Request { uid, .. } => {
                        ledger.executed.iter().find(|executed| &executed.uid == uid)
                    }
                    _ => None,
                };
                executed
                    .map(|executed| executed.to.revision)
                    .or_else(|| ledger.proven(&attempt.digest).map(|proven| proven.revision))
            });
            target.map_or_else(
                || "Rollback complete".to_owned(),
                |revision| format!("Rollback to {revision}"),
            )
        }
    }
}

/// Deletes the oldest records over `maxHistory`. Proven revisions stay in Helm's history too.
async fn prune_history(session: &mut Session) -> Result<(), Error> {
    let keep = session.release.spec.max_history as usize;
    let proven: Vec<_> = session
        .ledger()?
        .proven
        .iter()
        .map(|proven| proven.revision)
        .collect();
    let surplus: Vec<_> = session
        .world
        .storage
        .iter()
        .skip(keep)
        .map(|stored| stored.revision)
        .filter(|revision| !proven.contains(revision))
        .collect();
    let storage = session.storage();
    for revision in surplus {
        session.announce(revision, None);
        storage
            .delete(&StorageKey::new(&session.key.release, revision))
            .await?;
        session
            .world
            .storage
            .retain(|stored| stored.revision != revision);
    }
    Ok(())
}
