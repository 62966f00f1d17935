//! A state of the world in one number, so that none is looked at twice.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use belay_api::Timestamp;
use belay_rollout::{At, Hold};

use crate::cluster::Cluster;

/// A state without what decides nothing: names, texts, and how late it is.
pub fn fingerprint(cluster: &Cluster, left: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    let ahead = |at: Timestamp| at.0.saturating_sub(cluster.now.0).max(0);
    (left, &cluster.spec, cluster.gone, cluster.settled).hash(&mut hasher);
    (
        cluster.sticky,
        &cluster.stranded,
        cluster.words,
        cluster.held_up.is_some(),
        cluster.declared.suspend,
        cluster.says,
    )
        .hash(&mut hasher);
    (cluster.declared.deleting, cluster.declared.has_finalizer).hash(&mut hasher);
    (
        cluster.memory.watching,
        cluster.memory.proof.is_some(),
        &cluster.memory.prepared,
    )
        .hash(&mut hasher);
    for (name, live) in &cluster.objects {
        let faulty = cluster.fault_of(&live.content).is_some();
        let age = cluster.now.since(live.applied).0.min(15_000);
        (name, &live.content, faulty.then_some(age)).hash(&mut hasher);
    }
    for (revision, record) in &cluster.storage {
        (revision, record.status.as_str(), &record.content).hash(&mut hasher);
        (cluster
            .attempt()
            .is_some_and(|attempt| attempt.id == record.attempt))
        .hash(&mut hasher);
    }
    for order in &cluster.orders {
        let approved = order.approved_by.is_some();
        (
            &order.uid,
            order.phase,
            approved,
            order.spec.not_after.map(ahead),
        )
            .hash(&mut hasher);
    }
    let asked = cluster.declared.retry.as_ref();
    let heard = cluster
        .ledger
        .as_ref()
        .and_then(|ledger| ledger.retry_seen.as_ref());
    (asked.is_some(), asked == heard).hash(&mut hasher);
    cluster.full_look_due().map(ahead).hash(&mut hasher);
    for (name, live) in &cluster.memory.looked_at {
        (name, live.as_ref().map(|live| &live.content)).hash(&mut hasher);
    }
    if let Some(checked) = &cluster.memory.checked {
        let since = cluster.now.since(checked.at).0.min(60_000);
        (checked.revision, checked.calm, since).hash(&mut hasher);
        for finding in &checked.findings {
            (&finding.object, finding.refused.is_some()).hash(&mut hasher);
        }
    }
    let Some(ledger) = &cluster.ledger else {
        return hasher.finish();
    };
    for corrected in &ledger.corrected {
        (&corrected.object, corrected.within_window(cluster.now)).hash(&mut hasher);
    }
    (ledger.newest, ledger.halted).hash(&mut hasher);
    if let Some(removal) = ledger.removed {
        removal.heard_of.hash(&mut hasher);
    }
    if let Some(current) = &ledger.current {
        (current.revision, &current.digest, current.consistent).hash(&mut hasher);
    }
    if let Some(attempt) = &ledger.attempt {
        let cause = std::mem::discriminant(&attempt.cause);
        (
            attempt.kind as u8,
            cause,
            attempt.revision,
            &attempt.digest,
            attempt.from,
        )
            .hash(&mut hasher);
        (attempt.stage(), ahead(attempt.deadline), attempt.failures).hash(&mut hasher);
        if let At::Soaking(soaking) = &attempt.at {
            let unsteady = soaking
                .unsteady_since
                .map(|since| cluster.now.since(since).0);
            let age = |at: Timestamp| cluster.now.since(at).0;
            (ahead(soaking.until), age(soaking.since), unsteady).hash(&mut hasher);
            for answered in &soaking.answered {
                answered.bad.len().hash(&mut hasher);
                answered
                    .bad
                    .last()
                    .map(|last| age(last.at))
                    .hash(&mut hasher);
            }
            for look in &cluster.memory.looks {
                look.asking.map(age).hash(&mut hasher);
                let last = look.last.as_ref();
                let last = last.map(|last| (age(last.at), std::mem::discriminant(&last.reply)));
                last.hash(&mut hasher);
            }
        }
        if let At::Failed {
            failure,
            touched,
            retry_at,
        } = &attempt.at
        {
            (failure.class, touched, retry_at.map(ahead)).hash(&mut hasher);
        }
    }
    for proven in &ledger.proven {
        (proven.revision, &proven.digest).hash(&mut hasher);
    }
    for blocked in &ledger.blocked {
        let due = blocked.retry_at.map(ahead);
        (&blocked.digest, blocked.class, blocked.failures, due).hash(&mut hasher);
    }
    if let Some(pin) = &ledger.pin {
        let same = pin.generation == cluster.declared.generation;
        (
            &pin.digest,
            &pin.asked,
            &pin.request,
            matches!(pin.hold, Hold::Manual),
            same,
        )
            .hash(&mut hasher);
    }
    for executed in &ledger.executed {
        (&executed.uid, std::mem::discriminant(&executed.outcome)).hash(&mut hasher);
    }
    for tracked in &ledger.inventory {
        (
            &tracked.object.name,
            tracked.wanted,
            tracked.created,
            tracked.uid.is_some(),
        )
            .hash(&mut hasher);
    }
    for known in &ledger.known {
        known.revision.hash(&mut hasher);
    }
    hasher.finish()
}
