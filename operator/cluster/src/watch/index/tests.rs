use serde_json::json;

use super::*;
use crate::object::ResourceVersion;
use crate::watch::tracked::Follow;
use jiff::Timestamp;

fn release(name: &str) -> ReleaseKey {
    ReleaseKey {
        namespace: "a".into(),
        name: name.into(),
    }
}

fn key() -> ObjectKey {
    ObjectKey {
        group: String::new(),
        kind: "PersistentVolumeClaim".into(),
        namespace: Some("a".into()),
        name: "data".into(),
    }
}

fn claim(version: u64, uid: &str, phase: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "a", "uid": uid, "resourceVersion": version.to_string()},
        "status": {"phase": phase}})
}

fn tracked(not_before: u64) -> Tracked {
    Tracked {
        uid: Some("u".into()),
        not_before: ResourceVersion(not_before),
        ..Tracked::expected(key())
    }
}

fn tracking(tracked: Tracked) -> Tracking {
    Tracking {
        objects: vec![tracked],
        ..Tracking::default()
    }
}

fn verdict_of(index: &Index, name: &str) -> Option<Verdict> {
    index
        .progress(&release(name))
        .unwrap()
        .objects
        .first()
        .map(|(_, observed)| observed.verdict.clone())
}

fn drain(index: &mut Index) -> Vec<String> {
    std::iter::from_fn(|| index.next_changed())
        .map(|key| key.name)
        .collect()
}

#[test]
fn a_state_from_before_the_apply_does_not_count() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked(10)));
    index.seen(&key(), &claim(9, "u", "Bound"));
    assert_eq!(verdict_of(&index, "shop"), None);
    index.seen(&key(), &claim(10, "u", "Bound"));
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Current));
}

#[test]
fn the_answer_of_the_apply_is_the_first_verdict() {
    let mut index = Index::default();
    let first = Tracked {
        first: Some(Verdict::Current),
        ..tracked(10)
    };
    index.track(&release("shop"), &tracking(first));
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Current));
}

#[test]
fn an_event_between_expecting_and_applying_is_not_lost() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(Tracked::expected(key())));
    index.seen(&key(), &claim(12, "u", "Bound"));
    let answer = Tracked {
        first: Some(Verdict::Terminating),
        ..tracked(10)
    };
    index.track(&release("shop"), &tracking(answer));
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Current));
}

#[test]
fn another_object_of_the_same_name_means_that_ours_is_missing() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked(10)));
    index.seen(&key(), &claim(11, "other", "Bound"));
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Missing));
}

#[test]
fn a_late_event_does_not_undo_a_later_state() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked(10)));
    index.seen(&key(), &claim(12, "u", "Bound"));
    index.seen(&key(), &claim(11, "u", "Pending"));
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Current));
}

#[test]
fn only_a_changed_verdict_wakes_a_release() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked(10)));
    drain(&mut index);
    index.seen(&key(), &claim(11, "u", "Bound"));
    assert_eq!(drain(&mut index), ["shop"]);
    index.seen(&key(), &claim(12, "u", "Bound"));
    assert_eq!(drain(&mut index), Vec::<String>::new());
    let known = index.known(&key());
    index.missing(&key(), known);
    assert_eq!(drain(&mut index), ["shop"]);
}

#[test]
fn what_nobody_tracks_is_forgotten_and_leaves_no_news() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked(10)));
    index.untrack(&release("shop"));
    index.seen(&key(), &claim(11, "u", "Bound"));
    assert!(!index.has_changed());
    assert!(!index.is_tracked(&key()));
    assert_eq!(index.progress(&release("shop")), None);
}

#[test]
fn an_object_of_two_releases_is_kept_until_both_let_go() {
    let mut index = Index::default();
    let fresh = index.track(&release("a"), &tracking(tracked(10)));
    assert!(fresh.objects.contains(&key()));
    let fresh = index.track(&release("b"), &tracking(tracked(10)));
    assert!(fresh.objects.is_empty());
    index.untrack(&release("a"));
    assert!(index.is_tracked(&key()));
}

#[test]
fn a_hook_that_ended_and_was_deleted_has_ended() {
    let hook = ObjectKey {
        group: "batch".into(),
        kind: "Job".into(),
        namespace: Some("a".into()),
        name: "migrate".into(),
    };
    let done = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "uid": "u", "resourceVersion": "11", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
    let tracked = Tracked {
        uid: Some("u".into()),
        follow: Follow::Hook,
        judge: Some(std::sync::Arc::new(belay_health::hook_verdict)),
        ..Tracked::expected(hook.clone())
    };
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked));
    assert!(index.ended(&hook, &done));
    let known = index.known(&hook);
    index.missing(&hook, known);
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Current));
}

#[test]
fn a_read_from_before_the_apply_that_found_nothing_does_not_count() {
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(Tracked::expected(key())));
    let before_the_apply = index.known(&key());
    let first = Tracked {
        first: Some(Verdict::Terminating),
        ..tracked(10)
    };
    index.track(&release("shop"), &tracking(first));
    index.missing(&key(), before_the_apply);
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Terminating));
    let after = index.known(&key());
    index.missing(&key(), after);
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Missing));
}

/// A Job of a manifest with a time to live, and how it ended.
fn expiring(uid: Option<&str>, end: &str) -> (ObjectKey, Tracked, Value) {
    let key = ObjectKey {
        group: "batch".into(),
        kind: "Job".into(),
        namespace: Some("a".into()),
        name: "seed".into(),
    };
    let tracked = Tracked {
        uid: uid.map(str::to_owned),
        expires: true,
        ..Tracked::expected(key.clone())
    };
    let ended = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "seed", "uid": "u", "resourceVersion": "11", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"ttlSecondsAfterFinished": 0},
        "status": {"conditions": [{"type": end, "status": "True"}]}});
    (key, tracked, ended)
}

#[test]
fn a_job_that_goes_by_itself_stays_what_it_was_when_it_ended() {
    for (end, is_well) in [("Complete", true), ("Failed", false)] {
        let (key, tracked, ended) = expiring(Some("u"), end);
        let mut index = Index::default();
        index.track(&release("shop"), &tracking(tracked));
        assert!(index.ended(&key, &ended));
        let known = index.known(&key);
        index.missing(&key, known);
        let verdict = verdict_of(&index, "shop").unwrap();
        assert_eq!(
            (verdict.is_current(), verdict.is_failed()),
            (is_well, !is_well)
        );
    }
}

#[test]
fn a_job_with_a_time_to_live_that_is_deleted_before_its_end_is_missing() {
    let (key, tracked, mut running) = expiring(Some("u"), "Complete");
    running["status"] = json!({"active": 1});
    let mut index = Index::default();
    index.track(&release("shop"), &tracking(tracked));
    assert!(!index.ended(&key, &running), "the caller has to look");
    let known = index.known(&key);
    index.missing(&key, known);
    assert_eq!(verdict_of(&index, "shop"), Some(Verdict::Missing));
}

#[test]
fn a_job_that_was_applied_and_went_by_itself_while_nobody_looked_is_not_missed() {
    for (uid, verdict) in [(Some("u"), Verdict::Current), (None, Verdict::Missing)] {
        let (key, tracked, _) = expiring(uid, "Complete");
        let mut index = Index::default();
        index.track(&release("shop"), &tracking(tracked));
        let known = index.known(&key);
        index.missing(&key, known);
        assert_eq!(verdict_of(&index, "shop"), Some(verdict));
    }
}

fn workload(name: &str) -> (ObjectKey, Value) {
    let key = ObjectKey {
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: Some("a".into()),
        name: name.into(),
    };
    let live = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "a", "uid": format!("uid-of-{name}"), "resourceVersion": "11"}});
    (key, live)
}

#[test]
fn what_is_wrong_with_a_pod_wakes_only_the_release_that_made_it() {
    let mut index = Index::default();
    let since = Timestamp::UNIX_EPOCH;
    for name in ["shop", "bank"] {
        let (key, live) = workload(name);
        let mut tracking = tracking(Tracked::expected(key.clone()));
        tracking.pods = Some(PodScope {
            namespaces: ["a".to_owned()].into(),
            since,
        });
        index.track(&release(name), &tracking);
        index.seen(&key, &live);
    }
    let owned =
        |kind: &str, by: &str| json!([{"kind": kind, "name": "x", "uid": by, "controller": true}]);
    index.replica_set_seen(
        "a",
        &json!({"metadata": {"uid": "set", "ownerReferences": owned("Deployment", "uid-of-shop")}}),
    );
    drain(&mut index);
    let broken = json!({"metadata": {"name": "shop-1", "uid": "p", "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": owned("ReplicaSet", "set")},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "app", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}}}]}});
    index.pod_seen("a", &broken, Timestamp::from_second(1_800_000_000).unwrap());
    assert_eq!(drain(&mut index), ["shop"]);

    index.pod_deleted("a", "shop-1");
    assert_eq!(drain(&mut index), ["shop"]);
}
