//! A rendering of what a spec would come to, for people who ask before they declare it.

use std::sync::Arc;

use belay_api::helm_release::HelmReleaseSpec;
use belay_chart::{Chart, Layers, Release};
use belay_cluster::Connection;
use belay_release::Manifest;
use belay_rollout::ChartId;

use crate::error::Error;
use crate::gather::{Ready, post_render};
use crate::render::Renders;
use crate::values::{Keys, WrongValues, merge_values};

/// Why a spec comes to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The cluster could not be asked what it serves.
    #[error(transparent)]
    Cluster(#[from] Error),
    /// The values cannot be merged.
    #[error(transparent)]
    Values(#[from] WrongValues),
    /// The chart or its values are refused, in the words of the operator.
    #[error("{0}")]
    Refused(String),
}

/// Renders a chart with the values of a spec as the operator would, against the cluster of `connection` and with its
/// rights. `found` are the objects that `valuesFrom` names, as [`merge_values`] takes them. Nothing is written.
///
/// # Errors
/// [`TrialError`], when the cluster, the values or the chart say no.
pub async fn trial(
    connection: &Connection,
    chart: Arc<Chart>,
    spec: &HelmReleaseSpec,
    found: &[Option<Keys>],
    release: Release,
) -> Result<Manifest, TrialError> {
    let values = merge_values(spec, found).map(Layers::into_values)?;
    let post_render =
        post_render::read(spec).map_err(|refusal| TrialError::Refused(refusal.message))?;
    let ready = Ready {
        post_render: Arc::new(post_render),
        id: ChartId::default(),
        chart,
        values: Arc::new(values),
    };
    let rendering = Renders::new().render(connection, &ready, release).await?;
    rendering
        .map(|rendering| rendering.rendered.manifest)
        .map_err(|rejection| TrialError::Refused(rejection.message))
}
