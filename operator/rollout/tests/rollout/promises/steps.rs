//! What holds of a step before it is done.

use belay_api::Reason;
use belay_api::helm_release::{AttemptKind, DeletionPolicy, DriftMode, FailureClass};
use belay_release::Status;
use belay_rollout::{
    Amendment, At, Attempt, Cause, Digest, Ledger, Order, Plan, Reply, Step, Target,
};

use crate::cluster::{Cluster, Words, content_of, manifest};
use crate::people::BY_HAND;

/// Checks a step that is about to be done.
pub fn check_step(cluster: &Cluster, step: &Step) {
    let declared = &cluster.declared;
    match step {
        Step::Finish => check_finish(cluster),
        Step::Begin(plan) => check_beginning(cluster, plan),
        Step::Fail { failure } => {
            let attempt = cluster.attempt().unwrap();
            if failure.reason == Reason::CheckFailed {
                let threshold = declared.soak.checks[0].failure_threshold;
                assert!(
                    cluster.bad_answers >= threshold as usize,
                    "a check fails without as many bad answers as it takes"
                );
            }
            let late = cluster.now >= attempt.deadline;
            assert!(
                late || !matches!(failure.reason, Reason::Timeout | Reason::RemoveFailed),
                "an attempt is lost before its time is over"
            );
            let given_way = failure.class == FailureClass::Superseded;
            let may_give_way = matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade);
            let outside = cluster.storage.keys().max() > Some(&attempt.revision);
            assert!(
                !given_way || may_give_way || outside,
                "a way back gives way: {failure:?}"
            );
            // What waits for the rest of an apply that is done may be overtaken.
            let waits = cluster.memory.proof.is_some();
            let cut = matches!(attempt.at, At::Applying | At::Removing) && !waits;
            assert!(!given_way || !cut || outside, "an apply is cut");
        }
        Step::Adopt { revision } => {
            assert!(!declared.suspend, "a suspended release is taken over");
            let status = cluster.storage[revision].status;
            assert_eq!(
                status,
                Status::Deployed,
                "what is not deployed is taken over"
            );
        }
        Step::KeepOutside { revision } => {
            let ours = cluster
                .attempt()
                .is_some_and(|attempt| attempt.id == cluster.storage[revision].attempt);
            assert!(!ours, "an attempt's own revision is kept as somebody's");
        }
        Step::TakeNote { of } => {
            let by_hand = cluster.storage[of].attempt == BY_HAND || cluster.forgetful;
            assert!(by_hand, "its own revision is taken note of as somebody's");
        }
        Step::BuryForeign { revision } => {
            let record = &cluster.storage[revision];
            let age = cluster.now.since(record.created);
            assert!(record.status.is_pending(), "what has ended is buried");
            assert!(
                age >= declared.foreign_patience,
                "a living operation is buried"
            );
        }
        Step::CorrectDrift { corrections } => {
            assert_eq!(
                declared.drift.mode,
                DriftMode::Enabled,
                "nobody asked for that"
            );
            assert!(!declared.suspend, "a suspended release is put right");
            let ledger = cluster.ledger.as_ref().unwrap();
            assert_eq!(ledger.attempt, None);
            let current = ledger.current.as_ref().unwrap();
            assert!(current.consistent, "what is half done is put right");
            let whole = manifest(content_of(&current.digest));
            for correction in corrections {
                assert!(whole.contains(&correction.object.name), "{correction:?}");
            }
        }
        Step::Amend(Amendment::Unblock { digest, token }) => {
            let (asked, ledger) = (declared.retry.as_ref(), cluster.ledger.as_ref().unwrap());
            let named = asked.and_then(|token| token.split('#').next());
            assert_eq!(
                token.as_ref(),
                asked,
                "nobody asked by its name for {digest}"
            );
            assert_eq!(named, Some(digest.as_str()));
            assert_ne!(
                ledger.retry_seen.as_ref(),
                asked,
                "it is asked once, and tried twice"
            );
            assert!(
                !declared.suspend,
                "something new begins although it is suspended"
            );
        }
        Step::Orphan => {
            let kept = declared.deletion_policy == DeletionPolicy::Orphan;
            let ledger = cluster.ledger.as_ref();
            let ours = ledger.filter(|ledger| ledger.owner.uid == declared.identity.uid);
            let empty = ours.is_none_or(|ledger| ledger.newest == 0 && ledger.attempt.is_none());
            assert!(
                declared.deleting && (kept || empty),
                "a release is let go unasked"
            );
        }
        Step::Remove => {
            let attempt = cluster.attempt().unwrap();
            let cleans_up = attempt.kind == AttemptKind::Install
                && cluster.ledger.as_ref().unwrap().last_good().is_none();
            let removes = attempt.kind == AttemptKind::Uninstall && declared.deleting;
            assert!(cleans_up || removes, "objects are removed unasked");
        }
        _ => {}
    }
}

fn check_finish(cluster: &Cluster) {
    let attempt = cluster.attempt().unwrap();
    let soaks = cluster.declared.soak.duration.0 > 0
        && matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade);
    let soaked = match &attempt.at {
        At::Soaking(soaking) => soaking.until <= cluster.now,
        _ => false,
    };
    assert!(
        soaked || !soaks,
        "something counts as good before it soaked"
    );
    check_answers(cluster, attempt);
}

/// Nothing counts as good on a bad answer, unless no other comes.
fn check_answers(cluster: &Cluster, attempt: &Attempt) {
    let At::Soaking(soaking) = &attempt.at else {
        return;
    };
    for answered in &soaking.answered {
        let look = cluster
            .memory
            .looks
            .iter()
            .find(|look| look.check == answered.check);
        let last = look.and_then(|look| look.last.as_ref());
        let is_silent = last.is_some_and(|last| matches!(last.reply, Reply::None { .. }));
        assert!(
            answered.bad.is_empty() || is_silent,
            "something counts as good on a bad answer: {answered:?}"
        );
    }
}

fn check_beginning(cluster: &Cluster, plan: &Plan) {
    let declared = &cluster.declared;
    let ledger = cluster.ledger.as_ref().unwrap();
    let removes = plan.kind == AttemptKind::Uninstall;
    assert_eq!(declared.deleting, removes, "{:?} begins", plan.kind);
    let over = cluster
        .attempt()
        .is_none_or(|attempt| matches!(attempt.at, At::Failed { .. }));
    assert!(
        over || removes,
        "an attempt begins in the middle of another"
    );
    let newest = cluster.storage.keys().max().copied().unwrap_or(0);
    assert!(
        removes || plan.revision > newest.max(ledger.newest),
        "revision {} begins where there is {newest}",
        plan.revision
    );
    let new = matches!(
        plan.cause,
        Cause::Spec { .. } | Cause::Request { .. } | Cause::OutsideChange
    );
    assert!(
        !(new && declared.suspend),
        "something new begins although it is suspended"
    );
    let asked = matches!(
        plan.cause,
        Cause::Request { .. } | Cause::OutsideChange | Cause::Deletion
    );
    assert!(
        asked || ledger.removed.is_none(),
        "what was removed is there again unasked"
    );
    if plan.kind == AttemptKind::Revert {
        let good = ledger.last_good().map(|good| &good.digest);
        assert_eq!(good, Some(&plan.digest), "it goes back to something else");
        let target = Target::Proven(plan.digest.clone());
        assert_eq!(plan.target, target, "it goes back to something else");
    }
    match &plan.cause {
        Cause::Spec { .. } => check_spec(cluster, ledger, &plan.digest),
        Cause::Request { uid, .. } => check_request(cluster, ledger, uid, plan),
        Cause::Failure => assert!(
            declared.atomic && !ledger.halted,
            "it goes back by itself where it may not"
        ),
        Cause::OutsideChange => {
            let record = cluster.storage.last_key_value().unwrap().1;
            // To a ledger that was restored from a backup, what Belay made since is news.
            let by_hand = record.attempt == BY_HAND || cluster.forgetful;
            assert!(by_hand, "its own revision is taken back");
        }
        Cause::Deletion => {}
    }
}

fn check_spec(cluster: &Cluster, ledger: &Ledger, digest: &Digest) {
    let desired = cluster.desired();
    assert_eq!(desired.digest(), Some(digest), "nobody asked for that");
    assert!(
        cluster.held_up.is_none(),
        "something begins before its time"
    );
    if let Some(block) = ledger.block(digest) {
        let due = block.retry_at.is_some_and(|due| due <= cluster.now);
        assert!(
            due && block.class == FailureClass::Transient,
            "a blocked digest is tried unasked: {block:?}"
        );
    }
    let lifted = ledger.pin.as_ref().is_none_or(|pin| {
        let generation = cluster.declared.generation;
        pin.is_lifted(desired.digest(), generation, &cluster.orders, cluster.now)
    });
    assert!(lifted, "an attempt passes a pin: {:?}", ledger.pin);
}

fn check_request(cluster: &Cluster, ledger: &Ledger, uid: &str, plan: &Plan) {
    let order = cluster.orders.iter().find(|order| order.uid == uid);
    let order = order.unwrap();
    assert!(!order.spec.dry_run, "a dry run is carried out");
    assert!(
        !order.phase.is_final(),
        "a request that is over is carried out"
    );
    let again = ledger.executed.iter().any(|known| known.uid == uid);
    assert!(!again, "a request is carried out twice");
    if cluster.words != Words::NotNeeded {
        let by = order.approved_by.as_deref();
        assert!(
            cluster.words == Words::Checked && by == Some("bob"),
            "a request is carried out without a second person's word: {order:?}"
        );
    }
    let late = |limit: Option<belay_api::Timestamp>| limit.is_some_and(|at| at < cluster.now);
    assert!(
        !late(order.spec.not_after) && !late(order.spec.hold_until),
        "a request is carried out after its time: {order:?}"
    );
    let current = ledger.current.as_ref();
    if let Some(expected) = &order.spec.expected_current {
        let runs = current.map(|current| current.revision);
        assert_eq!(expected.revision, runs, "a request meets something else");
    }
    check_target(cluster, ledger, order, plan);
}

/// What is begun is what was asked for.
fn check_target(cluster: &Cluster, ledger: &Ledger, order: &Order, plan: &Plan) {
    let content = match &plan.target {
        Target::Proven(digest) => content_of(digest).to_owned(),
        Target::Stored(revision) => cluster.storage[revision].content.clone(),
        other => panic!("a request brings back {other:?}"),
    };
    let target = &order.spec.target;
    if let Some(revision) = target.revision {
        let known = ledger
            .known(revision)
            .map(|known| content_of(&known.digest));
        let stored = cluster.storage.get(&revision);
        let stored = stored.map(|record| record.content.as_str());
        let proven = ledger
            .proven
            .iter()
            .find(|proven| proven.revision == revision);
        let proven = proven.map(|proven| content_of(&proven.digest));
        let meant = known.or(proven).or(stored);
        // A ledger that was restored from a backup knows another revision under that number.
        let is_meant = meant == Some(content.as_str()) || cluster.forgetful;
        assert!(is_meant, "{order:?}");
    } else if let Some(digest) = &target.digest {
        assert_eq!(digest, &content, "{order:?}");
    } else if let Some(version) = &target.chart_version {
        assert_eq!(version, &content, "{order:?}");
    } else {
        let runs = ledger.current.as_ref().map(|current| &current.digest);
        assert_ne!(runs, Some(&plan.digest), "{order:?}");
        let proven = ledger
            .proven
            .iter()
            .any(|proven| proven.digest == plan.digest);
        assert!(proven, "{order:?}");
    }
}
