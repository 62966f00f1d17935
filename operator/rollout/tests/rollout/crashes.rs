//! Whatever is killed, lost or answered late, the next run goes on from where things stand.

use std::collections::BTreeSet;

use belay_rollout::{Waiting, When};

use crate::cluster::{Cluster, Ends, Health, Hook, Writes};
use crate::drive::Turn;

const HOOKS: [Hook; 2] = [
    Hook {
        when: When::Before,
        irreversible: false,
        ends: Ends::Well,
    },
    Hook {
        when: When::After,
        irreversible: false,
        ends: Ends::Well,
    },
];

/// Runs `story` once undisturbed, then once for each of its writes with the process killed right after
/// it, before the answer came.
fn killed_after_each_write(
    mut story: impl FnMut(&mut Cluster),
    told: impl Fn(&Cluster, &str),
) -> u32 {
    let start = || {
        Cluster::asking_for("v1")
            .with_hooks("v1", Health::Good, &HOOKS)
            .with_hooks("v2", Health::Good, &HOOKS)
            .with_hooks("v3", Health::NoImage, &HOOKS)
    };
    let mut undisturbed = start();
    story(&mut undisturbed);
    told(&undisturbed, "undisturbed");
    for write in 1.. {
        assert!(write < 200, "it never stops writing");
        let mut cluster = start();
        cluster.dies_after = Some(write);
        story(&mut cluster);
        told(&cluster, &format!("killed after write {write}"));
        let hooks: BTreeSet<_> = cluster.hook_runs.iter().collect();
        assert_eq!(
            hooks.len(),
            cluster.hook_runs.len(),
            "a hook ran twice, killed after write {write}"
        );
        assert_eq!(
            cluster.attempts, undisturbed.attempts,
            "killed after write {write}"
        );
        if cluster.dies_after.is_some() {
            return write;
        }
    }
    0
}

#[test]
fn an_install_and_an_upgrade_survive_a_kill_after_any_write() {
    let writes = killed_after_each_write(
        |cluster| {
            cluster.rest();
            cluster.roll_out("v2");
        },
        |cluster, when| {
            assert!(cluster.holds("v2"), "{when}");
            assert_eq!(cluster.proven(), ["v2", "v1"], "{when}");
            assert_eq!(cluster.pending_records(), 0, "{when}");
        },
    );
    assert!(writes > 20, "{writes} writes");
}

#[test]
fn a_revert_survives_a_kill_after_any_write() {
    killed_after_each_write(
        |cluster| {
            cluster.rest();
            cluster.roll_out("v3");
        },
        |cluster, when| {
            assert!(cluster.holds("v1"), "{when}");
            assert!(cluster.is_blocked("v3"), "{when}");
            assert_eq!(cluster.current(), Some((3, "v1".into(), true)), "{when}");
            assert_eq!(cluster.pending_records(), 0, "{when}");
        },
    );
}

#[test]
fn what_is_deleted_to_be_made_anew_is_made_whenever_the_process_is_killed() {
    killed_after_each_write(
        |cluster| {
            cluster.writes = Writes::Anew;
            cluster.rest();
            cluster.roll_out("v2");
            cluster.roll_out("v3");
        },
        |cluster, when| {
            assert!(cluster.holds("v2"), "{when}");
            assert!(cluster.is_blocked("v3"), "{when}");
            assert_eq!(cluster.proven(), ["v2", "v1"], "{when}");
            assert_eq!(cluster.pending_records(), 0, "{when}");
        },
    );
}

#[test]
fn a_failed_first_install_survives_a_kill_after_any_write() {
    killed_after_each_write(
        |cluster| {
            cluster.spec = "v3".into();
            assert_eq!(cluster.rest(), Waiting::Blocked);
        },
        |cluster, when| {
            assert!(
                cluster.objects.is_empty() && cluster.storage.is_empty(),
                "{when}"
            );
            assert!(cluster.is_blocked("v3"), "{when}");
        },
    );
}

#[test]
fn a_rollback_request_survives_a_kill_after_any_write() {
    killed_after_each_write(
        |cluster| {
            cluster.rest();
            cluster.roll_out("v2");
            cluster.order("back");
            assert_eq!(cluster.rest(), Waiting::Pinned);
        },
        |cluster, when| {
            assert!(cluster.holds("v1"), "{when}");
            assert!(cluster.is_blocked("v2"), "{when}");
        },
    );
}

#[test]
fn a_removal_survives_a_kill_after_any_write() {
    killed_after_each_write(
        |cluster| {
            cluster.rest();
            cluster.declared.deleting = true;
            cluster.rest();
        },
        |cluster, when| {
            assert!(cluster.gone, "{when}");
            assert!(
                cluster.objects.is_empty() && cluster.storage.is_empty(),
                "{when}"
            );
        },
    );
}

#[test]
fn a_spec_that_changes_while_nobody_runs_is_rolled_out_whole_from_any_moment() {
    for moment in 0.. {
        assert!(moment < 200, "it never comes to rest");
        let mut cluster = Cluster::asking_for("v1");
        cluster.rest();
        cluster.edit("v2");
        let mut at_rest = false;
        for _ in 0..moment {
            if let Turn::Waits(wait) = cluster.turn() {
                at_rest = !cluster.pass(&wait);
            }
        }
        cluster.crash();
        assert_eq!(
            cluster.roll_out("v3"),
            Waiting::Deployed,
            "after {moment} turns"
        );
        assert!(cluster.holds("v3"), "after {moment} turns");
        assert_eq!(
            cluster.pending_records(),
            0,
            "after {moment} turns: {:?}",
            cluster.storage
        );
        if at_rest {
            break;
        }
    }
}
