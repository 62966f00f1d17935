//! The chart that a spec names.

use belay_api::helm_release::{ChartSource, KeyRef, NameRef, RepositoryChart};
use belay_api::{HelmRelease, Reason};
use belay_cluster::Connection;
use belay_source::{
    Credentials, Fetched, HttpRepository, Inline, Kind, Package, Secret as Hidden, Source,
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
    let source = match describe(&context.connection, &release.spec.chart, &namespace).await? {
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
                "spec.chart names no source: set repository, inline, configMap or secret",
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
    let mut credentials = None;
    if let Some(reference) = &repository.secret_ref {
        let Some(secret) = read_secret(connection, namespace, reference).await? else {
            return Ok(Err(missing("secretRef", namespace, reference)));
        };
        let text = |key: &str| text_of(&secret, key);
        credentials = match (text("token"), text("username"), text("password")) {
            (Some(token), _, _) => Some(Credentials::Bearer(Hidden::new(token))),
            (None, Some(username), Some(password)) => Some(Credentials::Basic {
                username,
                password: Hidden::new(password),
            }),
            _ => {
                return Ok(Err(Refusal::lasting(
                    Reason::SpecInvalid,
                    &format!(
                        "Secret {namespace}/{} of spec.chart.repository.secretRef has neither token nor username and password",
                        reference.name
                    ),
                )));
            }
        };
    }
    let mut ca_bundle = None;
    if let Some(reference) = &repository.ca_secret_ref {
        let Some(secret) = read_secret(connection, namespace, reference).await? else {
            return Ok(Err(missing("caSecretRef", namespace, reference)));
        };
        ca_bundle = text_of(&secret, "ca.crt");
        if ca_bundle.is_none() {
            return Ok(Err(Refusal::lasting(
                Reason::SpecInvalid,
                &format!(
                    "Secret {namespace}/{} of spec.chart.repository.caSecretRef has no key ca.crt",
                    reference.name
                ),
            )));
        }
    }
    Ok(Ok(Source::HttpRepository(HttpRepository {
        url: repository.url.clone(),
        name: repository.name.clone(),
        version: repository.version.clone(),
        credentials,
        ca_bundle,
    })))
}

fn missing(field: &str, namespace: &str, reference: &NameRef) -> Refusal {
    Refusal::missing(format!(
        "spec.chart.repository.{field} names the Secret {namespace}/{}, which does not exist",
        reference.name
    ))
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
