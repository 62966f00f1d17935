//! `--verify` and `--keyring`: a chart is taken only if a provenance file proves who packaged it, as with helm.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use belay_api::helm_release::{
    ChartSource, NameRef, OciVerification, ProvenanceKeys, RepositoryVerification,
};
use belay_source::{Keyring, Package, PackageDigest, verify_package};
use clap::Args;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;

use crate::error::{Error, told_once};
use crate::locate;

/// The flags that ask for a proof of origin.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Proof {
    /// Take the chart only if its provenance file is signed by a key of the keyring
    #[arg(long)]
    verify: bool,
    /// The keys that count for --verify, as `gpg --export` writes them [default: pubring.gpg in gpg's folder]
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

/// The key of a keyring in its Secret.
const KEYRING_KEY: &str = "keyring.gpg";

impl Proof {
    /// The keys of which one has to have signed; none if no proof is asked for.
    pub(crate) fn keyring(&self) -> Result<Option<Keyring>, Error> {
        self.verify.then(|| self.read_own()).transpose()
    }

    /// Whether the package at a path is proven by the provenance file beside it, if that is asked for.
    pub(crate) fn check(&self, path: &Path) -> Result<(), Error> {
        if !self.verify {
            return Ok(());
        }
        if path.is_dir() {
            return Err(Error::Template(
                "unpacked charts cannot be verified".to_owned(),
            ));
        }
        // Helm's order: the file, the keys, the signature.
        let provenance = beside(path)?;
        let keyring = self.read_own()?;
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let package = Package {
            bytes: bytes.into(),
            origin: path.display().to_string(),
        };
        verify_package(&package, &name, &provenance, &keyring, SystemTime::now())
            .map_err(|error| Error::Template(told_once(&error)))
    }

    /// Makes a HelmRelease ask for the proof as well, at each look: `verify` in its chart, and the Secret with the keys
    /// that this names. Charts that travel with the HelmRelease were checked here.
    pub(crate) fn demand(
        &self,
        release: &str,
        chart: &mut ChartSource,
    ) -> Result<Option<Secret>, Error> {
        let travels = chart.repository.is_none() && chart.oci.is_none();
        if !self.verify || travels {
            return Ok(None);
        }
        let (file, content) = self.read()?;
        // The cluster gets no private key, whatever is in the file.
        Keyring::read([(file.as_str(), content.as_slice())]).map_err(|error| unusable(&error))?;
        let digest = PackageDigest::of(&content).to_string();
        let name = format!("{release}-keyring-{}", &digest[..10]);
        let keys = ProvenanceKeys {
            key_secret_ref: NameRef { name: name.clone() },
        };
        if let Some(repository) = &mut chart.repository {
            repository.verify = Some(RepositoryVerification { provenance: keys });
        } else if let Some(oci) = &mut chart.oci {
            oci.verify = Some(OciVerification {
                provenance: Some(keys),
                cosign: None,
            });
        }
        Ok(Some(Secret {
            metadata: ObjectMeta {
                name: Some(name),
                // Another label than that of ledgers, which are Secrets, too.
                labels: Some([("belay.dev/keyring-of".to_owned(), release.to_owned())].into()),
                ..ObjectMeta::default()
            },
            data: Some([(KEYRING_KEY.to_owned(), ByteString(content))].into()),
            ..Secret::default()
        }))
    }

    fn read_own(&self) -> Result<Keyring, Error> {
        let (file, content) = self.read()?;
        Keyring::read_own(&file, &content).map_err(|error| unusable(&error))
    }

    /// The keyring's file and content.
    fn read(&self) -> Result<(String, Vec<u8>), Error> {
        let file = self.keyring.clone().unwrap_or_else(usual);
        let file = file.display().to_string();
        let content = locate::read(&file)
            .map_err(|error| Error::Template(format!("failed to load keyring: {error}")))?;
        Ok((file, content))
    }
}

/// Keeps the proof that a HelmRelease asks for already, when its chart is from the same place as before: leaving away
/// `--verify` once is no order to trust everybody from then on. What is said about it.
pub(crate) fn keep(chart: &mut ChartSource, before: &ChartSource) -> Option<&'static str> {
    match (&mut chart.repository, &before.repository) {
        (Some(now), Some(before))
            if now.verify.is_none()
                && before.verify.is_some()
                && (&now.url, &now.name) == (&before.url, &before.name) =>
        {
            now.verify.clone_from(&before.verify);
            return Some("chart.repository.verify");
        }
        _ => {}
    }
    match (&mut chart.oci, &before.oci) {
        (Some(now), Some(before))
            if now.verify.is_none() && before.verify.is_some() && now.url == before.url =>
        {
            now.verify.clone_from(&before.verify);
            Some("chart.oci.verify")
        }
        _ => None,
    }
}

/// The provenance file beside a package, or helm's words for that there is none.
fn beside(package: &Path) -> Result<Vec<u8>, Error> {
    let absolute = std::path::absolute(package).unwrap_or_else(|_| package.to_owned());
    let file = format!("{}.prov", absolute.display());
    std::fs::read(&file).map_err(|source| {
        if source.kind() == ErrorKind::NotFound {
            Error::Template(format!(
                "could not load provenance file {file}: stat {file}: no such file or directory"
            ))
        } else {
            Error::Read {
                path: file.into(),
                source,
            }
        }
    })
}

fn unusable(error: &belay_source::BadKeyring) -> Error {
    Error::Template(format!("failed to load keyring: {error}"))
}

/// Where gpg kept public keys before it had keyboxes, and helm still looks for them.
fn usual() -> PathBuf {
    let home = std::env::var_os("GNUPGHOME").filter(|home| !home.is_empty());
    home.map_or_else(
        || {
            std::env::home_dir()
                .unwrap_or_default()
                .join(".gnupg/pubring.gpg")
        },
        |home| PathBuf::from(home).join("pubring.gpg"),
    )
}

#[cfg(test)]
mod tests {
    use belay_api::helm_release::{OciChart, RepositoryChart};

    use super::*;

    fn keys() -> ProvenanceKeys {
        ProvenanceKeys {
            key_secret_ref: NameRef {
                name: "keys".to_owned(),
            },
        }
    }

    fn repository(url: &str, verified: bool) -> ChartSource {
        ChartSource {
            repository: Some(RepositoryChart {
                url: url.to_owned(),
                name: "web".to_owned(),
                verify: verified.then(|| RepositoryVerification { provenance: keys() }),
                ..RepositoryChart::default()
            }),
            ..ChartSource::default()
        }
    }

    fn registry(url: &str, verified: bool) -> ChartSource {
        ChartSource {
            oci: Some(OciChart {
                url: url.to_owned(),
                verify: verified.then(|| OciVerification {
                    provenance: Some(keys()),
                    cosign: None,
                }),
                ..OciChart::default()
            }),
            ..ChartSource::default()
        }
    }

    #[test]
    fn a_proof_that_was_asked_for_stays_asked_for_at_the_same_place() {
        for (of, field) in [
            (
                repository as fn(&str, bool) -> ChartSource,
                "chart.repository.verify",
            ),
            (registry, "chart.oci.verify"),
        ] {
            let mut same = of("oci://a.example/web", false);
            let mut other = of("oci://b.example/web", false);
            let before = of("oci://a.example/web", true);

            assert_eq!(keep(&mut same, &before), Some(field));
            assert_eq!(same, before);
            assert_eq!(keep(&mut other, &before), None);
            assert_eq!(keep(&mut same, &before), None, "nothing new to tell");
        }
    }
}
