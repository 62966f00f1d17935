//! Adoption: a release that Helm made becomes Belay's, and nothing of it is touched.

use belay_api::helm_release::AttemptKind;
use belay_health::{ObjectRef, verdict};
use belay_release::{Essence, Record, StorageKey, differences};
use belay_rollout::{Digest, Proven, Running, Tracked};
use serde_json::Value;

use super::{Halt, apply, begin, objects};
use crate::context::Context;
use crate::error::Error;
use crate::gather::Judging;
use crate::session::Session;

/// What a probe of a deployed revision found.
pub(super) struct Probe {
    /// The revision as what runs.
    pub(super) running: Running,
    /// The same as a proven revision, if every object is there, ours and current.
    pub(super) proven: Option<Proven>,
    /// Its objects.
    pub(super) objects: Vec<Tracked>,
}

/// Takes over the deployed revision. If the spec renders to the same objects, it is what the spec asks for.
pub(super) async fn adopt(
    context: &Context,
    session: &mut Session,
    revision: u32,
) -> Result<(), Halt> {
    let record = read(session, revision).await?;
    let digest = match same_as_desired(context, session, &record, revision).await? {
        Some(digest) => digest,
        None => Digest::of_manifest(&session.ledger()?.key, &record.manifest),
    };
    let probe = probe(session, &record, revision, digest).await?;
    let description = record.info.description.clone();
    let now = session.world.now;
    session
        .transition(|ledger| {
            ledger.adopted(
                probe.running,
                probe.proven,
                probe.objects,
                None,
                &description,
                now,
            )
        })
        .await?;
    Ok(())
}

pub(super) async fn read(session: &Session, revision: u32) -> Result<Record, Error> {
    let storage = session.storage();
    let key = StorageKey::new(&session.key.release, revision);
    let stored = storage
        .get(&key)
        .await?
        .ok_or_else(|| Error::Gone(format!("the record {key}")))?;
    Ok(stored.record)
}

/// Looks at every object of a deployed revision.
pub(super) async fn probe(
    session: &Session,
    record: &Record,
    revision: u32,
    digest: Digest,
) -> Result<Probe, Error> {
    let manifest = record.documents()?.objects()?;
    let owner = session.marks();
    let references = objects::references(&session.connection, &manifest, &record.namespace).await?;
    let judging = Judging::of(session, references.iter().map(ObjectRef::key)).await?;
    let mut found = Vec::new();
    let mut good = true;
    for reference in references {
        match session.connection.get(&reference.key()).await? {
            Some(live) => {
                let verdict = match judging.judge(&reference.key()) {
                    Some(judge) => judge(&live),
                    None => verdict(&live),
                };
                good &= verdict.is_current()
                    && belay_cluster::identity::ownership(&live, &owner)
                        == belay_cluster::Ownership::Ours;
                found.push(apply::found(reference, &live));
            }
            None => good = false,
        }
    }
    let now = session.world.now;
    let chart = begin::chart_id(record);
    let since = apply::at(record.info.last_deployed.as_ref(), now);
    let proven = if good {
        Some(Proven {
            revision,
            digest: digest.clone(),
            chart: chart.clone(),
            proven_at: now,
            record: Essence::of(record)?,
        })
    } else {
        None
    };
    Ok(Probe {
        running: Running {
            revision,
            digest,
            chart,
            since,
            consistent: true,
        },
        proven,
        objects: found,
    })
}

/// The desired digest, if what it renders to is, object for object, what the record holds.
pub(super) async fn same_as_desired(
    context: &Context,
    session: &Session,
    record: &Record,
    revision: u32,
) -> Result<Option<Digest>, Halt> {
    let Some(desired) = session.world.desired.digest() else {
        return Ok(None);
    };
    let kind = if revision == 1 {
        AttemptKind::Install
    } else {
        AttemptKind::Upgrade
    };
    let rendering = match begin::render(context, session, kind, revision).await {
        Ok(rendering) => rendering,
        Err(Halt::Rejected(_)) => return Ok(None),
        Err(halt) => return Err(halt),
    };
    let ours: Vec<Value> = rendering.rendered.manifest.objects().map_err(Error::from)?;
    let theirs: Vec<Value> = record
        .documents()
        .and_then(|manifest| manifest.objects())
        .map_err(Error::from)?;
    // Versions of Helm sort some kinds differently; what is applied is the same.
    Ok(differences(&theirs, &ours)
        .is_empty()
        .then(|| desired.clone()))
}
