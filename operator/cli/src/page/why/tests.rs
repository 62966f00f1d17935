use serde_json::json;

use super::*;

/// 2026-01-01T00:10:00Z
const NOW: Timestamp = Timestamp(1_767_226_200_000);

fn told(status: &serde_json::Value) -> String {
    let release: HelmRelease = serde_json::from_value(json!({
        "apiVersion": "belay.dev/v1alpha1",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop", "generation": 2},
        "spec": {"chart": {"inline": {"files": {}}}},
        "status": status,
    }))
    .unwrap();
    why(&release, NOW, Style::PLAIN)
}

fn crashed(ready: &str, reason: &str) -> serde_json::Value {
    json!({
        "observedGeneration": 2,
        "phase": "RolledBack",
        "conditions": [{"type": "Ready", "status": ready, "reason": reason, "message": "revision 4 (web-1.0.0) runs",
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 2}],
        "desired": {"digest": "v1:bad", "chartVersion": "2.0.0"},
        "current": {"revision": 4, "digest": "v1:good", "chart": "web-1.0.0", "since": "2026-01-01T00:09:30Z"},
        "lastFailure": {"revision": 3, "digest": "v1:bad", "class": "Terminal", "reason": "CrashLoop",
            "message": "container web ends again and again", "at": "2026-01-01T00:09:00Z",
            "objects": [{"object": "Deployment shop/web", "message": "Progressing: 1 of 3 replicas"}],
            "pods": [{"pod": "web-x", "container": "web", "reason": "CrashLoopBackOff", "exitCode": 1, "restarts": 2,
                "logTail": "starting\npanic: no database"}],
            "timeline": [{"at": "2026-01-01T00:08:00Z", "what": "Applying"},
                {"at": "2026-01-01T00:08:40Z", "what": "Pod shop/web-x: BackOff: back-off restarting"}]},
    })
}

#[test]
fn the_page_says_what_failed_why_what_runs_since_when_and_what_to_do() {
    let page = told(&crashed("False", "RevisionBlocked"));

    for line in [
        "Failed        revision 3, v1:bad, at 2026-01-01T00:09:00Z (1m0s ago)",
        "Why           container web ends again and again",
        "CrashLoop: the revision's own fault; the same again would fail again",
        "Objects       Deployment shop/web: Progressing: 1 of 3 replicas",
        "Containers    web in web-x: CrashLoopBackOff; exit code 1; 2 restarts",
        "Last words    of web in web-x",
        "| panic: no database",
        "Timeline      +0s     Applying",
        "+40s    Pod shop/web-x: BackOff: back-off restarting",
        "Runs          revision 4  web-1.0.0  since 30s ago",
        "What to do    cure what the container's last words tell",
        "belay retry web -n shop",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}

#[test]
fn a_failure_that_is_over_is_told_as_such_and_asks_for_nothing() {
    let page = told(&crashed("True", "Deployed"));

    assert!(page.contains("it is over"), "{page}");
    assert!(!page.contains("What to do"), "{page}");
}

#[test]
fn without_a_failure_the_page_says_so() {
    let mut status = crashed("True", "Deployed");
    status["lastFailure"] = json!(null);

    assert!(told(&status).contains("Failed        nothing that is remembered"));
}
