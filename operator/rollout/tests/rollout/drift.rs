//! Somebody edits or deletes objects while nothing is under way.

use belay_api::{Condition, ConditionStatus, ConditionType, Duration, Reason};
use belay_rollout::{MAX_CORRECTIONS, WINDOW, Waiting, next_look};

use crate::cluster::{Cluster, Health, Writes};

impl Cluster {
    fn told(&self, type_: ConditionType) -> Option<(ConditionStatus, Reason)> {
        self.said(type_)
            .map(|condition| (condition.status, condition.reason))
    }

    fn said(&self, type_: ConditionType) -> Option<&Condition> {
        let mut all = self.status.conditions.iter();
        all.find(|condition| condition.type_ == type_)
    }

    /// The full look of the interval.
    fn interval_passes(&mut self) {
        self.now = self.full_look_due().unwrap();
        self.rest();
    }
}

fn at_rest() -> Cluster {
    let mut cluster = Cluster::asking_for("good").that_corrects_drift();
    assert_eq!(cluster.rest(), Waiting::Deployed);
    cluster
}

#[test]
fn what_somebody_edits_is_put_right_and_makes_no_revision() {
    let mut cluster = at_rest();
    let storage = cluster.storage.len();
    cluster.tamper("web");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(cluster.holds("good"));
    assert_eq!(cluster.corrections, ["web"]);
    assert_eq!(cluster.storage.len(), storage);
    let told = cluster.told(ConditionType::Drifted);
    assert_eq!(told, Some((ConditionStatus::False, Reason::NoDrift)));
    let corrected = &cluster.status.drift.as_ref().unwrap().corrected[0];
    assert_eq!(corrected.object, "Deployment shop/web");
    assert_eq!((corrected.path.as_str(), corrected.times), ("/spec", 1));
    assert_eq!(corrected.found, "tampered");
}

#[test]
fn what_somebody_deletes_is_made_anew() {
    let mut cluster = at_rest();
    cluster.objects.remove("only-good");
    cluster.rest();
    assert!(cluster.holds("good"));
    assert_eq!(cluster.corrections, ["only-good"]);
}

#[test]
fn what_is_only_told_is_not_touched_and_ready_stays() {
    let mut cluster = Cluster::asking_for("good").that_tells_drift();
    cluster.rest();
    cluster.tamper("web");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    assert!(!cluster.holds("good"));
    assert_eq!(cluster.corrections, [""; 0]);
    let drifted = (ConditionStatus::True, Reason::DriftDetected);
    assert_eq!(cluster.told(ConditionType::Drifted), Some(drifted));
    let consistent = (ConditionStatus::False, Reason::DriftDetected);
    assert_eq!(cluster.told(ConditionType::Consistent), Some(consistent));
    let ready = (ConditionStatus::True, Reason::Deployed);
    assert_eq!(cluster.told(ConditionType::Ready), Some(ready));
    let said = &cluster.said(ConditionType::Drifted).unwrap().message;
    assert_eq!(
        said,
        "Deployment shop/web: /spec is tampered, should be good"
    );
    // Put right by whoever did it, it is told no more.
    cluster.put("web", "good");
    cluster.rest();
    let told = cluster.told(ConditionType::Drifted);
    assert_eq!(told, Some((ConditionStatus::False, Reason::NoDrift)));
    assert_eq!(cluster.status.drift, None);
}

#[test]
fn a_suspended_release_is_looked_at_and_left_as_it_is() {
    let mut cluster = at_rest();
    cluster.declared.suspend = true;
    cluster.tamper("web");
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert!(!cluster.holds("good"));
    let drifted = (ConditionStatus::True, Reason::DriftDetected);
    assert_eq!(cluster.told(ConditionType::Drifted), Some(drifted));
    cluster.declared.suspend = false;
    cluster.rest();
    assert!(cluster.holds("good"));
}

#[test]
fn where_nobody_looks_nothing_is_told() {
    let mut cluster = Cluster::asking_for("good");
    cluster.rest();
    cluster.tamper("web");
    cluster.rest();
    assert!(!cluster.holds("good"));
    assert_eq!(cluster.told(ConditionType::Drifted), None);
    let consistent = (ConditionStatus::True, Reason::Deployed);
    assert_eq!(cluster.told(ConditionType::Consistent), Some(consistent));
}

#[test]
fn what_is_fought_over_is_left_alone_and_told_whatever_process_looks() {
    let mut cluster = at_rest();
    for _ in 0..MAX_CORRECTIONS {
        cluster.tamper("web");
        cluster.rest();
        assert!(cluster.holds("good"));
    }
    cluster.tamper("web");
    cluster.rest();
    assert_eq!(cluster.corrections.len(), MAX_CORRECTIONS);
    let contested = (ConditionStatus::True, Reason::DriftContested);
    assert_eq!(cluster.told(ConditionType::Drifted), Some(contested));
    // Another process counts on.
    cluster.crash();
    cluster.rest();
    assert_eq!(cluster.corrections.len(), MAX_CORRECTIONS);
    assert_eq!(cluster.told(ConditionType::Drifted), Some(contested));
    // Other objects are put right all the same.
    cluster.objects.remove("only-good");
    cluster.rest();
    assert_eq!(cluster.corrections.last().unwrap(), "only-good");
    // After an hour it is tried once more.
    cluster.now = cluster.now.plus(WINDOW);
    cluster.rest();
    assert!(cluster.holds("good"));
}

#[test]
fn drift_is_measured_by_what_runs_after_the_way_back() {
    let mut cluster = at_rest().with("bad", Health::NoImage);
    assert_eq!(cluster.roll_out("bad"), Waiting::Blocked);
    cluster.tamper("web");
    assert_eq!(cluster.rest(), Waiting::Blocked);
    assert!(cluster.holds("good"));
    assert_eq!(cluster.corrections, ["web"]);
    assert_eq!(cluster.tries("bad"), 1);
}

#[test]
fn nothing_is_put_right_while_an_attempt_is_under_way() {
    let mut cluster = at_rest();
    cluster.set_chart("better", Health::Good, &[]);
    cluster.edit("better");
    cluster.until_at(&belay_rollout::At::Waiting);
    cluster.tamper("only-better");
    let before = cluster.corrections.len();
    cluster.until(|cluster| cluster.attempt().is_none());
    assert_eq!(cluster.corrections.len(), before);
    cluster.rest();
    assert!(cluster.holds("better"));
    assert_eq!(cluster.corrections, ["only-better"]);
}

#[test]
fn what_the_api_server_refuses_is_told_and_tried_once_an_interval() {
    let mut cluster = at_rest();
    cluster.writes = Writes::Refused;
    cluster.tamper("web");
    assert_eq!(cluster.rest(), Waiting::Deployed);
    let refused = (ConditionStatus::True, Reason::DriftRefused);
    assert_eq!(cluster.told(ConditionType::Drifted), Some(refused));
    let said = &cluster.said(ConditionType::Drifted).unwrap().message;
    assert!(said.contains("a webhook says no"), "{said}");
    // However often that is refused, it is no fight.
    for _ in 0..5 {
        cluster.interval_passes();
        assert_eq!(cluster.told(ConditionType::Drifted), Some(refused));
    }
    cluster.writes = Writes::Taken;
    cluster.interval_passes();
    assert!(cluster.holds("good"));
}

#[test]
fn a_release_that_was_removed_by_hand_is_not_made_anew_piece_by_piece() {
    let mut cluster = at_rest();
    cluster.helm_uninstall(false);
    assert_eq!(cluster.rest(), Waiting::ReleaseRemoved);
    assert_eq!(cluster.corrections, [""; 0]);
    assert_eq!(cluster.told(ConditionType::Drifted), None);
}

#[test]
fn of_a_suspended_release_that_was_removed_by_hand_nothing_is_missed() {
    let mut cluster = at_rest();
    cluster.declared.suspend = true;
    cluster.helm_uninstall(true);
    assert_eq!(cluster.rest(), Waiting::Suspended);
    assert_eq!(cluster.told(ConditionType::Drifted), None);
}

#[test]
fn the_interval_finds_what_no_watch_has_told() {
    let mut cluster = at_rest();
    cluster.tamper("web");
    // The watch of its kind is broken: it tells nothing.
    let tampered = cluster.objects.get("web").cloned();
    cluster.memory.looked_at.insert("web".to_owned(), tampered);
    cluster.rest();
    assert!(!cluster.holds("good"));
    assert_eq!(cluster.declared.interval, Duration::minutes(10));
    cluster.interval_passes();
    assert!(cluster.holds("good"));
}

#[test]
fn a_suspended_release_that_helm_has_overtaken_waits_without_a_clock() {
    // Given a suspended release whose objects are looked at.
    let mut cluster = Cluster::asking_for("good").that_tells_drift();
    cluster.rest();
    cluster.declared.suspend = true;
    // When somebody's helm fails with a revision that changed one of them.
    cluster.helm_fails("by-hand");
    let wait = cluster.run();
    // Then what is to be taken back later is no drift, and is not looked at again and again.
    assert_eq!(wait.on, Waiting::Suspended);
    assert_eq!(next_look(&cluster.world(), &wait), None);
}
