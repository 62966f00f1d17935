//! The user's values, merged in Helm's order: `valuesFrom` below `values` below `setJson`, `set`, `setString`.

use belay_api::helm_release::{ValuesKind, ValuesReference};
use belay_api::{HelmRelease, Reason};
use belay_chart::{UserValues, overlay, strvals};
use belay_yaml::Map;

use super::desired::Refusal;
use super::reading::Reading;
use crate::error::Error;

/// Merges the values of a release.
pub(super) async fn merge(
    reading: &mut Reading<'_>,
    release: &HelmRelease,
) -> Result<Result<Map, Refusal>, Error> {
    let mut merged = Map::new();
    for (index, reference) in release.spec.values_from.iter().enumerate() {
        let place = format!("spec.valuesFrom[{index}]");
        let Some(bytes) = read(reading, reference).await? else {
            if reference.optional {
                continue;
            }
            return Ok(Err(Refusal::missing(format!(
                "{place} names the key {} of {:?} {}, which does not exist",
                reference.values_key, reference.kind, reference.name
            ))));
        };
        if let Err(message) = add(&mut merged, reference, &bytes) {
            return Ok(Err(Refusal::lasting(
                Reason::ValuesInvalid,
                &format!(
                    "{place}: {:?} {}: {message}",
                    reference.kind, reference.name
                ),
            )));
        }
    }
    if let Some(values) = &release.spec.values {
        let text = serde_json::to_vec(values).unwrap_or_default();
        match belay_yaml::parse_json_map(&text) {
            Ok(values) => overlay(&mut merged, values.unwrap_or_default()),
            Err(error) => {
                return Ok(Err(Refusal::lasting(
                    Reason::ValuesInvalid,
                    &format!("spec.values: {error}"),
                )));
            }
        }
    }
    let set = UserValues {
        json: release.spec.set_json.clone(),
        set: release.spec.set.clone(),
        strings: release.spec.set_string.clone(),
        ..UserValues::default()
    };
    let no_files = &mut |_: &str| Err("files cannot be read here".to_owned());
    Ok(set
        .merge(merged, no_files)
        .map_err(|error| Refusal::lasting(Reason::ValuesInvalid, &error.to_string())))
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

fn add(merged: &mut Map, reference: &ValuesReference, bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    if let Some(path) = &reference.target_path {
        return strvals::set_literal(&format!("{path}={text}"), merged)
            .map_err(|error| error.to_string());
    }
    let values = belay_yaml::parse_map(text.as_bytes()).map_err(|error| error.to_string())?;
    overlay(merged, values);
    Ok(())
}
