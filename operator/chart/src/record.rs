//! A chart as Helm keeps it in its release records.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::chart::Chart;
use crate::file::File;
use crate::metadata::Metadata;

/// Go's zero time, which stands for "not known" in records.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

impl Chart {
    /// The field `chart` of a release record: metadata, lock, templates, values, schema and files. Subcharts are not
    /// part of it, as with Helm.
    pub fn record_json(&self) -> Value {
        json!({
            "metadata": self.metadata().to_json(),
            "lock": self.lock,
            "templates": files(self.templates()),
            "values": self.values().map(|values| belay_yaml::to_serde(&belay_yaml::Value::Map(values.clone()))),
            "schema": self.schema().map(|schema| STANDARD.encode(schema)),
            "schemamodtime": NO_TIME,
            "files": files(self.files()),
        })
    }
}

impl Metadata {
    /// As Helm writes it anew; what is empty is left out as what is not there.
    pub fn to_json(&self) -> Value {
        let mut metadata = self.clone();
        metadata.dependencies = metadata.dependencies.filter(|listed| !listed.is_empty());
        metadata.annotations = metadata.annotations.filter(|notes| !notes.is_empty());
        serde_json::to_value(metadata).unwrap_or_default()
    }
}

/// Go writes a list that was never filled as null.
fn files(files: &[File]) -> Value {
    if files.is_empty() {
        return Value::Null;
    }
    files
        .iter()
        .map(|file| json!({"name": &*file.name, "data": STANDARD.encode(&file.data)}))
        .collect()
}
