//! Rollback requests: carried out once, held by a pin, refused with a reason.

use belay_api::helm_release::AttemptKind;
use belay_api::rollback_request::{ExpectedCurrent, RequestPhase, RollbackRequestSpec, Until};
use belay_api::{Duration, Reason};
use belay_rollout::{At, Digest, Outcome, Target, Waiting};

use crate::cluster::{Cluster, Health, MINUTE};

/// v1 and v2 are proven, v2 runs.
fn two_proven() -> Cluster {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster
}

/// The same, taken back to v1 by a request.
fn taken_back(until: Until) -> Cluster {
    let mut cluster = two_proven();
    let hold = cluster.now.plus(Duration::minutes(60));
    cluster.order_with("back", |spec| {
        spec.until = until;
        spec.hold_until = (until == Until::Time).then_some(hold);
    });
    cluster.until(|cluster| {
        cluster
            .ledger
            .as_ref()
            .is_some_and(|ledger| ledger.pin.is_some())
    });
    cluster.run();
    assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
    cluster
}

#[test]
fn the_previous_revision_runs_and_still_does_three_intervals_later() {
    let mut cluster = taken_back(Until::SpecChange);
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    for _ in 0..3 {
        cluster.now.0 += 10 * MINUTE;
        cluster.edit_interval();
        cluster.crash();
        assert_eq!(cluster.rest(), Waiting::Pinned);
    }
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.tries("v2"), 1);
    assert!(cluster.is_blocked("v2"), "what a request left is blocked");
    assert_eq!(cluster.proven(), ["v1", "v2"]);
}

#[test]
fn a_hold_until_the_spec_changes_is_lifted_by_a_new_digest_and_outlives_its_request() {
    let mut cluster = taken_back(Until::SpecChange);
    cluster.delete_order("back");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn a_range_that_pulls_a_patch_does_not_lift_a_hold_until_the_spec_changes() {
    let mut cluster = taken_back(Until::SpecChange);
    cluster.spec = "v3".into();
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));

    let mut cluster = taken_back(Until::DesiredChange);
    cluster.spec = "v3".into();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn a_hold_until_a_time_ends_then_and_the_spec_is_rolled_out() {
    let mut cluster = taken_back(Until::Time);
    let begun = cluster.now;
    assert_eq!(cluster.run().on, Waiting::Pinned);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert!(cluster.now.since(begun) > Duration::minutes(55));
}

#[test]
fn a_manual_hold_ends_with_its_request() {
    let mut cluster = taken_back(Until::Manual);
    assert_eq!(cluster.roll_out("v3"), Waiting::Pinned, "no edit lifts it");
    assert!(cluster.holds("v1"));
    cluster.delete_order("back");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn two_orders_at_the_same_moment_do_not_undo_each_other() {
    let mut cluster = two_proven();
    cluster.order("one");
    cluster.order("two");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.phase_of("one"), RequestPhase::Complete);
    assert_eq!(cluster.phase_of("two"), RequestPhase::Refused);
    // By name it can be brought back.
    cluster.order_with("three", |spec| spec.target.revision = Some(2));
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
}

#[test]
fn a_request_and_a_new_spec_at_the_same_moment_never_begin_what_the_pin_forbids() {
    // Whichever is seen first: the request is carried out, and what it left stays away.
    for spec_first in [true, false] {
        let mut cluster = two_proven();
        if spec_first {
            cluster.edit("v3");
            cluster.until(|cluster| cluster.attempt().is_some());
            cluster.order("back");
        } else {
            cluster.order("back");
            cluster.until(|cluster| cluster.attempt().is_some());
            cluster.edit("v3");
        }
        cluster.rest();
        assert_eq!(cluster.tries("v2"), 1);
        assert_eq!(
            cluster.phase_of("back"),
            RequestPhase::Complete,
            "spec first: {spec_first}"
        );
    }
}

#[test]
fn a_request_that_is_created_anew_word_for_word_is_refused_as_executed() {
    let mut cluster = taken_back(Until::SpecChange);
    cluster.delete_order("back");
    cluster.roll_out("v3");
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v3"));
    assert_eq!(cluster.refusals, [("back".into(), Reason::AlreadyExecuted)]);
}

#[test]
fn a_request_is_refused_when_something_else_runs_than_it_expects() {
    for (revision, digest) in [(Some(1), None), (None, Some("v1".to_owned()))] {
        let mut cluster = two_proven();
        cluster.order_with("back", |spec| {
            spec.expected_current = Some(ExpectedCurrent { revision, digest });
        });
        assert_eq!(cluster.rest(), Waiting::Deployed);
        assert_eq!(
            cluster.refusals,
            [("back".into(), Reason::ExpectationFailed)]
        );
        assert!(cluster.holds("v2"));
    }
    let mut cluster = two_proven();
    cluster.order_with("back", |spec| {
        spec.expected_current = Some(ExpectedCurrent {
            revision: Some(2),
            digest: Some("v2".into()),
        });
    });
    cluster.rest();
    assert!(cluster.holds("v1"));
}

#[test]
fn a_request_for_what_is_not_there_is_refused_with_a_reason_of_its_own() {
    let mut cluster = two_proven();
    cluster.order_with("no such revision", |spec| spec.target.revision = Some(9));
    cluster.order_with("no such digest", |spec| {
        spec.target.digest = Some("v9".into());
    });
    cluster.order_with("there already", |spec| spec.target.revision = Some(2));
    let past = belay_api::Timestamp(cluster.now.0 - 1);
    cluster.order_with("too late", |spec| spec.not_after = Some(past));
    cluster.order_with("held until yesterday", |spec| {
        spec.until = Until::Time;
        spec.hold_until = Some(past);
    });
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(
        cluster
            .refusals
            .iter()
            .map(|(_, reason)| *reason)
            .collect::<Vec<_>>(),
        [
            Reason::RevisionNotFound,
            Reason::RevisionNotFound,
            Reason::AlreadyThere,
            Reason::Expired,
            Reason::Expired
        ]
    );
    assert!(cluster.holds("v2"));
}

#[test]
fn a_dry_run_says_what_it_would_bring_back_and_changes_nothing() {
    for suspended in [false, true] {
        let mut cluster = two_proven();
        cluster.declared.suspend = suspended;
        let (ledger, storage) = (cluster.ledger.clone(), cluster.storage.len());
        cluster.order_with("look", |spec| spec.dry_run = true);
        cluster.rest();
        assert_eq!(cluster.phase_of("look"), RequestPhase::Complete);
        assert_eq!(
            cluster.previews,
            [("look".into(), Target::Proven(Digest::named("v1")))]
        );
        assert_eq!(cluster.ledger, ledger, "the ledger does not know of it");
        assert_eq!(cluster.storage.len(), storage);
        assert!(cluster.holds("v2"));
    }
}

#[test]
fn a_dry_run_overtakes_nothing_and_is_refused_for_what_an_order_would_be() {
    let mut cluster = two_proven();
    cluster.edit("v3");
    cluster.until(|cluster| cluster.attempt().is_some());
    cluster.order_with("look", |spec| spec.dry_run = true);
    cluster.order_with("nowhere", |spec| {
        spec.dry_run = true;
        spec.target.revision = Some(9);
    });
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v3"));
    assert_eq!(
        cluster.refusals,
        [("nowhere".into(), Reason::RevisionNotFound)]
    );
    assert_eq!(
        cluster.previews,
        [("look".into(), Target::Proven(Digest::named("v2")))],
        "it speaks of what is there when its turn comes"
    );
}

#[test]
fn a_digest_and_a_chart_version_name_older_revisions_than_the_proven_two() {
    for by_version in [false, true] {
        let mut cluster = two_proven();
        cluster.roll_out("v3");
        assert_eq!(cluster.proven(), ["v3", "v2"]);
        cluster.order_with("back", |spec| {
            if by_version {
                spec.target.chart_version = Some("v1".into());
            } else {
                spec.target.digest = Some("v1".into());
            }
        });
        assert_eq!(cluster.rest(), Waiting::Pinned);
        assert!(cluster.holds("v1"));
        assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
    }
}

#[test]
fn a_chart_version_that_only_failed_is_not_brought_back() {
    let mut cluster = two_proven();
    cluster.set_chart("v3", Health::NoImage, &[]);
    cluster.roll_out("v3");
    cluster.order_with("back", |spec| {
        spec.target.chart_version = Some("v3".into());
    });
    cluster.rest();
    assert_eq!(
        cluster.refusals,
        [("back".into(), Reason::RevisionNotFound)]
    );
    assert!(cluster.holds("v2"));
}

#[test]
fn whoever_asks_for_the_spec_by_its_name_ends_a_hold_of_any_kind() {
    for until in [Until::SpecChange, Until::DesiredChange, Until::Manual] {
        let mut cluster = taken_back(until);
        cluster.ask_by_name();
        assert_eq!(cluster.rest(), Waiting::Deployed, "{until:?}");
        assert!(cluster.holds("v2"), "{until:?}");
        assert_eq!(
            cluster.phase_of("back"),
            RequestPhase::Complete,
            "the request stays a record"
        );
        // Another token for another digest ends nothing.
        let mut cluster = taken_back(until);
        cluster.declared.retry = Some("v9#1".into());
        cluster.crash();
        assert_eq!(cluster.rest(), Waiting::Pinned, "{until:?}");
    }
}

#[test]
fn a_request_names_any_revision_that_was_deployed_once() {
    let mut cluster = two_proven();
    cluster.roll_out("v3");
    // v1 is not among the two proven any more; Helm's history has it.
    cluster.order_with("far back", |spec| spec.target.revision = Some(1));
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.proven()[1], "v3");
}

#[test]
fn a_request_names_a_proven_digest_or_chart_version() {
    let mut cluster = two_proven();
    cluster.order_with("by digest", |spec| spec.target.digest = Some("v1".into()));
    cluster.rest();
    assert!(cluster.holds("v1"));
    cluster.order_with("by version", |spec| {
        spec.target.chart_version = Some("v2".into());
    });
    cluster.rest();
    assert!(cluster.holds("v2"));
}

#[test]
fn a_rollback_that_fails_leaves_the_revision_before_it_and_says_so() {
    let mut cluster = two_proven();
    cluster.set_chart("v1", Health::NoImage, &[]);
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.phase_of("back"), RequestPhase::Failed);
    assert!(!cluster.is_blocked("v1"), "nobody's spec asks for it");
}

#[test]
fn a_request_whose_attempt_gives_way_to_somebodys_helm_is_told_so() {
    let mut cluster = two_proven();
    cluster.order("back");
    cluster.until_at(&At::Waiting);
    cluster.helm("by-hand");
    cluster.rest();
    assert!(cluster.holds("by-hand"));
    assert_eq!(cluster.phase_of("back"), RequestPhase::Superseded);
}

#[test]
fn a_request_for_a_suspended_release_waits() {
    let mut cluster = two_proven();
    cluster.declared.suspend = true;
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert_eq!(cluster.phase_of("back"), RequestPhase::Pending);
    cluster.declared.suspend = false;
    cluster.rest();
    assert!(cluster.holds("v1"));
}

#[test]
fn a_failed_upgrade_above_a_pin_goes_back_to_what_was_pinned() {
    let mut cluster = taken_back(Until::SpecChange);
    cluster.set_chart("v3", Health::NoImage, &[]);
    assert_eq!(cluster.roll_out("v3"), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn nobody_ends_the_hold_of_a_suspended_release_before_it_goes_on() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster.order("back");
    cluster.rest();
    cluster.declared.suspend = true;
    cluster.ask_by_name();
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert!(cluster.ledger.as_ref().unwrap().pin.is_some());

    cluster.declared.suspend = false;
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
}

#[test]
fn a_request_that_brings_back_what_is_not_there_comes_to_its_end() {
    // Given a release that was removed by hand, and that somebody asked for by its name again.
    let mut cluster = two_proven();
    cluster.helm_uninstall(false);
    cluster.rest();
    cluster.ask_by_name();
    cluster.until(|cluster| {
        let ledger = cluster.ledger.as_ref();
        ledger.is_some_and(|ledger| ledger.removed.is_none())
    });
    // When a rollback is ordered before anything runs.
    cluster.order("back");
    cluster.rest();
    // Then it is carried out, and says so.
    assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
    assert!(cluster.holds("v2"), "{:?}", cluster.objects);
}

#[test]
fn a_hold_that_is_over_leaves_what_failed_blocked() {
    for until in [Until::SpecChange, Until::Manual, Until::Time] {
        // Given a revision that failed and was left in place.
        let mut cluster = two_proven().with("v3", Health::NoImage);
        cluster.declared.atomic = false;
        assert_eq!(cluster.roll_out("v3"), Waiting::LeftInPlace);
        // When a request takes it back, and its hold is over.
        let hold = cluster.now.plus(Duration::minutes(1));
        cluster.order_with("back", |spec| {
            spec.until = until;
            spec.hold_until = (until == Until::Time).then_some(hold);
        });
        cluster.rest();
        cluster.orders.clear();
        cluster.rest();
        // Then nobody has asked for it again.
        assert_eq!(cluster.tries("v3"), 1, "{until:?}");
        assert!(cluster.holds("v2"));
    }
}

#[test]
fn a_request_under_way_ends_when_its_release_is_removed_after_helm_was_faster() {
    // Given a rollback under way.
    let mut cluster = two_proven();
    cluster.order("back");
    cluster.until_at(&At::Waiting);
    // When somebody's helm upgrades, and the release is deleted.
    cluster.helm("by-hand");
    cluster.declared.deleting = true;
    cluster.until(|cluster| {
        let attempt = cluster.attempt();
        attempt.is_some_and(|attempt| attempt.kind == AttemptKind::Uninstall)
    });
    // Then the request is not said to be under way any more.
    let ledger = cluster.ledger.as_ref().unwrap();
    let outcome = &ledger.executed[0].outcome;
    assert!(matches!(outcome, Outcome::Superseded { .. }), "{outcome:?}");
}

#[test]
fn what_was_removed_by_hand_is_brought_back_by_a_request_and_held_there() {
    for keep_history in [false, true] {
        for (revision, brings, held) in [(1, "v1", Waiting::Pinned), (2, "v2", Waiting::Deployed)] {
            // Given a release that somebody's helm removed.
            let mut cluster = two_proven();
            cluster.helm_uninstall(keep_history);
            assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
            // When a rollback is ordered, then it is carried out, and what comes back is held as ever.
            cluster.order_with("back", |spec| spec.target.revision = Some(revision));
            assert_eq!(cluster.rest(), held, "{keep_history} {brings}");
            assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
            assert!(cluster.holds(brings), "{:?}", cluster.objects);
            assert_eq!(cluster.current(), Some((3, brings.into(), true)));
            assert!(!cluster.is_blocked("v2"), "nothing was ordered away");
        }
    }
}

#[test]
fn where_nothing_runs_the_previous_revision_is_the_newest_good_one() {
    let mut cluster = two_proven();
    cluster.helm_uninstall(false);
    cluster.order("back");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"), "{:?}", cluster.objects);
    assert_eq!(cluster.phase_of("back"), RequestPhase::Complete);
}

#[test]
fn a_request_for_what_was_removed_is_told_why_it_cannot_be_carried_out() {
    let refused: [fn(&mut RollbackRequestSpec); 2] = [
        // It is not there any more.
        |spec| spec.target.revision = Some(7),
        // Nothing runs.
        |spec| {
            spec.expected_current = Some(ExpectedCurrent {
                revision: Some(2),
                digest: None,
            });
        },
    ];
    for change in refused {
        let mut cluster = two_proven();
        cluster.helm_uninstall(true);
        cluster.order_with("back", change);
        assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
        assert_eq!(cluster.phase_of("back"), RequestPhase::Refused);
        assert!(cluster.objects.is_empty());
    }
}

#[test]
fn a_request_for_what_was_removed_that_comes_to_nothing_leaves_it_removed() {
    for writes in 1..3 {
        // Given a rollback to what only Helm's history holds, just begun.
        let mut cluster = two_proven();
        cluster.roll_out("v3");
        cluster.helm_uninstall(true);
        cluster.rest();
        cluster.order_with("back", |spec| spec.target.revision = Some(1));
        cluster.until(|cluster| cluster.attempt().is_some());
        // When the process dies, and somebody removes the history, too.
        cluster.crash();
        cluster.storage.clear();
        cluster.dies_after = Some(writes);
        // Then nothing is begun instead, and whoever ordered it is told.
        assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
        assert_eq!(cluster.phase_of("back"), RequestPhase::Superseded);
        assert!(cluster.objects.is_empty());
        assert_eq!(cluster.tries("v3"), 1);
    }
}

#[test]
fn two_orders_at_the_same_moment_for_what_was_removed_do_not_undo_each_other() {
    let mut cluster = two_proven();
    cluster.helm_uninstall(true);
    cluster.rest();
    cluster.order("one");
    cluster.order("two");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"), "{:?}", cluster.objects);
    assert_eq!(cluster.phase_of("one"), RequestPhase::Complete);
    assert_eq!(cluster.phase_of("two"), RequestPhase::Refused);
    // Who orders it afterwards means the one before.
    cluster.now.0 += MINUTE;
    cluster.order("three");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("v1"), "{:?}", cluster.objects);
}
