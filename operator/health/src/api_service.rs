//! `APIService`: the API behind it answers, or who is to answer for it and does not.

use serde_json::Value;

use crate::field::{Condition, condition, text};
use crate::progress::ProgressReason;
use crate::verdict::Verdict;

/// Current when the aggregator says `Available`, which it finds out by asking the server behind it; the API server's own
/// groups always are. kstatus has no rule for the kind and calls all of them current, so Helm does.
pub(crate) fn judge(object: &Value) -> Verdict {
    let waits = |message: String| Verdict::progressing(ProgressReason::ApiNotAvailable, message);
    match condition(object, "Available") {
        Some(available) if available.is_true() => Verdict::Current,
        Some(available) => waits(why(&available)),
        // Without a Service behind it the API server answers itself, and need not look whether it does.
        None if text(object, &["spec", "service", "name"]).is_none() => Verdict::Current,
        None => waits("the API server has not asked the server behind it yet".to_owned()),
    }
}

/// The reason and the message: the reason is what people search for, such as `FailedDiscoveryCheck`.
fn why(available: &Condition<'_>) -> String {
    match (available.reason, available.message) {
        ("", _) => available.explain("the API behind it is not available"),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}
