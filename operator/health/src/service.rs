//! Service: only a load balancer has something to wait for.

use serde_json::Value;

use crate::field::{list, text};
use crate::progress::ProgressReason;
use crate::verdict::Verdict;

pub(crate) fn judge(object: &Value) -> Verdict {
    if text(object, &["spec", "type"]) != Some("LoadBalancer") {
        return Verdict::Current;
    }
    let reachable = !list(object, &["status", "loadBalancer", "ingress"]).is_empty()
        || !list(object, &["spec", "externalIPs"]).is_empty();
    if reachable {
        Verdict::Current
    } else {
        Verdict::progressing(
            ProgressReason::NoAddress,
            "the load balancer has no address yet",
        )
    }
}
