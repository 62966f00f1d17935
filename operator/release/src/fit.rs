//! What a record does without when it would not fit into its Secret.

use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::codec::encode;
use crate::error::Error;
use crate::record::Record;

/// The annotation in the chart's metadata that names what was left out of a record. It is part of the chart for Helm,
/// which keeps it, and copies it with a rollback.
pub const LEFT_OUT: &str = "belay.dev/left-out";

/// The parts of a recorded chart that Helm reads for nothing but to show them. Its values are not among them:
/// `helm upgrade --reuse-values` needs them.
const SOURCES: [&str; 3] = ["templates", "files", "schema"];

impl Record {
    /// The record as it fits into a Secret: as it is, or else without the chart's templates, files and schema. History,
    /// status and rollbacks need none of them.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when it does not fit even so, with the size that is left.
    pub fn fitted(self) -> Result<Self, Error> {
        match encode(&self) {
            Ok(_) => Ok(self),
            Err(Error::TooLarge { .. }) => {
                let smaller = self.without_sources()?;
                encode(&smaller)?;
                Ok(smaller)
            }
            Err(error) => Err(error),
        }
    }

    /// What was left out of the record, for people; nothing if it is whole.
    pub fn left_out(&self) -> Option<String> {
        let chart = self.chart.as_deref()?;
        // Most records do not say the word at all.
        if !chart.get().contains(LEFT_OUT) {
            return None;
        }
        let chart: Value = serde_json::from_str(chart.get()).ok()?;
        let said = chart.get("metadata")?.get("annotations")?.get(LEFT_OUT)?;
        said.as_str().map(str::to_owned)
    }

    fn without_sources(mut self) -> Result<Self, Error> {
        let Some(raw) = &self.chart else {
            return Ok(self);
        };
        let mut chart: Value =
            serde_json::from_str(raw.get()).map_err(|source| Error::NotARecord {
                field: "chart",
                source,
            })?;
        for part in SOURCES {
            if let Some(part) = chart.get_mut(part) {
                *part = Value::Null;
            }
        }
        if let Some(metadata) = chart.get_mut("metadata").and_then(Value::as_object_mut) {
            let notes = metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Some(notes) = notes.as_object_mut() {
                notes.insert(LEFT_OUT.to_owned(), Value::from(SOURCES.join(", ")));
            }
        }
        self.chart = Some(to_raw_value(&chart).map_err(|source| Error::Unwritable { source })?);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    /// Bytes that gzip cannot shrink.
    fn noise(length: usize) -> String {
        let mut state = 7_u64;
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u8
            })
            .collect();
        STANDARD.encode(bytes)
    }

    fn record(file: usize, manifest: usize) -> Record {
        let chart = json!({
            "metadata": {"name": "web", "version": "1.0.0"}, "values": {"replicas": 1},
            "templates": [{"name": "templates/a.yaml", "data": ""}],
            "files": [{"name": "logo", "data": noise(file)}], "schema": "e30=",
        });
        let mut record = Record::new("web", "shop", 1);
        record.chart = to_raw_value(&chart).ok();
        record.manifest = noise(manifest);
        record
    }

    #[test]
    fn a_record_that_fits_stays_whole() {
        let whole = record(1000, 1000);
        let fitted = whole.clone().fitted().unwrap();
        assert_eq!(fitted, whole);
        assert_eq!(fitted.left_out(), None);
    }

    #[test]
    fn a_large_chart_goes_and_what_helm_needs_of_it_stays() {
        let fitted = record(2 << 20, 1000).fitted().unwrap();
        assert_eq!(
            fitted.left_out().as_deref(),
            Some("templates, files, schema")
        );
        let chart: Value = serde_json::from_str(fitted.chart.as_ref().unwrap().get()).unwrap();
        assert_eq!(chart["values"], json!({"replicas": 1}));
        assert_eq!(fitted.chart_summary().label(), "web-1.0.0");
        assert_eq!(chart["files"], Value::Null);
        assert!(!fitted.manifest.is_empty());
    }

    #[test]
    fn a_manifest_that_is_too_large_by_itself_is_refused() {
        let error = record(10, 2 << 20).fitted().unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }
}
