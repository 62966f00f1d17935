//! Secrets that a chart's source names: what opens it, and by which keys its charts are signed.

use belay_api::Reason;
use belay_api::helm_release::{CosignKeys, NameRef, ProvenanceKeys};
use belay_source::{
    ClientCertificate, Credentials, Keyring, PublicKeys, Secret as Hidden, docker_credentials,
};
use k8s_openapi::api::core::v1::Secret;

use super::desired::Refusal;
use super::reading::Reading;
use crate::error::Error;

/// Why a source cannot be described.
pub(super) enum Stop {
    /// What was asked for is wrong or not there.
    Refused(Refusal),
    /// It could not be looked at.
    Failed(Error),
}

impl Stop {
    /// Something that only a change of the spec or of what it names cures.
    pub(super) fn wrong(message: &str) -> Self {
        Self::Refused(Refusal::lasting(Reason::SpecInvalid, message))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where in a spec Secrets are named.
pub(super) struct Place<'p, 'c> {
    reading: &'p mut Reading<'c>,
    field: &'p str,
}

/// What a Secret for TLS holds.
#[derive(Default)]
pub(super) struct Certificate {
    /// What is shown to the other side.
    pub(super) shown: Option<ClientCertificate>,
    /// Authorities to trust, PEM.
    trusted: Option<String>,
}

impl Certificate {
    /// All authorities that are trusted, these and those.
    pub(super) fn trusting(&self, others: Option<String>) -> Option<String> {
        match (&self.trusted, others) {
            (Some(own), Some(others)) => Some(format!("{own}\n{others}")),
            (own, others) => own.clone().or(others),
        }
    }
}

/// What a Secret for a repository has to hold.
const PLAIN: &str = "has neither token nor username and password";
/// The key of a pull secret.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

impl<'p, 'c> Place<'p, 'c> {
    pub(super) fn new(reading: &'p mut Reading<'c>, field: &'p str) -> Self {
        Self { reading, field }
    }

    /// What opens a repository.
    pub(super) async fn credentials(
        &mut self,
        reference: Option<&NameRef>,
    ) -> Result<Option<Credentials>, Stop> {
        let Some(reference) = reference else {
            return Ok(None);
        };
        let secret = self.secret("secretRef", reference).await?;
        match plain_credentials(&secret) {
            Some(credentials) => Ok(Some(credentials)),
            None => Err(self.useless("secretRef", reference, PLAIN)),
        }
    }

    /// What opens a registry.
    pub(super) async fn registry_credentials(
        &mut self,
        reference: &NameRef,
        url: &str,
    ) -> Result<Credentials, Stop> {
        let secret = self.secret("secretRef", reference).await?;
        registry_credentials(&secret, url)
            .map_err(|lacks| self.useless("secretRef", reference, &lacks))
    }

    /// What opens a registry, out of the pull secrets of the release's service account, as the kubelet looks for it:
    /// those that do not exist, or are about other registries, are passed over.
    pub(super) async fn pull_secrets(&mut self, url: &str) -> Result<Option<Credentials>, Stop> {
        for name in self.reading.pull_secrets().await? {
            let secret = match self.reading.secret(&name).await {
                Err(error) if error.is_access_denied() => continue,
                found => found?,
            };
            let config = secret.and_then(|secret| text_of(secret, DOCKER_CONFIG));
            let found = config.map(|config| docker_credentials(config.as_bytes(), url));
            if let Some(Ok(Some(credentials))) = found {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    /// The certificate to show.
    pub(super) async fn certificate(
        &mut self,
        reference: Option<&NameRef>,
    ) -> Result<Certificate, Stop> {
        let Some(reference) = reference else {
            return Ok(Certificate::default());
        };
        let secret = self.secret("certSecretRef", reference).await?;
        let text = |key: &str| text_of(&secret, key);
        let shown = match (text("tls.crt"), text("tls.key")) {
            (Some(certificate), Some(key)) => Some(ClientCertificate {
                certificate,
                key: Hidden::new(key),
            }),
            (None, None) if text("ca.crt").is_some() => None,
            _ => {
                let lacks = "lacks tls.crt or tls.key";
                return Err(self.useless("certSecretRef", reference, lacks));
            }
        };
        Ok(Certificate {
            shown,
            trusted: text("ca.crt"),
        })
    }

    /// The authorities to trust.
    pub(super) async fn authorities(
        &mut self,
        reference: Option<&NameRef>,
    ) -> Result<Option<String>, Stop> {
        let Some(reference) = reference else {
            return Ok(None);
        };
        let secret = self.secret("caSecretRef", reference).await?;
        match text_of(&secret, "ca.crt") {
            Some(pem) => Ok(Some(pem)),
            None => Err(self.useless("caSecretRef", reference, "has no key ca.crt")),
        }
    }

    /// The keys by which packages may be signed.
    pub(super) async fn keyring(&mut self, keys: &ProvenanceKeys) -> Result<Keyring, Stop> {
        const FIELD: &str = "verify.provenance.keySecretRef";
        let secret = self.secret(FIELD, &keys.key_secret_ref).await?;
        Keyring::read(files(&secret, "")).map_err(|error| {
            let lacks = format!("cannot be used: {error}");
            self.useless(FIELD, &keys.key_secret_ref, &lacks)
        })
    }

    /// The keys by which manifests may be signed.
    pub(super) async fn public_keys(&mut self, keys: &CosignKeys) -> Result<PublicKeys, Stop> {
        const FIELD: &str = "verify.cosign.keySecretRef";
        let secret = self.secret(FIELD, &keys.key_secret_ref).await?;
        PublicKeys::read(files(&secret, ".pub")).map_err(|error| {
            let lacks = format!("cannot be used: {error}");
            self.useless(FIELD, &keys.key_secret_ref, &lacks)
        })
    }

    async fn secret(&mut self, field: &str, reference: &NameRef) -> Result<Secret, Stop> {
        let found = self.reading.secret(&reference.name).await?.cloned();
        found.ok_or_else(|| {
            Stop::Refused(Refusal::missing(format!(
                "{}.{field} names the Secret {}/{}, which does not exist",
                self.field,
                self.reading.namespace(),
                reference.name
            )))
        })
    }

    fn useless(&self, field: &str, reference: &NameRef, lacks: &str) -> Stop {
        Stop::wrong(&format!(
            "Secret {}/{} of {}.{field} {lacks}",
            self.reading.namespace(),
            reference.name,
            self.field
        ))
    }
}

fn plain_credentials(secret: &Secret) -> Option<Credentials> {
    let text = |key: &str| text_of(secret, key);
    match (text("token"), text("username"), text("password")) {
        (Some(token), _, _) => Some(Credentials::Bearer(Hidden::new(token))),
        (None, Some(username), Some(password)) => Some(Credentials::Basic {
            username,
            password: Hidden::new(password),
        }),
        _ => None,
    }
}

/// The credentials for a chart in a registry, or what the Secret lacks.
fn registry_credentials(secret: &Secret, url: &str) -> Result<Credentials, String> {
    let Some(config) = text_of(secret, DOCKER_CONFIG) else {
        return plain_credentials(secret).ok_or_else(|| {
            format!("has neither {DOCKER_CONFIG} nor token nor username and password")
        });
    };
    match docker_credentials(config.as_bytes(), url) {
        Ok(Some(credentials)) => Ok(credentials),
        Ok(None) => Err(format!("has no entry for the registry of {url}")),
        Err(error) => Err(format!("cannot be used: {error}")),
    }
}

/// The keys of a Secret that end so, with their content, by name.
fn files<'s>(secret: &'s Secret, ending: &'s str) -> impl Iterator<Item = (&'s str, &'s [u8])> {
    let data = secret.data.iter().flatten();
    data.map(|(key, content)| (key.as_str(), content.0.as_slice()))
        .filter(move |(key, _)| key.ends_with(ending))
}

fn text_of(secret: &Secret, key: &str) -> Option<String> {
    let data = secret.data.as_ref()?.get(key)?;
    String::from_utf8(data.0.clone())
        .ok()
        .map(|text| text.trim_end_matches('\n').to_owned())
}
