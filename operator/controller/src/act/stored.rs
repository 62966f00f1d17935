//! Helm's records as they are found: whole, gone, or damaged by somebody, which is told and holds nothing up.

use belay_cluster::Stored;
use belay_release::{Record, StorageKey};

use crate::error::Error;
use crate::session::Session;

/// What was found under the name of a record.
pub(super) enum Found {
    /// The record.
    Whole(Box<Stored>),
    /// Nothing.
    Gone,
    /// A Secret that is no record, and why.
    Damaged(String),
}

/// Reads a record.
pub(super) async fn find(session: &Session, revision: u32) -> Result<Found, Error> {
    let key = StorageKey::new(&session.key.release, revision);
    match session.storage().get(&key).await {
        Ok(Some(stored)) => Ok(Found::Whole(Box::new(stored))),
        Ok(None) => Ok(Found::Gone),
        Err(error) if error.is_damaged() => Ok(Found::Damaged(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Reads a record that is of use but not needed.
pub(super) async fn find_whole(session: &Session, revision: u32) -> Result<Option<Record>, Error> {
    Ok(match find(session, revision).await? {
        Found::Whole(stored) => Some(stored.record),
        Found::Gone => None,
        Found::Damaged(why) => {
            tracing::warn!(revision, %why, "a record is damaged; it goes on without");
            None
        }
    })
}

/// Notes that a record is damaged: history and an event tell it.
pub(super) async fn note_damage(
    session: &mut Session,
    revision: u32,
    why: &str,
) -> Result<(), Error> {
    tracing::warn!(revision, %why, "a record is damaged");
    let now = session.world.now;
    session
        .transition(|ledger| ledger.record_damaged(revision, why, now))
        .await
}
