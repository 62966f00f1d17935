//! Putting objects right that somebody edited or deleted: the same revision, applied once more.

use belay_cluster::{Applied, Item, NotDone};
use belay_health::{
    ObjectKey, ObjectRef, Sight, clip, expires_when_finished, ignored_paths, leave_alone,
};
use belay_release::install_order;
use belay_rollout::{Correction, Tracked};
use serde_json::Value;

use super::compare;
use super::preview::by_key;
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// The most bytes of the API server's words.
const WORDS: usize = 300;

/// What became of the objects that were to be put right.
#[derive(Default)]
struct Outcome {
    applied: Vec<Applied>,
    refused: Vec<(ObjectKey, String)>,
}

/// Puts objects right. It counts before it is done, so that nobody fights without end, whatever dies in between.
pub(super) async fn correct(
    context: &Context,
    session: &mut Session,
    mut corrections: Vec<Correction>,
) -> Result<(), Error> {
    nobody_was_faster(session).await?;
    let Some(record) = compare::running(session).await? else {
        return Err(Error::Stale);
    };
    let manifest = by_key(session, &record).await?;
    corrections.retain(|correction| manifest.contains_key(&correction.object));
    corrections.sort_by(|a, b| install_order(&a.object.kind, &b.object.kind));
    let at = clock::now();
    session
        .transition(|ledger| ledger.correcting(&corrections, at))
        .await?;
    let mut outcome = Outcome::default();
    let mut ended = Ok(());
    for correction in &corrections {
        let Some(object) = manifest.get(&correction.object) else {
            continue;
        };
        ended = put_right(session, correction, object, &mut outcome).await;
        if ended.is_err() {
            break;
        }
    }
    let applied: Vec<_> = outcome.applied.iter().map(tracked).collect();
    let refused: Vec<_> = outcome.refused.iter().map(|(key, _)| key.clone()).collect();
    session
        .transition(|ledger| ledger.put_right(&applied, &refused, at))
        .await?;
    ended?;
    let done: Vec<_> = applied.iter().map(|tracked| tracked.object.key()).collect();
    context.metrics.drift("corrected", done.len());
    context.metrics.drift("refused", refused.len());
    if let Some(drift) = &mut session.world.drift {
        drift.checked = drift.checked.clone().corrected(&done, &outcome.refused);
        session.drift = Some(drift.checked.clone());
    }
    Ok(())
}

/// Whoever runs helm applies first and is noticed by its record: what it did is not taken back by halves.
async fn nobody_was_faster(session: &Session) -> Result<(), Error> {
    let newest = session
        .storage()
        .list(&session.key.release)
        .await?
        .into_iter()
        .map(|summary| summary.key.revision)
        .max();
    if newest == session.world.newest().map(|stored| stored.revision) {
        Ok(())
    } else {
        Err(Error::Stale)
    }
}

async fn put_right(
    session: &Session,
    correction: &Correction,
    manifest: &Value,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let key = &correction.object;
    let mut object = manifest.clone();
    if let Some(live) = session.connection.get(key).await? {
        let rules = compare::rules(session)?;
        let ignored = ignored_paths(&rules, &live);
        let leave = correction.leave.iter().map(String::as_str).chain(ignored);
        for path in leave {
            leave_alone(&mut object, &live, path);
        }
    }
    let item = Item::new(object);
    match session
        .connection
        .apply(&item, &compare::options(session))
        .await
    {
        Ok(applied) => {
            let places: Vec<_> = correction.places.iter().map(|(path, _)| path).collect();
            tracing::info!(object = %key, ?places, "put right");
            outcome.applied.push(applied);
        }
        Err(NotDone::Refused(error)) => {
            tracing::warn!(object = %key, %error, "cannot be put right");
            let words = clip(&error.to_string(), WORDS);
            outcome.refused.push((key.clone(), words));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What the ledger keeps of an object that was put right.
fn tracked(applied: &Applied) -> Tracked {
    let sight = Sight::of(&applied.live, belay_cluster::identity::MANAGER);
    let key = &applied.key;
    let version =
        ObjectRef::of(&applied.live).map_or_else(|_| String::new(), |found| found.version);
    Tracked {
        object: ObjectRef {
            group: key.group.clone(),
            version,
            kind: key.kind.clone(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        },
        uid: Some(applied.uid.clone()),
        resource_version: applied.resource_version.0,
        print: sight.owned,
        wanted: true,
        created: applied.created,
        expires: expires_when_finished(&applied.live),
    }
}
