//! A release that helm made is taken over, and nothing of it is touched.

use belay_api::helm_release::AttemptKind;
use belay_release::Status;
use belay_rollout::{Home, Waiting};

use crate::cluster::{Cluster, Health};

fn made_by_helm(content: &str, spec: &str) -> Cluster {
    let mut cluster = Cluster::asking_for(spec);
    cluster.helm(content);
    cluster
}

#[test]
fn a_release_that_is_what_the_spec_asks_for_is_adopted_without_an_attempt() {
    let mut cluster = made_by_helm("v1", "v1");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.attempts.is_empty());
    assert_eq!(cluster.proven(), ["v1"]);
}

#[test]
fn the_first_failed_upgrade_of_an_adopted_release_restores_helms_revision() {
    let mut cluster = made_by_helm("old", "v2").with("v2", Health::NoImage);
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("old"), "{:?}", cluster.objects);
    let kinds: Vec<_> = cluster.attempts.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [AttemptKind::Upgrade, AttemptKind::Revert]);
}

#[test]
fn an_adopted_release_that_was_never_seen_to_work_is_not_called_ready_before_it_is() {
    let mut cluster = made_by_helm("v1", "v1").with("v1", Health::NoImage);
    assert_eq!(cluster.rest(), Waiting::LeftInPlace);
    assert_eq!(cluster.tries("v1"), 1);
    assert!(cluster.proven().is_empty());
    assert!(
        cluster.holds("v1"),
        "what was there before Belay is not taken away on a guess"
    );
}

#[test]
fn a_foreign_first_install_is_waited_for_and_then_taken_over() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.foreign(1, "old", Status::PendingInstall);
    assert_eq!(cluster.run().on, Waiting::ForeignOperation { revision: 1 });
    // When nobody ends it, then it counts as the trace of a dead process.
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.storage[&1].status, Status::Failed);
}

#[test]
fn a_lost_ledger_is_made_anew_from_what_runs() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let objects = cluster.objects.clone();
    cluster.ledger = None;
    cluster.crash();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert_eq!(cluster.objects, objects);
    assert_eq!(cluster.proven(), ["v1"]);
}

#[test]
fn the_second_claimant_of_a_release_says_so_and_touches_nothing() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let (objects, ledger) = (cluster.objects.clone(), cluster.ledger.clone());
    cluster.declared.identity.uid = "another HelmRelease".into();
    cluster.declared.identity.name = "another".into();
    cluster.declared.has_finalizer = false;
    cluster.edit("v2");
    assert_eq!(cluster.rest(), Waiting::Claimed);
    assert_eq!((&cluster.objects, &cluster.ledger), (&objects, &ledger));
}

#[test]
fn a_release_that_is_made_anew_under_its_name_keeps_its_ledger() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let before = cluster.ledger.clone().unwrap();

    cluster.declared.identity.uid = "restored".into();
    cluster.declared.has_finalizer = false;

    assert_eq!(cluster.rest(), Waiting::Deployed);
    let after = cluster.ledger.clone().unwrap();
    assert_eq!(after.owner.uid, "restored");
    let owner = after.owner.clone();
    assert_eq!(after, belay_rollout::Ledger { owner, ..before });
}

/// Elsewhere a second operator may have a release of the same name in a namespace of the same name.
#[test]
fn in_another_cluster_a_namesake_is_another_release() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let ledger = cluster.ledger.clone();
    cluster.declared.identity.uid = "of another cluster's HelmRelease".into();
    cluster.declared.cluster = Home::Elsewhere;
    cluster.edit("v2");
    assert_eq!(cluster.rest(), Waiting::Claimed);
    assert_eq!(cluster.ledger, ledger);
}

#[test]
fn a_new_release_that_is_suspended_claims_nothing() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.declared.suspend = true;
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert_eq!(cluster.ledger, None);
    assert!(cluster.storage.is_empty() && cluster.objects.is_empty());

    cluster.declared.suspend = false;
    assert_eq!(cluster.rest(), Waiting::Deployed);
}

#[test]
fn a_revisions_number_is_not_used_again_though_somebody_took_its_record_away() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster.storage.remove(&2);
    cluster.roll_out("v3");
    assert_eq!(cluster.current(), Some((3, "v3".to_owned(), true)));
}

#[test]
fn where_somebodys_install_failed_before_a_failed_one_of_ours_removes_nothing() {
    let mut cluster = Cluster::asking_for("v1").with("v1", Health::NoImage);
    cluster.foreign(1, "by-hand", Status::Failed);
    cluster.put("web", "by-hand");
    cluster.rest();
    assert!(
        cluster.objects.contains_key("web"),
        "it is not known whose it is"
    );
    assert!(cluster.storage.contains_key(&1));
}
