//! At rest the cluster holds exactly one revision's manifest: the new one, or the last good one.

use belay_api::helm_release::{AttemptKind, FailureClass, Stage};
use belay_api::{Duration, Reason};
use belay_health::{ProgressReason, Verdict};
use belay_rollout::{Amendment, At, Decision, Progress, Proof, Step, Waiting, When, World, decide};

use crate::cluster::{Cluster, Ends, Health, Hook, Writes, object};

#[test]
fn a_first_install_becomes_ready_and_is_proven() {
    let mut cluster = Cluster::asking_for("v1");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.proven(), ["v1"]);
    assert_eq!(cluster.current(), Some((1, "v1".into(), true)));
}

#[test]
fn an_upgrade_replaces_every_object_of_the_revision_before() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::Deployed);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.proven(), ["v2", "v1"]);
}

#[test]
fn an_image_that_does_not_exist_brings_the_last_good_revision_back_before_the_timeout() {
    for bad in [Health::NoImage, Health::Refused] {
        let mut cluster = Cluster::asking_for("v1").with("v2", bad);
        cluster.rest();
        let before = cluster.now;
        assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
        assert!(cluster.holds("v1"), "{bad:?}");
        assert_eq!(cluster.current(), Some((3, "v1".into(), true)));
        assert!(
            cluster.now.since(before) <= Duration::seconds(11),
            "{bad:?}"
        );
        assert_eq!(cluster.pending_records(), 0);
    }
}

#[test]
fn what_never_says_anything_is_taken_back_at_the_deadline() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::Silent);
    cluster.rest();
    let before = cluster.now;
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.now.since(before), Duration::minutes(5));
    let failure = cluster.ledger.unwrap().last_failure.unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Timeout, Reason::Timeout)
    );
}

#[test]
fn a_failed_first_install_leaves_nothing_and_is_not_tried_again() {
    for bad in [Health::NoImage, Health::Silent, Health::Refused] {
        let mut cluster = Cluster::asking_for("v1").with("v1", bad);
        assert_eq!(cluster.rest(), Waiting::Blocked);
        assert!(cluster.objects.is_empty(), "{bad:?}");
        assert!(cluster.storage.is_empty(), "{bad:?}");
        assert!(cluster.is_blocked("v1"));
        assert_eq!(cluster.tries("v1"), 1);
    }
}

#[test]
fn a_first_install_that_follows_an_overtaken_one_leaves_nothing_either() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.until_at(&At::Waiting);
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert!(cluster.objects.is_empty(), "{:?}", cluster.objects);
    assert!(cluster.storage.is_empty());
}

#[test]
fn a_first_install_cleans_up_only_what_it_made() {
    // Given an object that was there before.
    let mut cluster = Cluster::asking_for("v1").with("v1", Health::NoImage);
    cluster.put("web", "somebody's");
    cluster.now = cluster.now.plus(Duration::seconds(1));
    cluster.rest();
    assert_eq!(cluster.objects.keys().collect::<Vec<_>>(), ["web"]);
}

#[test]
fn a_clean_up_that_takes_long_does_not_hide_why_the_install_failed() {
    let mut cluster = Cluster::asking_for("v1").with("v1", Health::NoImage);
    cluster.kept.insert("web".into());
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.failures == 2)
    });
    let ledger = cluster.ledger.as_ref().unwrap();
    assert_eq!(
        ledger.last_failure.as_ref().unwrap().reason,
        Reason::ImagePullFailed
    );
    assert_eq!(ledger.blocked[0].reason, Reason::ImagePullFailed);
    // When it can go, it goes.
    cluster.kept.clear();
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.objects.is_empty());
}

#[test]
fn without_atomic_a_failed_revision_is_left_for_people_to_look_at_and_still_blocked() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.declared.atomic = false;
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::LeftInPlace);
    assert!(cluster.holds("v2"));
    assert_eq!(cluster.current(), Some((2, "v2".into(), false)));
    assert_eq!(cluster.tries("v2"), 1);
    // When somebody wants it atomic after all, it goes back.
    cluster.declared.atomic = true;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn thirteen_failed_upgrades_leave_nothing_and_need_no_history_to_go_back() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    for number in 2..=14 {
        let bad = format!("v{number}");
        cluster.set_chart(&bad, Health::NoImage, &[]);
        assert_eq!(cluster.roll_out(&bad), Waiting::Blocked, "{bad}");
        assert!(cluster.holds("v1"), "{bad}: {:?}", cluster.objects);
        assert_eq!(cluster.proven(), ["v1"]);
    }
    assert!(cluster.storage.len() <= cluster.max_history);
}

#[test]
fn a_failed_upgrade_goes_back_though_every_record_of_the_good_revision_is_gone() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    cluster.until_at(&At::Waiting);
    cluster.storage.remove(&1);
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

const IRREVERSIBLE: Hook = Hook {
    when: When::Before,
    irreversible: true,
    ends: Ends::Well,
};

#[test]
fn after_an_irreversible_hook_nothing_is_taken_back_by_itself() {
    // Given v2 with a migration that succeeds and a Deployment that fails.
    let mut cluster = Cluster::asking_for("v1").with_hooks("v2", Health::NoImage, &[IRREVERSIBLE]);
    cluster.rest();
    // When it is rolled out, then it stops where it is, with its evidence.
    assert_eq!(cluster.roll_out("v2"), Waiting::LeftInPlace);
    assert!(cluster.holds("v2"));
    let ledger = cluster.ledger.as_ref().unwrap();
    assert_eq!(
        ledger.last_failure.as_ref().unwrap().reason,
        Reason::ImagePullFailed
    );
    assert!(ledger.halted);
    // Nor after a further failure without such a hook: last good is still from before the migration.
    cluster.set_chart("v3", Health::NoImage, &[]);
    assert_eq!(cluster.roll_out("v3"), Waiting::LeftInPlace);
    assert!(
        !cluster
            .attempts
            .iter()
            .any(|(kind, _)| *kind == AttemptKind::Revert)
    );
    // A human may order it.
    cluster.order("back");
    cluster.rest();
    assert!(cluster.holds("v1"));
    assert!(!cluster.ledger.as_ref().unwrap().halted);
}

#[test]
fn an_irreversible_hook_that_failed_has_changed_nothing_for_good() {
    let hook = Hook {
        ends: Ends::Badly,
        ..IRREVERSIBLE
    };
    let mut cluster = Cluster::asking_for("v1").with_hooks("v2", Health::Good, &[hook]);
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_hook_that_never_ends_fails_the_attempt_at_its_deadline() {
    let hook = Hook {
        when: When::After,
        irreversible: false,
        ends: Ends::Never,
    };
    let mut cluster = Cluster::asking_for("v1").with_hooks("v2", Health::Good, &[hook]);
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert!(cluster.holds("v1"));
    let failure = cluster.ledger.unwrap().last_failure.unwrap();
    assert_eq!(failure.reason, Reason::HookFailed);
}

#[test]
fn a_stateful_set_that_waits_for_a_broken_pod_is_helped_on() {
    // Given a StatefulSet, which does not replace a pod that never was ready, whatever its template says.
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.sticky = true;
    cluster.rest();
    // When v2's pod cannot start, then the way back deletes it, and v1 runs again.
    assert_eq!(cluster.roll_out("v2"), Waiting::Blocked);
    assert!(cluster.holds("v1"));
    assert!(cluster.stranded.is_empty());
    // Nor does a broken pod that was left in place on purpose hold up the next upgrade.
    cluster.declared.atomic = false;
    cluster.set_chart("v3", Health::NoImage, &[]);
    assert_eq!(cluster.roll_out("v3"), Waiting::LeftInPlace);
    assert_eq!(cluster.roll_out("v4"), Waiting::Deployed);
    assert!(cluster.holds("v4"));
}

#[test]
fn a_way_back_that_is_refused_is_tried_on_until_it_succeeds() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    // Given a foreign webhook that refuses all writes for longer than the way back may take.
    cluster.fails_to_go_back(2);
    assert!(!cluster.holds("v1"));
    // When it is gone, then the way back is completed without a human.
    cluster.writes = Writes::Taken;
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("v1"));
}

#[test]
fn a_webhook_that_a_failed_revision_brought_goes_before_anything_that_it_would_refuse() {
    let before = Hook {
        when: When::Before,
        irreversible: false,
        ends: Ends::Well,
    };
    let start = || {
        let mut cluster = Cluster::asking_for("v1")
            .with_hooks("v1", Health::Good, &[before])
            .with("guarded", Health::NoImage);
        cluster.rest();
        cluster
    };
    // Given v2, which brings a webhook that refuses whatever is not v2's, and cannot start: the way back meets it neither
    // with its hook nor with its objects.
    let mut cluster = start();
    assert_eq!(cluster.roll_out("guarded"), Waiting::Blocked);
    assert!(cluster.holds("v1"));
    assert_eq!(cluster.attempts.last().unwrap().0, AttemptKind::Revert);
    // It is a stage of its own, before hooks.
    let mut cluster = start();
    cluster.edit("guarded");
    cluster.until(|cluster| {
        cluster.attempt().is_some_and(|attempt| {
            attempt.kind == AttemptKind::Revert && attempt.stage() == Stage::Disarming
        })
    });
    // Whatever dies in between.
    for writes in 1..12 {
        let mut cluster = start();
        cluster.edit("guarded");
        cluster.until(|cluster| {
            cluster
                .attempt()
                .is_some_and(|attempt| attempt.kind == AttemptKind::Revert)
        });
        cluster.dies_after = Some(writes);
        assert_eq!(cluster.rest(), Waiting::Blocked, "{writes}");
        assert!(cluster.holds("v1"), "{writes}");
    }
    // Left in place, it does not stand in the way of the next revision either.
    let mut cluster = start();
    cluster.declared.atomic = false;
    assert_eq!(cluster.roll_out("guarded"), Waiting::LeftInPlace);
    assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
    assert!(cluster.holds("v3"));
}

#[test]
fn a_good_revision_loses_its_webhook_only_when_its_successor_is_applied() {
    let failing = Hook {
        when: When::Before,
        irreversible: false,
        ends: Ends::Badly,
    };
    let mut cluster = Cluster::asking_for("guarded").with_hooks("v2", Health::Good, &[failing]);
    cluster.rest();
    cluster.edit("v2");
    // The hook meets the old webhook: that is the old revision's, which still serves.
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.stage() == Stage::PreHooks)
    });
    assert!(cluster.holds("guarded"));
    // Without the hook, it goes before what it would refuse.
    let mut cluster = Cluster::asking_for("guarded");
    cluster.rest();
    assert_eq!(cluster.roll_out("v2"), Waiting::Deployed);
    assert!(cluster.holds("v2"));
}

#[test]
fn what_waits_for_something_beside_it_is_applied_again_until_the_time_is_over() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.until_at(&At::Applying);
    let mut world = cluster.world();
    assert_eq!(decide(&world), Decision::Step(Step::Apply));
    let key = object("guarded").key();
    let verdict = Verdict::Progressing {
        reason: ProgressReason::NotApplied,
        message: "not applied yet: its webhook does not answer".to_owned(),
    };
    world.proof = Some(Proof {
        not_current: vec![(key, verdict)],
    });
    // It waits no worker long, and tells for what.
    let Decision::Wait(wait) = decide(&world) else {
        panic!("{:?}", decide(&world))
    };
    assert!(wait.until.unwrap().since(world.now) <= Duration::seconds(5));
    let status =
        belay_rollout::report::status(&belay_api::HelmReleaseStatus::default(), &world, &wait);
    let told = status.attempt.unwrap().progress.unwrap().waiting_for;
    assert!(told[0].contains("its webhook does not answer"), "{told:?}");
    let fails = |world: &World| match decide(world) {
        Decision::Step(Step::Fail { failure }) => *failure,
        other => panic!("{other:?}"),
    };
    // A newer spec does not wait for it.
    let mut newer = world.clone();
    newer.desired = belay_rollout::Desired::Is {
        digest: belay_rollout::Digest::named("v2"),
        chart: belay_rollout::ChartId::default(),
    };
    assert_eq!(fails(&newer).reason, Reason::Superseded);
    // What is lost beside it is not waited for.
    let mut lost = world.clone();
    let failed = Verdict::Failed {
        class: belay_health::FailureClass::Terminal,
        reason: "BackoffLimitExceeded".to_owned(),
        message: "the job failed".to_owned(),
    };
    let progress = lost.progress.get_or_insert_default();
    progress.objects = vec![(object("web").key(), failed)];
    assert_eq!(fails(&lost).reason, Reason::WorkloadFailed);
    // When the time is over, it is lost by its own name, and not for something that may pass.
    world.now = world
        .ledger
        .as_ref()
        .unwrap()
        .attempt
        .as_ref()
        .unwrap()
        .deadline;
    let failure = fails(&world);
    assert_eq!(failure.class, FailureClass::Timeout);
    assert!(
        failure.message.contains("its webhook does not answer"),
        "{failure:?}"
    );
}

#[test]
fn what_was_refused_to_go_is_asked_for_again_soon() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.declared.deleting = true;
    cluster.until_at(&At::Removing);
    let mut world = cluster.world();
    let until = |world: &World| match decide(world) {
        Decision::Wait(wait) => wait.until.unwrap().since(world.now),
        Decision::Step(other) => panic!("{other:?}"),
    };
    let proof = |verdict| {
        Some(Proof {
            not_current: vec![(object("web").key(), verdict)],
        })
    };
    world.proof = proof(Verdict::Terminating);
    let deadline = until(&world);
    world.proof = proof(Verdict::Failed {
        class: belay_health::FailureClass::Transient,
        reason: "AdmissionRefused".to_owned(),
        message: "a webhook says no".to_owned(),
    });
    assert!(until(&world) < deadline);
}

#[test]
fn a_way_back_that_failed_gives_way_to_a_spec_that_has_not_failed_yet() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.kind == AttemptKind::Revert)
    });
    cluster.set_chart("v1", Health::Silent, &[]);
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.failures == 1)
    });
    assert_eq!(cluster.roll_out("v3"), Waiting::Deployed);
    assert!(cluster.holds("v3"));
    assert_eq!(cluster.pending_records(), 0);
}

#[test]
fn what_the_api_server_would_not_take_changes_nothing() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::Unacceptable);
    cluster.rest();
    let before = (cluster.objects.clone(), cluster.storage.len());
    assert!(matches!(cluster.roll_out("v2"), Waiting::Rejected(_)));
    assert_eq!(before, (cluster.objects.clone(), cluster.storage.len()));
    assert!(!cluster.is_blocked("v2"), "it was not tried");
}

/// A watch can lag behind: what it calls ready is believed once a fresh list says so too.
#[test]
fn nothing_is_called_good_before_one_fresh_list_found_all_of_it_ready() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.until_at(&At::Waiting);
    let mut world = cluster.world();
    let object = object("web");
    world.progress = Some(Progress {
        objects: vec![(object.key(), Verdict::Current)],
        ..Progress::default()
    });

    world.proof = None;
    assert_eq!(decide(&world), Decision::Step(Step::Prove));

    let late = Verdict::Progressing {
        reason: ProgressReason::JobRunning,
        message: "not yet".to_owned(),
    };
    world.proof = Some(Proof {
        not_current: vec![(object.key(), late)],
    });
    let waits = |decision| matches!(decision, Decision::Wait(wait) if wait.on == Waiting::Objects);
    assert!(waits(decide(&world)));

    world.proof = Some(Proof {
        not_current: Vec::new(),
    });
    let next = Step::Amend(Amendment::Move(At::PostHooks));
    assert_eq!(decide(&world), Decision::Step(next));
}
