//! How the lists of Kubernetes' own kinds are merged: by a key, as a set, or not at all.
//!
//! From the tags `patchStrategy` and `patchMergeKey` of `k8s.io/api` 0.36, those of statuses left out, as no chart has
//! one. What is not in here is not tagged: lists are replaced, everything else is merged. So are custom resources.

/// How the old and the new value of a field come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Objects field by field, everything else replaced.
    Usual,
    /// The new value, even of an object.
    Replace,
    /// A list of objects that are told apart by this field.
    ByKey(&'static str),
    /// A list of plain values, each once.
    Set,
}

/// A field that is not merged in the usual way, or that has such fields inside.
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    pub(crate) strategy: Strategy,
    pub(crate) fields: Fields,
}

/// The fields of an object, or of the objects in a list.
pub(crate) type Fields = &'static [Field];

/// What holds for a field of which nothing is known.
pub(crate) const UNKNOWN: Field = Field {
    name: "",
    strategy: Strategy::Usual,
    fields: &[],
};

/// What is known of the field `name`.
pub(crate) fn field(fields: Fields, name: &str) -> &'static Field {
    fields
        .iter()
        .find(|field| field.name == name)
        .unwrap_or(&UNKNOWN)
}

const fn within(name: &'static str, fields: Fields) -> Field {
    Field {
        name,
        strategy: Strategy::Usual,
        fields,
    }
}

const fn keyed(name: &'static str, key: &'static str, fields: Fields) -> Field {
    Field {
        name,
        strategy: Strategy::ByKey(key),
        fields,
    }
}

const fn set(name: &'static str) -> Field {
    Field {
        name,
        strategy: Strategy::Set,
        fields: &[],
    }
}

const METADATA: Fields = &[set("finalizers"), keyed("ownerReferences", "uid", &[])];

const CONTAINER: Fields = &[
    keyed("env", "name", &[]),
    keyed("ports", "containerPort", &[]),
    keyed("volumeDevices", "devicePath", &[]),
    keyed("volumeMounts", "mountPath", &[]),
];

const POD: Fields = &[
    keyed("containers", "name", CONTAINER),
    keyed("ephemeralContainers", "name", CONTAINER),
    keyed("hostAliases", "ip", &[]),
    keyed("imagePullSecrets", "name", &[]),
    keyed("initContainers", "name", CONTAINER),
    keyed("resourceClaims", "name", &[]),
    keyed("schedulingGates", "name", &[]),
    keyed("topologySpreadConstraints", "topologyKey", &[]),
    keyed("volumes", "name", &[]),
];

const TEMPLATE: Fields = &[within("metadata", METADATA), within("spec", POD)];
const TEMPLATED: Fields = &[within("template", TEMPLATE)];
const CONDITIONED: Fields = &[keyed("matchConditions", "name", &[])];

const PLAIN_KIND: Fields = &[within("metadata", METADATA)];
const POD_KIND: Fields = TEMPLATE;
const TEMPLATED_KIND: Fields = &[within("metadata", METADATA), within("spec", TEMPLATED)];
const POD_TEMPLATE_KIND: Fields = &[within("metadata", METADATA), within("template", TEMPLATE)];
const CRON_JOB_KIND: Fields = &[
    within("metadata", METADATA),
    within(
        "spec",
        &[within(
            "jobTemplate",
            &[within("metadata", METADATA), within("spec", TEMPLATED)],
        )],
    ),
];
const SERVICE_KIND: Fields = &[
    within("metadata", METADATA),
    within("spec", &[keyed("ports", "port", &[])]),
];
const SERVICE_ACCOUNT_KIND: Fields = &[within("metadata", METADATA), keyed("secrets", "name", &[])];
const NODE_KIND: Fields = &[
    within("metadata", METADATA),
    within("spec", &[set("podCIDRs")]),
];
const DISRUPTION_BUDGET_KIND: Fields = &[
    within("metadata", METADATA),
    within(
        "spec",
        &[Field {
            name: "selector",
            strategy: Strategy::Replace,
            fields: &[],
        }],
    ),
];
const WEBHOOKS_KIND: Fields = &[
    within("metadata", METADATA),
    keyed("webhooks", "name", CONDITIONED),
];
const VALIDATING_POLICY_KIND: Fields = &[
    within("metadata", METADATA),
    within(
        "spec",
        &[
            keyed("matchConditions", "name", &[]),
            keyed("variables", "name", &[]),
        ],
    ),
];
const MUTATING_POLICY_KIND: Fields = &[within("metadata", METADATA), within("spec", CONDITIONED)];
const CSI_NODE_KIND: Fields = &[
    within("metadata", METADATA),
    within("spec", &[keyed("drivers", "name", &[])]),
];

/// The fields of a kind.
pub(crate) fn fields_of(group: &str, kind: &str) -> Fields {
    match (group, kind) {
        ("", "Pod") => POD_KIND,
        ("", "PodTemplate") => POD_TEMPLATE_KIND,
        ("", "ReplicationController")
        | ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet")
        | ("batch", "Job") => TEMPLATED_KIND,
        ("batch", "CronJob") => CRON_JOB_KIND,
        ("", "Service") => SERVICE_KIND,
        ("", "ServiceAccount") => SERVICE_ACCOUNT_KIND,
        ("", "Node") => NODE_KIND,
        ("policy", "PodDisruptionBudget") => DISRUPTION_BUDGET_KIND,
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => WEBHOOKS_KIND,
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => VALIDATING_POLICY_KIND,
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy") => MUTATING_POLICY_KIND,
        ("storage.k8s.io", "CSINode") => CSI_NODE_KIND,
        _ => PLAIN_KIND,
    }
}
