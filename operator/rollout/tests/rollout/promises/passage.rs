//! What holds between a state and the one after it.

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_release::Status;
use belay_rollout::{At, Attempt, Cause, Ledger, Outcome, Step};

use crate::act::proven_content;
use crate::cluster::{Cluster, Health, Meddling, content_of, manifest};

/// Checks what a step, or a part of one before the process died, has changed.
pub fn check_passage(before: &Cluster, step: Option<&Step>, after: &Cluster) {
    check_records(before, step, after);
    if after.gone && step == Some(&Step::Forget) {
        check_removal(after);
    }
    check_hooks(before, after);
    check_requests(before, after);
    if let Some(step) = step {
        check_reach(before, step, after);
    }
    let (Some(old), Some(new)) = (&before.ledger, &after.ledger) else {
        return;
    };
    check_memory(old, new);
    check_failure(old, new);
    if step == Some(&Step::Finish) {
        check_whole(after, new);
    }
}

/// What counts as proven works, where charts stay as they are.
pub fn check_proven(cluster: &Cluster) {
    for proven in cluster.ledger.iter().flat_map(|ledger| &ledger.proven) {
        let content = proven_content(proven);
        let good = cluster.health(&content) == Health::Good;
        assert!(good, "{content} counts as proven");
    }
}

/// What was proven stays.
fn check_memory(old: &Ledger, new: &Ledger) {
    assert!(
        new.proven.len() >= old.proven.len(),
        "a proven revision was lost"
    );
    if let Some(good) = old.last_good() {
        let kept = new.proven.iter().any(|proven| proven.digest == good.digest);
        assert!(kept, "last good {} was lost", good.digest);
    }
    let mut digests: Vec<_> = new.proven.iter().map(|proven| &proven.digest).collect();
    digests.dedup();
    assert_eq!(
        digests.len(),
        new.proven.len(),
        "one revision is held twice"
    );
    for executed in &old.executed {
        let now = new.executed.iter().find(|now| now.uid == executed.uid);
        let Some(now) = now else { continue };
        let over = executed.outcome != Outcome::Running;
        assert!(
            !over || now.outcome == executed.outcome,
            "what became of a request changed: {executed:?}, {now:?}"
        );
    }
    let running = new
        .executed
        .iter()
        .filter(|executed| executed.outcome == Outcome::Running)
        .all(|executed| {
            new.attempt.as_ref().is_some_and(|attempt| {
                matches!(&attempt.cause, Cause::Request { uid, .. } if *uid == executed.uid)
            })
        });
    assert!(
        running,
        "a request runs that no attempt is for: {:?}, {:?}",
        new.executed, new.attempt
    );
}

/// Whatever failed is told, and blocked if it failed for a cause of its own.
fn check_failure(old: &Ledger, new: &Ledger) {
    let failed = |attempt: &Attempt| matches!(attempt.at, At::Failed { .. });
    let Some(attempt) = &new.attempt else { return };
    let (Some(was), At::Failed { failure, .. }) = (&old.attempt, &attempt.at) else {
        return;
    };
    if failed(was) || failure.class == FailureClass::Superseded {
        return;
    }
    let cleaning = was.at == At::Removing && was.kind == AttemptKind::Install;
    if cleaning {
        return;
    }
    assert_eq!(
        new.last_failure.as_ref(),
        Some(&**failure),
        "a failure is not told"
    );
    if matches!(was.kind, AttemptKind::Install | AttemptKind::Upgrade) {
        let block = new.block(&was.digest);
        assert!(block.is_some(), "{} failed, and is not blocked", was.digest);
    }
    let crossed = was.past_point_of_no_return().is_some() && was.kind != AttemptKind::Revert;
    assert!(new.halted || !crossed, "a point of no return is forgotten");
}

/// Helm's records: nobody's is changed into another, and none but old ones go.
fn check_records(before: &Cluster, step: Option<&Step>, after: &Cluster) {
    for (revision, record) in &before.storage {
        let Some(now) = after.storage.get(revision) else {
            let proven = after.ledger.iter().flat_map(|ledger| &ledger.proven);
            let good = proven
                .into_iter()
                .any(|proven| proven.revision == *revision);
            let forgets = matches!(step, Some(Step::Forget) | None);
            assert!(
                forgets || !good,
                "history loses revision {revision}, which is good"
            );
            continue;
        };
        assert_eq!(
            (&now.content, &now.attempt),
            (&record.content, &record.attempt),
            "the record of revision {revision} was overwritten"
        );
    }
    if matches!(step, Some(Step::Finish | Step::Soak { .. })) && after.memory.proof.is_none() {
        let deployed = after
            .storage
            .values()
            .filter(|record| record.status == Status::Deployed);
        assert_eq!(deployed.count(), 1, "not one revision is deployed");
    }
}

/// What is removed is removed whole: its records, its ledger, and every object, whoever rolled it out.
fn check_removal(after: &Cluster) {
    assert!(
        after.storage.is_empty() && after.ledger.is_none(),
        "something outlives its release"
    );
    for (name, live) in &after.objects {
        let taken = Some(live.content.as_str()) == Meddling::Takes.content();
        let touched = taken || after.meddled.contains(name);
        assert!(touched || after.forgetful, "{name} outlives its release");
    }
}

/// No hook runs twice for one attempt, unless the ledger was taken back to before it ran.
fn check_hooks(before: &Cluster, after: &Cluster) {
    if after.forgetful {
        return;
    }
    for (index, run) in after
        .hook_runs
        .iter()
        .enumerate()
        .skip(before.hook_runs.len())
    {
        let again = after.hook_runs[..index].contains(run);
        assert!(!again, "a hook runs twice for one attempt: {run:?}");
    }
}

/// What a request was answered stays.
fn check_requests(before: &Cluster, after: &Cluster) {
    for order in &before.orders {
        let now = after.orders.iter().find(|now| now.uid == order.uid);
        let Some(now) = now else { continue };
        assert!(
            !order.phase.is_final() || order.phase == now.phase,
            "the answer to a request changed: {order:?}, {now:?}"
        );
    }
}

/// A step changes what it is for, and nothing else.
fn check_reach(before: &Cluster, step: &Step, after: &Cluster) {
    let looks = matches!(
        step,
        Step::Prove
            | Step::Ask { .. }
            | Step::CheckDrift { .. }
            | Step::Preview { .. }
            | Step::Refuse { .. }
    );
    if looks {
        assert_eq!(
            before.ledger, after.ledger,
            "{step:?} writes into the ledger"
        );
    }
    let changes = matches!(
        step,
        Step::Apply
            | Step::Disarm
            | Step::Remove
            | Step::CorrectDrift { .. }
            | Step::KeepOutside { .. }
    );
    if !changes {
        assert_eq!(before.objects, after.objects, "{step:?} changes objects");
    }
    let records = matches!(
        step,
        Step::Record
            | Step::Soak { .. }
            | Step::Finish
            | Step::Settle
            | Step::Forget
            | Step::BuryForeign { .. }
            | Step::KeepOutside { .. }
    );
    let told = |cluster: &Cluster| {
        let records = cluster.storage.iter();
        let records = records.map(|(revision, record)| (*revision, record.status));
        records.collect::<Vec<_>>()
    };
    if !records {
        assert_eq!(told(before), told(after), "{step:?} changes Helm's records");
    }
}

/// When an attempt has succeeded the cluster holds its revision, as far as nobody has touched it since, and nothing
/// else that Belay knows of.
fn check_whole(after: &Cluster, ledger: &Ledger) {
    let current = ledger.current.as_ref().unwrap();
    let content = content_of(&current.digest);
    let whole = manifest(content);
    for (name, live) in &after.objects {
        let known = ledger
            .inventory
            .iter()
            .any(|tracked| &tracked.object.name == name);
        if after.meddled.contains(name) {
            continue;
        }
        assert!(
            !known || (whole.contains(name) && live.content == content),
            "{name} of {} is there when {content} counts as good",
            live.content
        );
    }
    for name in &whole {
        let there = after.objects.contains_key(name) || after.meddled.contains(name);
        assert!(there, "{name} is not there when {content} counts as good");
    }
}
