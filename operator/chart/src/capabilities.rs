//! What a chart may ask about the cluster and about Helm.

use crate::error::ChartError;

/// The Kubernetes version of the libraries that the pinned Helm is built with.
const DEFAULT_MINOR: u64 = 36;

/// `.Capabilities`.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// The cluster's version.
    pub kube_version: KubeVersion,
    /// `group/version` and, from a cluster, `group/version/Kind`; what `.Capabilities.APIVersions.Has` knows.
    pub api_versions: Vec<String>,
    /// The Helm whose behaviour this is.
    pub helm_version: HelmVersion,
}

impl Default for Capabilities {
    /// What Helm assumes when it talks to no cluster.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion::new(1, DEFAULT_MINOR),
            api_versions: KNOWN_VERSIONS
                .iter()
                .map(|version| (*version).to_owned())
                .collect(),
            helm_version: HelmVersion::default(),
        }
    }
}

/// A Kubernetes version as charts see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// The whole text, with a `v` before it, for example `v1.33.4-gke.1245000`.
    pub version: String,
    /// Only its numbers, which ranges are compared with, for example `v1.33.4`.
    pub normalized: String,
    /// For example `1`.
    pub major: String,
    /// For example `33`.
    pub minor: String,
}

impl KubeVersion {
    fn new(major: u64, minor: u64) -> Self {
        let version = format!("v{major}.{minor}.0");
        Self {
            normalized: version.clone(),
            version,
            major: major.to_string(),
            minor: minor.to_string(),
        }
    }

    /// Reads a version as `--kube-version` takes it: at least two numbers, anything after them.
    ///
    /// # Errors
    /// When the text does not start with a version.
    pub fn parse(text: &str) -> Result<Self, ChartError> {
        let refused = |message| ChartError::KubeVersion {
            version: text.to_owned(),
            message,
        };
        let trimmed = text.trim_start();
        let digits = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let mut end = 0;
        let mut after_number = false;
        for (at, c) in digits.char_indices() {
            match c {
                '0'..='9' => {
                    end = at + 1;
                    after_number = true;
                }
                '.' if after_number => after_number = false,
                _ => break,
            }
        }
        if end == 0 {
            return Err(refused(format!("could not parse {text:?} as version")));
        }
        let parts: Vec<&str> = digits[..end].split('.').collect();
        let [major, _, ..] = parts.as_slice() else {
            return Err(refused(format!("illegal version string {text:?}")));
        };
        if major.len() > 1 && major.starts_with('0') {
            return Err(refused(format!(
                "illegal zero-prefixed version component {major:?} in {text:?}"
            )));
        }
        let mut numbers = Vec::new();
        for part in &parts {
            numbers.push(part.parse::<u64>().map_err(|_| {
                refused(format!(
                    "illegal non-numeric version component {part:?} in {text:?}: strconv.ParseUint: parsing {part:?}: value out of range"
                ))
            })?);
        }
        let shown: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let version = if text.starts_with('v') {
            text.to_owned()
        } else {
            format!("v{text}")
        };
        Ok(Self {
            version,
            normalized: format!("v{}", shown.join(".")),
            major: shown[0].clone(),
            minor: shown[1].clone(),
        })
    }
}

/// `.Capabilities.HelmVersion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmVersion {
    /// For example `v4.2.3`.
    pub version: String,
    /// Commit that Helm was built from, often empty.
    pub git_commit: String,
    /// `clean`, `dirty` or empty.
    pub git_tree_state: String,
    /// The Go that built it.
    pub go_version: String,
    /// The Kubernetes version of its libraries.
    pub kube_client_version: String,
}

impl Default for HelmVersion {
    /// The Helm that the tests compare with.
    fn default() -> Self {
        Self {
            version: "v4.2.3".to_owned(),
            git_commit: String::new(),
            git_tree_state: String::new(),
            go_version: "go1.26.8".to_owned(),
            kube_client_version: format!("v1.{DEFAULT_MINOR}"),
        }
    }
}

/// The API versions that Helm knows without a cluster, in its order.
const KNOWN_VERSIONS: [&str; 55] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_keeps_its_suffix_but_is_compared_without() {
        let version = KubeVersion::parse("1.33.4-gke.1245000").unwrap();
        assert_eq!(version.version, "v1.33.4-gke.1245000");
        assert_eq!(version.normalized, "v1.33.4");
        assert_eq!(
            (version.major.as_str(), version.minor.as_str()),
            ("1", "33")
        );
        assert_eq!(KubeVersion::parse("v1.30").unwrap().normalized, "v1.30");
        assert_eq!(KubeVersion::parse("1.30.").unwrap().normalized, "v1.30");
    }

    #[test]
    fn what_is_no_version_is_refused_in_helms_words() {
        for (text, message) in [
            (
                "x",
                "invalid kube version 'x': could not parse \"x\" as version",
            ),
            (
                "1",
                "invalid kube version '1': illegal version string \"1\"",
            ),
            (
                "01.2",
                "invalid kube version '01.2': illegal zero-prefixed version component \"01\" in \"01.2\"",
            ),
        ] {
            assert_eq!(KubeVersion::parse(text).unwrap_err().to_string(), message);
        }
    }
}
