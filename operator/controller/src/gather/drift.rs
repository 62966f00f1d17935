//! What is known of drift, and what the watches guard for it.

use belay_api::Reason;
use belay_api::helm_release::{DriftDetection, DriftMode};
use belay_cluster::{Guard, ResourceVersion};
use belay_health::{IgnoreRule, Target};
use belay_rollout::{At, Checked, Drift, Ledger, Rejection};

use super::watch_key;
use crate::session::Session;

/// Sees to it that the watches guard what was left, and takes in what they saw.
pub(super) fn look(session: &mut Session) {
    guard(session);
    session.world.drift = None;
    let Some(revision) = watched_revision(session) else {
        if session.world.declared.drift.mode == DriftMode::Disabled {
            session.drift = None;
        }
        return;
    };
    let checked = checked(session, revision);
    session.drift = Some(checked.clone());
    session.world.drift = Some(Drift {
        suspects: session.cluster.watches.suspects(&watch_key(&session.key)),
        checked,
    });
}

/// The ledger of a release that is to be looked after.
fn ours(session: &Session) -> Option<&Ledger> {
    let declared = &session.world.declared;
    let ledger = session.world.ledger.as_ref()?;
    let ours = ledger.owner.uid == declared.identity.uid
        && !declared.deleting
        && declared.drift.mode != DriftMode::Disabled;
    ours.then_some(ledger)
}

/// The revision whose objects are compared; none while something is under way.
fn watched_revision(session: &Session) -> Option<u32> {
    let ledger = ours(session)?;
    // By rules that cannot be read nothing is compared.
    if ledger.attempt.is_some() || ignore_rules(&session.world.declared.drift).is_err() {
        return None;
    }
    ledger.current.as_ref().map(|current| current.revision)
}

fn checked(session: &Session, revision: u32) -> Checked {
    let now = session.world.now;
    let ignore = &session.world.declared.drift.ignore;
    match &session.drift {
        Some(known) if known.revision == revision && known.ignore == *ignore => known.clone(),
        Some(known) if known.revision == revision => Checked {
            ignore: ignore.clone(),
            ..known.clone().overdue()
        },
        Some(_) => Checked::begun(revision, ignore.clone(), now),
        // A process that has just begun: the watches compare with what the ledger says was left. What the status tells
        // of drift is found anew, or found to be over.
        None => {
            let begun = Checked::begun(revision, ignore.clone(), now);
            let status = session.release.status.as_ref();
            let told = status
                .and_then(|status| status.drift.as_ref())
                .is_some_and(|drift| !drift.objects.is_empty());
            if told { begun.overdue() } else { begun }
        }
    }
}

/// Has the watches tell of every object that is not as it was left. While objects are being changed they are not
/// guarded anew: what they will be left as is not known yet.
fn guard(session: &Session) {
    let key = watch_key(&session.key);
    let Some(ledger) = ours(session) else {
        session.cluster.watches.guard(&key, &[]);
        return;
    };
    let left = match ledger.attempt.as_ref().map(|attempt| &attempt.at) {
        None => ledger.current.is_some(),
        Some(At::Waiting | At::PostHooks | At::Testing | At::Finishing | At::Soaking(_)) => true,
        Some(
            At::Preparing
            | At::Disarming
            | At::PreHooks
            | At::Applying
            | At::Failed { .. }
            | At::Removing,
        ) => return,
    };
    let guards: Vec<_> = ledger
        .inventory
        .iter()
        .filter(|tracked| left && tracked.wanted && tracked.resource_version > 0)
        .map(|tracked| Guard {
            key: tracked.object.key(),
            not_before: ResourceVersion(tracked.resource_version),
            print: tracked.print,
        })
        .collect();
    session.cluster.watches.guard(&key, &guards);
}

/// The rules of `spec.driftDetection.ignore`.
///
/// # Errors
/// A rejection that names the rule and what is wrong with it.
pub(crate) fn ignore_rules(drift: &DriftDetection) -> Result<Vec<IgnoreRule>, Rejection> {
    drift
        .ignore
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            let target = rule.target.as_ref();
            let target = target.map_or_else(Target::default, |target| Target {
                group: target.group.as_deref(),
                version: target.version.as_deref(),
                kind: target.kind.as_deref(),
                namespace: target.namespace.as_deref(),
                name: target.name.as_deref(),
                label_selector: target.label_selector.as_deref(),
                annotation_selector: target.annotation_selector.as_deref(),
            });
            IgnoreRule::new(&rule.paths, &target).map_err(|error| Rejection {
                reason: Reason::SpecInvalid,
                message: format!("spec.driftDetection.ignore[{index}]: {error}"),
                retry_at: None,
            })
        })
        .collect()
}
