//! What is needed to bring a revision back.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;
use crate::record::Record;

/// The parts of a recorded chart that no rollback reads.
const SOURCES: [&str; 4] = ["templates", "files", "schema", "lock"];

/// A record without the chart's sources: manifest, hooks, values, metadata. It is kept as the text that it is stored
/// as, and its clones share it.
#[derive(Clone, Debug)]
pub struct Essence(Arc<RawValue>);

impl Essence {
    /// The essence of a record.
    ///
    /// # Errors
    /// [`Error::NotARecord`] when the recorded chart is none.
    pub fn of(record: &Record) -> Result<Self, Error> {
        let chart = record.chart.as_deref().map(without_sources).transpose()?;
        let whole = Record {
            chart,
            ..record.clone()
        };
        let text = to_raw_value(&whole).map_err(|source| Error::Unwritable { source })?;
        Ok(Self(text.into()))
    }

    /// The record that it is the essence of, without the chart's sources.
    ///
    /// # Errors
    /// [`Error::NotARecord`] with the field that cannot be read.
    pub fn record(&self) -> Result<Record, Error> {
        Record::from_json(self.0.get().as_bytes())
    }
}

impl PartialEq for Essence {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.get() == other.0.get()
    }
}

impl Eq for Essence {}

impl Serialize for Essence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Essence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Box<RawValue> = Box::deserialize(deserializer)?;
        Ok(Self(text.into()))
    }
}

fn without_sources(chart: &RawValue) -> Result<Box<RawValue>, Error> {
    let mut chart: Value =
        serde_json::from_str(chart.get()).map_err(|source| Error::NotARecord {
            field: "chart",
            source,
        })?;
    if let Some(chart) = chart.as_object_mut() {
        for part in SOURCES {
            chart.remove(part);
        }
    }
    to_raw_value(&chart).map_err(|source| Error::Unwritable { source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Record {
        let chart = json!({
            "metadata": {"name": "web", "version": "1.0.0"}, "values": {"replicas": 1}, "lock": null,
            "templates": [{"name": "templates/a.yaml", "data": ""}], "files": [], "schema": "e30=",
        });
        let mut record = Record::new("web", "shop", 3);
        record.chart = to_raw_value(&chart).ok();
        record.manifest = "---\nkind: ConfigMap\n".to_owned();
        record
    }

    #[test]
    fn all_but_the_charts_sources_comes_back() {
        let kept = Essence::of(&record()).unwrap().record().unwrap();
        let chart: Value = serde_json::from_str(kept.chart.as_ref().unwrap().get()).unwrap();
        assert_eq!(
            chart,
            json!({"metadata": {"name": "web", "version": "1.0.0"}, "values": {"replicas": 1}})
        );
        let chart = record().chart;
        assert_eq!(Record { chart, ..kept }, record());
    }

    #[test]
    fn it_is_stored_as_the_record_that_it_is() {
        let essence = Essence::of(&record()).unwrap();
        let stored = serde_json::to_vec(&json!({ "record": essence })).unwrap();
        let stored: Value = serde_json::from_slice(&stored).unwrap();
        assert_eq!(stored["record"]["manifest"], record().manifest);
        let back: Essence = serde_json::from_value(stored["record"].clone()).unwrap();
        assert_eq!(back.record().unwrap(), essence.record().unwrap());
    }

    #[test]
    fn clones_share_one_text() {
        let essence = Essence::of(&record()).unwrap();
        let clone = essence.clone();
        assert!(Arc::ptr_eq(&essence.0, &clone.0));
        assert_eq!(essence, clone);
    }

    #[test]
    fn what_is_no_record_says_which_field() {
        let essence: Essence = serde_json::from_str(r#"{"name": 5}"#).unwrap();
        let error = essence.record().unwrap_err();
        assert!(
            matches!(error, Error::NotARecord { field: "name", .. }),
            "{error}"
        );
    }
}
