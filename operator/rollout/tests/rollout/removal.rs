//! A deletion overtakes everything and comes to its end.

use belay_api::helm_release::{AttemptKind, DeletionPolicy};
use belay_release::Status;
use belay_rollout::{At, Waiting, When};

use crate::cluster::{Cluster, Ends, Health, Hook};
use crate::drive::Turn;

#[test]
fn a_deletion_at_any_moment_of_a_rollout_leaves_nothing() {
    let hook = Hook {
        when: When::Before,
        irreversible: false,
        ends: Ends::Well,
    };
    for health in [Health::Good, Health::NoImage] {
        for moment in 0.. {
            assert!(moment < 200, "it never comes to rest");
            let mut cluster = Cluster::asking_for("v1").with_hooks("v2", health, &[hook]);
            cluster.rest();
            cluster.edit("v2");
            let mut settled = false;
            for _ in 0..moment {
                if let Turn::Waits(wait) = cluster.turn() {
                    settled = !cluster.pass(&wait);
                }
            }
            cluster.declared.deleting = true;
            cluster.rest();
            assert!(cluster.gone, "{health:?} after {moment} turns");
            assert!(
                cluster.objects.is_empty(),
                "{health:?} after {moment} turns: {:?}",
                cluster.objects
            );
            assert!(cluster.storage.is_empty() && cluster.ledger.is_none());
            if settled {
                break;
            }
        }
    }
}

#[test]
fn a_release_that_is_orphaned_stays_as_it_is_for_helm() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.declared.deletion_policy = DeletionPolicy::Orphan;
    cluster.rest();
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone && cluster.ledger.is_none());
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.storage[&1].status, Status::Deployed);
}

#[test]
fn a_release_that_is_orphaned_amid_an_attempt_leaves_helm_no_lock() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::Silent);
    cluster.declared.deletion_policy = DeletionPolicy::Orphan;
    cluster.rest();
    cluster.edit("v2");
    cluster.until(|cluster| cluster.pending_records() == 1);
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone);
    assert_eq!(cluster.pending_records(), 0);
}

#[test]
fn what_was_never_taken_over_is_not_removed() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.foreign(1, "old", Status::PendingInstall);
    cluster.put("web", "old");
    cluster.run();
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone);
    assert_eq!((cluster.storage.len(), cluster.objects.len()), (1, 1));
}

#[test]
fn a_deletion_removes_what_helm_added_by_hand_in_the_meantime() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.helm("by-hand");
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone);
    assert!(cluster.objects.is_empty(), "{:?}", cluster.objects);
}

#[test]
fn an_object_that_will_not_go_is_waited_for_and_the_removal_tried_on() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.kept.insert("web".into());
    cluster.declared.deleting = true;
    assert_eq!(cluster.run().on, Waiting::Removal);
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.failures == 2)
    });
    assert!(!cluster.gone);
    cluster.kept.clear();
    cluster.rest();
    assert!(cluster.gone);
}

#[test]
fn hooks_of_a_removal_that_fail_do_not_keep_it_from_its_end() {
    for when in [When::Before, When::After] {
        let hook = Hook {
            when,
            irreversible: false,
            ends: Ends::Badly,
        };
        let mut cluster = Cluster::asking_for("v1");
        cluster.rest();
        cluster.set_chart("v1", Health::Good, &[hook]);
        cluster.declared.deleting = true;
        cluster.rest();
        assert!(cluster.gone, "{when:?}");
        assert!(cluster.objects.is_empty());
        assert_eq!(cluster.hook_runs.len(), 1);
        let removals = cluster
            .attempts
            .iter()
            .filter(|(kind, _)| *kind == AttemptKind::Uninstall);
        assert_eq!(removals.count(), 1);
    }
}

#[test]
fn a_suspended_release_can_be_deleted() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.declared.suspend = true;
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone && cluster.objects.is_empty());
}

/// A release at rest whose ledger went while it is being deleted, as with a namespace that is.
fn without_its_ledger() -> Cluster {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.memory.lost = cluster.ledger.take().map(Box::new);
    cluster.storage.clear();
    cluster.declared.deleting = true;
    cluster
}

#[test]
fn a_ledger_that_goes_before_its_release_leaves_nothing_behind() {
    let mut cluster = without_its_ledger();
    cluster.put("somebodys", "else");
    cluster.rest();
    assert!(cluster.gone);
    assert_eq!(cluster.objects.keys().collect::<Vec<_>>(), ["somebodys"]);
}

#[test]
fn what_is_to_stay_or_is_anothers_stays_without_a_ledger_too() {
    let keeps: [fn(&mut Cluster); 3] = [
        |cluster| cluster.declared.deletion_policy = DeletionPolicy::Orphan,
        |cluster| cluster.memory.lost.as_mut().unwrap().owner.uid = "another's".into(),
        // Nobody knows any more what there was.
        |cluster| cluster.crash(),
    ];
    for keep in keeps {
        let mut cluster = without_its_ledger();
        keep(&mut cluster);
        cluster.rest();
        assert!(cluster.gone && cluster.holds("v1"));
    }
}

#[test]
fn a_deletion_removes_all_that_helm_brought_by_hand_before_anybody_looked() {
    // Given a release that somebody's helm upgraded, well and then badly, or badly alone, or badly and then well.
    let deeds: [&[(bool, &str)]; 3] = [
        &[(true, "by-hand"), (false, "worse")],
        &[(false, "worse")],
        &[(false, "worse"), (true, "by-hand")],
    ];
    for deeds in deeds {
        for removed in [false, true] {
            let mut cluster = Cluster::asking_for("v1");
            cluster.rest();
            for (well, content) in deeds {
                if *well {
                    cluster.helm(content);
                } else {
                    cluster.helm_fails(content);
                }
            }
            // Perhaps it went with helm uninstall as far as that goes.
            if removed {
                cluster.helm_uninstall(true);
            }
            // When the HelmRelease is deleted, then nothing is left.
            cluster.declared.deleting = true;
            cluster.rest();
            assert!(cluster.gone);
            assert!(
                cluster.objects.is_empty(),
                "{deeds:?}: {:?}",
                cluster.objects
            );
        }
    }
}

#[test]
fn a_deletion_removes_what_helm_was_faster_with_than_an_attempt() {
    // Given an upgrade whose record somebody's helm has made before.
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.edit("v2");
    cluster.until_at(&At::Preparing);
    cluster.helm("by-hand");
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone);
    assert!(cluster.objects.is_empty(), "{:?}", cluster.objects);
}

#[test]
fn a_removal_by_hand_that_was_noted_runs_no_hooks_of_the_removal_again() {
    let hook = Hook {
        when: When::Before,
        irreversible: false,
        ends: Ends::Well,
    };
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.set_chart("v1", Health::Good, &[hook]);
    cluster.helm_uninstall(true);
    cluster.rest();
    cluster.declared.deleting = true;
    cluster.rest();
    assert!(cluster.gone && cluster.storage.is_empty());
    assert!(cluster.hook_runs.is_empty(), "{:?}", cluster.hook_runs);
}
