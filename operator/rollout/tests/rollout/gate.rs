//! Tests as a gate: what fails them is taken back.

use belay_api::{ConditionStatus, ConditionType, Reason};
use belay_rollout::{Waiting, When};

use crate::cluster::{Cluster, Ends, Health, Hook};

fn test(ends: Ends) -> Hook {
    Hook {
        when: When::Test,
        irreversible: false,
        ends,
    }
}

fn after() -> Hook {
    Hook {
        when: When::After,
        irreversible: false,
        ends: Ends::Well,
    }
}

fn tested(cluster: &Cluster) -> Option<(ConditionStatus, Reason)> {
    let mut conditions = cluster.status.conditions.iter();
    conditions
        .find(|condition| condition.type_ == ConditionType::TestSuccess)
        .map(|condition| (condition.status, condition.reason))
}

fn upgraded(hooks: &[Hook]) -> Cluster {
    let mut cluster = Cluster::asking_for("v1").with_hooks("v2", Health::Good, hooks);
    cluster.rest();
    cluster.roll_out("v2");
    cluster
}

#[test]
fn a_revision_is_good_when_its_tests_have_succeeded_after_all_other_hooks() {
    let cluster = upgraded(&[test(Ends::Well), after()]);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.proven(), ["v2", "v1"]);
    let ran: Vec<_> = cluster.hook_runs.iter().map(|(_, name)| name).collect();
    assert_eq!(ran, ["hook-v2-1", "hook-v2-0"]);
    assert_eq!(
        tested(&cluster),
        Some((ConditionStatus::True, Reason::TestsSucceeded))
    );
}

#[test]
fn a_revision_whose_test_fails_is_taken_back_and_blocked() {
    for ends in [Ends::Badly, Ends::Never] {
        let cluster = upgraded(&[test(ends)]);
        assert!(cluster.holds("v1"), "{ends:?}");
        assert!(cluster.is_blocked("v2"), "{ends:?}");
        assert_eq!(cluster.proven(), ["v1"]);
    }
}

#[test]
fn a_revision_soaks_after_its_tests() {
    let mut cluster = Cluster::asking_for("v1")
        .with_hooks("v1", Health::Good, &[test(Ends::Well)])
        .that_soaks(1);
    cluster.until(Cluster::soaks);
    assert_eq!(cluster.hook_runs.len(), 1);
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.hook_runs.len(), 1, "they run once");
}

#[test]
fn what_goes_back_is_not_tested_again() {
    let mut cluster = Cluster::asking_for("v1").with_hooks("v1", Health::Good, &[test(Ends::Well)]);
    cluster.rest();
    cluster.set_chart("v2", Health::NoImage, &[]);
    cluster.roll_out("v2");
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.hook_runs.len(), 1);
}
