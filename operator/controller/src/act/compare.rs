//! Comparing the objects of what runs with its manifest: nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use belay_cluster::{
    ApplyOptions, Compared, Comparison, Connection, Error as ClusterError, Lane, OnImmutable,
    ResourceVersion,
};
use belay_health::{
    Difference, IgnoreRule, Mask, ObjectKey, changes, clip, expires_when_finished, ignored_paths,
    is_ignored,
};
use belay_release::{Record, StorageKey};
use belay_rollout::{Deviation, Finding, Scope};
use serde_json::Value;

use super::preview::by_key;
use super::secrets::{is_secret, secrets_of};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::gather;
use crate::session::Session;

/// How many places of an object are told apart.
const MOST_PLACES: usize = 32;
/// The most bytes of the API server's words.
const WORDS: usize = 300;

/// Compares objects with the manifest of what runs.
pub(super) async fn compare(
    context: &Context,
    session: &mut Session,
    scope: &Scope,
) -> Result<(), Error> {
    let found = match running(session).await? {
        Some(record) => look(session, &record, scope).await?,
        None => vec![without_record(session, scope)?],
    };
    let now = clock::now();
    let Some(drift) = &mut session.world.drift else {
        return Ok(());
    };
    let known = drift.checked.findings.len();
    let checked = drift.checked.clone().looked(scope, found, now);
    let more = checked.findings.len().saturating_sub(known);
    context.metrics.drift("detected", more);
    drift.checked = checked;
    session.drift = Some(drift.checked.clone());
    Ok(())
}

/// The record of what runs: out of the ledger, or else out of Helm's storage.
pub(super) async fn running(session: &Session) -> Result<Option<Record>, Error> {
    let ledger = session.ledger()?;
    let Some(current) = &ledger.current else {
        return Err(Error::Stale);
    };
    if let Some(proven) = ledger.proven(&current.digest) {
        return Ok(Some(proven.record.record()?));
    }
    let storage = session.storage();
    let key = StorageKey::new(&session.key.release, current.revision);
    Ok(storage.get(&key).await?.map(|stored| stored.record))
}

/// The rules of `spec.driftDetection.ignore`; nothing is compared by such as cannot be read.
pub(super) fn rules(session: &Session) -> Result<Vec<IgnoreRule>, Error> {
    gather::ignore_rules(&session.world.declared.drift).map_err(|_| Error::Stale)
}

/// How what is compared is applied, and whose it is.
pub(super) fn options(session: &Session) -> ApplyOptions {
    ApplyOptions {
        owner: session.marks(),
        take_ownership: false,
        // Nobody asked for a new object: what cannot change is told.
        on_immutable: OnImmutable::Fail,
    }
}

async fn look(session: &Session, record: &Record, scope: &Scope) -> Result<Vec<Finding>, Error> {
    let manifest = by_key(session, record).await?;
    let hidden = secrets_of(manifest.values());
    let wanted: BTreeMap<_, _> = manifest
        .into_iter()
        .filter(|(key, _)| match scope {
            Scope::All => true,
            Scope::Objects(objects) => objects.contains(key),
        })
        .collect();
    let release = gather::watch_key(&session.key);
    // Before the look: what it finds missing has no state of its own.
    let known: BTreeMap<ObjectKey, ResourceVersion> = wanted
        .keys()
        .map(|key| (key.clone(), session.cluster.watches.known(key)))
        .collect();
    if let Scope::Objects(objects) = scope {
        for key in objects.iter().filter(|key| !wanted.contains_key(*key)) {
            // No manifest holds it, so nothing is expected of it.
            let at = session.cluster.watches.known(key);
            session
                .cluster
                .watches
                .accept(&release, key, at, None, false);
        }
    }
    let connection = session.connection.in_lane(Lane::Drift);
    let answers = compare_all(&connection, &wanted, session).await?;
    let rules = rules(session)?;
    let mut findings = Vec::new();
    for compared in answers {
        let finding = judge(&compared, wanted.get(&compared.key), &rules, &hidden);
        let same = matches!(compared.comparison, Comparison::Same);
        let (at, state) = match (&compared.comparison, compared.seen) {
            (Comparison::Missing, _) | (_, None) => {
                let at = known.get(&compared.key).copied().unwrap_or_default();
                (at, None)
            }
            (_, Some((at, sight))) => (at, Some(sight)),
        };
        let whole = same && compared.whole;
        session
            .cluster
            .watches
            .accept(&release, &compared.key, at, state, whole);
        findings.extend(finding.map(|deviation| Finding {
            object: compared.key,
            deviation,
            since: session.world.now,
            refused: None,
        }));
    }
    Ok(findings)
}

async fn compare_all(
    connection: &Connection,
    wanted: &BTreeMap<ObjectKey, Value>,
    session: &Session,
) -> Result<Vec<Compared>, Error> {
    Ok(connection.compare_all(wanted, &options(session)).await?)
}

/// How an object differs, if it does in anything that is not ignored.
fn judge(
    compared: &Compared,
    manifest: Option<&Value>,
    rules: &[IgnoreRule],
    hidden: &BTreeSet<String>,
) -> Option<Deviation> {
    let is_free = |object: &Value| ignored_paths(rules, object).contains(&"");
    match &compared.comparison {
        Comparison::Same => None,
        Comparison::Missing => {
            // A Job that goes by itself once it has ended is done, and does not run again for that.
            let goes =
                manifest.is_some_and(|object| expires_when_finished(object) || is_free(object));
            (!goes).then_some(Deviation::Missing)
        }
        Comparison::Differs { live, wanted } => edited(live, wanted, rules, hidden),
        Comparison::NotOurs { owner } => Some(Deviation::NotOurs {
            owner: owner.as_ref().map(ToString::to_string),
        }),
        Comparison::Terminating => Some(Deviation::Unknown {
            message: "it is being deleted".to_owned(),
        }),
        Comparison::Immutable(error) => Some(Deviation::Immutable {
            message: words(error, hidden),
        }),
        Comparison::Refused(error) => Some(Deviation::Unknown {
            message: words(error, hidden),
        }),
    }
}

fn edited(
    live: &Value,
    wanted: &Value,
    rules: &[IgnoreRule],
    hidden: &BTreeSet<String>,
) -> Option<Deviation> {
    let ignored = ignored_paths(rules, live);
    let mut found = changes(live, wanted);
    found.retain(|change| !is_ignored(&ignored, &change.path));
    if found.is_empty() {
        return None;
    }
    // What somebody put into a Secret is as secret as what was there.
    let mut all = secrets_of([live, wanted].into_iter());
    all.extend(hidden.iter().cloned());
    let mask = Mask::new(all);
    let differences: Vec<_> = found
        .iter()
        .take(MOST_PLACES)
        .map(|change| Difference::shown(change, is_secret(live), &mask))
        .collect();
    Some(Deviation::Edited {
        omitted: (found.len() - differences.len()) as u32,
        differences,
    })
}

fn words(error: &ClusterError, hidden: &BTreeSet<String>) -> String {
    clip(&Mask::new(hidden).apply(&error.to_string()), WORDS)
}

/// Without its record nothing of what runs can be compared.
fn without_record(session: &Session, scope: &Scope) -> Result<Finding, Error> {
    let ledger = session.ledger()?;
    let revision = ledger
        .current
        .as_ref()
        .map_or(0, |current| current.revision);
    let name = StorageKey::new(&session.key.release, revision).to_string();
    tracing::debug!(%name, ?scope, "there is no record to compare with");
    Ok(Finding {
        object: ObjectKey {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: Some(session.key.namespace.clone()),
            name,
        },
        deviation: Deviation::Unknown {
            message: "Helm's record of what runs was removed by hand".to_owned(),
        },
        since: session.world.now,
        refused: None,
    })
}
