//! Annotations that change what is done with a document.

use std::collections::BTreeMap;

/// Makes a document a hook; a comma-separated list of events.
pub const HOOK: &str = "helm.sh/hook";
/// Orders the hooks of an event.
pub const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// When a hook's object is deleted; a comma-separated list.
pub const HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// When a hook's output is shown; a comma-separated list.
pub const HOOK_OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";
/// With the value `keep` an object survives uninstalling and pruning.
pub const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// On a hook: once it ran there is no automatic way back.
pub const IRREVERSIBLE: &str = "belay.dev/irreversible";

/// Whether an object must not be deleted (`helm.sh/resource-policy: keep`, in any case, spaces around it).
pub fn is_kept(annotations: &BTreeMap<String, String>) -> bool {
    annotations
        .get(RESOURCE_POLICY)
        .is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

/// Whether `belay.dev/irreversible` is set. Only `false` unsets it: who writes anything else there means it.
pub fn is_irreversible(annotations: &BTreeMap<String, String>) -> bool {
    annotations
        .get(IRREVERSIBLE)
        .is_some_and(|value| !value.trim().eq_ignore_ascii_case("false"))
}

/// The items of a comma-separated annotation, in lower case and trimmed, as Helm reads them.
pub(crate) fn items(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(|item| item.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotated(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn keep_is_understood_as_helm_understands_it() {
        assert!(is_kept(&annotated(RESOURCE_POLICY, " Keep ")));
        assert!(!is_kept(&annotated(RESOURCE_POLICY, "delete")));
        assert!(!is_kept(&BTreeMap::new()));
    }

    #[test]
    fn a_hook_is_irreversible_unless_it_says_false() {
        for value in ["true", "", "yes"] {
            assert!(is_irreversible(&annotated(IRREVERSIBLE, value)), "{value}");
        }
        assert!(!is_irreversible(&annotated(IRREVERSIBLE, "False")));
        assert!(!is_irreversible(&BTreeMap::new()));
    }
}
