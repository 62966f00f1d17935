use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chart::ChartSummary;
use crate::error::Error;
use crate::hook::Hook;
use crate::info::Info;
use crate::manifest::Manifest;

/// What `apply_method` says for releases that are applied server-side, as all of ours are.
pub const APPLY_METHOD_SERVER_SIDE: &str = "ssa";

/// One revision of a release as Helm stores it.
///
/// `chart`, `config` and unknown fields are kept as the JSON text that they were, so that a record of Helm's can be
/// given another status without losing a byte of what it says otherwise.
#[derive(Debug, Clone)]
pub struct Record {
    /// Name of the release.
    pub name: String,
    /// Its namespace, into which its objects go by default.
    pub namespace: String,
    /// Revision, counted from 1; 0 when a foreign record names none.
    pub version: u32,
    /// Where it stands.
    pub info: Info,
    /// The chart; see [`ChartRecord`](crate::ChartRecord). Without it `helm get` does not work.
    pub chart: Option<Box<RawValue>>,
    /// The values that the user gave.
    pub config: Option<Box<RawValue>>,
    /// The manifest without hooks, as [`Manifest::to_text`] gives it.
    pub manifest: String,
    /// The hooks, in kind order.
    pub hooks: Vec<Hook>,
    /// `ssa` or `csa`; `None` means the latter to Helm.
    pub apply_method: Option<String>,
    /// The user's labels. They stand on the Secret, not in the record.
    pub labels: BTreeMap<String, String>,
    /// Fields that this crate does not know, kept as they are.
    pub extra: BTreeMap<String, Box<RawValue>>,
}

impl Record {
    /// An empty record of a server-side applied revision.
    pub fn new(name: &str, namespace: &str, version: u32) -> Self {
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            version,
            info: Info::default(),
            chart: None,
            config: None,
            manifest: String::new(),
            hooks: Vec::new(),
            apply_method: Some(APPLY_METHOD_SERVER_SIDE.to_owned()),
            labels: BTreeMap::new(),
            extra: BTreeMap::new(),
        }
    }

    /// Reads a record's JSON.
    ///
    /// # Errors
    /// [`Error::NotARecord`] with the field that cannot be read.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(json)
            .map_err(|source| Error::NotARecord { field: ".", source })?;
        Ok(Self {
            name: take(&mut fields, "name")?,
            namespace: take(&mut fields, "namespace")?,
            version: take(&mut fields, "version")?,
            info: take(&mut fields, "info")?,
            chart: fields.remove("chart").filter(|raw| is_said(raw)),
            config: fields.remove("config").filter(|raw| is_said(raw)),
            manifest: take(&mut fields, "manifest")?,
            hooks: take(&mut fields, "hooks")?,
            apply_method: take(&mut fields, "apply_method")?,
            labels: BTreeMap::new(),
            extra: fields,
        })
    }

    /// The record's JSON, in Helm's order of fields; what is empty is left out, as Helm does.
    ///
    /// # Errors
    /// [`Error::Unwritable`], which nothing that was read or made by this crate causes.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|source| Error::Unwritable { source })
    }

    /// Name and versions of the chart; empty where the record does not say.
    pub fn chart_summary(&self) -> ChartSummary {
        self.chart
            .as_deref()
            .map(ChartSummary::of)
            .unwrap_or_default()
    }

    /// The user's values; an empty map when there are none.
    ///
    /// # Errors
    /// [`Error::NotARecord`] for numbers that no number type holds.
    pub fn config_value(&self) -> Result<Value, Error> {
        match &self.config {
            None => Ok(Value::Object(serde_json::Map::new())),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|source| Error::NotARecord {
                field: "config",
                source,
            }),
        }
    }

    /// The stored manifest as documents.
    ///
    /// # Errors
    /// See [`Manifest::parse`].
    pub fn documents(&self) -> Result<Manifest, Error> {
        Manifest::parse(&self.manifest)
    }
}

/// Compares what records say, JSON kept as text by that text.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        fn text(raw: Option<&RawValue>) -> Option<&str> {
            raw.map(RawValue::get)
        }
        self.name == other.name
            && self.namespace == other.namespace
            && self.version == other.version
            && self.info == other.info
            && text(self.chart.as_deref()) == text(other.chart.as_deref())
            && text(self.config.as_deref()) == text(other.config.as_deref())
            && self.manifest == other.manifest
            && self.hooks == other.hooks
            && self.apply_method == other.apply_method
            && self.labels == other.labels
            && self.extra.len() == other.extra.len()
            && self
                .extra
                .iter()
                .zip(&other.extra)
                .all(|((a, x), (b, y))| a == b && x.get() == y.get())
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.name.is_empty() {
            map.serialize_entry("name", &self.name)?;
        }
        map.serialize_entry("info", &self.info)?;
        if let Some(chart) = &self.chart {
            map.serialize_entry("chart", chart)?;
        }
        if let Some(config) = &self.config {
            map.serialize_entry("config", config)?;
        }
        if !self.manifest.is_empty() {
            map.serialize_entry("manifest", &self.manifest)?;
        }
        if !self.hooks.is_empty() {
            map.serialize_entry("hooks", &self.hooks)?;
        }
        if self.version != 0 {
            map.serialize_entry("version", &self.version)?;
        }
        if !self.namespace.is_empty() {
            map.serialize_entry("namespace", &self.namespace)?;
        }
        if let Some(method) = &self.apply_method {
            map.serialize_entry("apply_method", method)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Takes a known field; absent and null are its empty value, as in Go.
fn take<T: DeserializeOwned + Default>(
    fields: &mut BTreeMap<String, Box<RawValue>>,
    field: &'static str,
) -> Result<T, Error> {
    match fields.remove(field).filter(|raw| is_said(raw)) {
        None => Ok(T::default()),
        Some(raw) => {
            serde_json::from_str(raw.get()).map_err(|source| Error::NotARecord { field, source })
        }
    }
}

fn is_said(raw: &RawValue) -> bool {
    raw.get() != "null"
}

#[cfg(test)]
mod tests;
