//! No loops: what failed for a cause of its own is not tried again unasked.

use belay_api::helm_release::FailureClass;
use belay_api::{HelmReleaseStatus, Reason};
use belay_rollout::{At, MAX_RETRIES, Waiting};

use crate::cluster::{Cluster, Health, rejection};

/// v1 runs again, v2 is blocked, and the spec asks for v2.
fn reverted() -> Cluster {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    cluster
}

#[test]
fn an_edit_of_the_interval_is_no_new_attempt() {
    let mut cluster = reverted();
    for _ in 0..3 {
        cluster.edit_interval();
        assert_eq!(cluster.rest(), Waiting::Blocked);
    }
    assert_eq!(cluster.tries("v2"), 1);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_retry_that_names_another_digest_is_none_and_the_right_one_is_exactly_one() {
    let mut cluster = reverted();
    cluster.declared.retry = Some("v1".into());
    cluster.rest();
    assert_eq!(cluster.tries("v2"), 1);

    cluster.declared.retry = Some("v2".into());
    for _ in 0..3 {
        assert_eq!(cluster.rest(), Waiting::Blocked);
        cluster.edit_interval();
    }
    assert_eq!(cluster.tries("v2"), 2);

    // A token behind the digest asks anew.
    cluster.declared.retry = Some("v2#again".into());
    cluster.set_chart("v2", Health::Good, &[]);
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.tries("v2"), 3);
}

#[test]
fn a_retry_that_was_there_from_the_start_is_spent_by_the_first_try() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.declared.retry = Some("v2".into());
    cluster.roll_out("v2");
    assert_eq!(cluster.tries("v2"), 1);
}

#[test]
fn a_spec_that_comes_back_to_the_running_revision_is_adopted_without_an_attempt() {
    let mut cluster = reverted();
    let attempts = cluster.attempts.len();
    assert_eq!(cluster.roll_out("v1"), Waiting::Deployed);
    assert_eq!(cluster.attempts.len(), attempts);
    // And the bad one stays blocked when it is asked for once more.
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert_eq!(cluster.attempts.len(), attempts);
}

#[test]
fn another_digest_is_tried_at_once() {
    let mut cluster = reverted();
    assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn an_emptied_status_changes_nothing_in_the_cluster_and_is_rebuilt() {
    let mut cluster = reverted();
    let (status, objects) = (cluster.status.clone(), cluster.objects.clone());
    cluster.status = HelmReleaseStatus::default();
    cluster.crash();
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert_eq!(cluster.objects, objects);
    assert_eq!(cluster.status.last_good, status.last_good);
    assert_eq!(cluster.status.blocked, status.blocked);
    assert_eq!(cluster.status.phase, status.phase);
}

#[test]
fn a_quota_is_tried_again_a_bounded_number_of_times() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoQuota);
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert_eq!(cluster.tries("v2"), 1 + MAX_RETRIES as usize);
    assert!(cluster.holds("v1"));
    let ledger = cluster.ledger.as_ref().unwrap();
    assert_eq!(ledger.blocked[0].class, FailureClass::Transient);
}

#[test]
fn a_quota_that_is_raised_between_two_tries_lets_the_next_one_succeed() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoQuota);
    cluster.rest();
    cluster.edit("v2");
    cluster.until(|cluster| cluster.is_blocked("v2") && cluster.attempt().is_none());
    assert!(cluster.holds("v1"), "good serves between the tries");
    cluster.set_chart("v2", Health::Good, &[]);
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.tries("v2"), 2);
    assert!(!cluster.is_blocked("v2"));
}

#[test]
fn a_source_that_is_down_keeps_what_runs() {
    let mut cluster = reverted();
    cluster.source = Some(rejection(Reason::SourceUnavailable));
    assert!(matches!(cluster.rest(), Waiting::Rejected(_)));
    assert!(cluster.holds("v1"));
    cluster.source = None;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert_eq!(cluster.tries("v2"), 1);
}

#[test]
fn an_attempt_whose_preparation_was_lost_with_its_source_is_let_go_untouched() {
    // Given a process that died after the intent, before the record.
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.edit("v2");
    cluster.until_at(&At::Preparing);
    cluster.crash();
    cluster.source = Some(rejection(Reason::SourceUnavailable));
    assert!(matches!(cluster.rest(), Waiting::Rejected(_)));
    assert_eq!(cluster.attempt(), None);
    assert_eq!(cluster.current(), Some((1, "v1".into(), true)));
    // When the source is back, it goes on.
    cluster.source = None;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
}
