//! Where a chart comes from.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the chart comes from: exactly one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.repository), has(self.oci), has(self.inline), has(self.configMap), has(self.secret)].filter(x, x).size() == 1").message("set exactly one of repository, oci, inline, configMap, secret"))]
pub struct ChartSource {
    /// A chart repository that is served over HTTP (`index.yaml` and packages).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepositoryChart>,
    /// A chart in an OCI registry, as `helm push` puts it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciChart>,
    /// The chart's files, written here. Templates that end in `.hbs` are Handlebars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<InlineChart>,
    /// A packaged chart (`.tgz`) in `binaryData` of a ConfigMap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<KeyRef>,
    /// A packaged chart (`.tgz`) in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeyRef>,
}

/// A chart of an HTTP chart repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryChart {
    /// The repository's address, without `index.yaml`.
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://"))]
    pub url: String,
    /// The chart's name in the index.
    #[schemars(length(min = 1, max = 250))]
    pub name: String,
    /// A version or a range as Helm reads it, `>=6 <7`; the newest stable one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 250))]
    pub version: Option<String>,
    /// A Secret with `username` and `password`, or `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NameRef>,
    /// A Secret with `ca.crt`: the authorities to trust for this repository, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<NameRef>,
    /// A Secret with `tls.crt` and `tls.key`, PEM: the certificate to show to this repository. A `ca.crt` in it is
    /// trusted as that of `caSecretRef` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<NameRef>,
    /// Which proof of origin the chart has to have. Without it, it is not rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<RepositoryVerification>,
}

/// The proof of origin of a chart in a chart repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryVerification {
    /// A provenance file beside the package, as `helm package --sign` writes it.
    pub provenance: ProvenanceKeys,
}

/// The proof of origin of a chart in a registry: what is set has to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.provenance) || has(self.cosign)").message("set provenance, cosign or both"))]
pub struct OciVerification {
    /// A provenance file in the chart's manifest, as `helm package --sign` writes and `helm push` pushes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<ProvenanceKeys>,
    /// A signature of the chart's manifest, as `cosign sign --key` makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosign: Option<CosignKeys>,
}

/// Who may sign provenance files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceKeys {
    /// A Secret each of whose keys is a PGP keyring, as `gpg --export` writes it. One of its keys has to have signed.
    pub key_secret_ref: NameRef,
}

/// Who may sign manifests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CosignKeys {
    /// A Secret with public keys under keys that end in `.pub`, as `cosign.pub`. One of them has to have signed.
    pub key_secret_ref: NameRef,
}

/// A chart of an OCI registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.version) && has(self.digest))").message("set version or digest, not both"))]
pub struct OciChart {
    /// The chart's address, without tag and digest: `oci://registry.example.org/charts/web`.
    #[schemars(
        length(min = 9, max = 2048),
        regex(pattern = r"^oci://[A-Za-z0-9.\[\]:-]+(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$")
    )]
    pub url: String,
    /// A version, or a range over the tags as Helm reads it, `>=6 <7`; the newest stable one if absent. A `+` of a
    /// version is `_` in its tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 250))]
    pub version: Option<String>,
    /// The SHA-256 of the chart's manifest, instead of a version: what runs then never changes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 71, max = 71), regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
    /// A Secret of type `kubernetes.io/dockerconfigjson`, or one with `username` and `password`, or `token`. If
    /// absent, the pull secrets of the release's service account are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NameRef>,
    /// A Secret with `ca.crt`: the authorities to trust for this registry, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<NameRef>,
    /// A Secret with `tls.crt` and `tls.key`, PEM: the certificate to show to this registry. A `ca.crt` in it is
    /// trusted as that of `caSecretRef` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<NameRef>,
    /// Which proof of origin the chart has to have. Without it, it is not rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<OciVerification>,
    /// Speak HTTP without TLS. What travels, credentials included, can then be read and changed on the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
}

/// A chart written into the release itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InlineChart {
    /// Path in the chart, such as `templates/web.yaml`, to the file's text.
    #[schemars(extend("maxProperties" = 512))]
    pub files: BTreeMap<String, String>,
}

/// A key of a ConfigMap or Secret in the release's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in its data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Another release that has to be Ready first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// The name of its `HelmRelease`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The namespace of its `HelmRelease`; the own one if absent. Another needs the operator's
    /// `--allow-cross-namespace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// An object in the release's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NameRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
