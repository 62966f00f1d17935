//! Applying: the manifest of the pending record, in waves, then pruning what older ones left.

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_api::{Reason, Timestamp};
use belay_cluster::managed_fields::is_client_side;
use belay_cluster::{
    Applied, ApplyOptions, Error as ClusterError, FailedItem, Item, NotDone, Pruned, RefusalKind,
    ResourceVersion, Tracked as Watched, WavesOptions, WavesOutcome,
};
use belay_health::{
    ObjectEvidence, ObjectKey, ObjectRef, ProgressReason, Sight, Verdict, expires_when_finished,
};
use belay_release::{has_a_say_in_others, uninstall_order};
use belay_rollout::{Failure, Proof, Tracked};
use serde_json::Value;

use super::record::{pending, remaining};
use super::{Halt, objects};
use crate::clock;
use crate::error::Error;
use crate::gather::{self, Judging};
use crate::session::Session;

/// Of how many objects a failure tells.
const MOST_OBJECTS: usize = 5;

/// Applies and prunes; never cut in the middle.
pub(super) async fn apply(session: &mut Session) -> Result<(), Halt> {
    let record = pending(session).await?;
    let objects = record
        .documents()
        .and_then(|manifest| manifest.objects())
        .map_err(Error::from)?;
    let references = objects::references(&session.connection, &objects, &record.namespace).await?;
    let since = gather::since(session);
    let judging = Judging::of(session, references.iter().map(ObjectRef::key)).await?;
    let expected = references
        .iter()
        .map(|reference| Watched {
            judge: judging.judge(&reference.key()),
            ..Watched::expected(reference.key())
        })
        .collect();
    gather::track(session, expected, since);

    let items = objects
        .into_iter()
        .zip(&references)
        .map(|(object, reference)| Item {
            known: objects::known(session.world.ledger.as_ref(), reference),
            object,
        })
        .collect();
    let options = WavesOptions {
        apply: options(session, session.attempt()?.kind),
        definitions_within: remaining(session.ledger()?, clock::now()),
    };
    // What goes anyway must not refuse what comes.
    prune(session, Which::HasASay).await?;
    let outcome = session.connection.apply_waves(items, &options).await;
    let applied: Vec<_> = outcome
        .applied
        .iter()
        .map(|applied| tracked(applied, &references, since))
        .collect();
    if !outcome.failed.is_empty() {
        return Err(judge_waves(session, outcome)?);
    }
    gather::track(
        session,
        outcome
            .applied
            .iter()
            .map(|applied| Watched::applied(applied, judging.judge(&applied.key)))
            .collect(),
        since,
    );
    if !outcome.waiting.is_empty() {
        session.world.progress = gather::progress(session);
        session.world.proof = Some(Proof {
            not_current: waiting(&outcome.waiting, &references),
        });
        session.world.now = clock::now();
        return Ok(());
    }
    let gone = prune(session, Which::All).await?;
    let now = clock::now();
    session
        .transition(|ledger| ledger.applied(&applied, &gone, now))
        .await?;
    session.world.progress = gather::progress(session);
    Ok(())
}

/// How an attempt of this kind applies, or tries.
pub(super) fn options(session: &Session, kind: AttemptKind) -> ApplyOptions {
    ApplyOptions {
        owner: session.marks(),
        take_ownership: takes_ownership(session, kind),
        on_immutable: objects::on_immutable(&session.release.spec, kind),
    }
}

/// What was passed over, since it waits for what was applied beside it.
fn waiting(passed_over: &[FailedItem], references: &[ObjectRef]) -> Vec<(ObjectKey, Verdict)> {
    let whole = |key: &ObjectKey| {
        let same = |of: &&ObjectRef| {
            of.group == key.group
                && of.kind == key.kind
                && of.name == key.name
                && (key.namespace.is_none() || of.namespace == key.namespace)
        };
        references.iter().find(same).map(ObjectRef::key)
    };
    let told = passed_over.iter().filter_map(|item| {
        let verdict = Verdict::Progressing {
            reason: ProgressReason::NotApplied,
            message: format!("not applied yet: {}", item.error.error()),
        };
        Some((whole(item.key.as_ref()?)?, verdict))
    });
    told.collect()
}

/// The first failure, with all that is not as it should be.
fn judge_waves(session: &Session, outcome: WavesOutcome) -> Result<Halt, Error> {
    let evidence = |key: &ObjectKey, message: String| ObjectEvidence {
        object: key.clone(),
        verdict: ProgressReason::NotApplied.to_string(),
        message,
    };
    let failed = outcome.failed.iter().chain(&outcome.waiting);
    let failed = failed.filter_map(|item| {
        let why = item.error.error().to_string();
        Some(evidence(item.key.as_ref()?, why))
    });
    let untouched = outcome.untouched.iter();
    let untouched = untouched.map(|key| evidence(key, "not applied, since another failed".into()));
    let objects: Vec<_> = failed.chain(untouched).take(MOST_OBJECTS).collect();
    let Some(first) = outcome.failed.into_iter().next() else {
        return Err(Error::Stale);
    };
    let key = first.key.as_ref();
    let name = key.map_or_else(|| "an object".to_owned(), ToString::to_string);
    let halt = judge_failure(session, first.error, &name)?;
    Ok(match halt {
        Halt::Failed(mut failure) => {
            failure.objects = objects;
            Halt::Failed(failure)
        }
        halt => halt,
    })
}

/// Whether an object has a say in others.
pub(super) fn has_a_say(key: &ObjectKey) -> bool {
    has_a_say_in_others(&key.group, &key.kind)
}

fn takes_ownership(session: &Session, kind: AttemptKind) -> bool {
    match kind {
        AttemptKind::Install => session.release.spec.install.take_ownership,
        AttemptKind::Upgrade => session.release.spec.upgrade.take_ownership,
        AttemptKind::Rollback | AttemptKind::Revert | AttemptKind::Uninstall => false,
    }
}

pub(super) fn tracked(
    applied: &Applied,
    references: &[ObjectRef],
    since: Option<Timestamp>,
) -> Tracked {
    let object = references
        .iter()
        .find(|reference| reference.key() == applied.key)
        .cloned()
        .unwrap_or_else(|| ObjectRef {
            group: applied.key.group.clone(),
            version: String::new(),
            kind: applied.key.kind.clone(),
            namespace: applied.key.namespace.clone(),
            name: applied.key.name.clone(),
        });
    Tracked {
        object,
        uid: Some(applied.uid.clone()),
        resource_version: applied.resource_version.0,
        print: Sight::of(&applied.live, belay_cluster::identity::MANAGER).owned,
        wanted: true,
        created: applied.created || made_since(&applied.live, since),
        expires: expires_when_finished(&applied.live),
    }
}

/// An object that is younger than the pending record is this attempt's, even if the answer to its creation was lost.
fn made_since(live: &Value, since: Option<Timestamp>) -> bool {
    let created = live
        .pointer("/metadata/creationTimestamp")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok());
    matches!((created, since), (Some(created), Some(since)) if created >= since.whole_seconds())
}

/// Which of the objects go that no revision wants any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All of them.
    All,
    /// Those that have a say in others.
    HasASay,
}

/// Prunes, with a failure judged as the attempt's.
pub(super) async fn prune(session: &Session, which: Which) -> Result<Vec<ObjectKey>, Halt> {
    match prune_unwanted(session, which).await {
        Ok(gone) => Ok(gone),
        Err(Error::NotDone(error)) => Err(judge_failure(session, error, "pruning")?),
        Err(error) => Err(error.into()),
    }
}

/// Deletes what no revision since last good wants any more; answers with what is not ours to hold any longer.
pub(super) async fn prune_unwanted(
    session: &Session,
    which: Which,
) -> Result<Vec<ObjectKey>, Error> {
    let unwanted = session
        .ledger()?
        .inventory
        .iter()
        .filter(|tracked| !tracked.wanted)
        .map(|tracked| tracked.object.key())
        .filter(|key| which == Which::All || has_a_say(key))
        .collect();
    prune_these(session, unwanted).await
}

/// Deletes these, as far as they are ours; answers as [`prune_unwanted`].
pub(super) async fn prune_these(
    session: &Session,
    mut unwanted: Vec<ObjectKey>,
) -> Result<Vec<ObjectKey>, Error> {
    let owner = session.marks();
    unwanted.sort_by(|a, b| uninstall_order(&a.kind, &b.kind));
    for key in &unwanted {
        let pruned = session.connection.prune(key, &owner).await?;
        if let Pruned::NotOurs { owner } = &pruned {
            tracing::info!(object = %key, ?owner, "left, since it is not marked as this release's");
        }
    }
    Ok(unwanted)
}

/// What the same apply meets again is the revision's own failure; everything else is tried again until
/// the attempt's time is over.
pub(super) fn judge_failure(session: &Session, error: NotDone, name: &str) -> Result<Halt, Error> {
    let attempt = session.attempt()?;
    let late = clock::now() >= attempt.deadline;
    let lasting = matches!(error, NotDone::Refused(_))
        && !error.is(RefusalKind::Conflict)
        && !error.is(RefusalKind::Quota);
    // A way back has nowhere else to go: it is tried on until its time is over.
    if !late && (!lasting || attempt.kind == AttemptKind::Revert) {
        return Ok(Halt::Error(error.into()));
    }
    let (class, reason) = match error.error() {
        ClusterError::NotOurs { .. } => (FailureClass::Terminal, Reason::OwnershipConflict),
        _ if lasting => (FailureClass::Terminal, Reason::ApplyFailed),
        _ => (FailureClass::Transient, Reason::ApiUnavailable),
    };
    Ok(Halt::Failed(Box::new(Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class,
        reason,
        message: format!("{name}: {}", objects::with_remedy(&error, attempt.kind)),
        at: clock::now(),
        objects: Vec::new(),
        pods: Vec::new(),
        timeline: attempt.timeline.clone(),
    })))
}

/// What is known of a live object that nobody applied in this attempt.
///
/// One that was applied client-side is looked at before its next apply, which migrates its fields; so its uid does not
/// count as known.
///
/// Whether it still is what its manifest makes of it is not known: it has no print, so that the first sight of it has it
/// compared.
pub(super) fn found(reference: ObjectRef, live: &Value) -> Tracked {
    let version: ResourceVersion = belay_cluster::object::resource_version(live);
    let uid = belay_cluster::object::uid(live).filter(|_| !is_client_side(live));
    Tracked {
        object: reference,
        uid: uid.map(str::to_owned),
        resource_version: version.0,
        print: None,
        wanted: true,
        created: false,
        expires: expires_when_finished(live),
    }
}

/// When the API server says that something was made.
pub(super) fn at(time: Option<&String>, otherwise: Timestamp) -> Timestamp {
    time.and_then(|time| time.parse().ok()).unwrap_or(otherwise)
}
