//! Checks of a soak: what is measured takes a revision back, and what is not measured does not.

use belay_api::helm_release::{CheckState, FailureClass};
use belay_api::{ConditionStatus, ConditionType, Duration, Reason};
use belay_rollout::{At, Decision, Step, Waiting, decide};

use crate::cluster::{Cluster, Health, Says};

/// v1 is good, v2 soaks for ten minutes and is asked about each minute; two bad answers in a row end it.
fn soaking() -> Cluster {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let mut cluster = cluster.that_soaks(10).that_checks(60, 2);
    cluster.edit("v2");
    cluster.until(Cluster::soaks);
    cluster.run();
    cluster
}

/// The length of the row of bad answers that is on record.
fn row(cluster: &Cluster) -> usize {
    let At::Soaking(soaking) = &cluster.attempt().unwrap().at else {
        panic!("it does not soak");
    };
    let answered = soaking.answered.first();
    answered.map_or(0, |answered| answered.bad.len())
}

/// Lets time pass until so many more answers, or none, have come.
fn ask(cluster: &mut Cluster, says: Says, times: usize) {
    cluster.says = says;
    let asked = cluster.asked.len() + times;
    cluster.until(|cluster| cluster.asked.len() == asked);
    assert!(cluster.answer());
    cluster.run();
}

fn message(cluster: &Cluster) -> &str {
    let mut conditions = cluster.status.conditions.iter();
    let ready = conditions.find(|condition| condition.type_ == ConditionType::Ready);
    &ready.unwrap().message
}

#[test]
fn what_is_well_answered_becomes_last_good_when_its_time_is_over() {
    let mut cluster = soaking();
    let begun = cluster.now;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.now.since(begun), Duration::minutes(10));
    assert_eq!(cluster.proven(), ["v2", "v1"]);
    assert_eq!(cluster.asked.len(), 10);
    let check = &cluster.status.checks[0];
    assert_eq!(
        (check.state, check.value.as_deref()),
        (CheckState::Passing, Some("0.01"))
    );
    assert!(
        !message(&cluster).contains("errors"),
        "{}",
        message(&cluster)
    );
}

#[test]
fn the_first_question_is_put_an_interval_after_it_became_ready() {
    let mut cluster = soaking();
    let begun = cluster.now;
    assert_eq!(cluster.status.checks[0].state, CheckState::Pending);
    ask(&mut cluster, Says::Good, 1);
    assert_eq!(cluster.asked[0].since(begun), Duration::minutes(1));
    assert_eq!(cluster.status.checks[0].state, CheckState::Passing);
}

#[test]
fn what_is_badly_answered_often_enough_in_a_row_is_taken_back_with_its_evidence() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Bad, 1);
    assert!(cluster.soaks(), "one bad answer is not enough");
    assert_eq!(cluster.status.checks[0].state, CheckState::Failing);
    assert!(message(&cluster).contains("0.31"), "{}", message(&cluster));
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert_eq!(cluster.asked.len(), 2);
    assert!(cluster.holds("v1"));
    assert!(cluster.is_blocked("v2"));
    let failure = cluster.status.last_failure.as_ref().unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Degraded, Reason::CheckFailed)
    );
    let (first, last) = (cluster.asked[0], cluster.asked[1]);
    for part in [
        "the check errors",
        "at most 0.05",
        &format!("0.31 at {}", first.whole_seconds()),
        &format!("0.31 at {}", last.whole_seconds()),
        "prometheus:9090",
        "sum(rate(errors[1m]))",
    ] {
        assert!(
            failure.message.contains(part),
            "{part}: {}",
            failure.message
        );
    }
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    let told = |what: &str| {
        failure
            .timeline
            .iter()
            .any(|moment| moment.what.contains(what))
    };
    assert!(
        told("1 of 2 in a row") && told("2 of 2 in a row"),
        "{failure:?}"
    );
}

#[test]
fn a_good_answer_ends_a_row_of_bad_ones() {
    let mut cluster = soaking();
    for _ in 0..3 {
        ask(&mut cluster, Says::Bad, 1);
        assert_eq!(row(&cluster), 1);
        ask(&mut cluster, Says::Good, 1);
        assert_eq!(row(&cluster), 0);
    }
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.proven(), ["v2", "v1"]);
}

#[test]
fn no_answer_takes_nothing_back_and_is_told() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Nothing, 3);
    assert!(cluster.soaks());
    let check = &cluster.status.checks[0];
    assert_eq!(check.state, CheckState::Unanswered);
    assert!(check.message.contains("empty"), "{check:?}");
    assert!(
        message(&cluster).contains("gets no answer"),
        "{}",
        message(&cluster)
    );

    assert_eq!(cluster.rest(), Waiting::Deployed);

    assert_eq!(cluster.proven(), ["v2", "v1"]);
    assert!(
        message(&cluster).contains("never had an answer"),
        "{}",
        message(&cluster)
    );
    // Wiped, the status says so again.
    cluster.status = belay_api::HelmReleaseStatus::default();
    cluster.run();
    assert_eq!(cluster.status.checks[0].state, CheckState::Unanswered);
    assert!(
        message(&cluster).contains("never had an answer"),
        "{}",
        message(&cluster)
    );
}

#[test]
fn what_was_answered_once_is_not_called_never_answered() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Good, 1);
    ask(&mut cluster, Says::Nothing, 1);
    let check = &cluster.status.checks[0];
    assert_eq!(
        (check.state, check.value.as_deref()),
        (CheckState::Passing, Some("0.01"))
    );
    assert!(check.message.contains("empty"), "{check:?}");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(
        !message(&cluster).contains("never"),
        "{}",
        message(&cluster)
    );
}

#[test]
fn no_answer_between_two_bad_ones_neither_adds_to_the_row_nor_ends_it() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Bad, 1);
    ask(&mut cluster, Says::Nothing, 3);
    assert!(cluster.soaks());
    assert_eq!(row(&cluster), 1);
    cluster.says = Says::Bad;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn what_turns_bad_at_the_very_end_is_asked_on_about() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Good, 9);
    ask(&mut cluster, Says::Bad, 1);
    assert!(
        cluster.soaks(),
        "its time is over, and its last answer was bad"
    );
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));

    let mut cluster = soaking();
    ask(&mut cluster, Says::Good, 9);
    ask(&mut cluster, Says::Bad, 1);
    cluster.says = Says::Good;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.asked.len(), 11);
}

#[test]
fn nothing_waits_for_an_answer_that_does_not_come_at_the_end() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Good, 9);
    ask(&mut cluster, Says::Bad, 1);
    cluster.says = Says::Nothing;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.asked.len(), 11);
    assert_eq!(cluster.status.checks[0].state, CheckState::Failing);
}

#[test]
fn a_crash_neither_loses_a_bad_answer_nor_counts_it_twice() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Bad, 1);
    cluster.crash();
    cluster.run();
    assert_eq!(row(&cluster), 1);
    assert_eq!(cluster.asked.len(), 1, "the next question has its time");
    assert_eq!(cluster.status.checks[0].state, CheckState::Failing);
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert_eq!(cluster.asked.len(), 2);
}

#[test]
fn after_a_crash_at_the_end_it_is_asked_once_more_before_it_counts_as_good() {
    let mut cluster = soaking();
    cluster.now = cluster.now.plus(Duration::minutes(10));
    cluster.crash();
    cluster.says = Says::Bad;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_question_that_nobody_ends_is_put_again() {
    let mut cluster = soaking();
    cluster.until(|cluster| cluster.asked.len() == 1);
    let wait = cluster.run();
    let lost = wait.until.unwrap();
    assert_eq!(lost.since(cluster.now), Duration::minutes(1));
    cluster.now = lost;
    assert!(matches!(
        decide(&cluster.world()),
        Decision::Step(Step::Ask { .. })
    ));
}

#[test]
fn a_corrected_check_counts_at_once_and_what_it_answered_before_does_not() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Bad, 1);
    cluster.declared.soak.checks[0].threshold_range.max = Some(0.5);
    cluster.edit_interval();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.proven(), ["v2", "v1"]);
}

#[test]
fn what_is_not_ready_is_taken_back_whatever_its_checks_say() {
    let mut cluster = soaking();
    cluster.settled = false;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    let failure = cluster.status.last_failure.as_ref().unwrap();
    assert_eq!(failure.reason, Reason::Degraded);
}

#[test]
fn a_first_install_is_checked_too_and_is_removed() {
    let mut cluster = Cluster::asking_for("v1").that_soaks(10).that_checks(60, 2);
    cluster.says = Says::Bad;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.objects.is_empty());
}

#[test]
fn a_way_back_is_not_checked() {
    let mut cluster = soaking();
    cluster.rest();
    cluster.says = Says::Bad;
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.status.checks, []);
}

#[test]
fn a_newer_spec_overtakes_what_is_checked() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Bad, 1);
    cluster.set_chart("v3", Health::Good, &[]);
    cluster.edit("v3");
    cluster.says = Says::Good;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.proven(), ["v3", "v1"]);
}

#[test]
fn while_it_is_checked_it_serves() {
    let mut cluster = soaking();
    ask(&mut cluster, Says::Bad, 1);
    let mut conditions = cluster.status.conditions.iter();
    let available = conditions.find(|condition| condition.type_ == ConditionType::Available);
    assert_eq!(available.unwrap().status, ConditionStatus::True);
}
