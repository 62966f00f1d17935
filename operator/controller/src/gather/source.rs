//! The chart that a spec names.

use std::time::Duration;

use belay_api::Reason;
use belay_api::helm_release::{ChartSource, KeyRef, OciChart, RepositoryChart};
use belay_source::{Fetched, Fetcher, HttpRepository, Inline, Kind, Package, Pick, Source};
use bytes::Bytes;

use super::desired::Refusal;
use super::reading::Reading;
use super::secrets::{Place, Stop};
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
    let source = match describe(reading, chart).await {
        Ok(source) => source,
        Err(Stop::Refused(refusal)) => return Ok(Err(refusal)),
        Err(Stop::Failed(error)) => return Err(error),
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
        Kind::Unverified => Reason::ChartUnverified,
    };
    Refusal {
        reason,
        message: error.to_string(),
        transient: error.is_transient(),
        retry_after: error.retry_after(),
    }
}

async fn describe(reading: &mut Reading<'_>, chart: &ChartSource) -> Result<Source, Stop> {
    if let Some(repository) = &chart.repository {
        return http(reading, repository).await;
    }
    if let Some(chart) = &chart.oci {
        return oci(reading, chart).await;
    }
    if let Some(inline) = &chart.inline {
        return Ok(Source::Inline(Inline {
            files: inline.files.clone(),
            origin: "spec.chart.inline".to_owned(),
        }));
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
            return Err(Stop::wrong(
                "spec.chart names no source: set repository, oci, inline, configMap or secret",
            ));
        }
    };
    let origin = format!("{kind} {}/{name}, key {key}", reading.namespace());
    match bytes {
        Some(bytes) => Ok(Source::Package(Package {
            bytes: Bytes::from(bytes),
            origin,
        })),
        None => Err(Stop::Refused(Refusal::missing(format!(
            "spec.chart names {origin}, which does not exist"
        )))),
    }
}

async fn http(reading: &mut Reading<'_>, repository: &RepositoryChart) -> Result<Source, Stop> {
    let mut at = Place::new(reading, "spec.chart.repository");
    let credentials = at.credentials(repository.secret_ref.as_ref()).await?;
    let certificate = at.certificate(repository.cert_secret_ref.as_ref()).await?;
    let authorities = at.authorities(repository.ca_secret_ref.as_ref()).await?;
    let provenance = match &repository.verify {
        Some(verify) => Some(at.keyring(&verify.provenance).await?),
        None => None,
    };
    Ok(Source::HttpRepository(HttpRepository {
        url: repository.url.clone(),
        name: repository.name.clone(),
        version: repository.version.clone(),
        credentials,
        ca_bundle: certificate.trusting(authorities),
        client_certificate: certificate.shown,
        provenance,
    }))
}

async fn oci(reading: &mut Reading<'_>, chart: &OciChart) -> Result<Source, Stop> {
    let mut at = Place::new(reading, "spec.chart.oci");
    let pick = match &chart.digest {
        None => Pick::Version(chart.version.clone()),
        Some(digest) => Pick::Digest(digest.parse().map_err(|error| {
            Stop::wrong(&format!("spec.chart.oci.digest is {digest:?}: {error}"))
        })?),
    };
    let credentials = match &chart.secret_ref {
        Some(reference) => Some(at.registry_credentials(reference, &chart.url).await?),
        None => at.pull_secrets(&chart.url).await?,
    };
    let certificate = at.certificate(chart.cert_secret_ref.as_ref()).await?;
    let authorities = at.authorities(chart.ca_secret_ref.as_ref()).await?;
    let verify = chart.verify.as_ref();
    let provenance = match verify.and_then(|verify| verify.provenance.as_ref()) {
        Some(keys) => Some(at.keyring(keys).await?),
        None => None,
    };
    let cosign = match verify.and_then(|verify| verify.cosign.as_ref()) {
        Some(keys) => Some(at.public_keys(keys).await?),
        None => None,
    };
    Ok(Source::Oci(belay_source::OciChart {
        url: chart.url.clone(),
        pick,
        credentials,
        ca_bundle: certificate.trusting(authorities),
        client_certificate: certificate.shown,
        provenance,
        cosign,
        plain_http: chart.plain_http,
    }))
}
