use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;

/// The chart as a record keeps it, without its subcharts, which Helm does not store.
///
/// Helm can list, show and roll back a release whose `templates` and `files` are empty; `helm upgrade
/// --reuse-values` needs `values`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChartRecord {
    /// `Chart.yaml` as JSON; `name` and `version` are needed by Helm.
    pub metadata: Value,
    /// `Chart.lock` as JSON, or null.
    pub lock: Value,
    /// The templates' sources.
    pub templates: Vec<ChartFile>,
    /// The chart's default values.
    pub values: Value,
    /// `values.schema.json`, as it stands in the chart.
    pub schema: Option<Blob>,
    /// Files that are neither templates nor part of the chart's own description.
    pub files: Vec<ChartFile>,
}

/// A file of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChartFile {
    /// Path within the chart, with slashes.
    pub name: String,
    /// Contents.
    pub data: Blob,
}

/// Bytes that stand in JSON as base64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl ChartRecord {
    /// The JSON that a record keeps.
    ///
    /// # Errors
    /// [`Error::Unwritable`], which no value that came from JSON causes.
    pub fn to_raw(&self) -> Result<Box<RawValue>, Error> {
        to_raw_value(self).map_err(|source| Error::Unwritable { source })
    }
}

/// What people want to know about a record's chart. Fields that are missing are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChartSummary {
    /// Name.
    pub name: String,
    /// Version of the chart.
    pub version: String,
    /// Version of what it installs.
    pub app_version: String,
}

impl ChartSummary {
    /// `name-version`, as `helm list` prints it.
    pub fn label(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Reads lenient: what is not there is empty.
    pub(crate) fn of(chart: &RawValue) -> Self {
        #[derive(Default, Deserialize)]
        struct Chart {
            #[serde(default)]
            metadata: Option<Metadata>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Metadata {
            #[serde(default)]
            name: String,
            #[serde(default)]
            version: String,
            #[serde(default)]
            app_version: Option<String>,
        }
        let metadata = serde_json::from_str::<Chart>(chart.get())
            .unwrap_or_default()
            .metadata
            .unwrap_or_default();
        Self {
            name: metadata.name,
            version: metadata.version,
            app_version: metadata.app_version.unwrap_or_default(),
        }
    }
}

/// Prints bytes as Go does in JSON.
impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_are_written_the_way_go_writes_bytes() {
        let chart = ChartRecord {
            metadata: json!({"name": "web", "version": "1.2.3", "appVersion": "9"}),
            templates: vec![ChartFile {
                name: "templates/web.yaml".to_owned(),
                data: b"kind: Pod".to_vec().into(),
            }],
            values: json!({"replicas": 2}),
            schema: Some(b"{}".to_vec().into()),
            ..ChartRecord::default()
        };
        let raw = chart.to_raw().unwrap();
        let written: Value = serde_json::from_str(raw.get()).unwrap();
        assert_eq!(
            written,
            json!({
                "metadata": {"name": "web", "version": "1.2.3", "appVersion": "9"}, "lock": null,
                "templates": [{"name": "templates/web.yaml", "data": "a2luZDogUG9k"}],
                "values": {"replicas": 2}, "schema": "e30=", "files": []
            })
        );
        let summary = ChartSummary::of(&raw);
        assert_eq!(
            (summary.label().as_str(), summary.app_version.as_str()),
            ("web-1.2.3", "9")
        );
    }

    #[test]
    fn a_chart_that_says_nothing_has_an_empty_summary() {
        for text in [
            "{}",
            "null",
            r#"{"metadata": null}"#,
            r#"{"metadata": {"name": 5}}"#,
        ] {
            let raw = RawValue::from_string(text.to_owned()).unwrap();
            assert_eq!(ChartSummary::of(&raw), ChartSummary::default(), "{text}");
        }
    }
}
