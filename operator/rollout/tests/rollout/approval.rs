//! A second person's word: waited for, given, taken back, and worth nothing where nobody checks it.

use belay_api::rollback_request::{RequestPhase, RollbackRequestStatus};
use belay_api::{ConditionStatus, ConditionType, Duration, Reason};
use belay_rollout::{Approval, Waiting, report};

use crate::cluster::{Cluster, Health, Words};

/// v1 and v2 are proven, v2 runs, and requests need a second person's word.
fn careful() -> Cluster {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster.words = Words::Checked;
    cluster
}

fn told(cluster: &Cluster) -> RollbackRequestStatus {
    report::request_status(
        &RollbackRequestStatus::default(),
        &cluster.orders[0],
        cluster.ledger.as_ref(),
        1,
        cluster.now,
    )
}

#[test]
fn nothing_happens_before_another_approves_and_the_record_says_who_did() {
    let mut cluster = careful();
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.phase_of("back"), RequestPhase::AwaitingApproval);
    let waits = told(&cluster);
    assert!(waits.message.contains("jane"), "{}", waits.message);
    let approved = |status: &RollbackRequestStatus| {
        let mut conditions = status.conditions.iter();
        conditions
            .find(|condition| condition.type_ == ConditionType::Approved)
            .map(|condition| condition.status)
    };
    assert_eq!(approved(&waits), Some(ConditionStatus::False));

    cluster.approve("back", "bob");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    // Out of the ledger alone: the status before is empty here.
    let done = told(&cluster);
    assert_eq!(done.phase, RequestPhase::Complete);
    assert_eq!(done.approved_by.as_deref(), Some("bob"));
    assert_eq!(approved(&done), Some(ConditionStatus::True));
}

#[test]
fn an_approval_that_is_taken_back_in_time_is_none() {
    let mut cluster = careful();
    cluster.declared.suspend = true;
    cluster.order("back");
    cluster.approve("back", "bob");
    cluster.rest();
    assert_eq!(told(&cluster).approved_by.as_deref(), Some("bob"));
    cluster.withdraw("back");
    cluster.declared.suspend = false;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.phase_of("back"), RequestPhase::AwaitingApproval);
    assert_eq!(told(&cluster).approved_by, None);
}

#[test]
fn a_request_that_waits_expires_at_its_instant_without_anybody_looking() {
    let limits = [true, false];
    for by_hold in limits {
        let mut cluster = careful();
        let limit = cluster.now.plus(Duration::minutes(30));
        cluster.order_with("back", |spec| {
            if by_hold {
                spec.until = belay_api::rollback_request::Until::Time;
                spec.hold_until = Some(limit);
            } else {
                spec.not_after = Some(limit);
            }
        });
        cluster.run();
        assert_eq!(cluster.phase_of("back"), RequestPhase::AwaitingApproval);
        cluster.rest();
        assert_eq!(
            cluster.refusals,
            [("back".to_owned(), Reason::Expired)],
            "by hold: {by_hold}"
        );
        assert!(cluster.now >= limit);
        cluster.approve("back", "bob");
        cluster.rest();
        assert!(cluster.holds("v2"), "it is too late");
    }
}

#[test]
fn what_awaits_approval_overtakes_nothing_and_does_once_it_is_approved() {
    let mut cluster = careful().with("slow", Health::Silent);
    cluster.edit("slow");
    cluster.until_at(&belay_rollout::At::Waiting);
    cluster.order_with("back", |spec| spec.target.revision = Some(1));
    assert_eq!(cluster.run().on, Waiting::Objects);
    cluster.approve("back", "bob");
    let begun = cluster.now;
    cluster.until(|cluster| cluster.ledger.as_ref().is_some_and(|l| l.pin.is_some()));
    assert!(cluster.holds("v1"));
    assert!(
        cluster.now.since(begun) < Duration::minutes(5),
        "the timeout was not waited for"
    );
}

#[test]
fn where_nobody_checks_who_approves_nothing_is_carried_out() {
    let mut cluster = careful();
    cluster.words = Words::Unchecked;
    cluster.order("back");
    cluster.approve("back", "bob");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    let refused = [("back".to_owned(), Reason::ApprovalNotEnforced)];
    assert_eq!(cluster.refusals, refused);
}

#[test]
fn whoever_asked_cannot_approve() {
    let mut cluster = careful();
    cluster.order("back");
    cluster.approve("back", "jane");
    cluster.rest();
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.phase_of("back"), RequestPhase::Refused);
}

#[test]
fn a_dry_run_needs_nobody() {
    let mut cluster = careful();
    cluster.order_with("look", |spec| spec.dry_run = true);
    cluster.rest();
    assert_eq!(cluster.previews.len(), 1);
}

#[test]
fn a_request_that_cannot_be_carried_out_is_refused_before_anybody_is_asked() {
    let mut cluster = careful();
    cluster.order_with("back", |spec| spec.target.revision = Some(7));
    cluster.rest();
    let refused = [("back".to_owned(), Reason::RevisionNotFound)];
    assert_eq!(cluster.refusals, refused);
    assert_eq!(cluster.orders[0].approval, Approval::Awaited);
}
