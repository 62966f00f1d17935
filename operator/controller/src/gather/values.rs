//! The user's values: what `valuesFrom` names is read, then all is merged.

use belay_api::helm_release::{ValuesKind, ValuesReference};
use belay_api::{HelmRelease, Reason};
use belay_yaml::Map;

use super::desired::Refusal;
use super::reading::Reading;
use crate::error::Error;
use crate::values::{WrongValues, merge_values};

/// Merges the values of a release.
pub(super) async fn merge(
    reading: &mut Reading<'_>,
    release: &HelmRelease,
) -> Result<Result<Map, Refusal>, Error> {
    let mut found = Vec::with_capacity(release.spec.values_from.len());
    for reference in &release.spec.values_from {
        found.push(read(reading, reference).await?);
    }
    Ok(merge_values(&release.spec, &found)
        .map(belay_chart::Layers::into_values)
        .map_err(|error| match error {
            WrongValues::Missing { .. } => Refusal::missing(error.to_string()),
            WrongValues::Unreadable { .. } | WrongValues::Expression { .. } => {
                Refusal::lasting(Reason::ValuesInvalid, &error.to_string())
            }
        }))
}

async fn read(
    reading: &mut Reading<'_>,
    reference: &ValuesReference,
) -> Result<Option<Vec<u8>>, Error> {
    let (name, key) = (&reference.name, &reference.values_key);
    match reference.kind {
        ValuesKind::ConfigMap => reading.config_map_key(name, key).await,
        ValuesKind::Secret => reading.secret_key(name, key).await,
    }
}
