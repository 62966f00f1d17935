//! The chart that a spec names.

use belay_api::helm_release::{ChartSource, KeyRef, NameRef, OciChart, RepositoryChart};
use belay_api::{HelmRelease, Reason};
use belay_cluster::Connection;
use belay_source::{
    Credentials, Fetched, HttpRepository, Inline, Kind, Package, Pick, Secret as Hidden, Source,
    docker_credentials,
};
use bytes::Bytes;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt};

use super::desired::Refusal;
use crate::error::Error;
use crate::reconcile::Context;

/// Fetches the chart.
pub(super) async fn fetch(
    context: &Context,
    release: &HelmRelease,
) -> Result<Result<Fetched, Refusal>, Error> {
    let namespace = release.namespace().unwrap_or_default();
    let connection = context.speaking_for(release)?;
    let source = match describe(&connection, &release.spec.chart, &namespace).await? {
        Ok(source) => source,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let max_age = release.spec.interval.as_std();
    Ok(context
        .fetcher
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
    connection: &Connection,
    chart: &ChartSource,
    namespace: &str,
) -> Result<Result<Source, Refusal>, Error> {
    if let Some(repository) = &chart.repository {
        return http(connection, repository, namespace).await;
    }
    if let Some(chart) = &chart.oci {
        return oci(connection, chart, namespace).await;
    }
    if let Some(inline) = &chart.inline {
        return Ok(Ok(Source::Inline(Inline {
            files: inline.files.clone(),
            origin: "spec.chart.inline".to_owned(),
        })));
    }
    let (bytes, origin) = match (&chart.config_map, &chart.secret) {
        (Some(reference), _) => (
            config_map_key(connection, namespace, reference).await?,
            format!(
                "ConfigMap {namespace}/{}, key {}",
                reference.name, reference.key
            ),
        ),
        (None, Some(reference)) => (
            secret_key(connection, namespace, reference).await?,
            format!(
                "Secret {namespace}/{}, key {}",
                reference.name, reference.key
            ),
        ),
        (None, None) => {
            return Ok(Err(Refusal::lasting(
                Reason::SpecInvalid,
                "spec.chart names no source: set repository, oci, inline, configMap or secret",
            )));
        }
    };
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
    connection: &Connection,
    repository: &RepositoryChart,
    namespace: &str,
) -> Result<Result<Source, Refusal>, Error> {
    let at = Place {
        connection,
        namespace,
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
    connection: &Connection,
    chart: &OciChart,
    namespace: &str,
) -> Result<Result<Source, Refusal>, Error> {
    let at = Place {
        connection,
        namespace,
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
struct Place<'p> {
    connection: &'p Connection,
    namespace: &'p str,
    field: &'static str,
}

impl Place<'_> {
    async fn secret(
        &self,
        field: &str,
        reference: &NameRef,
    ) -> Result<Result<Secret, Refusal>, Error> {
        let found = read_secret(self.connection, self.namespace, reference).await?;
        Ok(found.ok_or_else(|| {
            Refusal::missing(format!(
                "{}.{field} names the Secret {}/{}, which does not exist",
                self.field, self.namespace, reference.name
            ))
        }))
    }

    async fn authorities(
        &self,
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
                self.namespace, reference.name, self.field
            ),
        )
    }
}

async fn read_secret(
    connection: &Connection,
    namespace: &str,
    reference: &NameRef,
) -> Result<Option<Secret>, Error> {
    Api::<Secret>::namespaced(connection.client(), namespace)
        .get_opt(&reference.name)
        .await
        .map_err(Error::kube("reading a Secret of the spec"))
}

fn text_of(secret: &Secret, key: &str) -> Option<String> {
    let data = secret.data.as_ref()?.get(key)?;
    String::from_utf8(data.0.clone())
        .ok()
        .map(|text| text.trim_end_matches('\n').to_owned())
}

/// A key of a ConfigMap as bytes; `None` when either does not exist.
pub(super) async fn config_map_key(
    connection: &Connection,
    namespace: &str,
    reference: &KeyRef,
) -> Result<Option<Vec<u8>>, Error> {
    let found = Api::<ConfigMap>::namespaced(connection.client(), namespace)
        .get_opt(&reference.name)
        .await
        .map_err(Error::kube("reading a ConfigMap of the spec"))?;
    Ok(found.and_then(|map| {
        let binary = map
            .binary_data
            .as_ref()
            .and_then(|data| data.get(&reference.key))
            .map(|bytes| bytes.0.clone());
        binary.or_else(|| {
            map.data
                .as_ref()
                .and_then(|data| data.get(&reference.key))
                .map(|text| text.clone().into_bytes())
        })
    }))
}

/// A key of a Secret as bytes; `None` when either does not exist.
pub(super) async fn secret_key(
    connection: &Connection,
    namespace: &str,
    reference: &KeyRef,
) -> Result<Option<Vec<u8>>, Error> {
    let name = NameRef {
        name: reference.name.clone(),
    };
    let found = read_secret(connection, namespace, &name).await?;
    Ok(found.and_then(|secret| {
        secret
            .data
            .as_ref()
            .and_then(|data| data.get(&reference.key))
            .map(|bytes| bytes.0.clone())
    }))
}
