//! API versions that Kubernetes gives up.

use std::fmt::Write as _;

use super::object::Object;
use crate::capabilities::{Capabilities, KubeVersion};

/// Kinds of one API version: the minor versions of Kubernetes 1 in which they are deprecated and, if ever, removed, and
/// each kind with what takes its place, empty when nothing does. From the life cycles that Kubernetes 1.36 declares.
struct Given {
    api_version: &'static str,
    deprecated: u32,
    removed: Option<u32>,
    kinds: &'static [(&'static str, &'static str)],
}

/// What Helm says about the object if its API version is deprecated in this version of Kubernetes.
pub(super) fn deprecation(object: &Object, kube_version: Option<&KubeVersion>) -> Option<String> {
    let newest = Capabilities::default().kube_version;
    let minor: u32 = kube_version.unwrap_or(&newest).minor.parse().ok()?;
    let (api_version, kind) = (object.api_version.as_str(), object.kind.as_str());
    // The list of a kind goes with it.
    let (one, list) = match kind.strip_suffix("List") {
        Some(one) if !one.is_empty() => (one, "List"),
        _ => (kind, ""),
    };
    let given = GIVEN_UP
        .iter()
        .filter(|given| given.api_version == api_version && given.deprecated <= minor)
        .find_map(|given| {
            let found = given.kinds.iter().find(|(name, _)| *name == one)?;
            Some((given, found.1))
        });
    let (given, instead) = given?;
    let mut text = format!(
        "{api_version} {kind} is deprecated in v1.{}+",
        given.deprecated
    );
    if let Some(removed) = given.removed {
        let _ = write!(text, ", unavailable in v1.{removed}+");
    }
    if !instead.is_empty() {
        let _ = write!(text, "; use {instead}{list}");
    }
    Some(text)
}

const GIVEN_UP: &[Given] = &[
    Given {
        api_version: "admissionregistration.k8s.io/v1alpha1",
        deprecated: 35,
        removed: Some(38),
        kinds: &[
            ("MutatingAdmissionPolicy", ""),
            ("MutatingAdmissionPolicyBinding", ""),
        ],
    },
    Given {
        api_version: "admissionregistration.k8s.io/v1alpha1",
        deprecated: 29,
        removed: Some(32),
        kinds: &[
            ("ValidatingAdmissionPolicy", ""),
            ("ValidatingAdmissionPolicyBinding", ""),
        ],
    },
    Given {
        api_version: "admissionregistration.k8s.io/v1beta1",
        deprecated: 37,
        removed: Some(40),
        kinds: &[
            (
                "MutatingAdmissionPolicy",
                "admissionregistration.k8s.io/v1 MutatingAdmissionPolicy",
            ),
            (
                "MutatingAdmissionPolicyBinding",
                "admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding",
            ),
        ],
    },
    Given {
        api_version: "admissionregistration.k8s.io/v1beta1",
        deprecated: 16,
        removed: Some(22),
        kinds: &[
            (
                "MutatingWebhookConfiguration",
                "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
            ),
            (
                "ValidatingWebhookConfiguration",
                "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
            ),
        ],
    },
    Given {
        api_version: "admissionregistration.k8s.io/v1beta1",
        deprecated: 31,
        removed: Some(34),
        kinds: &[
            ("ValidatingAdmissionPolicy", ""),
            ("ValidatingAdmissionPolicyBinding", ""),
        ],
    },
    Given {
        api_version: "apps/v1beta1",
        deprecated: 8,
        removed: Some(16),
        kinds: &[
            ("ControllerRevision", "apps/v1 ControllerRevision"),
            ("Deployment", "apps/v1 Deployment"),
            ("DeploymentRollback", "apps/v1 DeploymentRollback"),
            ("Scale", "autoscaling/v1 Scale"),
            ("StatefulSet", "apps/v1 StatefulSet"),
        ],
    },
    Given {
        api_version: "apps/v1beta2",
        deprecated: 9,
        removed: Some(16),
        kinds: &[
            ("ControllerRevision", "apps/v1 ControllerRevision"),
            ("DaemonSet", "apps/v1 DaemonSet"),
            ("Deployment", "apps/v1 Deployment"),
            ("ReplicaSet", "apps/v1 ReplicaSet"),
            ("Scale", "autoscaling/v1 Scale"),
            ("StatefulSet", "apps/v1 StatefulSet"),
        ],
    },
    Given {
        api_version: "authentication.k8s.io/v1alpha1",
        deprecated: 29,
        removed: Some(32),
        kinds: &[("SelfSubjectReview", "")],
    },
    Given {
        api_version: "authentication.k8s.io/v1beta1",
        deprecated: 30,
        removed: Some(33),
        kinds: &[("SelfSubjectReview", "")],
    },
    Given {
        api_version: "authentication.k8s.io/v1beta1",
        deprecated: 19,
        removed: Some(22),
        kinds: &[("TokenReview", "authentication.k8s.io/v1 TokenReview")],
    },
    Given {
        api_version: "authorization.k8s.io/v1beta1",
        deprecated: 19,
        removed: Some(22),
        kinds: &[
            (
                "LocalSubjectAccessReview",
                "authorization.k8s.io/v1 LocalSubjectAccessReview",
            ),
            (
                "SelfSubjectAccessReview",
                "authorization.k8s.io/v1 SelfSubjectAccessReview",
            ),
            (
                "SelfSubjectRulesReview",
                "authorization.k8s.io/v1 SelfSubjectRulesReview",
            ),
            (
                "SubjectAccessReview",
                "authorization.k8s.io/v1 SubjectAccessReview",
            ),
        ],
    },
    Given {
        api_version: "batch/v1beta1",
        deprecated: 21,
        removed: Some(25),
        kinds: &[("CronJob", "batch/v1 CronJob")],
    },
    Given {
        api_version: "certificates.k8s.io/v1alpha1",
        deprecated: 34,
        removed: Some(37),
        kinds: &[("ClusterTrustBundle", "")],
    },
    Given {
        api_version: "certificates.k8s.io/v1beta1",
        deprecated: 19,
        removed: Some(22),
        kinds: &[(
            "CertificateSigningRequest",
            "certificates.k8s.io/v1 CertificateSigningRequest",
        )],
    },
    Given {
        api_version: "certificates.k8s.io/v1beta1",
        deprecated: 37,
        removed: Some(40),
        kinds: &[("ClusterTrustBundle", "")],
    },
    Given {
        api_version: "certificates.k8s.io/v1beta1",
        deprecated: 38,
        removed: Some(41),
        kinds: &[("PodCertificateRequest", "")],
    },
    Given {
        api_version: "coordination.k8s.io/v1alpha2",
        deprecated: 35,
        removed: Some(38),
        kinds: &[("LeaseCandidate", "")],
    },
    Given {
        api_version: "coordination.k8s.io/v1beta1",
        deprecated: 19,
        removed: Some(22),
        kinds: &[("Lease", "coordination.k8s.io/v1 Lease")],
    },
    Given {
        api_version: "coordination.k8s.io/v1beta1",
        deprecated: 36,
        removed: Some(39),
        kinds: &[("LeaseCandidate", "")],
    },
    Given {
        api_version: "discovery.k8s.io/v1beta1",
        deprecated: 21,
        removed: Some(25),
        kinds: &[("EndpointSlice", "discovery.k8s.io/v1 EndpointSlice")],
    },
    Given {
        api_version: "events.k8s.io/v1beta1",
        deprecated: 22,
        removed: Some(25),
        kinds: &[("Event", "")],
    },
    Given {
        api_version: "extensions/v1beta1",
        deprecated: 8,
        removed: Some(16),
        kinds: &[
            ("DaemonSet", "apps/v1 DaemonSet"),
            ("Deployment", "apps/v1 Deployment"),
            ("DeploymentRollback", ""),
            ("ReplicaSet", "apps/v1 ReplicaSet"),
        ],
    },
    Given {
        api_version: "extensions/v1beta1",
        deprecated: 14,
        removed: Some(22),
        kinds: &[("Ingress", "networking.k8s.io/v1 Ingress")],
    },
    Given {
        api_version: "extensions/v1beta1",
        deprecated: 9,
        removed: Some(16),
        kinds: &[("NetworkPolicy", "networking.k8s.io/v1 NetworkPolicy")],
    },
    Given {
        api_version: "extensions/v1beta1",
        deprecated: 2,
        removed: Some(16),
        kinds: &[("Scale", "")],
    },
    Given {
        api_version: "flowcontrol.apiserver.k8s.io/v1beta1",
        deprecated: 23,
        removed: Some(26),
        kinds: &[
            (
                "FlowSchema",
                "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema",
            ),
            (
                "PriorityLevelConfiguration",
                "flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration",
            ),
        ],
    },
    Given {
        api_version: "flowcontrol.apiserver.k8s.io/v1beta2",
        deprecated: 26,
        removed: Some(29),
        kinds: &[
            (
                "FlowSchema",
                "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema",
            ),
            (
                "PriorityLevelConfiguration",
                "flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration",
            ),
        ],
    },
    Given {
        api_version: "flowcontrol.apiserver.k8s.io/v1beta3",
        deprecated: 29,
        removed: Some(32),
        kinds: &[
            ("FlowSchema", "flowcontrol.apiserver.k8s.io/v1 FlowSchema"),
            (
                "PriorityLevelConfiguration",
                "flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration",
            ),
        ],
    },
    Given {
        api_version: "networking.k8s.io/v1beta1",
        deprecated: 34,
        removed: Some(37),
        kinds: &[("IPAddress", ""), ("ServiceCIDR", "")],
    },
    Given {
        api_version: "networking.k8s.io/v1beta1",
        deprecated: 19,
        removed: Some(22),
        kinds: &[
            ("Ingress", "networking.k8s.io/v1 Ingress"),
            ("IngressClass", "networking.k8s.io/v1 IngressClassList"),
        ],
    },
    Given {
        api_version: "node.k8s.io/v1beta1",
        deprecated: 22,
        removed: Some(25),
        kinds: &[("RuntimeClass", "")],
    },
    Given {
        api_version: "policy/v1beta1",
        deprecated: 22,
        removed: Some(25),
        kinds: &[("Eviction", "")],
    },
    Given {
        api_version: "policy/v1beta1",
        deprecated: 21,
        removed: Some(25),
        kinds: &[("PodDisruptionBudget", "policy/v1 PodDisruptionBudget")],
    },
    Given {
        api_version: "rbac.authorization.k8s.io/v1beta1",
        deprecated: 17,
        removed: Some(22),
        kinds: &[
            ("ClusterRole", "rbac.authorization.k8s.io/v1 ClusterRole"),
            (
                "ClusterRoleBinding",
                "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
            ),
            ("Role", "rbac.authorization.k8s.io/v1 Role"),
            ("RoleBinding", "rbac.authorization.k8s.io/v1 RoleBinding"),
        ],
    },
    Given {
        api_version: "resource.k8s.io/v1alpha3",
        deprecated: 36,
        removed: Some(39),
        kinds: &[("DeviceTaintRule", "")],
    },
    Given {
        api_version: "resource.k8s.io/v1alpha3",
        deprecated: 39,
        removed: Some(42),
        kinds: &[("ResourcePoolStatusRequest", "")],
    },
    Given {
        api_version: "resource.k8s.io/v1beta1",
        deprecated: 35,
        removed: Some(38),
        kinds: &[
            ("DeviceClass", ""),
            ("ResourceClaim", ""),
            ("ResourceClaimTemplate", ""),
            ("ResourceSlice", ""),
        ],
    },
    Given {
        api_version: "resource.k8s.io/v1beta2",
        deprecated: 36,
        removed: Some(39),
        kinds: &[
            ("DeviceClass", ""),
            ("ResourceClaim", ""),
            ("ResourceClaimTemplate", ""),
            ("ResourceSlice", ""),
        ],
    },
    Given {
        api_version: "resource.k8s.io/v1beta2",
        deprecated: 39,
        removed: Some(42),
        kinds: &[("DeviceTaintRule", "")],
    },
    Given {
        api_version: "scheduling.k8s.io/v1beta1",
        deprecated: 14,
        removed: Some(22),
        kinds: &[("PriorityClass", "scheduling.k8s.io/v1 PriorityClass")],
    },
    Given {
        api_version: "storage.k8s.io/v1alpha1",
        deprecated: 21,
        removed: Some(24),
        kinds: &[
            (
                "CSIStorageCapacity",
                "storage.k8s.io/v1beta1 CSIStorageCapacity",
            ),
            ("VolumeAttachment", "storage.k8s.io/v1 VolumeAttachment"),
        ],
    },
    Given {
        api_version: "storage.k8s.io/v1alpha1",
        deprecated: 32,
        removed: Some(35),
        kinds: &[(
            "VolumeAttributesClass",
            "storage.k8s.io/v1 VolumeAttributesClass",
        )],
    },
    Given {
        api_version: "storage.k8s.io/v1beta1",
        deprecated: 19,
        removed: Some(22),
        kinds: &[
            ("CSIDriver", "storage.k8s.io/v1 CSIDriver"),
            ("StorageClass", "storage.k8s.io/v1 StorageClass"),
            ("VolumeAttachment", "storage.k8s.io/v1 VolumeAttachment"),
        ],
    },
    Given {
        api_version: "storage.k8s.io/v1beta1",
        deprecated: 17,
        removed: Some(22),
        kinds: &[("CSINode", "storage.k8s.io/v1 CSINode")],
    },
    Given {
        api_version: "storage.k8s.io/v1beta1",
        deprecated: 24,
        removed: Some(27),
        kinds: &[("CSIStorageCapacity", "storage.k8s.io/v1 CSIStorageCapacity")],
    },
    Given {
        api_version: "storage.k8s.io/v1beta1",
        deprecated: 34,
        removed: Some(37),
        kinds: &[(
            "VolumeAttributesClass",
            "storage.k8s.io/v1 VolumeAttributesClass",
        )],
    },
    Given {
        api_version: "storagemigration.k8s.io/v1beta1",
        deprecated: 38,
        removed: Some(41),
        kinds: &[("StorageVersionMigration", "")],
    },
    Given {
        api_version: "v1",
        deprecated: 19,
        removed: None,
        kinds: &[("ComponentStatus", "")],
    },
    Given {
        api_version: "v1",
        deprecated: 33,
        removed: None,
        kinds: &[("Endpoints", "discovery.k8s.io/v1 EndpointSlice")],
    },
];
