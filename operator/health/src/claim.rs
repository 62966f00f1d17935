//! `PersistentVolumeClaim`: bound, or waiting for a pod that is not its own fault.

use serde_json::Value;

use crate::field::{at, text};
use crate::progress::ProgressReason;
use crate::verdict::{Verdict, verdict};

const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

pub(crate) fn judge(object: &Value) -> Verdict {
    match text(object, &["status", "phase"]) {
        Some("Bound") => Verdict::Current,
        Some("Lost") => Verdict::failed("ClaimLost", "the volume of the claim is gone"),
        _ => Verdict::progressing(ProgressReason::ClaimPending, "the claim is not bound"),
    }
}

/// Whether a claim that is not bound waits only for a pod to use it, which is as good as ready.
///
/// `class` is the claim's `StorageClass`, or the cluster's default where it names none; without
/// it nothing is excused. A claim for which a node has been chosen has its pod: it is due.
pub fn claim_waits_for_consumer(claim: &Value, class: Option<&Value>) -> bool {
    let pending = !matches!(text(claim, &["status", "phase"]), Some("Bound" | "Lost"));
    let chosen = at(claim, &["metadata", "annotations", SELECTED_NODE]).is_some();
    let late =
        class.and_then(|class| text(class, &["volumeBindingMode"])) == Some("WaitForFirstConsumer");
    pending && late && !chosen
}

/// The verdict of a claim, its wait for a pod excused where its class binds late. `classes` are the cluster's
/// `StorageClass`es; without its own among them nothing is excused.
pub fn claim_verdict(claim: &Value, classes: &[Value]) -> Verdict {
    let own = text(claim, &["spec", "storageClassName"]);
    let class = classes
        .iter()
        .find(|class| own.is_some() && text(class, &["metadata", "name"]) == own);
    match verdict(claim) {
        Verdict::Progressing {
            reason: ProgressReason::ClaimPending,
            ..
        } if claim_waits_for_consumer(claim, class) => Verdict::Current,
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn late_class() -> Value {
        json!({"kind": "StorageClass", "volumeBindingMode": "WaitForFirstConsumer"})
    }

    #[test]
    fn a_claim_without_a_pod_is_not_held_against_the_release_when_its_class_binds_late() {
        let claim = json!({"kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}});
        assert!(claim_waits_for_consumer(&claim, Some(&late_class())));
        assert!(!claim_waits_for_consumer(
            &claim,
            Some(&json!({"volumeBindingMode": "Immediate"}))
        ));
        assert!(!claim_waits_for_consumer(&claim, None));
    }

    #[test]
    fn a_claims_own_class_decides_whether_its_wait_is_excused() {
        let mut late = late_class();
        late["metadata"]["name"] = json!("late");
        let early = json!({"metadata": {"name": "early"}, "volumeBindingMode": "Immediate"});
        let classes = [early, late];
        let of = |class: &str, phase: &str| {
            let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "spec": {"storageClassName": class}, "status": {"phase": phase}});
            claim_verdict(&claim, &classes)
        };
        assert_eq!(of("late", "Pending"), Verdict::Current);
        assert_eq!(of("early", "Pending").as_str(), "Progressing");
        assert_eq!(of("gone", "Pending").as_str(), "Progressing");
        assert!(of("late", "Lost").is_failed());
    }

    #[test]
    fn a_claim_whose_pod_has_a_node_must_bind() {
        let claim = json!({
            "kind": "PersistentVolumeClaim",
            "metadata": {"annotations": {SELECTED_NODE: "node-1"}},
            "status": {"phase": "Pending"}
        });
        assert!(!claim_waits_for_consumer(&claim, Some(&late_class())));
    }
}
