//! Somebody ran helm by hand.

use belay_api::helm_release::{AttemptKind, OutsideChanges};
use belay_api::rollback_request::RequestPhase;
use belay_release::Status;
use belay_rollout::{At, Waiting};

use crate::cluster::{Cluster, Health};

fn running(spec: &str) -> Cluster {
    let mut cluster = Cluster::asking_for(spec);
    cluster.rest();
    cluster
}

#[test]
fn a_helm_upgrade_by_hand_is_kept_until_the_spec_changes() {
    let mut cluster = running("v1");
    cluster.helm("by-hand");
    assert_eq!(cluster.rest(), Waiting::Pinned);
    cluster.edit_interval();
    assert_eq!(cluster.rest(), Waiting::Pinned);
    assert!(cluster.holds("by-hand"));
    assert_eq!(cluster.roll_out("v2"), Waiting::Deployed);
    assert!(cluster.holds("v2"), "{:?}", cluster.objects);
}

#[test]
fn a_helm_upgrade_by_hand_is_undone_where_the_policy_says_so() {
    let mut cluster = running("v1");
    cluster.declared.outside_changes = OutsideChanges::Revert;
    cluster.helm("by-hand");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.current(), Some((3, "v1".into(), true)));
}

#[test]
fn a_helm_rollback_while_belay_waits_has_one_winner_and_leaves_no_pending_record() {
    for policy in [OutsideChanges::Adopt, OutsideChanges::Revert] {
        let mut cluster = running("v1").with("v2", Health::Silent);
        cluster.declared.outside_changes = policy;
        cluster.edit("v2");
        cluster.until_at(&At::Waiting);
        cluster.helm("v1");
        cluster.rest();
        assert!(cluster.holds("v1"), "{policy:?}");
        assert_eq!(cluster.attempt(), None);
        assert_eq!(
            cluster.pending_records(),
            0,
            "{policy:?}: {:?}",
            cluster.storage
        );
        let deployed = cluster
            .storage
            .values()
            .filter(|record| record.status == Status::Deployed);
        assert_eq!(deployed.count(), 1);
    }
}

#[test]
fn a_helm_rollback_to_what_the_spec_asks_for_needs_no_pin() {
    let mut cluster = running("v1");
    cluster.roll_out("v2");
    cluster.spec = "v1".into();
    cluster.helm("v1");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.ledger.as_ref().unwrap().pin.is_none());
}

#[test]
fn a_failed_helm_upgrade_is_taken_back() {
    let mut cluster = running("v1");
    cluster.foreign(2, "by-hand", Status::Failed);
    cluster.put("web", "by-hand");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_failed_helm_upgrade_is_only_noted_where_nothing_is_to_be_taken_back() {
    let mut cluster = running("v1");
    cluster.declared.atomic = false;
    cluster.foreign(2, "by-hand", Status::Failed);
    cluster.put("web", "by-hand");
    cluster.run();
    assert_eq!(cluster.objects["web"].content, "by-hand");
    assert!(
        cluster
            .attempts
            .iter()
            .all(|(kind, _)| *kind == AttemptKind::Install)
    );
}

#[test]
fn a_suspended_release_takes_nothing_back_that_was_done_by_hand() {
    let mut cluster = running("v1");
    cluster.declared.suspend = true;
    cluster.foreign(2, "by-hand", Status::Failed);
    cluster.put("web", "by-hand");
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert_eq!(cluster.objects["web"].content, "by-hand");
}

#[test]
fn a_foreign_operation_is_waited_for_and_taken_over_when_it_is_dead() {
    let mut cluster = running("v1");
    cluster.foreign(2, "by-hand", Status::PendingUpgrade);
    cluster.edit("v2");
    let wait = cluster.run();
    assert_eq!(wait.on, Waiting::ForeignOperation { revision: 2 });
    assert!(wait.until.is_some());
    assert_eq!(cluster.tries("v2"), 0);
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.storage[&2].status, Status::Failed);
}

#[test]
fn a_removal_by_hand_is_never_answered_by_a_silent_install() {
    for keep_history in [false, true] {
        let mut cluster = running("v1");
        cluster.helm_uninstall(keep_history);
        assert_eq!(
            cluster.rest(),
            Waiting::ReleaseRemoved,
            "history kept: {keep_history}"
        );
        assert_eq!(cluster.roll_out("v2"), Waiting::ReleaseRemoved);
        assert!(cluster.objects.is_empty());
        assert_eq!(cluster.current(), None);
        // When somebody asks by the digest's name, it is installed, once.
        cluster.declared.retry = Some("v2".into());
        assert_eq!(cluster.rest(), Waiting::Deployed);
        assert!(cluster.holds("v2"));
        cluster.helm_uninstall(keep_history);
        assert_eq!(
            cluster.rest(),
            Waiting::ReleaseRemoved,
            "the token is spent"
        );
    }
}

#[test]
fn a_removal_by_hand_amid_an_attempt_ends_it() {
    for keep_history in [false, true] {
        for stage in [At::Preparing, At::Applying, At::Waiting] {
            let mut cluster = running("v1").with("v2", Health::Silent);
            cluster.edit("v2");
            cluster.until(|cluster| cluster.attempt().is_some_and(|attempt| attempt.at == stage));
            cluster.helm_uninstall(keep_history);
            assert_eq!(
                cluster.rest(),
                Waiting::ReleaseRemoved,
                "{stage:?} {keep_history}"
            );
            assert_eq!(cluster.attempt(), None);
            // helm knows nothing of what the attempt was about to replace: that goes with what comes next.
            let replaced = stage == At::Applying;
            assert_eq!(cluster.objects.contains_key("only-v1"), replaced);
            assert_eq!(cluster.objects.len(), usize::from(replaced));
            cluster.set_chart("v2", Health::Good, &[]);
            cluster.ask_by_name();
            assert_eq!(cluster.rest(), Waiting::Deployed);
            assert!(cluster.holds("v2"), "{stage:?}: {:?}", cluster.objects);
        }
    }
}

#[test]
fn an_attempt_whose_record_was_deleted_fails_and_is_taken_back() {
    let mut cluster = running("v1");
    cluster.edit("v2");
    cluster.until_at(&At::Applying);
    cluster.storage.remove(&2);
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn what_helm_deployed_before_it_failed_goes_with_the_next_revision() {
    // Given a release that nobody has seen working yet, or that stays as it is when it fails.
    for atomic in [false, true] {
        let mut cluster = Cluster::asking_for("v1").with("v1", Health::Silent);
        cluster.declared.atomic = atomic;
        cluster.until_at(&At::Waiting);
        // When somebody's helm deploys a revision and fails with the next one before anybody looks.
        cluster.helm("by-hand");
        cluster.helm_fails("worse");
        cluster.rest();
        assert_eq!(cluster.roll_out("v2"), Waiting::Deployed);
        // Then nothing of either is left.
        assert!(cluster.holds("v2"), "{atomic}: {:?}", cluster.objects);
    }
}

#[test]
fn what_helm_deployed_before_it_failed_goes_with_the_way_back() {
    let mut cluster = running("v1");
    cluster.helm("by-hand");
    cluster.helm_fails("worse");
    cluster.rest();
    assert!(cluster.holds("v1"), "{:?}", cluster.objects);
}

#[test]
fn an_attempt_that_helm_has_ended_is_over_where_nothing_follows() {
    // Given an upgrade that waits for its objects.
    let waiting = || {
        let mut cluster = running("v1").with("v2", Health::Silent);
        cluster.edit("v2");
        cluster.until_at(&At::Waiting);
        cluster
    };
    // When helm upgrades and uninstalls at once, or upgrades a suspended release that would take that back.
    let mut removed = waiting();
    removed.helm("by-hand");
    removed.helm_uninstall(true);
    let mut suspended = waiting();
    suspended.declared.outside_changes = OutsideChanges::Revert;
    suspended.declared.suspend = true;
    suspended.helm("by-hand");
    // Then nobody is told of an attempt that goes on.
    for (mut cluster, on) in [
        (removed, Waiting::ReleaseRemoved),
        (suspended, Waiting::Suspended),
    ] {
        assert_eq!(cluster.rest(), on);
        assert_eq!(cluster.attempt(), None);
        assert_eq!(cluster.status.attempt, None);
    }
}

#[test]
fn a_crash_while_a_revision_made_by_hand_is_taken_in_leaves_nothing_behind() {
    for writes in 1..8 {
        // Given an upgrade that has brought an object of its own.
        let mut cluster = running("v1").with("v2", Health::Silent);
        cluster.edit("v2");
        cluster.until_at(&At::Waiting);
        assert!(cluster.objects.contains_key("only-v2"));
        // When somebody's helm is faster, and the process dies on the way.
        cluster.helm("by-hand");
        cluster.dies_after = Some(writes);
        assert_eq!(cluster.rest(), Waiting::Pinned);
        // Then what the upgrade brought is gone.
        assert!(cluster.holds("by-hand"), "{writes}: {:?}", cluster.objects);
    }
}

#[test]
fn what_helm_uninstalls_before_anybody_looks_comes_back_when_it_is_asked_for_by_its_name() {
    let deeds: [fn(&mut Cluster); 2] = [
        |cluster| cluster.helm("by-hand"),
        |cluster| cluster.helm_fails("by-hand"),
    ];
    for deed in deeds {
        // Given a release that somebody's helm upgrades, well or badly, and removes with its history kept.
        let mut cluster = running("v1");
        deed(&mut cluster);
        cluster.helm_uninstall(true);
        assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
        assert_eq!(cluster.tries("v1"), 1);
        // When somebody asks for it, then it is installed, and nothing of what helm left is there.
        cluster.ask_by_name();
        assert_eq!(cluster.rest(), Waiting::Deployed);
        assert_eq!(cluster.tries("v1"), 2);
        assert!(cluster.holds("v1"), "{:?}", cluster.objects);
    }
}

#[test]
fn what_only_a_failed_helm_upgrade_brought_goes_with_the_next_revision() {
    // Given a release that stays as it is when something fails.
    let mut cluster = running("v1");
    cluster.declared.atomic = false;
    // When somebody's helm fails, whether or not it succeeds afterwards.
    for succeeds in [false, true] {
        cluster.helm_fails("by-hand");
        if succeeds {
            cluster.helm("better");
        }
        cluster.rest();
        assert!(
            cluster.objects.contains_key("only-by-hand"),
            "nobody asked for that to go"
        );
        // Then what the failed upgrade brought does not outlive the next revision.
        let next = format!("v2-{succeeds}");
        assert_eq!(cluster.roll_out(&next), Waiting::Deployed);
        assert!(cluster.holds(&next), "{:?}", cluster.objects);
    }
}

#[test]
fn what_a_failed_helm_install_left_goes_with_the_first_revision() {
    // Given what somebody's helm left before there was a HelmRelease.
    let mut cluster = Cluster::asking_for("v1");
    cluster.helm_fails("by-hand");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v1"), "{:?}", cluster.objects);
}

#[test]
fn what_is_removed_stays_removed_when_somebody_fails_to_install_it_again() {
    for keep_history in [false, true] {
        let mut cluster = running("v1");
        cluster.helm_uninstall(keep_history);
        assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
        cluster.helm_fails("by-hand");
        assert_eq!(cluster.rest(), Waiting::ReleaseRemoved, "{keep_history}");
        assert_eq!(cluster.attempts.len(), 1);
    }
}

#[test]
fn what_was_removed_and_installed_again_by_hand_is_kept_as_any_outside_change() {
    for keep_history in [false, true] {
        // Given a release whose removal was noted.
        let mut cluster = running("v1");
        cluster.roll_out("v2");
        cluster.helm_uninstall(keep_history);
        assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
        // When somebody installs something else: without a history helm counts from one.
        cluster.helm("by-hand");
        assert_eq!(cluster.rest(), Waiting::Pinned);
        assert!(cluster.holds("by-hand"));
        let number = if keep_history { 3 } else { 1 };
        let held = (number, "m1:by-hand".to_owned(), true);
        assert_eq!(cluster.current(), Some(held));
        // Then it goes on from there, and a number means what it means now.
        cluster.order_with("back", |spec| spec.target.revision = Some(number));
        cluster.rest();
        assert_eq!(cluster.phase_of("back"), RequestPhase::Refused);
        assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
        assert!(cluster.holds("v3"), "{:?}", cluster.objects);
        assert_eq!(cluster.current().unwrap().0, number + 1);
        cluster.order_with("there", |spec| spec.target.revision = Some(number));
        cluster.rest();
        assert!(cluster.holds("by-hand"), "{:?}", cluster.objects);
    }
}

#[test]
fn a_removal_by_hand_is_told_though_its_record_goes_later() {
    let mut cluster = running("v1");
    cluster.roll_out("v2");
    cluster.helm_uninstall(true);
    assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
    cluster.storage.remove(&2);
    cluster.crash();
    assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
    assert!(cluster.objects.is_empty());
}
