//! A soak: ready is not yet good.

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionStatus, ConditionType, Duration, Reason};
use belay_release::Status;
use belay_rollout::Waiting;

use crate::cluster::{Cluster, Health};

/// v1 is good, v2 soaks for ten minutes.
fn soaking() -> Cluster {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let mut cluster = cluster.that_soaks(10);
    cluster.edit("v2");
    cluster.until(Cluster::soaks);
    cluster.run();
    cluster
}

fn shows(cluster: &Cluster, type_: ConditionType) -> Option<(ConditionStatus, Reason)> {
    let mut conditions = cluster.status.conditions.iter();
    conditions
        .find(|condition| condition.type_ == type_)
        .map(|condition| (condition.status, condition.reason))
}

#[test]
fn what_soaks_serves_and_is_deployed_for_helm_but_is_not_last_good() {
    let cluster = soaking();
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.storage[&2].status, Status::Deployed);
    assert_eq!(cluster.storage[&1].status, Status::Superseded);
    assert_eq!(cluster.proven(), ["v1"]);
    for (type_, status) in [
        (ConditionType::Ready, ConditionStatus::Unknown),
        (ConditionType::Reconciling, ConditionStatus::True),
        (ConditionType::Available, ConditionStatus::True),
        (ConditionType::Consistent, ConditionStatus::True),
    ] {
        assert_eq!(shows(&cluster, type_), Some((status, Reason::Soaking)));
    }
    assert_eq!(cluster.status.current.as_ref().unwrap().revision, 2);
    assert_eq!(cluster.status.last_good.as_ref().unwrap().revision, 1);
}

#[test]
fn it_becomes_last_good_when_its_time_is_over_and_not_before() {
    let mut cluster = soaking();
    let begun = cluster.now;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.now.since(begun), Duration::minutes(10));
    assert_eq!(cluster.proven(), ["v2", "v1"]);
    let since = cluster.status.current.as_ref().unwrap().since;
    assert!(since <= begun, "it runs since it was ready");
}

#[test]
fn a_first_install_soaks_too() {
    let mut cluster = Cluster::asking_for("v1").that_soaks(10);
    cluster.until(Cluster::soaks);
    assert!(cluster.proven().is_empty());
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.proven(), ["v1"]);
}

#[test]
fn what_goes_bad_while_it_soaks_is_taken_back_after_the_grace_with_its_evidence() {
    let mut cluster = soaking();
    let begun = cluster.now;
    cluster.settled = false;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert_eq!(cluster.now.since(begun), Duration::seconds(30));
    assert!(cluster.holds("v1"));
    assert!(cluster.is_blocked("v2"));
    assert_eq!(cluster.storage[&2].status, Status::Failed);
    assert_eq!(cluster.storage[&3].status, Status::Deployed);
    let failure = cluster.status.last_failure.as_ref().unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Degraded, Reason::Degraded)
    );
    assert!(!failure.objects.is_empty());
}

#[test]
fn what_recovers_within_the_grace_soaks_on() {
    let mut cluster = soaking();
    cluster.settled = false;
    cluster.run();
    assert_eq!(
        shows(&cluster, ConditionType::Available),
        Some((ConditionStatus::Unknown, Reason::Soaking))
    );
    cluster.now = cluster.now.plus(Duration::seconds(29));
    cluster.run();
    cluster.settled = true;
    cluster.run();
    // A second bad spell has its own grace.
    cluster.settled = false;
    cluster.run();
    cluster.now = cluster.now.plus(Duration::seconds(29));
    cluster.run();
    assert!(cluster.soaks());
    cluster.settled = true;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.proven(), ["v2", "v1"]);
}

#[test]
fn a_container_that_cannot_get_well_ends_a_soak_as_it_ends_a_rollout() {
    let mut cluster = soaking();
    cluster.set_chart("v2", Health::NoImage, &[]);
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
    let failure = cluster.status.last_failure.as_ref().unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Degraded, Reason::ImagePullFailed)
    );
}

#[test]
fn a_first_install_that_goes_bad_while_it_soaks_is_removed() {
    let mut cluster = Cluster::asking_for("v1").that_soaks(10);
    cluster.until(Cluster::soaks);
    cluster.settled = false;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.objects.is_empty());
    assert!(cluster.storage.is_empty());
}

#[test]
fn a_newer_spec_overtakes_a_soak_and_its_failure_goes_back_to_last_good() {
    let mut cluster = soaking();
    cluster.set_chart("v3", Health::NoImage, &[]);
    cluster.edit("v3");
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"), "v2 never counted as good");
    assert_eq!(cluster.proven(), ["v1"]);
}

#[test]
fn what_only_gave_way_while_it_soaked_is_no_failure_in_helms_history() {
    let mut cluster = soaking();
    cluster.edit("v3");
    cluster.until(|cluster| {
        cluster
            .current()
            .is_some_and(|(revision, _, _)| revision == 3)
    });
    assert_eq!(cluster.storage[&2].status, Status::Superseded);
}

#[test]
fn a_request_takes_a_soaking_revision_back_at_once() {
    let mut cluster = soaking();
    let begun = cluster.now;
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    assert!(cluster.now.since(begun) < Duration::minutes(1));
    assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
    assert!(cluster.is_blocked("v2"));
}

#[test]
fn a_crash_while_it_soaks_neither_shortens_nor_prolongs_it() {
    let mut cluster = soaking();
    let begun = cluster.now;
    cluster.now = cluster.now.plus(Duration::minutes(9));
    cluster.crash();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.now.since(begun), Duration::minutes(10));
}

#[test]
fn what_goes_back_was_good_before_and_does_not_soak() {
    let mut cluster = soaking();
    cluster.rest();
    let begun = cluster.now;
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.now.since(begun) < Duration::minutes(1));
    let last = cluster.attempts.last().unwrap();
    assert_eq!(last, &(AttemptKind::Rollback, "v1".to_owned()));
}
