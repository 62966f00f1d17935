//! The chart that a spec names.

use std::time::Duration;

use belay_api::Reason;
use belay_api::helm_release::{ChartSource, KeyRef, NameRef, OciChart, RepositoryChart};
use belay_source::{
    Credentials, Fetched, Fetcher, HttpRepository, Inline, Kind, Package, Pick, Secret as Hidden,
    Source, docker_credentials,
};
use bytes::Bytes;
use k8s_openapi::api::core::v1::Secret;

use super::desired::Refusal;
use super::reading::Reading;
use crate::error::Error;

/// Fetches the chart.
///
/// `max_age` is how old the knowledge of a repository or registry may be.
pub(super) async fn fetch(
    fetcher: &Fetcher,
    reading: &mut Reading<'_>,
    chart: &ChartSource,
    max_age: Duration,
) -> Result<Result<Fetched, Refusal>, Error> {
    let source = match describe(reading, chart).await? {
        Ok(source) => source,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(fetcher
        .fetch(&source, max_age)
        .await
        .map_err(|error| refuse(&error)))
}

fn refuse(error: &belay_source::Error) -> Refusal {
    let reason = match error.kind() {
        Kind::BadRequest => Reason::SpecInvalid,
        Kind::NotFound => Reason::ChartNotFound,
        Kind::Unreachable => Reason::SourceUnavailable,
        Kind::Unauthorized => Reason::SourceUnauthorized,
        Kind::TooLarge | Kind::BadIndex | Kind::DigestMismatch | Kind::BadPackage => {
            Reason::ChartInvalid
        }
    };
    Refusal {
        reason,
        message: error.to_string(),
        transient: error.is_transient(),
        retry_after: error.retry_after(),
    }
}

async fn describe(
    reading: &mut Reading<'_>,
    chart: &ChartSource,
) -> Result<Result<Source, Refusal>, Error> {
    if let Some(repository) = &chart.repository {
        return http(reading, repository).await;
    }
    if let Some(chart) = &chart.oci {
        return oci(reading, chart).await;
    }
    if let Some(inline) = &chart.inline {
        return Ok(Ok(Source::Inline(Inline {
            files: inline.files.clone(),
            origin: "spec.chart.inline".to_owned(),
        })));
    }
    let (bytes, kind, KeyRef { name, key }) = match (&chart.config_map, &chart.secret) {
        (Some(reference), _) => (
            reading
                .config_map_key(&reference.name, &reference.key)
                .await?,
            "ConfigMap",
            reference,
        ),
        (None, Some(reference)) => (
            reading.secret_key(&reference.name, &reference.key).await?,
            "Secret",
            reference,
        ),
        (None, None) => {
            return Ok(Err(Refusal::lasting(
                Reason::SpecInvalid,
                "spec.chart names no source: set repository, oci, inline, configMap or secret",
            )));
        }
    };
    let origin = format!("{kind} {}/{name}, key {key}", reading.namespace());
    Ok(match bytes {
        Some(bytes) => Ok(Source::Package(Package {
            bytes: Bytes::from(bytes),
            origin,
        })),
        None => Err(Refusal::missing(format!(
            "spec.chart names {origin}, which does not exist"
        ))),
    })
}

async fn http(
    reading: &mut Reading<'_>,
    repository: &RepositoryChart,
) -> Result<Result<Source, Refusal>, Error> {
    let mut at = Place {
        reading,
        field: "spec.chart.repository",
    };
    let credentials = match &repository.secret_ref {
        None => None,
        Some(reference) => match at.secret("secretRef", reference).await? {
            Ok(secret) => match plain_credentials(&secret) {
                Some(credentials) => Some(credentials),
                None => return Ok(Err(at.useless("secretRef", reference, PLAIN))),
            },
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let ca_bundle = match at.authorities(repository.ca_secret_ref.as_ref()).await? {
        Ok(ca_bundle) => ca_bundle,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok(Source::HttpRepository(HttpRepository {
        url: repository.url.clone(),
        name: repository.name.clone(),
        version: repository.version.clone(),
        credentials,
        ca_bundle,
    })))
}

async fn oci(
    reading: &mut Reading<'_>,
    chart: &OciChart,
) -> Result<Result<Source, Refusal>, Error> {
    let mut at = Place {
        reading,
        field: "spec.chart.oci",
    };
    let pick = match &chart.digest {
        None => Pick::Version(chart.version.clone()),
        Some(digest) => match digest.parse() {
            Ok(digest) => Pick::Digest(digest),
            Err(error) => {
                return Ok(Err(Refusal::lasting(
                    Reason::SpecInvalid,
                    &format!("spec.chart.oci.digest is {digest:?}: {error}"),
                )));
            }
        },
    };
    let credentials = match &chart.secret_ref {
        None => None,
        Some(reference) => match at.secret("secretRef", reference).await? {
            Ok(secret) => match registry_credentials(&secret, &chart.url) {
                Ok(credentials) => Some(credentials),
                Err(lacks) => return Ok(Err(at.useless("secretRef", reference, &lacks))),
            },
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let ca_bundle = match at.authorities(chart.ca_secret_ref.as_ref()).await? {
        Ok(ca_bundle) => ca_bundle,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok(Source::Oci(belay_source::OciChart {
        url: chart.url.clone(),
        pick,
        credentials,
        ca_bundle,
        plain_http: chart.plain_http,
    })))
}

/// What a Secret for a repository has to hold.
const PLAIN: &str = "has neither token nor username and password";
/// The key of a pull secret.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

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

/// Where in a spec Secrets are named.
struct Place<'p, 'c> {
    reading: &'p mut Reading<'c>,
    field: &'static str,
}

impl Place<'_, '_> {
    async fn secret(
        &mut self,
        field: &str,
        reference: &NameRef,
    ) -> Result<Result<Secret, Refusal>, Error> {
        let found = self.reading.secret(&reference.name).await?.cloned();
        Ok(found.ok_or_else(|| {
            Refusal::missing(format!(
                "{}.{field} names the Secret {}/{}, which does not exist",
                self.field,
                self.reading.namespace(),
                reference.name
            ))
        }))
    }

    async fn authorities(
        &mut self,
        reference: Option<&NameRef>,
    ) -> Result<Result<Option<String>, Refusal>, Error> {
        let Some(reference) = reference else {
            return Ok(Ok(None));
        };
        let secret = match self.secret("caSecretRef", reference).await? {
            Ok(secret) => secret,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(match text_of(&secret, "ca.crt") {
            Some(pem) => Ok(Some(pem)),
            None => Err(self.useless("caSecretRef", reference, "has no key ca.crt")),
        })
    }

    fn useless(&self, field: &str, reference: &NameRef, lacks: &str) -> Refusal {
        Refusal::lasting(
            Reason::SpecInvalid,
            &format!(
                "Secret {}/{} of {}.{field} {lacks}",
                self.reading.namespace(),
                reference.name,
                self.field
            ),
        )
    }
}

fn text_of(secret: &Secret, key: &str) -> Option<String> {
    let data = secret.data.as_ref()?.get(key)?;
    String::from_utf8(data.0.clone())
        .ok()
        .map(|text| text.trim_end_matches('\n').to_owned())
}
