//! What a caller asks for: where a chart is, and what opens the door there.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::digest::PackageDigest;
use crate::verify::{Keyring, PublicKeys};

/// Where one chart comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A chart in a classic Helm repository: `index.yaml` and packages over HTTP.
    HttpRepository(HttpRepository),
    /// A chart in an OCI registry.
    Oci(OciChart),
    /// A packaged chart (`.tgz`) that the caller already holds, out of a `ConfigMap` or a Secret.
    Package(Package),
    /// A chart written out file by file.
    Inline(Inline),
}

/// A chart in a classic Helm repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRepository {
    /// The repository's address, without `index.yaml`: `https://charts.example.org/stable`.
    ///
    /// A user and password inside it are used as [`Credentials::Basic`] when [`credentials`](Self::credentials) is
    /// empty; they never appear in a message.
    pub url: String,
    /// The chart's name in the index.
    pub name: String,
    /// A version or a range in Masterminds' syntax (`6.1.0`, `>=6 <7`, `~1.2`). `None` or empty means the newest
    /// stable version, as with Helm.
    pub version: Option<String>,
    /// What the repository asks for. Sent to the repository's own origin (scheme, host and port) and nowhere else.
    pub credentials: Option<Credentials>,
    /// PEM certificates of authorities that are trusted besides the system's.
    pub ca_bundle: Option<String>,
    /// Shown to servers that ask for a certificate in TLS.
    pub client_certificate: Option<ClientCertificate>,
    /// The keys of which one has to have signed the package's provenance file, `PACKAGE.prov` beside the package.
    pub provenance: Option<Keyring>,
}

/// A chart in an OCI registry, as `helm push` puts it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OciChart {
    /// The chart's address, without tag and digest: `oci://registry.example.org/charts/web`.
    pub url: String,
    /// Which of the manifests there.
    pub pick: Pick,
    /// What the registry asks for. Sent to the registry's own origin, and to the token service that it names over
    /// the same scheme.
    pub credentials: Option<Credentials>,
    /// PEM certificates of authorities that are trusted besides the system's.
    pub ca_bundle: Option<String>,
    /// Shown to servers that ask for a certificate in TLS.
    pub client_certificate: Option<ClientCertificate>,
    /// The keys of which one has to have signed the package's provenance file, which `helm push` puts beside the
    /// package.
    pub provenance: Option<Keyring>,
    /// The keys of which one has to have signed the manifest, as `cosign sign --key` does.
    pub cosign: Option<PublicKeys>,
    /// Speak HTTP without TLS. What travels, credentials included, can then be read and changed on the way.
    pub plain_http: bool,
}

/// Which manifest of a repository in a registry is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A version or a range over the tags, in Masterminds' syntax. A tag says `_` where a version says `+`, as with
    /// Helm. `None` or empty means the newest stable version.
    Version(Option<String>),
    /// The manifest with this SHA-256, whatever its tags.
    Digest(PackageDigest),
}

impl Default for Pick {
    fn default() -> Self {
        Self::Version(None)
    }
}

/// A packaged chart that the caller holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The package: a gzipped tar archive, as `helm package` writes it.
    pub bytes: Bytes,
    /// Where the bytes are from, for messages: `ConfigMap shop/charts, key web.tgz`.
    pub origin: String,
}

/// A chart written out file by file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// Path within the chart (`Chart.yaml`, `templates/web.yaml`) to content.
    pub files: BTreeMap<String, String>,
    /// Where the files are from, for messages: `spec.chart.inline`.
    pub origin: String,
}

/// What opens a repository's door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// HTTP basic authentication.
    Basic {
        /// The user's name; may be empty.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that is sent as `Authorization: Bearer …`.
    Bearer(Secret),
}

/// A certificate by which servers know their client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate and those that it was signed by, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: Secret,
}

/// A text that no log and no message shows: its `Debug` form is masked, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_in_debug_output() {
        let credentials = Credentials::Basic {
            username: "jane".into(),
            password: Secret::new("hunter2"),
        };

        let shown = format!("{credentials:?}");

        assert!(shown.contains("jane"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
