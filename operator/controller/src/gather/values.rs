//! The user's values: what `valuesFrom` names is read, then all is merged.

use belay_api::helm_release::ValuesKind;
use belay_api::{HelmRelease, Reason};
use belay_chart::Layers;
use belay_yaml::Map;

use super::desired::Refusal;
use super::reading::Reading;
use crate::context::Context;
use crate::error::Error;
use crate::session::Session;
use crate::values::{
    Origin, WrongValues, keys_of_config_map, keys_of_secret, merge_values, with_origins,
};

/// A complaint about values, with the origin of each that it names.
pub(crate) async fn origins(
    context: &Context,
    session: &Session,
    chart: &str,
    complaint: &str,
) -> Result<String, Error> {
    let release = &session.release;
    let mut reading = Reading::new(context, release, &session.cluster)?;
    let layers = layers(&mut reading, release).await?;
    Ok(match layers {
        Ok(layers) => with_origins(complaint, chart, &layers),
        // They changed meanwhile, and are looked at again.
        Err(_) => complaint.to_owned(),
    })
}

/// Merges the values of a release.
pub(super) async fn merge(
    reading: &mut Reading<'_>,
    release: &HelmRelease,
) -> Result<Result<Map, Refusal>, Error> {
    Ok(layers(reading, release)
        .await?
        .map(Layers::into_values)
        .map_err(|error| match error {
            WrongValues::Missing { .. } => Refusal::missing(error.to_string()),
            WrongValues::Unreadable { .. } | WrongValues::Expression { .. } => {
                Refusal::lasting(Reason::ValuesInvalid, &error.to_string())
            }
        }))
}

async fn layers(
    reading: &mut Reading<'_>,
    release: &HelmRelease,
) -> Result<Result<Layers<Origin>, WrongValues>, Error> {
    let mut found = Vec::with_capacity(release.spec.values_from.len());
    for reference in &release.spec.values_from {
        let name = &reference.name;
        found.push(match reference.kind {
            ValuesKind::ConfigMap => {
                let map = reading.config_map(name).await?;
                map.cloned().map(keys_of_config_map)
            }
            ValuesKind::Secret => reading.secret(name).await?.cloned().map(keys_of_secret),
        });
    }
    Ok(merge_values(&release.spec, &found))
}
