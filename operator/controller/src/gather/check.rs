//! What a check of a soak asks, with the Secrets that it names.

use belay_api::helm_release::Check;
use belay_source::PrometheusQuery;

use super::reading::Reading;
use super::secrets::{Place, Stop};

/// The question of a check.
///
/// # Errors
/// Why it cannot be put: a Secret that it names is missing or lacks something, or could not be read.
pub(crate) async fn query(
    reading: &mut Reading<'_>,
    check: &Check,
) -> Result<PrometheusQuery, String> {
    describe(reading, check).await.map_err(|stop| match stop {
        Stop::Refused(refusal) => refusal.message,
        Stop::Failed(error) => error.to_string(),
    })
}

async fn describe(reading: &mut Reading<'_>, check: &Check) -> Result<PrometheusQuery, Stop> {
    let asked = &check.prometheus;
    let field = format!("spec.soak.checks[{}].prometheus", check.name);
    let mut at = Place::new(reading, &field);
    let credentials = at.credentials(asked.secret_ref.as_ref()).await?;
    let certificate = at.certificate(asked.cert_secret_ref.as_ref()).await?;
    let authorities = at.authorities(asked.ca_secret_ref.as_ref()).await?;
    Ok(PrometheusQuery {
        url: asked.url.clone(),
        query: asked.query.clone(),
        credentials,
        ca_bundle: certificate.trusting(authorities),
        client_certificate: certificate.shown,
    })
}
