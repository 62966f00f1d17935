//! A dry run of a request: what it would do is found out, and nothing but its status is written.

use std::collections::BTreeMap;

use belay_api::Reason;
use belay_api::helm_release::{AttemptKind, FaultyObject};
use belay_api::rollback_request::{MAX_PLANNED, RollbackPlan};
use belay_cluster::{DryRun, Foreseen, Item, Known, NotDone, RefusalKind, Say};
use belay_health::{ObjectKey, clip};
use belay_release::Record;
use belay_rollout::{Digest, Running, Target, report};
use kube::ResourceExt;
use serde_json::Value;

use super::preflight::is_of_admission;
use super::stored::{self, Found, find_whole};
use super::surroundings::{Surroundings, undone};
use super::{apply, begin, objects, requests};
use crate::error::Error;
use crate::session::Session;

/// The most bytes of a refusal's words.
const WORDS: usize = 300;

/// Finds out what a request would do, and writes it into its status; it is over with that.
pub(super) async fn preview(
    session: &mut Session,
    name: &str,
    target: &Target,
) -> Result<(), Error> {
    let Some(request) = requests::read(session, name).await? else {
        return Ok(());
    };
    let Some(order) = session
        .world
        .orders
        .iter()
        .find(|order| order.name == name && Some(&order.uid) == request.uid().as_ref())
        .cloned()
    else {
        return Err(Error::Stale);
    };
    if let Target::Stored(revision) = target
        && let Found::Damaged(why) = stored::find(session, *revision).await?
    {
        let message = format!("revision {revision} cannot be brought back: {why}");
        return requests::refuse(session, name, Reason::RevisionNotFound, &message).await;
    }
    let (to, record) = meant(session, target).await?;
    let plan = plan(session, &record).await?;
    let status = report::previewed(
        &request.status.clone().unwrap_or_default(),
        &order,
        session.ledger()?,
        &to,
        plan,
        request.metadata.generation.unwrap_or_default(),
        session.world.now,
    );
    requests::write(session, name, &status).await
}

/// The revision that a target means, with its record.
async fn meant(session: &Session, target: &Target) -> Result<(Running, Record), Error> {
    let ledger = session.ledger()?;
    match target {
        Target::Proven(digest) => {
            let proven = ledger.proven(digest).ok_or(Error::Stale)?;
            let to = Running {
                revision: proven.revision,
                digest: proven.digest.clone(),
                chart: proven.chart.clone(),
                since: proven.proven_at,
                consistent: true,
            };
            Ok((to, proven.record.record()?))
        }
        Target::Stored(revision) => {
            let record = find_whole(session, *revision).await?.ok_or(Error::Stale)?;
            let known = ledger.known(*revision);
            let to = Running {
                revision: *revision,
                digest: known.map_or_else(
                    || Digest::of_manifest(&ledger.key, &record.manifest),
                    |known| known.digest.clone(),
                ),
                chart: begin::chart_id(&record),
                since: known.map_or(session.world.now, |known| known.at),
                consistent: true,
            };
            Ok((to, record))
        }
        Target::Spec | Target::Newest => Err(Error::Stale),
    }
}

/// What differs between the target and what the cluster holds, and what of it the API server would refuse.
async fn plan(session: &Session, target: &Record) -> Result<RollbackPlan, Error> {
    let ledger = session.ledger()?;
    let current = match ledger.current.as_ref().filter(|current| current.consistent) {
        Some(current) => find_whole(session, current.revision).await?,
        None => None,
    };
    let runs = match &current {
        Some(record) => by_key(session, record).await?,
        None => BTreeMap::new(),
    };
    let wanted = by_key(session, target).await?;
    let mut plan = RollbackPlan::default();
    let mut touched = Vec::new();
    for (key, object) in &wanted {
        let is_there = ledger
            .inventory
            .iter()
            .any(|tracked| &tracked.object.key() == key);
        if runs.get(key) == Some(object) {
            plan.unchanged += 1;
            continue;
        }
        touched.push((key.clone(), object.clone()));
        let list = if is_there || runs.contains_key(key) {
            &mut plan.changed
        } else {
            &mut plan.added
        };
        list.push(key.to_string());
    }
    for tracked in &ledger.inventory {
        let key = tracked.object.key();
        if !wanted.contains_key(&key) {
            plan.removed.push(key.to_string());
        }
    }
    plan.removed.sort();
    let way = try_out(session, &touched, &wanted).await?;
    plan.refused = way.refused;
    plan.changed.retain(|name| !way.recreated.contains(name));
    plan.recreated = way.recreated;
    for list in [
        &mut plan.added,
        &mut plan.changed,
        &mut plan.recreated,
        &mut plan.removed,
    ] {
        plan.omitted += list.len().saturating_sub(MAX_PLANNED) as u32;
        list.truncate(MAX_PLANNED);
    }
    plan.refused.truncate(MAX_PLANNED);
    Ok(plan)
}

/// The objects of a record by what names them.
pub(super) async fn by_key(
    session: &Session,
    record: &Record,
) -> Result<BTreeMap<ObjectKey, Value>, Error> {
    let objects = record.documents()?.objects()?;
    let references = objects::references(&session.connection, &objects, &record.namespace).await?;
    Ok(references
        .iter()
        .map(belay_health::ObjectRef::key)
        .zip(objects)
        .collect())
}

/// What going back would meet, were it ordered now.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// What the API server would not take: kinds that are not served any more, fields that cannot change, admission.
    pub(super) refused: Vec<FaultyObject>,
    /// What would be deleted and made anew.
    pub(super) recreated: Vec<String>,
}

/// Tries objects of an older revision with a dry run, as going back would apply them: those that it would change, out of
/// all that it holds.
pub(super) async fn try_out(
    session: &Session,
    changed: &[(ObjectKey, Value)],
    holds: &BTreeMap<ObjectKey, Value>,
) -> Result<Way, Error> {
    let inventory = &session.ledger()?.inventory;
    let items: Vec<_> = changed
        .iter()
        .map(|(key, object)| {
            let tracked = inventory
                .iter()
                .find(|tracked| &tracked.object.key() == key);
            Item {
                object: object.clone(),
                known: tracked
                    .and_then(|tracked| tracked.uid.clone())
                    .map_or(Known::Nothing, |uid| Known::Ours { uid }),
            }
        })
        .collect();
    let options = apply::options(session, AttemptKind::Rollback);
    let mut way = Way::default();
    let tries = session.connection.dry_run_all(&items, &options).await;
    let mut surroundings = Surroundings {
        brings: Say::of(holds.values()),
        undone: Say::default(),
    };
    let refused = |dry: &DryRun| dry.outcome.as_ref().is_err_and(is_of_admission);
    if tries.iter().any(refused) {
        // Going back puts right first what has a say in other objects and differs from what it holds.
        let same = |key: &ObjectKey| {
            holds.contains_key(key) && !changed.iter().any(|(changed, _)| changed == key)
        };
        let keys = inventory.iter().map(|tracked| tracked.object.key());
        let goes = keys.filter(|key| !same(key)).collect();
        surroundings.undone = undone(&session.connection, &session.marks(), goes).await?;
    }
    for (dry, item) in tries.into_iter().zip(&items) {
        match dry.outcome {
            Ok(Foreseen::Taken(_)) => {}
            Ok(Foreseen::Recreated { key, .. }) => way.recreated.push(key.to_string()),
            Err(error)
                if surroundings.passes(&error, &item.object)
                    || error.is(RefusalKind::DryRunUnsupported) => {}
            Err(error @ NotDone::Refused(_)) => way.refused.push(FaultyObject {
                object: dry
                    .key
                    .map_or_else(|| "an object".to_owned(), |key| key.to_string()),
                message: clip(&objects::with_remedy(&error, AttemptKind::Rollback), WORDS),
            }),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(way)
}
