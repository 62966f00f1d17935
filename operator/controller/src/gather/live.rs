//! What the watches know, and what they are asked to look at.

use std::collections::BTreeSet;

use belay_api::Timestamp;
use belay_cluster::{Follow, PodScope, ResourceVersion, Tracked, Tracking};
use belay_health::ObjectKey;
use belay_rollout::{At, HookProgress, Ledger, Progress, SightedFault, StrandedPod};

use super::Judging;
use crate::error::Error;
use crate::memory::StorageKey;
use crate::session::Session;

/// The watches' name of a release.
pub(crate) fn watch_key(key: &StorageKey) -> belay_cluster::ReleaseKey {
    belay_cluster::ReleaseKey {
        namespace: key.namespace.clone(),
        name: key.release.clone(),
    }
}

/// Sees to it that the watches look at what the attempt waits for, and at nothing at rest.
///
/// After a restart nothing is looked at: the ledger says what was applied, and from which state on verdicts count.
pub(super) async fn watch(session: &Session) -> Result<(), Error> {
    let key = watch_key(&session.key);
    let Some(ledger) = session.world.ledger.as_ref() else {
        session.cluster.watches.untrack(&key);
        return Ok(());
    };
    let waits = match ledger.attempt.as_ref() {
        None => false,
        Some(attempt) => match attempt.at {
            At::Waiting | At::Soaking(_) => {
                if session.cluster.watches.progress(&key).is_none() {
                    let since = since(session);
                    let applied = applied(session, ledger).await?;
                    track(session, applied, since);
                    session.cluster.watches.refresh(&key).await?;
                }
                true
            }
            At::Applying | At::Removing => true,
            At::PreHooks | At::PostHooks | At::Testing => attempt
                .hooks
                .iter()
                .any(|hook| hook.progress == HookProgress::Started),
            At::Preparing | At::Disarming | At::Finishing | At::Failed { .. } => false,
        },
    };
    if !waits {
        session.cluster.watches.untrack(&key);
    }
    Ok(())
}

/// Asks the watches to look at these objects, and at the pods of their namespaces.
pub(crate) fn track(session: &Session, objects: Vec<Tracked>, since: Option<Timestamp>) {
    let namespaces: BTreeSet<_> = objects
        .iter()
        .filter(|tracked| has_pods(&tracked.key))
        .filter_map(|tracked| tracked.key.namespace.clone())
        .collect();
    let pods = since
        .and_then(|since| jiff::Timestamp::from_millisecond(since.0).ok())
        .filter(|_| !namespaces.is_empty())
        .map(|since| PodScope { namespaces, since });
    let tracking = Tracking {
        objects,
        pods,
        from: None,
    };
    session
        .cluster
        .watches
        .track(&watch_key(&session.key), &tracking);
}

/// When the attempt's record was created, by the API server's clock: older pods are not held against it.
pub(crate) fn since(session: &Session) -> Option<Timestamp> {
    let attempt = session.world.ledger.as_ref()?.attempt.as_ref()?;
    session
        .world
        .stored(attempt.revision)
        .map(|stored| stored.created)
}

/// The objects that the ledger says were applied.
pub(crate) async fn applied(session: &Session, ledger: &Ledger) -> Result<Vec<Tracked>, Error> {
    let wanted = || ledger.inventory.iter().filter(|tracked| tracked.wanted);
    let judging = Judging::of(session, wanted().map(|tracked| tracked.object.key())).await?;
    let applied = wanted().map(|tracked| {
        let key = tracked.object.key();
        Tracked {
            judge: judging.judge(&key),
            key,
            uid: tracked.uid.clone(),
            not_before: ResourceVersion(tracked.resource_version),
            first: None,
            follow: Follow::Labelled,
            expires: tracked.expires,
        }
    });
    Ok(applied.collect())
}

/// What the watches left.
pub(crate) fn progress(session: &Session) -> Option<Progress> {
    let seen = session.cluster.watches.progress(&watch_key(&session.key))?;
    let unseen = seen.unseen.into_iter().map(|key| {
        let verdict = belay_health::Verdict::Progressing {
            reason: belay_health::ProgressReason::GenerationNotObserved,
            message: "not seen yet".to_owned(),
        };
        (key, verdict)
    });
    let mut objects: Vec<_> = seen
        .objects
        .into_iter()
        .map(|(key, observed)| (key, observed.verdict))
        .chain(unseen)
        .collect();
    objects.sort_by(|a, b| a.0.cmp(&b.0));
    let stranded = seen
        .stranded
        .into_iter()
        .map(|stranded| StrandedPod {
            pod: stranded.pod,
            uid: stranded.uid,
            owner: stranded.owner,
            fault: stranded.fault,
        })
        .collect();
    Some(Progress {
        stranded,
        objects,
        faults: seen
            .pods
            .into_iter()
            .map(|pod| SightedFault {
                namespace: pod.namespace,
                pod: pod.pod,
                owner: pod.owner,
                fault: pod.fault,
                first_seen: Timestamp(pod.first_seen.as_millisecond()),
                was_ready: pod.was_ready,
            })
            .collect(),
    })
}

fn has_pods(key: &ObjectKey) -> bool {
    matches!(
        key.kind.as_str(),
        "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "Job"
            | "Pod"
            | "ReplicationController"
    )
}
