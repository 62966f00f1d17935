//! Whether what ran before could be brought back today: known before anybody needs it.

use belay_release::Record;
use belay_rollout::{Proven, WayBack};

use super::preview::{by_key, refused};
use crate::clock;
use crate::error::Error;
use crate::session::Session;

/// The most refused objects that are remembered.
const MOST: usize = 5;

/// Tries the previous proven revision with a dry run. That it cannot be told is no reason to hold up a success.
pub(super) async fn look_back(session: &Session, runs: &Record) -> Option<WayBack> {
    let ledger = session.ledger().ok()?;
    let digest = &session.attempt().ok()?.digest;
    let previous = ledger
        .proven
        .iter()
        .find(|proven| &proven.digest != digest)?;
    match try_out(session, previous, runs).await {
        Ok(way_back) => Some(way_back),
        Err(error) => {
            tracing::debug!(revision = previous.revision, %error, "the way back could not be tried");
            None
        }
    }
}

async fn try_out(session: &Session, previous: &Proven, runs: &Record) -> Result<WayBack, Error> {
    let text = serde_json::to_vec(&previous.record).unwrap_or_default();
    let wanted = by_key(session, &Record::from_json(&text)?).await?;
    let runs = by_key(session, runs).await?;
    let changed: Vec<_> = wanted
        .into_iter()
        .filter(|(key, object)| runs.get(key) != Some(object))
        .collect();
    let mut refused = refused(session, &changed).await?;
    refused.truncate(MOST);
    Ok(WayBack {
        revision: previous.revision,
        digest: previous.digest.clone(),
        refused,
        checked_at: clock::now(),
    })
}
