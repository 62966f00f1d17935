//! `CustomResourceDefinition`: served, or refused because of its names.

use serde_json::Value;

use crate::field::{Condition, condition};
use crate::progress::ProgressReason;
use crate::verdict::Verdict;

pub(crate) fn judge(object: &Value) -> Verdict {
    if let Some(refused) = condition(object, "NamesAccepted").filter(Condition::is_false) {
        return Verdict::failed(
            refused.reason_or("NamesNotAccepted"),
            refused.explain("its names are taken by another definition"),
        );
    }
    match condition(object, "Established") {
        Some(established) if established.is_true() => Verdict::Current,
        Some(refused)
            if refused.is_false()
                && !matches!(refused.reason, "" | "Installing" | "InitialNamesAccepted") =>
        {
            Verdict::failed(refused.reason, refused.explain("it is not served"))
        }
        _ => Verdict::progressing(ProgressReason::NotEstablished, "it is not served yet"),
    }
}
