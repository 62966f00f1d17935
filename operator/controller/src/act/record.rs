//! Helm's pending record: creating it is the lock of the release.

use std::sync::Arc;

use belay_api::Timestamp;
use belay_api::helm_release::{AfterHooks, AttemptKind, CrdsPolicy};
use belay_cluster::crds::CrdPolicy;
use belay_cluster::storage::{Creation, Storage};
use belay_cluster::{NotDone, RecordStamp};
use belay_release::{Record, StorageKey};
use belay_rollout::{Attempt, Cause, Ledger, Stored};

use super::objects::{self, Runs};
use super::size::fitted;
use super::stored::{self, Found};
use super::{Halt, begin};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// Creates the record, then notes in the ledger what it holds, before any of it is applied.
pub(super) async fn record(context: &Context, session: &mut Session) -> Result<(), Halt> {
    let attempt = session.attempt()?.clone();
    let expected = begin::describe(attempt.kind, &attempt.id);
    let prepared = session
        .record
        .take()
        .filter(|record| record.version == attempt.revision && record.info.description == expected);
    let record = match prepared {
        Some(record) => record,
        None => rebuild(context, session).await?,
    };
    if matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade) {
        bring_definitions(session, attempt.kind).await?;
    }
    let storage = session.storage();
    let key = StorageKey::new(&session.key.release, attempt.revision);
    session.announce(attempt.revision, Some(record.info.status));
    let created = match storage.create(&record).await {
        Ok(Creation::Created(stamp)) => Some(stamp),
        // Ours from before a crash or a lost answer, or somebody else's: its description tells.
        Ok(Creation::AlreadyExists) | Err(NotDone::Ambiguous { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let (record, stamp) = match created {
        Some(stamp) => (record, stamp),
        None => match stored::find(session, attempt.revision).await? {
            Found::Whole(stored) if stored.record.info.description == expected => {
                (Arc::new(stored.record), stored.stamp)
            }
            Found::Whole(_) | Found::Damaged(_) => return Ok(give_way(session, &attempt).await?),
            Found::Gone => return Err(Error::Gone(format!("the record {key}")).into()),
        },
    };
    note_stored(session, &record, &stamp);
    let manifest = record.documents().map_err(Error::from)?;
    let objects = manifest.objects().map_err(Error::from)?;
    let references = objects::references(&session.connection, &objects, &record.namespace).await?;
    let runs = runs(session, attempt.kind);
    let hooks = objects::hook_plan(&session.connection, &record, attempt.kind, runs).await?;
    let now = clock::now();
    session
        .transition(|ledger| ledger.recorded(&references, hooks, now))
        .await?;
    session.record = Some(record);
    Ok(())
}

/// The number was taken by somebody else. What helm made is in the list, and judged as an outside change; what is not
/// in the list, for want of Helm's labels, would be in the way for ever, and its number is passed over.
async fn give_way(session: &mut Session, attempt: &Attempt) -> Result<(), Error> {
    let revision = attempt.revision;
    let listed = session.storage().list(&session.key.release).await?;
    let is_listed = listed
        .iter()
        .any(|summary| summary.key.revision == revision);
    let now = session.world.now;
    session
        .transition(|ledger| {
            let ledger = ledger.abandoned(now);
            if is_listed {
                return ledger;
            }
            ledger.heard_of(revision)
        })
        .await?;
    Err(Error::Stale)
}

/// The pending record of the attempt: from memory, or as the cluster holds it.
pub(super) async fn pending(session: &mut Session) -> Result<Arc<Record>, Error> {
    let attempt = session.attempt()?;
    let revision = attempt.revision;
    if let Some(record) = &session.record
        && record.version == revision
    {
        return Ok(Arc::clone(record));
    }
    let storage = session.storage();
    let key = StorageKey::new(&session.key.release, revision);
    let stored = storage
        .get(&key)
        .await?
        .ok_or_else(|| Error::Gone(format!("the record {key}")))?;
    let record = Arc::new(stored.record);
    session.record = Some(Arc::clone(&record));
    Ok(record)
}

/// Nothing was written yet, so what was prepared before a crash may be prepared again.
async fn rebuild(context: &Context, session: &mut Session) -> Result<Arc<Record>, Halt> {
    let storage = session.storage();
    let attempt = session.attempt()?.clone();
    let key = StorageKey::new(&session.key.release, attempt.revision);
    let expected = begin::describe(attempt.kind, &attempt.id);
    if let Some(stored) = storage.get(&key).await?
        && stored.record.info.description == expected
    {
        return Ok(Arc::new(stored.record));
    }
    if attempt.kind == AttemptKind::Revert || attempt.kind == AttemptKind::Rollback {
        let proven = session
            .ledger()?
            .proven(&attempt.digest)
            .map(|proven| proven.record.record().map_err(Error::from))
            .transpose()?;
        let record = match proven {
            Some(record) => Some(record),
            None => ordered(session, &storage, &attempt).await?,
        };
        let Some(mut record) = record else {
            let now = session.world.now;
            session.transition(|ledger| ledger.abandoned(now)).await?;
            return Err(Error::Stale.into());
        };
        begin::renew(
            session,
            &mut record,
            attempt.kind,
            attempt.revision,
            &attempt.id,
        );
        return Ok(Arc::new(record));
    }
    if session.world.desired.digest() != Some(&attempt.digest) {
        return Err(Error::Stale.into());
    }
    let rendering = begin::render(context, session, attempt.kind, attempt.revision).await?;
    let record = begin::record_of(
        session,
        &rendering,
        attempt.kind,
        attempt.revision,
        &attempt.id,
    )?;
    Ok(Arc::new(fitted(record)?))
}

/// The record that a request named by its revision.
async fn ordered(
    session: &Session,
    storage: &Storage,
    attempt: &Attempt,
) -> Result<Option<Record>, Error> {
    let Cause::Request { uid, .. } = &attempt.cause else {
        return Ok(None);
    };
    let Some(executed) = session
        .ledger()?
        .executed
        .iter()
        .find(|executed| &executed.uid == uid)
    else {
        return Ok(None);
    };
    let key = StorageKey::new(&session.key.release, executed.to.revision);
    Ok(storage.get(&key).await?.map(|stored| stored.record))
}

fn note_stored(session: &mut Session, record: &Record, stamp: &RecordStamp) {
    let created = stamp.created.map_or(session.world.now, |created| {
        Timestamp(created.as_millisecond())
    });
    session
        .world
        .storage
        .retain(|stored| stored.revision != record.version);
    session.world.storage.insert(
        0,
        Stored {
            revision: record.version,
            status: record.info.status,
            created,
        },
    );
}

fn runs(session: &Session, kind: AttemptKind) -> Runs {
    let spec = &session.release.spec;
    let disabled = match kind {
        AttemptKind::Install => spec.install.disable_hooks,
        AttemptKind::Upgrade => spec.upgrade.disable_hooks,
        AttemptKind::Rollback | AttemptKind::Revert => spec.rollback.disable_hooks,
        AttemptKind::Uninstall => spec.uninstall.disable_hooks,
    };
    // What goes back was tested when it came.
    let comes = matches!(kind, AttemptKind::Install | AttemptKind::Upgrade);
    Runs {
        hooks: !disabled,
        tests: comes && spec.tests.enabled,
        after_hooks: match kind {
            AttemptKind::Upgrade => spec.upgrade.after_hooks,
            _ => AfterHooks::Revert,
        },
    }
}

/// What happens to the chart's `crds/`.
pub(super) fn crd_policy(session: &Session, kind: AttemptKind) -> CrdPolicy {
    let policy = match kind {
        AttemptKind::Install => session.release.spec.install.crds,
        _ => session.release.spec.upgrade.crds,
    };
    match policy {
        CrdsPolicy::Skip => CrdPolicy::Skip,
        CrdsPolicy::Create => CrdPolicy::Create,
        CrdsPolicy::CreateReplace => CrdPolicy::CreateReplace,
    }
}

/// The chart's `crds/`, before anything that may be of their kinds.
async fn bring_definitions(session: &Session, kind: AttemptKind) -> Result<(), Halt> {
    let policy = crd_policy(session, kind);
    if policy == CrdPolicy::Skip {
        return Ok(());
    }
    let resolved = session.resolved.clone().ok_or(Error::Stale)?;
    let Ok(ready) = &resolved.outcome else {
        return Err(Error::Stale.into());
    };
    let definitions = crate::render::definitions(&ready.chart).map_err(Halt::Rejected)?;
    if definitions.is_empty() {
        return Ok(());
    }
    let within = remaining(session.ledger()?, session.world.now);
    session
        .connection
        .ensure_crds(&definitions, policy, within)
        .await?;
    Ok(())
}

/// What is left of the attempt's time; at least a second, so that one look is always had.
pub(super) fn remaining(ledger: &Ledger, now: Timestamp) -> std::time::Duration {
    let left = ledger
        .attempt
        .as_ref()
        .map_or(belay_api::Duration::seconds(1), |attempt| {
            attempt.deadline.since(now)
        });
    left.max(belay_api::Duration::seconds(1)).as_std()
}
