//! Newer things overtake a waiting attempt; an apply is never cut, a way back is finished first.

use belay_api::Duration;
use belay_api::helm_release::{AttemptKind, OutsideChanges, Stage};
use belay_api::rollback_request::{RequestPhase, Until};
use belay_rollout::{Amendment, At, Decision, Step, Waiting, When, World, decide};

use crate::cluster::{Cluster, Ends, Health, Hook, Writes};

fn waiting_for_v2() -> Cluster {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::Silent);
    cluster.rest();
    cluster.edit("v2");
    cluster.until_at(&At::Waiting);
    cluster
}

#[test]
fn a_newer_spec_overtakes_a_waiting_attempt_at_once() {
    let mut cluster = waiting_for_v2();
    let before = cluster.now;
    assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
    assert_eq!(cluster.now, before, "nobody waited for a deadline");
    assert!(cluster.holds("v3"));
    assert!(!cluster.is_blocked("v2"), "it did not fail");
    assert_eq!(cluster.pending_records(), 0);
}

#[test]
fn a_spec_that_goes_back_to_the_good_revision_overtakes_too() {
    let mut cluster = waiting_for_v2();
    assert_eq!(cluster.roll_out("v1"), Waiting::Deployed);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_newer_spec_that_is_blocked_brings_the_last_good_revision_back() {
    let mut cluster = Cluster::asking_for("v1")
        .with("v2", Health::NoImage)
        .with("v3", Health::Silent);
    cluster.rest();
    cluster.roll_out("v2");
    cluster.edit("v3");
    cluster.until_at(&At::Waiting);
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert!(cluster.holds("v1"), "{:?}", cluster.objects);
}

#[test]
fn a_first_install_that_gives_way_to_a_blocked_spec_leaves_nothing() {
    let mut cluster = Cluster::asking_for("v1").with("v1", Health::NoImage);
    cluster.rest();
    cluster.set_chart("v2", Health::Silent, &[]);
    cluster.edit("v2");
    cluster.until_at(&At::Waiting);
    assert_eq!(cluster.roll_out("v1"), Waiting::Blocked);
    assert!(cluster.objects.is_empty(), "{:?}", cluster.objects);
}

#[test]
fn a_newer_spec_that_cannot_be_begun_after_all_brings_the_last_good_revision_back() {
    let mut cluster = waiting_for_v2();
    cluster.set_chart("v3", Health::Unacceptable, &[]);
    assert!(matches!(cluster.roll_out("v3"), Waiting::Rejected(_)));
    assert!(cluster.holds("v1"), "{:?}", cluster.objects);
    assert_eq!(cluster.current().map(|current| current.2), Some(true));
}

#[test]
fn a_way_back_is_finished_before_a_newer_spec_is_begun() {
    let mut cluster = waiting_for_v2();
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.kind == AttemptKind::Revert)
    });
    assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
    let kinds: Vec<_> = cluster
        .attempts
        .iter()
        .map(|(kind, digest)| (*kind, digest.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (AttemptKind::Install, "v1"),
            (AttemptKind::Upgrade, "v2"),
            (AttemptKind::Revert, "v1"),
            (AttemptKind::Upgrade, "v3"),
        ]
    );
    assert_eq!(cluster.proven(), ["v3", "v1"]);
}

#[test]
fn a_request_overtakes_a_waiting_attempt_and_holds() {
    let mut cluster = waiting_for_v2();
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
    assert_eq!(cluster.tries("v2"), 1);
}

#[test]
fn a_request_that_would_be_refused_does_not_overtake() {
    let mut cluster = waiting_for_v2();
    cluster.set_chart("v2", Health::Good, &[]);
    cluster.order_with("stale", |spec| {
        spec.expected_current = Some(belay_api::rollback_request::ExpectedCurrent {
            revision: Some(1),
            digest: None,
        });
    });
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.phase_of("stale"), RequestPhase::Refused);
}

#[test]
fn a_suspended_release_ends_what_it_began_and_begins_nothing() {
    let mut cluster = waiting_for_v2();
    cluster.declared.suspend = true;
    cluster.order("back");
    assert_eq!(cluster.roll_out("v3"), Waiting::Suspended);
    assert!(
        cluster.holds("v1"),
        "v2 ran into its deadline and was taken back"
    );
    assert_eq!(cluster.tries("v3"), 0);
    assert_eq!(
        cluster.phase_of("back"),
        RequestPhase::Refused,
        "there is nothing before v1"
    );
    cluster.declared.suspend = false;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn a_release_that_is_suspended_from_the_start_writes_nothing() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.declared.suspend = true;
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert!(cluster.objects.is_empty() && cluster.storage.is_empty());
}

#[test]
fn suspended_at_any_stage_an_attempt_is_finished_and_what_failed_is_taken_back() {
    let reached = |cluster: &Cluster, wanted: Stage| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.stage() == wanted)
    };
    let hook = |when| Hook {
        when,
        irreversible: false,
        ends: Ends::Well,
    };
    let hooks = [When::Before, When::After, When::Test].map(hook);
    let start = || {
        let mut cluster = Cluster::asking_for("v1")
            .with_hooks("v2", Health::Good, &hooks)
            .with("bad", Health::NoImage)
            .that_soaks(1);
        cluster.rest();
        cluster
    };
    let good = [
        Stage::PreHooks,
        Stage::Applying,
        Stage::Waiting,
        Stage::PostHooks,
        Stage::Testing,
        Stage::Finishing,
        Stage::Soaking,
    ];
    // Only the intent is on record: nothing is lost when the spec has gone on.
    let mut cluster = start();
    cluster.edit("v2");
    cluster.until(|cluster| reached(cluster, Stage::Preparing));
    cluster.declared.suspend = true;
    cluster.edit("v3");
    cluster.crash();
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert!(cluster.holds("v1"));
    for stage in good {
        let mut cluster = start();
        cluster.edit("v2");
        cluster.until(|cluster| reached(cluster, stage));
        cluster.declared.suspend = true;
        cluster.edit("v3");
        assert_eq!(cluster.rest(), Waiting::Suspended, "{stage:?}");
        assert!(cluster.holds("v2"), "{stage:?}");
        assert_eq!(cluster.proven(), ["v2", "v1"], "{stage:?}");
        cluster.declared.suspend = false;
        assert_eq!(cluster.rest(), Waiting::Deployed, "{stage:?}");
        assert!(cluster.holds("v3"), "{stage:?}");
    }
    for stage in [Stage::Waiting, Stage::Failed] {
        let mut cluster = start();
        cluster.edit("bad");
        cluster.until(|cluster| reached(cluster, stage));
        cluster.declared.suspend = true;
        assert_eq!(cluster.rest(), Waiting::Suspended, "{stage:?}");
        assert!(cluster.holds("v1"), "{stage:?}");
    }
    let mut cluster = start();
    cluster.declared.deleting = true;
    cluster.until(|cluster| reached(cluster, Stage::Removing));
    cluster.declared.suspend = true;
    cluster.rest();
    assert!(cluster.gone && cluster.objects.is_empty());
}

#[test]
fn an_order_to_a_suspended_release_does_not_end_a_way_back_that_is_tried_on() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.roll_out("v3");
    cluster.edit("v2");
    cluster.fails_to_go_back(1);
    cluster.declared.suspend = true;
    cluster.order("back-to-v1");
    cluster.writes = Writes::Taken;
    assert_eq!(cluster.rest(), Waiting::Suspended);
    let same_way_back = Some((4, "v3".to_owned(), true));
    assert_eq!(cluster.current(), same_way_back);
    assert_eq!(cluster.phase_of("back-to-v1"), RequestPhase::Pending);
}

#[test]
fn a_newer_spec_of_a_suspended_release_does_not_end_a_way_back_that_is_tried_on() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    cluster.fails_to_go_back(1);
    cluster.declared.suspend = true;
    cluster.edit("v3");
    cluster.writes = Writes::Taken;
    assert_eq!(cluster.rest(), Waiting::Suspended);
    let same_way_back = Some((3, "v1".to_owned(), true));
    assert_eq!(cluster.current(), same_way_back);
}

#[test]
fn a_newer_spec_that_is_held_off_does_not_end_a_way_back_that_is_tried_on() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.declared.outside_changes = OutsideChanges::Revert;
    cluster.rest();
    cluster.roll_out("v2");
    cluster.order_with("back", |spec| spec.until = Until::Manual);
    cluster.rest();
    cluster.helm("by-hand");
    cluster.fails_to_go_back(1);
    cluster.edit("v3");
    cluster.writes = Writes::Taken;
    assert_eq!(cluster.rest(), Waiting::Pinned);
    let same_way_back = Some((5, "v1".to_owned(), true));
    assert_eq!(cluster.current(), same_way_back);
}

#[test]
fn a_way_back_whose_record_is_gone_begins_with_its_record_again() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    cluster.fails_to_go_back(1);
    let mut world = cluster.world();
    world.now = world.now.plus(Duration::minutes(60));
    let again = |world: &World| match decide(world) {
        Decision::Step(Step::Amend(Amendment::TryAgain { at, .. })) => at,
        other => panic!("{other:?}"),
    };
    assert_eq!(again(&world), At::PreHooks);
    world.storage.retain(|stored| stored.revision != 3);
    assert_eq!(again(&world), At::Preparing);
}
