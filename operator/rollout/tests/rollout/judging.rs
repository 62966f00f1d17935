//! What is held against a rollout that waits, and what is borne with.

use belay_api::helm_release::FailFastMode;
use belay_health::{FailureClass, FaultClass, PodFault, PodFaultReason, Verdict};
use belay_rollout::{At, Decision, Progress, SightedFault, Step, Waiting, World, decide};

use crate::cluster::{Cluster, object};

/// An install, or an upgrade of it, that waits for its objects.
fn waiting(upgrade: bool) -> World {
    let mut cluster = Cluster::asking_for("v1");
    if upgrade {
        cluster.rest();
        cluster.edit("v2");
    }
    cluster.until_at(&At::Waiting);
    cluster.world()
}

fn fails(world: &World) -> bool {
    match decide(world) {
        Decision::Step(Step::Fail { .. }) => true,
        Decision::Wait(wait) => {
            assert_eq!(wait.on, Waiting::Objects);
            false
        }
        other @ Decision::Step(_) => panic!("{other:?}"),
    }
}

#[test]
fn an_object_that_failed_ends_a_rollout_unless_nothing_is_to_fail_early() {
    let mut world = waiting(true);
    let failed = Verdict::Failed {
        class: FailureClass::Terminal,
        reason: "BackoffLimitExceeded".to_owned(),
        message: "it failed".to_owned(),
    };
    world.progress = Some(Progress {
        objects: vec![(object("web").key(), failed)],
        ..Progress::default()
    });
    assert!(fails(&world));

    world.declared.fail_fast.mode = FailFastMode::Disabled;
    assert!(!fails(&world));
}

/// The database of a first install may still be starting; what worked before has to work again.
#[test]
fn a_container_that_ends_again_and_again_is_borne_with_for_longer_by_a_first_install() {
    let crashing = |world: &mut World| {
        let mut progress = world.progress.clone().unwrap_or_default();
        progress.objects = vec![(
            object("web").key(),
            Verdict::Progressing {
                reason: belay_health::ProgressReason::Replicas,
                message: "0 of 1".to_owned(),
            },
        )];
        progress.faults = vec![SightedFault {
            namespace: "shop".to_owned(),
            pod: "web-1".to_owned(),
            owner: object("web").key(),
            fault: PodFault {
                class: FaultClass::Patience,
                reason: PodFaultReason::CrashLoopBackOff,
                container: Some("main".to_owned()),
                init: false,
                message: "it ends".to_owned(),
                restarts: 3,
                exit_code: Some(1),
            },
            first_seen: world.now,
            was_ready: false,
        }];
        world.progress = Some(progress);
    };
    let mut upgrade = waiting(true);
    crashing(&mut upgrade);
    assert!(fails(&upgrade));

    let mut install = waiting(false);
    crashing(&mut install);
    assert!(!fails(&install));
}

/// A recovery in the last moment is as little believed without a fresh list as any other.
#[test]
fn what_recovers_when_its_soak_is_over_is_listed_anew_before_it_counts_as_good() {
    let mut cluster = Cluster::asking_for("v1").that_soaks(10);
    cluster.until(Cluster::soaks);
    cluster.run();
    let mut world = cluster.world();
    let ledger = world.ledger.as_mut().unwrap();
    let attempt = ledger.attempt.as_mut().unwrap();
    let At::Soaking(soaking) = &mut attempt.at else {
        panic!("{attempt:?}");
    };
    soaking.unsteady_since = Some(soaking.since);
    world.now = soaking.until;
    world.proof = None;
    let Decision::Step(Step::Amend(amendment)) = decide(&world) else {
        panic!("{:?}", decide(&world));
    };
    world.ledger = world
        .ledger
        .map(|ledger| amendment.apply(ledger, world.now));
    assert_eq!(decide(&world), Decision::Step(Step::Prove));
}
