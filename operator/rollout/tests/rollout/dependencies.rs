//! Releases that a spec depends on: nothing new before they are ready, and no way back that waits.

use belay_api::{ConditionStatus, ConditionType, HelmReleaseStatus, Phase, Reason};
use belay_rollout::{HeldUp, Place, Waiting, report};

use crate::cluster::{Cluster, Health};

fn status(cluster: &mut Cluster) -> HelmReleaseStatus {
    let wait = cluster.run();
    report::status(&cluster.status, &cluster.world(), &wait)
}

fn ready(status: &HelmReleaseStatus) -> (ConditionStatus, Reason) {
    let mut conditions = status.conditions.iter();
    let ready = conditions.find(|condition| condition.type_ == ConditionType::Ready);
    let ready = ready.unwrap();
    (ready.status, ready.reason)
}

fn is_working(status: &HelmReleaseStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|condition| condition.type_ == ConditionType::Reconciling)
}

#[test]
fn an_install_waits_until_what_it_depends_on_is_ready() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.hold_up();
    assert!(matches!(cluster.rest(), Waiting::Dependencies(_)));
    assert!(cluster.objects.is_empty() && cluster.storage.is_empty());
    let told = status(&mut cluster);
    let expected = (ConditionStatus::False, Reason::DependencyNotReady);
    assert_eq!(ready(&told), expected);
    assert!(is_working(&told), "it goes on by itself");
    assert_eq!(told.phase, Phase::Pending);
    cluster.free();
    assert_eq!(cluster.rest(), Waiting::Deployed);
}

#[test]
fn an_upgrade_waits_and_what_runs_goes_on_serving() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.hold_up();
    assert!(matches!(cluster.roll_out("v2"), Waiting::Dependencies(_)));
    assert!(cluster.holds("v1"));
    let told = status(&mut cluster);
    assert_eq!(told.phase, Phase::Deployed);
    let mut conditions = told.conditions.iter();
    let available = conditions.find(|condition| condition.type_ == ConditionType::Available);
    assert_eq!(available.unwrap().status, ConditionStatus::True);
    cluster.free();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
}

#[test]
fn what_runs_already_stays_ready_whatever_becomes_of_the_others() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.hold_up();
    cluster.edit_interval();
    assert_eq!(cluster.rest(), Waiting::Deployed);
}

#[test]
fn an_attempt_that_was_begun_is_finished_and_its_way_back_waits_for_nobody() {
    let mut cluster = Cluster::asking_for("v1").with("bad", Health::NoImage);
    cluster.rest();
    cluster.edit("bad");
    cluster.until(|cluster| cluster.attempt().is_some());
    cluster.hold_up();
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_spec_that_could_not_be_begun_does_not_overtake_what_is_under_way() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.edit("v2");
    cluster.until_at(&belay_rollout::At::Waiting);
    cluster.edit("v3");
    cluster.hold_up();
    assert!(matches!(cluster.rest(), Waiting::Dependencies(_)));
    assert!(cluster.holds("v2"));
    cluster.free();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn a_spec_that_overtook_and_then_cannot_be_begun_leaves_last_good_and_nothing_half_done() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.edit("v2");
    cluster.until_at(&belay_rollout::At::Waiting);
    cluster.edit("v3");
    // It gives way, and right then the other release is not ready any more.
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_none_or(|attempt| matches!(attempt.at, belay_rollout::At::Failed { .. }))
    });
    cluster.hold_up();
    assert!(matches!(cluster.rest(), Waiting::Dependencies(_)));
    assert!(cluster.holds("v1"));
}

#[test]
fn orders_and_removals_wait_for_nobody() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster.hold_up();
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone && cluster.objects.is_empty());
}

#[test]
fn a_circle_is_named_and_stops_until_somebody_opens_it() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.hold_up();
    cluster.rest();
    let place = |name: &str| Place {
        namespace: "shop".into(),
        name: name.into(),
    };
    let way = ["web", "db", "web"].map(place).to_vec();
    let mut world = cluster.world();
    world.held_up = Some(HeldUp::Circle(way));
    let belay_rollout::Decision::Wait(wait) = belay_rollout::decide(&world) else {
        panic!("a circle is waited for");
    };
    let told = report::status(&cluster.status, &world, &wait);
    let expected = (ConditionStatus::False, Reason::DependencyCycle);
    assert_eq!(ready(&told), expected);
    assert!(!is_working(&told));
    let message = &told.conditions[0].message;
    assert!(message.contains("web -> db -> web"), "{message}");
}
