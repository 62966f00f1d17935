//! What people and health checks read: kstatus' rules, one reason a situation, and what to do next.

use belay_api::helm_release::AttemptKind;
use belay_api::rollback_request::{RequestPhase, RollbackRequestStatus};
use belay_api::{Condition, ConditionStatus, ConditionType, Phase, Reason};
use belay_release::Status;
use belay_rollout::{At, When, report};

use crate::cluster::{Cluster, Ends, Health, Hook, Writes, rejection};

use ConditionStatus::{False, True, Unknown};
use ConditionType::{Available, Consistent, Ready, Reconciling, Released, RolledBack, Stalled};

impl Cluster {
    fn condition(&self, type_: ConditionType) -> Option<&Condition> {
        self.status
            .conditions
            .iter()
            .find(|condition| condition.type_ == type_)
    }

    fn shows(&self, type_: ConditionType) -> Option<ConditionStatus> {
        self.condition(type_).map(|condition| condition.status)
    }

    fn ready(&self) -> &Condition {
        self.condition(Ready).unwrap()
    }

    /// `Ready`, and whether more is to come: the whole of what kstatus looks at.
    fn kstatus(
        &self,
    ) -> (
        ConditionStatus,
        Option<ConditionStatus>,
        Option<ConditionStatus>,
    ) {
        assert_eq!(self.status.observed_generation, self.declared.generation);
        for condition in &self.status.conditions {
            assert_eq!(
                condition.observed_generation, self.declared.generation,
                "{:?}",
                condition.type_
            );
        }
        (
            self.ready().status,
            self.shows(Reconciling),
            self.shows(Stalled),
        )
    }
}

const WORKING: (
    ConditionStatus,
    Option<ConditionStatus>,
    Option<ConditionStatus>,
) = (Unknown, Some(True), None);
const DONE: (
    ConditionStatus,
    Option<ConditionStatus>,
    Option<ConditionStatus>,
) = (True, None, None);
const STOPPED: (
    ConditionStatus,
    Option<ConditionStatus>,
    Option<ConditionStatus>,
) = (False, None, Some(True));
const RETRYING: (
    ConditionStatus,
    Option<ConditionStatus>,
    Option<ConditionStatus>,
) = (False, Some(True), None);

fn reverted() -> Cluster {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.roll_out("v2");
    cluster
}

#[test]
fn an_install_is_working_and_then_done() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.run();
    assert_eq!(cluster.kstatus(), WORKING);
    assert_eq!(
        (cluster.status.phase, cluster.ready().reason),
        (Phase::Installing, Reason::Installing)
    );
    let progress = cluster
        .status
        .attempt
        .as_ref()
        .unwrap()
        .progress
        .as_ref()
        .unwrap();
    assert_eq!(
        (progress.ready, progress.total, progress.waiting_for.len()),
        (0, 2, 2)
    );
    cluster.rest();
    assert_eq!(cluster.kstatus(), DONE);
    assert_eq!(
        (cluster.status.phase, cluster.ready().reason),
        (Phase::Deployed, Reason::Deployed)
    );
    assert_eq!(cluster.shows(Available), Some(True));
    assert_eq!(cluster.shows(Consistent), Some(True));
    assert_eq!(cluster.shows(Released), Some(True));
    assert_eq!(cluster.shows(RolledBack), None);
}

#[test]
fn a_revert_is_working_and_ends_available_but_not_ready() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    cluster.until(|cluster| {
        let attempt = cluster.attempt();
        attempt
            .is_some_and(|attempt| attempt.kind == AttemptKind::Revert && attempt.at == At::Waiting)
    });
    cluster.run();
    assert_eq!(cluster.kstatus(), WORKING);
    assert_eq!(cluster.status.phase, Phase::Reverting);

    cluster.rest();
    assert_eq!(cluster.kstatus(), STOPPED);
    assert_eq!(
        (cluster.status.phase, cluster.ready().reason),
        (Phase::RolledBack, Reason::RevisionBlocked)
    );
    assert_eq!(cluster.shows(Available), Some(True));
    assert_eq!(cluster.shows(Consistent), Some(True));
    assert_eq!(cluster.shows(Released), Some(False));
    assert_eq!(cluster.shows(RolledBack), Some(True));
    // What runs, what failed and what to do stand in one sentence.
    let message = &cluster.ready().message;
    for part in ["revision 3", "web-v1", "no such image", "belay.dev/retry"] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let failure = cluster.status.last_failure.as_ref().unwrap();
    assert_eq!(
        (failure.reason, failure.revision),
        (Reason::ImagePullFailed, Some(2))
    );
    assert_eq!(failure.pods.len(), 1);
    assert!(!failure.timeline.is_empty());
}

#[test]
fn the_message_speaks_of_the_digest_that_is_asked_for() {
    // Given two blocked digests, of which the older one is asked for again.
    let mut cluster = reverted();
    cluster.set_chart("v3", Health::Silent, &[]);
    cluster.roll_out("v3");
    assert!(cluster.ready().message.contains("not ready within"));
    cluster.roll_out("v2");
    assert!(
        cluster.ready().message.contains("no such image"),
        "{}",
        cluster.ready().message
    );
}

#[test]
fn a_failed_first_install_is_stopped_and_nothing_is_available() {
    let mut cluster = Cluster::asking_for("v1").with("v1", Health::NoImage);
    cluster.rest();
    assert_eq!(cluster.kstatus(), STOPPED);
    assert_eq!(cluster.status.phase, Phase::Failed);
    assert_eq!(cluster.shows(Available), Some(False));
    assert!(cluster.ready().message.contains("nothing runs"));
}

#[test]
fn a_transient_failure_has_its_next_try_announced() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoQuota);
    cluster.rest();
    cluster.edit("v2");
    cluster.until(|cluster| cluster.is_blocked("v2") && cluster.attempt().is_none());
    let wait = cluster.run();
    assert!(wait.until.is_some());
    assert_eq!(cluster.kstatus(), RETRYING);
    assert_eq!(cluster.ready().reason, Reason::RetryScheduled);
    assert_eq!(cluster.shows(Available), Some(True));
}

#[test]
fn what_is_left_in_place_is_inconsistent_and_says_how_to_go_on() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.declared.atomic = false;
    cluster.rest();
    cluster.roll_out("v2");
    assert_eq!(cluster.kstatus(), STOPPED);
    assert_eq!(cluster.ready().reason, Reason::LeftInPlace);
    assert_eq!(cluster.shows(Available), Some(False));
    assert_eq!(cluster.shows(Consistent), Some(False));
    assert!(cluster.ready().message.contains("belay.dev/retry"));
}

#[test]
fn past_the_point_of_no_return_the_status_says_that_nothing_goes_back_by_itself() {
    let migration = Hook {
        when: When::Before,
        irreversible: true,
        ends: Ends::Well,
    };
    let mut cluster = Cluster::asking_for("v1").with_hooks("v2", Health::NoImage, &[migration]);
    cluster.rest();
    cluster.roll_out("v2");
    assert_eq!(cluster.kstatus(), STOPPED);
    assert_eq!(cluster.ready().reason, Reason::PastPointOfNoReturn);
    assert!(cluster.ready().message.contains("RollbackRequest"));
    assert_eq!(cluster.shows(Consistent), Some(False));
}

#[test]
fn a_way_back_that_failed_stops_says_what_is_there_and_is_tried_on() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::NoImage);
    cluster.rest();
    cluster.edit("v2");
    cluster.fails_to_go_back(1);
    cluster.run();
    assert_eq!(cluster.kstatus(), STOPPED);
    assert_eq!(cluster.ready().reason, Reason::RevertFailed);
    assert!(cluster.ready().message.contains("it is tried again at"));
    assert_ne!(cluster.shows(Available), Some(True));
    assert_eq!(cluster.shows(Consistent), Some(False));
    let consistent = cluster.condition(Consistent).unwrap();
    assert!(
        consistent.message.contains("revision 3 is not there"),
        "{consistent:?}"
    );

    cluster.writes = Writes::Taken;
    cluster.rest();
    assert_eq!(cluster.ready().reason, Reason::RevisionBlocked);
    assert_eq!(cluster.shows(Consistent), Some(True));
}

#[test]
fn a_pin_names_its_request_and_what_lifts_it() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster.order("checkout-errors");
    cluster.rest();
    assert_eq!(cluster.kstatus(), STOPPED);
    assert_eq!(
        (cluster.status.phase, cluster.ready().reason),
        (Phase::RolledBack, Reason::Pinned)
    );
    for part in ["checkout-errors", "SpecChange", "revision 3"] {
        assert!(cluster.ready().message.contains(part), "{part}");
    }
    assert_eq!(
        cluster.condition(RolledBack).unwrap().reason,
        Reason::RolledBackByRequest
    );
    assert_eq!(cluster.status.pin.as_ref().unwrap().digest, "v1");
}

#[test]
fn what_is_not_belays_doing_has_a_reason_of_its_own() {
    let start = || {
        let mut cluster = Cluster::asking_for("v1");
        cluster.rest();
        cluster
    };
    let mut by_hand = start();
    by_hand.helm("other");
    by_hand.rest();
    assert_eq!(
        (by_hand.kstatus(), by_hand.ready().reason),
        (STOPPED, Reason::OutsideChange)
    );

    let mut removed = start();
    removed.helm_uninstall(false);
    removed.rest();
    assert_eq!(
        (removed.kstatus(), removed.ready().reason),
        (STOPPED, Reason::ReleaseRemoved)
    );
    assert!(removed.ready().message.contains("belay.dev/retry"));

    let mut pending = start();
    pending.foreign(2, "other", Status::PendingUpgrade);
    pending.run();
    assert_eq!(
        (pending.kstatus(), pending.ready().reason),
        (WORKING, Reason::ForeignOperation)
    );

    let mut claimed = start();
    claimed.declared.identity.uid = "another".into();
    claimed.declared.identity.name = "another".into();
    claimed.rest();
    assert_eq!(
        (claimed.kstatus(), claimed.ready().reason),
        (STOPPED, Reason::ReleaseClaimed)
    );
    assert!(claimed.ready().message.contains("shop/web"));
    assert!(
        claimed.status.current.is_none(),
        "it is not told what is not its own"
    );

    let mut suspended = start();
    suspended.declared.suspend = true;
    suspended.rest();
    assert_eq!(
        (suspended.kstatus(), suspended.ready().reason),
        (STOPPED, Reason::Suspended)
    );
}

#[test]
fn wrong_input_keeps_its_reason_and_what_runs_stays_available() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.source = Some(rejection(Reason::RenderFailed));
    cluster.rest();
    assert_eq!(
        (cluster.kstatus(), cluster.ready().reason),
        (STOPPED, Reason::RenderFailed)
    );
    assert_eq!(cluster.shows(Available), Some(True));
    cluster.source.as_mut().unwrap().retry_at =
        Some(cluster.now.plus(belay_api::Duration::minutes(1)));
    cluster.run();
    assert_eq!(cluster.kstatus(), RETRYING);
}

#[test]
fn right_after_an_edit_no_generation_is_called_healthy_that_is_not() {
    let mut cluster = Cluster::asking_for("v1").with("v2", Health::Silent);
    cluster.rest();
    cluster.edit("v2");
    let stale = cluster.status.observed_generation != cluster.declared.generation;
    assert!(
        stale,
        "until it was looked at, the status speaks of the generation before"
    );
    cluster.run();
    assert_eq!(cluster.kstatus(), WORKING);
}

#[test]
fn a_transition_time_moves_only_with_its_status() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let since = cluster.ready().last_transition_time;
    cluster.now = cluster.now.plus(belay_api::Duration::minutes(30));
    cluster.edit_interval();
    cluster.rest();
    assert_eq!(cluster.ready().last_transition_time, since);
}

#[test]
fn the_history_tells_helms_records_with_their_digests() {
    let cluster = reverted();
    let told: Vec<_> = cluster
        .status
        .history
        .iter()
        .map(|entry| {
            (
                entry.revision,
                entry.digest.as_deref(),
                entry.status.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (3, Some("v1"), "deployed"),
            (2, Some("v2"), "failed"),
            (1, Some("v1"), "superseded"),
        ]
    );
}

#[test]
fn a_request_is_a_record_of_who_went_where() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.roll_out("v2");
    cluster.order("back");
    let told = |cluster: &Cluster| {
        let before = RollbackRequestStatus::default();
        report::request_status(
            &before,
            &cluster.orders[0],
            cluster.ledger.as_ref(),
            1,
            cluster.now,
        )
    };
    assert_eq!(told(&cluster).phase, RequestPhase::Pending);
    cluster.until_at(&At::Waiting);
    assert_eq!(told(&cluster).phase, RequestPhase::Running);
    cluster.rest();
    let status = told(&cluster);
    assert_eq!(status.phase, RequestPhase::Complete);
    assert_eq!(status.from.as_ref().map(|from| from.revision), Some(2));
    assert_eq!(status.to.as_ref().map(|to| to.revision), Some(1));
    assert_eq!(status.new_revision, Some(3));
    assert!(status.started_at.is_some() && status.completed_at.is_some());
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == Ready)
        .unwrap();
    assert_eq!((ready.status, ready.observed_generation), (True, 1));
}

#[test]
fn whether_the_source_has_the_chart_is_a_condition_of_its_own() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    let found = cluster.condition(ConditionType::SourceReady).unwrap();
    assert_eq!((found.status, found.reason), (True, Reason::ChartFound));
    assert_eq!(
        found.message,
        "web-v1 comes from https://charts.example.org"
    );

    cluster.source = Some(rejection(Reason::SourceUnavailable));
    cluster.rest();

    let down = cluster.condition(ConditionType::SourceReady).unwrap();
    assert_eq!(
        (down.status, down.reason),
        (False, Reason::SourceUnavailable)
    );
    assert_eq!(cluster.shows(Available), Some(True));
}

/// Given a range: the same spec comes to another chart, and later to other values under the same chart.
#[test]
fn each_revision_says_what_it_was_made_for() {
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.spec = "v2".into();
    cluster.rest();
    cluster.roll_out("v3");
    cluster.order("back");
    cluster.rest();

    let causes: Vec<_> = cluster.status.history.iter().rev().collect();
    let causes: Vec<_> = causes
        .iter()
        .filter_map(|entry| entry.cause.as_deref())
        .collect();
    assert_eq!(
        causes,
        [
            "generation 1 of the spec",
            "the source has this chart now, where it had web-v1",
            "generation 2 of the spec",
            "the request back",
        ]
    );
}

#[test]
fn what_was_removed_by_hand_is_not_said_to_serve() {
    for (suspend, keep_history) in [(false, false), (false, true), (true, false)] {
        // Given a release that runs.
        let mut cluster = Cluster::asking_for("v1");
        cluster.rest();
        assert_eq!(cluster.shows(Available), Some(True));
        // When somebody uninstalls it.
        cluster.declared.suspend = suspend;
        cluster.helm_uninstall(keep_history);
        cluster.rest();
        // Then whoever is paged by it hears of that, suspended or not.
        for type_ in [Available, Consistent] {
            assert_eq!(cluster.shows(type_), Some(False), "{type_}");
            let reason = cluster.condition(type_).unwrap().reason;
            assert_eq!(reason, Reason::ReleaseRemoved);
        }
        assert_eq!(cluster.shows(Released), None);
        assert_eq!(cluster.status.current, None);
    }
}

#[test]
fn what_is_being_removed_is_not_said_to_serve() {
    // Given a release whose removal comes upon a hook that fails.
    let hook = Hook {
        when: When::After,
        irreversible: false,
        ends: Ends::Badly,
    };
    let mut cluster = Cluster::asking_for("v1");
    cluster.rest();
    cluster.set_chart("v1", Health::Good, &[hook]);
    cluster.declared.deleting = true;
    cluster.until(|cluster| {
        cluster
            .attempt()
            .is_some_and(|attempt| attempt.failures == 1)
    });
    // When it waits for another try.
    cluster.run();
    // Then nothing is there that serves.
    assert!(cluster.objects.is_empty());
    assert_eq!(cluster.shows(Available), Some(Unknown));
}
