//! What a spec asks for, looked at from here and with the rights of whoever looks.

use std::sync::Arc;
use std::time::Duration;

use belay_api::HelmRelease;
use belay_chart::Chart;
use belay_cluster::Connection;
use belay_source::{Destinations, Fetcher, Settings};

use crate::comparison::CannotCompare;
use crate::gather::{Reading, Ready, come_to};
use crate::references::References;

/// The chart that a `HelmRelease` names, fetched from here and with the rights of whoever asks.
///
/// # Errors
/// See [`CannotCompare`].
pub async fn asked_chart(
    connection: &Connection,
    release: &HelmRelease,
) -> Result<Arc<Chart>, CannotCompare> {
    Ok(asked(connection, release, None).await?.chart)
}

/// What a spec comes to.
pub(crate) async fn asked(
    connection: &Connection,
    release: &HelmRelease,
    chart: Option<Arc<Chart>>,
) -> Result<Ready, CannotCompare> {
    let references = References::new();
    let account = release.spec.service_account_name.as_deref();
    let account = account.unwrap_or("default");
    let mut reading = Reading::through(connection.clone(), &references, release, account);
    let fetcher = Fetcher::new(&Settings {
        // It is the user's machine that fetches, not the operator.
        destinations: Destinations::Any,
        ..Settings::default()
    });
    let (found, _) = come_to(&fetcher, &mut reading, release, chart, Duration::ZERO).await?;
    found.map_err(|refusal| CannotCompare::Spec(refusal.message))
}
