//! Whether a revision fits into the Secrets that are to hold it: found out before the first write.

use belay_api::{Reason, Timestamp};
use belay_cluster::Error as ClusterError;
use belay_cluster::ledger::LEDGER_LIMIT;
use belay_release::{Essence, Record};
use belay_rollout::{Plan, Proven, Rejection};

use super::Halt;
use crate::error::Error;
use crate::session::Session;

/// What an attempt may add to the packed ledger besides its record: evidence of a failure, a timeline.
const LEDGER_GROWS_BY: usize = 64 << 10;
/// What each object of a manifest takes in the packed ledger's inventory: uid, version, and the names that differ.
const LEDGER_PER_OBJECT: usize = 128;

/// The record as it fits into its Secret, if need be without the chart's sources.
pub(super) fn fitted(record: Record) -> Result<Record, Halt> {
    record.fitted().map_err(|error| {
        too_large(format!(
            "{error}; the chart's templates and files are not counted: its manifest, hooks or values are too large"
        ))
    })
}

/// Success is written down in the ledger; that it fits is known before anything else is written.
pub(super) fn fits_the_ledger(
    session: &Session,
    record: &Record,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), Halt> {
    let proven = Proven {
        revision: plan.revision,
        digest: plan.digest.clone(),
        chart: plan.chart.clone(),
        proven_at: now,
        record: Essence::of(record).map_err(Error::from)?,
    };
    let objects = record.documents().map_err(Error::from)?.documents.len();
    let grows_by = LEDGER_GROWS_BY + LEDGER_PER_OBJECT * objects;
    let foreseen = session.ledger()?.clone().foreseen(proven);
    let fits = match session.store().size(&foreseen) {
        Ok(bytes) if bytes + grows_by <= LEDGER_LIMIT => return Ok(()),
        Ok(bytes) => format!("{bytes} bytes and up to {grows_by} more"),
        Err(ClusterError::TooLarge { bytes, .. }) => format!("{bytes} bytes"),
        Err(error) => return Err(error.into()),
    };
    Err(too_large(format!(
        "Belay's ledger holds this revision and the last good one, and would take {fits} of the {LEDGER_LIMIT} that fit \
         into a Secret: make the chart's manifest or its values smaller"
    )))
}

fn too_large(message: String) -> Halt {
    Halt::Rejected(Rejection {
        reason: Reason::ReleaseTooLarge,
        message,
        retry_at: None,
    })
}
