//! What is kept of a failure: masked, and never more than a status may take.

use belay_api::helm_release::{FailureClass, Moment};
use belay_api::{Reason, Timestamp};
use belay_health::{
    EVIDENCE_LIMIT, Mask, ObjectEvidence, ObjectRef, PodEvidence, ProgressReason, Verdict,
};
use belay_rollout::{Digest, Failure};

fn huge() -> Failure {
    let verdict = Verdict::Progressing {
        reason: ProgressReason::Replicas,
        message: "ü".repeat(700),
    };
    let pod = |number| PodEvidence {
        namespace: "shop".into(),
        name: format!("web-{number}"),
        container: Some("web".into()),
        reason: "CrashLoopBackOff".into(),
        message: "back-off ".repeat(90),
        exit_code: Some(1),
        restarts: 3,
        log_tail: (0..300)
            .map(|line| format!("line {line} \"hunter2\""))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    Failure {
        revision: Some(u32::MAX),
        digest: Digest::named(&"v1:0123456789abcdef".repeat(4)),
        class: FailureClass::Terminal,
        reason: Reason::CrashLoop,
        message: "m".repeat(5000),
        at: Timestamp(1_767_226_200_123),
        objects: (0..20)
            .map(|number| {
                let name = format!("web-{number}");
                let object = ObjectRef::new("apps/v1", "Deployment", Some("shop"), &name);
                ObjectEvidence::new(object.key(), &verdict)
            })
            .collect(),
        pods: (0..20).map(pod).collect(),
        timeline: (0..40)
            .map(|number| Moment {
                at: Timestamp(1_767_226_200_000 + number),
                what: format!("step {number}: {}", "x".repeat(200)),
            })
            .collect(),
    }
}

fn size(failure: &Failure) -> usize {
    serde_json::to_vec(&failure.status()).unwrap().len()
}

#[test]
fn what_a_status_shows_of_a_failure_takes_at_most_four_kibibytes() {
    assert!(size(&huge()) > 10 * EVIDENCE_LIMIT);
    let cut = huge().presentable(&Mask::default());
    assert!(size(&cut) <= EVIDENCE_LIMIT, "{}", size(&cut));
    assert!(size(&cut) > EVIDENCE_LIMIT / 2, "{}", size(&cut));
    let pod = &cut.status().pods[0];
    assert_eq!((pod.exit_code, pod.restarts), (Some(1), 3));
    assert!(pod.log_tail.contains("line 299"), "{}", pod.log_tail);
}

#[test]
fn secrets_are_masked_before_anything_is_cut() {
    let cut = huge().presentable(&Mask::new(["hunter2"]));
    let shown = serde_json::to_string(&cut.status()).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_fits_is_shown_as_it_is() {
    let mut small = huge();
    small.message = "a container ends again and again".into();
    small.objects.truncate(1);
    small.pods.clear();
    small.timeline.truncate(2);
    assert_eq!(small.clone().presentable(&Mask::default()), small);
    let shown = &small.status().objects[0];
    assert_eq!(shown.object, "Deployment shop/web-0");
    assert!(shown.message.starts_with("Progressing: ü"));
}
