//! What holds where nothing happens by itself any more.

use std::collections::BTreeSet;

use belay_api::rollback_request::{RequestPhase, RollbackRequestStatus};
use belay_api::{ConditionStatus, ConditionType};
use belay_release::Status;
use belay_rollout::{
    Decision, Digest, HeldUp, Ledger, Outcome, Running, Wait, Waiting, decide, report,
};

use super::check_status;
use crate::cluster::{Cluster, Record, content_of, manifest};
use crate::people::BY_HAND;

/// Checks a state at rest; `story` is what led there.
pub fn check_rest(cluster: &Cluster, story: &[String]) {
    if cluster.gone {
        assert!(ours(cluster).is_none(), "a ledger outlives its release");
        return;
    }
    let world = cluster.world();
    let Decision::Wait(wait) = decide(&world) else {
        panic!("a step is left to do at rest");
    };
    assert!(!cluster.declared.deleting, "it is never removed: {wait:?}");
    let Some(ledger) = ours(cluster) else {
        let waits = matches!(
            wait.on,
            Waiting::Suspended | Waiting::Claimed | Waiting::Rejected(_)
        );
        assert!(waits, "{wait:?}");
        return;
    };
    let seen = || tell(cluster, &wait, story);
    assert_eq!(cluster.attempt(), None, "{}", seen());
    check_pending(cluster, &wait, &seen);
    check_asked(cluster, ledger, &wait, &seen);
    check_requests(cluster, ledger, &seen);
    check_objects(cluster, ledger, &wait, &seen);
    let mut told = cluster.clone();
    told.report(&wait);
    check_status(&told, &wait);
    check_told(&told, ledger, &wait, &seen);
}

fn ours(cluster: &Cluster) -> Option<&Ledger> {
    let ledger = cluster.ledger.as_ref();
    ledger.filter(|ledger| ledger.owner.uid == cluster.declared.identity.uid)
}

fn tell(cluster: &Cluster, wait: &Wait, story: &[String]) -> String {
    let objects = cluster.objects.iter();
    let objects: Vec<_> = objects.map(|(name, live)| (name, &live.content)).collect();
    let storage = cluster.storage.iter();
    let storage: Vec<_> = storage
        .map(|(number, record)| (number, record.status, &record.content))
        .collect();
    format!(
        "waits on {:?}; asked {}; holds {objects:?}; current {:?}; storage {storage:?}; after {story:#?}",
        wait.on,
        cluster.spec,
        cluster.current(),
    )
}

/// No operation is left pending that helm would wait for, and none of ours.
fn check_pending(cluster: &Cluster, wait: &Wait, seen: &dyn Fn() -> String) {
    let pending = |record: &&Record| record.status.is_pending();
    let newest = cluster.storage.values().next_back().filter(pending);
    let by_hand = newest.is_none_or(|record| record.attempt == BY_HAND);
    let waits = by_hand && wait.on == Waiting::Suspended;
    assert!(newest.is_none() || waits, "{}", seen());
    let mut ours = cluster.storage.values().filter(pending);
    let ours = ours.any(|record| record.attempt != BY_HAND);
    assert!(!ours || cluster.forgetful, "{}", seen());
}

/// Whoever asks by its name for what the spec says is heard.
fn check_asked(cluster: &Cluster, ledger: &Ledger, wait: &Wait, seen: &dyn Fn() -> String) {
    let asked = cluster.declared.retry.as_ref();
    let named = asked.and_then(|token| token.split('#').next());
    let desired = cluster.desired();
    let is_meant = named.is_some() && named == desired.digest().map(Digest::as_str);
    let refuses = matches!(
        wait.on,
        Waiting::Pinned | Waiting::Blocked | Waiting::LeftInPlace | Waiting::ReleaseRemoved
    );
    let unheard = is_meant && ledger.retry_seen.as_ref() != asked;
    assert!(!refuses || !unheard, "nobody listens: {}", seen());
}

fn check_requests(cluster: &Cluster, ledger: &Ledger, seen: &dyn Fn() -> String) {
    let running = ledger
        .executed
        .iter()
        .any(|executed| executed.outcome == Outcome::Running);
    assert!(!running, "a request is left running: {}", seen());
    let waits = cluster.orders.iter().any(|order| {
        let before = RollbackRequestStatus::default();
        let told = report::request_status(&before, order, Some(ledger), 1, cluster.now);
        let awaited =
            told.phase == RequestPhase::AwaitingApproval && order.spec.not_after.is_none();
        let waits = awaited || cluster.declared.suspend;
        !order.phase.is_final() && !told.phase.is_final() && !waits
    });
    assert!(!waits, "a request is left without an answer: {}", seen());
}

fn check_objects(cluster: &Cluster, ledger: &Ledger, wait: &Wait, seen: &dyn Fn() -> String) {
    let newest = cluster.storage.values().next_back();
    let removed = newest.is_none_or(|record| record.status == Status::Uninstalled);
    assert!(!removed || ledger.current.is_none(), "{}", seen());
    match &ledger.current {
        // What somebody made of an object of an attempt that was cleaned up is left to him, and what was not taken over
        // yet is not ours. helm deletes what its newest record holds; of what it leaves nothing is lost sight of.
        None => {
            let known = |name: &String| {
                let mut left = ledger.inventory.iter().filter(|tracked| !tracked.wanted);
                left.any(|tracked| &tracked.object.name == name)
            };
            let mut names = cluster.objects.keys();
            let all = names.all(|name| known(name) || cluster.meddled.contains(name));
            let ahead = wait.on == Waiting::Suspended && is_ahead(cluster);
            let theirs = ledger.newest == 0 || ahead;
            assert!(all || theirs || cluster.forgetful, "{}", seen());
            let waits = matches!(wait.on, Waiting::ReleaseRemoved | Waiting::Suspended);
            assert!(waits || ledger.removed.is_none(), "{}", seen());
        }
        // While it is suspended nobody takes in what somebody's helm did to it.
        Some(_) if wait.on == Waiting::Suspended && is_ahead(cluster) => {}
        // Nothing was ever seen to work, so there is nothing to go back to, or nobody wants to go back; the status
        // says so.
        Some(current) if !current.consistent => {
            let stays = !cluster.declared.atomic || ledger.halted;
            assert!(stays || ledger.proven.is_empty(), "{}", seen());
            assert!(
                !matches!(wait.on, Waiting::Deployed | Waiting::Blocked),
                "{}",
                seen()
            );
        }
        Some(current) => check_running(cluster, ledger, current, wait, seen),
    }
}

/// Whether helm has made a revision that Belay has not taken in.
fn is_ahead(cluster: &Cluster) -> bool {
    cluster.world().unheard().next().is_some()
}

/// What runs is what the ledger says, as far as nobody touched it.
fn check_running(
    cluster: &Cluster,
    ledger: &Ledger,
    current: &Running,
    wait: &Wait,
    seen: &dyn Fn() -> String,
) {
    let content = content_of(&current.digest);
    let mut held = cluster.objects.clone();
    // Of objects that somebody's helm did not know, or failed with, the next apply takes care.
    let unwanted = |name: &String| {
        let mut unwanted = ledger.inventory.iter().filter(|tracked| !tracked.wanted);
        unwanted.any(|tracked| &tracked.object.name == name)
    };
    let failed_by_hand = |name: &String| {
        let records = cluster.storage.values();
        let mut failed =
            records.filter(|record| record.attempt == BY_HAND && record.status == Status::Failed);
        failed.any(|record| manifest(&record.content).contains(name))
    };
    held.retain(|name, _| !unwanted(name));
    let mut names = cluster.objects.keys();
    let left_over = names.any(|name| unwanted(name) && !failed_by_hand(name));
    held.retain(|name, _| !cluster.meddled.contains(name));
    let mut whole = manifest(content);
    whole.retain(|name| !cluster.meddled.contains(name));
    let names: BTreeSet<_> = held.keys().cloned().collect();
    let is_whole = names == whole && held.values().all(|live| live.content == content);
    assert!(is_whole || cluster.forgetful, "{}", seen());
    let deployed = cluster
        .storage
        .values()
        .filter(|record| record.status == Status::Deployed);
    assert_eq!(deployed.count(), 1, "{}", seen());
    assert!(
        !left_over
            || ledger.pin.is_some()
            || matches!(
                wait.on,
                Waiting::Deployed
                    | Waiting::Suspended
                    | Waiting::Rejected(_)
                    | Waiting::Dependencies(_)
            ),
        "{}",
        seen()
    );
}

/// At rest the status is plain: ready, stalled, or waiting for something that it names.
fn check_told(cluster: &Cluster, ledger: &Ledger, wait: &Wait, seen: &dyn Fn() -> String) {
    let find = |type_| {
        let found = cluster.status.conditions.iter();
        let mut found = found.filter(|condition| condition.type_ == type_);
        found.next().map(|condition| condition.status)
    };
    let ready = find(ConditionType::Ready).unwrap();
    assert_ne!(ready, ConditionStatus::Unknown, "{}", seen());
    let goes_on = matches!(wait.on, Waiting::Dependencies(HeldUp::Unready(_)));
    assert_eq!(
        find(ConditionType::Reconciling).is_some(),
        goes_on,
        "{:?}",
        wait.on
    );
    let removed = ledger.removed.is_some();
    let consistent = find(ConditionType::Consistent);
    let whole = ledger.current.as_ref().map(|current| current.consistent);
    match (consistent, whole) {
        (Some(ConditionStatus::True), whole) => assert_eq!(whole, Some(true), "{}", seen()),
        (Some(_), whole) => {
            let touched = !cluster.meddled.is_empty() || cluster.forgetful;
            let touched = touched || removed || !cluster.storage_is_there();
            assert!(whole == Some(false) || touched, "{}", seen());
        }
        (None, whole) => assert_eq!(whole, None, "{}", seen()),
    }
    let serves = ledger.runs_good() && cluster.storage_is_there();
    assert_eq!(
        find(ConditionType::Available) == Some(ConditionStatus::True),
        serves,
        "{}",
        seen()
    );
    check_drift(cluster, ledger, wait, seen);
}

/// Where somebody looks, what was touched is told.
fn check_drift(cluster: &Cluster, ledger: &Ledger, wait: &Wait, seen: &dyn Fn() -> String) {
    let Some(current) = ledger.current.as_ref().filter(|current| current.consistent) else {
        return;
    };
    let looked_at = matches!(
        wait.on,
        Waiting::Deployed
            | Waiting::Blocked
            | Waiting::Pinned
            | Waiting::Suspended
            | Waiting::Rejected(_)
            | Waiting::Dependencies(_)
    );
    let off = belay_api::helm_release::DriftMode::Disabled;
    let ahead = is_ahead(cluster) || cluster.forgetful;
    if ahead || !looked_at || cluster.declared.drift.mode == off || !cluster.storage_is_there() {
        return;
    }
    let content = content_of(&current.digest);
    let touched = manifest(content).into_iter().filter(|name| {
        let live = cluster.objects.get(name);
        cluster.meddled.contains(name) && live.is_none_or(|live| live.content != content)
    });
    let touched: BTreeSet<_> = touched.collect();
    let drift = cluster.status.drift.as_ref();
    let told = drift.map_or(&[][..], |drift| drift.objects.as_slice());
    let told: BTreeSet<_> = told
        .iter()
        .filter_map(|object| object.object.rsplit([' ', '/']).next())
        .map(str::to_owned)
        .collect();
    assert_eq!(told, touched, "{}", seen());
}
