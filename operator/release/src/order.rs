//! In which order kinds are made and unmade.

use std::cmp::Ordering;

/// Helm's order of installation; kinds that are not listed come after all of these.
const INSTALL: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Helm's order of removal. Not quite the other one reversed: `IngressClass` goes after Ingress in both.
const UNINSTALL: [&str; 38] = [
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

/// Compares two kinds by the order of installation. Kinds that Helm does not list come last, in the order of the
/// alphabet; equal kinds keep their order when the sort is stable.
pub fn install_order(a: &str, b: &str) -> Ordering {
    compare(&INSTALL, a, b)
}

/// Compares two kinds by the order of removal; kinds that Helm does not list as in [`install_order`].
pub fn uninstall_order(a: &str, b: &str) -> Ordering {
    compare(&UNINSTALL, a, b)
}

fn compare(order: &[&str], a: &str, b: &str) -> Ordering {
    let rank = |kind: &str| order.iter().position(|listed| *listed == kind);
    match (rank(a), rank(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Whether objects of this kind have a say in what the API server answers about others: admission may refuse or change
/// them, and an `APIService` answers for all kinds of a group, in place of whoever did before.
///
/// Such an object can stand in the way of every other one of its release.
pub fn has_a_say_in_others(group: &str, kind: &str) -> bool {
    match group {
        // Webhook configurations, policies and their bindings, and nothing else.
        "admissionregistration.k8s.io" => true,
        "apiregistration.k8s.io" => kind == "APIService",
        _ => false,
    }
}

/// What is applied first and must be served before the rest can be applied at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waves<T> {
    /// Definitions of custom resources, in the given order.
    pub definitions: Vec<T>,
    /// Everything else, in the given order.
    pub rest: Vec<T>,
}

/// Parts things of an install order into waves by their kind.
pub fn waves<T>(things: impl IntoIterator<Item = T>, kind: impl Fn(&T) -> &str) -> Waves<T> {
    let (definitions, rest) = things
        .into_iter()
        .partition(|thing| kind(thing) == "CustomResourceDefinition");
    Waves { definitions, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_speak_of_the_same_kinds() {
        let sorted = |order: &[&'static str]| {
            let mut kinds = order.to_vec();
            kinds.sort_unstable();
            kinds
        };
        assert_eq!(sorted(&INSTALL), sorted(&UNINSTALL));
    }

    #[test]
    fn unknown_kinds_come_last_by_the_alphabet_and_equal_kinds_keep_their_order() {
        let mut kinds = vec![
            ("Widget", 1),
            ("Service", 2),
            ("", 3),
            ("Namespace", 4),
            ("Widget", 5),
            ("Gadget", 6),
        ];
        kinds.sort_by(|a, b| install_order(a.0, b.0));
        assert_eq!(
            kinds,
            [
                ("Namespace", 4),
                ("Service", 2),
                ("", 3),
                ("Gadget", 6),
                ("Widget", 1),
                ("Widget", 5)
            ]
        );
        kinds.sort_by(|a, b| uninstall_order(a.0, b.0));
        assert_eq!(
            kinds,
            [
                ("Service", 2),
                ("Namespace", 4),
                ("", 3),
                ("Gadget", 6),
                ("Widget", 1),
                ("Widget", 5)
            ]
        );
    }

    #[test]
    fn admission_and_aggregated_apis_have_a_say_in_others() {
        let admission = "admissionregistration.k8s.io";
        for kind in [
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicyBinding",
        ] {
            assert!(has_a_say_in_others(admission, kind), "{kind}");
            assert!(!has_a_say_in_others("example.org", kind), "{kind}");
        }
        assert!(has_a_say_in_others("apiregistration.k8s.io", "APIService"));
        assert!(!has_a_say_in_others("apps", "Deployment"));
        assert!(!has_a_say_in_others("", "Service"));
    }

    #[test]
    fn definitions_go_before_what_may_be_their_instances() {
        let waves = waves(["Secret", "CustomResourceDefinition", "Widget"], |kind| {
            kind
        });
        assert_eq!(waves.definitions, ["CustomResourceDefinition"]);
        assert_eq!(waves.rest, ["Secret", "Widget"]);
    }
}
