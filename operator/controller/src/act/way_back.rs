//! Whether what ran before could be brought back today: known before anybody needs it.

use belay_release::Record;
use belay_rollout::{Proven, WayBack};

use super::preview;
use crate::clock;
use crate::error::Error;
use crate::session::Session;

/// The most objects that are remembered of each list.
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
    let wanted = preview::by_key(session, &previous.record.record()?).await?;
    let runs = preview::by_key(session, runs).await?;
    let changed: Vec<_> = wanted
        .iter()
        .filter(|(key, object)| runs.get(*key) != Some(*object))
        .map(|(key, object)| (key.clone(), object.clone()))
        .collect();
    let mut way = preview::try_out(session, &changed, &wanted).await?;
    way.refused.truncate(MOST);
    way.recreated.truncate(MOST);
    Ok(WayBack {
        revision: previous.revision,
        digest: previous.digest.clone(),
        refused: way.refused,
        recreated: way.recreated,
        checked_at: clock::now(),
    })
}
