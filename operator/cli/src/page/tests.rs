use serde_json::json;

use super::*;

/// 2026-01-01T00:10:00Z
const NOW: Timestamp = Timestamp(1_767_226_200_000);

fn release(status: &serde_json::Value) -> HelmRelease {
    serde_json::from_value(json!({
        "apiVersion": "belay.dev/v1alpha1",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop", "generation": 2},
        "spec": {"chart": {"repository": {"url": "https://charts.example.org", "name": "web"}}},
        "status": status,
    }))
    .unwrap()
}

fn shown(status: &serde_json::Value) -> String {
    page(&release(status), NOW, Style::PLAIN)
}

fn ready(status: &str, reason: &str, message: &str) -> serde_json::Value {
    json!({"type": "Ready", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 2})
}

fn revision(number: u32) -> serde_json::Value {
    json!({"revision": number, "digest": format!("v1:{number}"), "chart": format!("web-{number}.0.0"),
        "appVersion": "6.1", "since": "2026-01-01T00:05:00Z"})
}

#[test]
fn a_release_at_rest_says_what_runs_and_asks_for_nothing() {
    let page = shown(&json!({
        "observedGeneration": 2,
        "phase": "Deployed",
        "conditions": [ready("True", "Deployed", "revision 2 (web-2.0.0) runs")],
        "current": revision(2),
        "lastGood": revision(2),
        "previousGood": revision(1),
    }));

    assert!(
        page.starts_with("web in shop: Ready, Deployed (Deployed)\n"),
        "{page}"
    );
    assert!(
        page.contains("Runs          revision 2  web-2.0.0 (app 6.1)  since 5m0s ago"),
        "{page}"
    );
    assert!(page.contains("Good before   revision 1"), "{page}");
    assert!(!page.contains("What to do"), "{page}");
}

#[test]
fn a_rollout_shows_each_object_that_is_waited_for_and_how_many_more() {
    let page = shown(&json!({
        "observedGeneration": 2,
        "phase": "Upgrading",
        "conditions": [ready("Unknown", "Upgrading", "upgrading")],
        "attempt": {"id": "a", "kind": "Upgrade", "revision": 3, "digest": "v1:3", "from": 2, "stage": "Waiting",
            "startedAt": "2026-01-01T00:09:48Z", "deadline": "2026-01-01T00:14:48Z",
            "progress": {"ready": 1, "total": 4, "waitingFor": ["Deployment shop/web: Progressing: 1 of 3 replicas"]}},
    }));

    assert!(
        page.contains("upgrade to revision 3 from 2: waiting for objects to become ready; begun 12s ago, lost in 4m48s"),
        "{page}"
    );
    assert!(page.contains("1 of 4 objects are ready"), "{page}");
    assert!(
        page.contains("… Deployment shop/web: Progressing: 1 of 3 replicas"),
        "{page}"
    );
    assert!(page.contains("… and 2 more"), "{page}");
}

#[test]
fn a_reverted_release_shows_the_evidence_and_both_ways_on() {
    let page = shown(&json!({
        "observedGeneration": 2,
        "phase": "RolledBack",
        "conditions": [
            ready("False", "RevisionBlocked", "revision 4 (web-1.0.0) runs"),
            {"type": "Available", "status": "True", "reason": "Deployed", "message": "revision 4 serves",
                "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 2},
        ],
        "desired": {"digest": "v1:0123456789abcdef", "chartVersion": "3.0.0"},
        "current": revision(4),
        "blocked": [{"digest": "v1:0123456789abcdef", "class": "Terminal", "reason": "ImagePullFailed",
            "message": "the image does not exist", "since": "2026-01-01T00:09:00Z", "revision": 3}],
        "lastFailure": {"revision": 3, "digest": "v1:0123456789abcdef", "class": "Terminal", "reason": "ImagePullFailed",
            "message": "the image does not exist", "at": "2026-01-01T00:09:00Z",
            "objects": [{"object": "Deployment shop/web", "message": "1 of 3 replicas"}],
            "pods": [{"pod": "web-x", "container": "web", "reason": "ErrImagePull", "message": "not found",
                "exitCode": 1, "restarts": 2, "logTail": "starting\npanic: no database"}],
            "timeline": [{"at": "2026-01-01T00:08:00Z", "what": "applied"}]},
    }));

    for line in [
        "web in shop: not Ready, RolledBack (RevisionBlocked)",
        "Available     revision 4 serves",
        "Asked for     chart version 3.0.0  v1:0123456789ab",
        "Blocked       v1:0123456789ab (revision 3): ImagePullFailed (Terminal), 1m0s ago",
        "Last failure  revision 3: ImagePullFailed (Terminal), 1m0s ago",
        "- Deployment shop/web: 1 of 3 replicas",
        "- Pod web-x, container web: ErrImagePull: not found; exit code 1; 2 restarts",
        "| panic: no database",
        "2m0s ago applied",
        "change chart version or values",
        "belay retry web -n shop",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}

#[test]
fn a_status_about_an_older_spec_says_so() {
    let page = shown(&json!({
        "observedGeneration": 1,
        "phase": "Deployed",
        "conditions": [ready("True", "Deployed", "revision 2 runs")],
    }));

    assert!(page.contains("the spec has been changed since"), "{page}");
}

#[test]
fn a_release_that_no_operator_saw_asks_whether_one_runs() {
    let mut release = release(&json!(null));
    release.status = None;

    let page = page(&release, NOW, Style::PLAIN);

    assert!(page.contains("no operator has looked at it yet"), "{page}");
    assert!(page.contains("kubectl get pods -n belay-system"), "{page}");
}

#[test]
fn a_soak_shows_what_its_checks_last_said() {
    let page = shown(&json!({
        "observedGeneration": 2,
        "phase": "Upgrading",
        "conditions": [ready("Unknown", "Soaking", "revision 3 (web-3.0.0) runs")],
        "attempt": {"id": "a", "kind": "Upgrade", "revision": 3, "digest": "v1:3", "from": 2, "stage": "Soaking",
            "startedAt": "2026-01-01T00:09:48Z", "deadline": "2026-01-01T00:14:48Z"},
        "checks": [
            {"name": "errors", "state": "Failing", "value": "0.31", "at": "2026-01-01T00:09:55Z"},
            {"name": "latency", "state": "Unanswered", "at": "2026-01-01T00:09:55Z", "message": "nobody is there"},
        ],
    }));

    assert!(page.contains("begun 12s ago, good in 4m48s"), "{page}");
    assert!(
        page.contains("Checks        errors: out of range, 0.31  asked 5s ago\n"),
        "{page}"
    );
    assert!(
        page.contains("              latency: never answered  asked 5s ago\n              no answer: nobody is there\n"),
        "{page}"
    );
}
