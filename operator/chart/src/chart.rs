//! A chart in memory.

use std::path::Path;
use std::sync::Arc;

use crate::digest::Digest;
use crate::error::ChartError;
use crate::file::File;
use crate::loader::{self, LoadFor, Unloadable};
use crate::metadata::{Dependency, Metadata};
use crate::warning::Warning;

/// Values as YAML has them: a map by key. Numbers from files are floats, those from `--set` integers.
pub type Values = belay_yaml::Map;

/// A chart with its subcharts. Files are shared, so that a clone is cheap.
#[derive(Debug, Clone)]
pub struct Chart {
    pub(crate) metadata: Metadata,
    pub(crate) lock: Option<serde_json::Value>,
    pub(crate) templates: Vec<File>,
    /// `None` when there is no values.yaml: Helm's records then say `null`.
    pub(crate) values: Option<Arc<Values>>,
    pub(crate) values_text: Option<Arc<[u8]>>,
    pub(crate) schema: Option<Arc<[u8]>>,
    pub(crate) files: Vec<File>,
    pub(crate) dependencies: Vec<Arc<Chart>>,
    pub(crate) digest: Digest,
    /// What Helm logs while it loads the chart and its subcharts.
    pub(crate) warnings: Vec<Warning>,
}

/// A file below `crds/`, to be created before anything else and never templated.
#[derive(Debug, Clone)]
pub struct Crd {
    /// Name with the path of (sub)charts before it, for example `web/charts/db/crds/a.yaml`.
    pub file_name: String,
    /// The file.
    pub file: File,
}

impl Chart {
    /// Loads a chart from a folder or a package, whichever the path is, to be installed. Blocks on the file system.
    ///
    /// # Errors
    /// When it cannot be read, unpacked or understood.
    pub fn from_path(path: &Path) -> Result<Self, ChartError> {
        Self::load(path, LoadFor::Release).map_err(|refused| refused.error)
    }

    /// As [`from_path`](Self::from_path) for this or that, and keeps what Helm logs when it cannot be loaded.
    ///
    /// # Errors
    /// As [`from_path`](Self::from_path).
    pub fn load(path: &Path, purpose: LoadFor) -> Result<Self, Unloadable> {
        loader::logged(|log| loader::path(path, purpose, log))
    }

    /// Loads a chart from the bytes of a package (`.tgz`), with Helm's limits: 100 MiB unpacked, 5 MiB a file.
    ///
    /// # Errors
    /// When it cannot be unpacked, names paths outside of itself, or cannot be understood.
    pub fn from_archive(package: &[u8]) -> Result<Self, ChartError> {
        loader::logged(|log| loader::package(package, LoadFor::Release, log))
            .map_err(|refused| refused.error)
    }

    /// Loads a chart from its files. A `charts/` entry may be a package itself.
    ///
    /// # Errors
    /// When `Chart.yaml` is missing or broken, or another file that Helm reads is.
    pub fn from_files(files: impl IntoIterator<Item = File>) -> Result<Self, ChartError> {
        let files = files.into_iter().collect();
        loader::logged(|log| loader::files(files, LoadFor::Release, log))
            .map_err(|refused| refused.error)
    }

    /// The chart's name; for an aliased subchart its alias.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// What `Chart.yaml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Files below `templates/`, in the order of the package.
    pub fn templates(&self) -> &[File] {
        &self.templates
    }

    /// The default values, nothing when there is no values.yaml.
    pub fn values(&self) -> Option<&Values> {
        self.values.as_deref()
    }

    /// `values.yaml` as it was written.
    pub fn values_text(&self) -> Option<&[u8]> {
        self.values_text.as_deref()
    }

    /// The bytes of `values.schema.json`.
    pub fn schema(&self) -> Option<&[u8]> {
        self.schema.as_deref()
    }

    /// Everything that is no template, values, schema or subchart: what `.Files` shows.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The subcharts that lie in `charts/`.
    pub fn dependencies(&self) -> &[Arc<Chart>] {
        &self.dependencies
    }

    /// SHA-256 over the names and bytes of all files, subcharts included; the same for a folder and its package as
    /// long as no file differs.
    pub fn content_digest(&self) -> Digest {
        self.digest
    }

    /// What Helm logs while it loads the chart and its subcharts.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The custom resource definitions of the chart and its subcharts, in Helm's order.
    pub fn crds(&self) -> Vec<Crd> {
        let mut found = Vec::new();
        self.collect_crds(self.name(), &mut found);
        found
    }

    fn collect_crds(&self, path: &str, found: &mut Vec<Crd>) {
        let manifest = |name: &str| {
            let extension = name
                .rsplit('/')
                .next()
                .and_then(|base| base.rsplit_once('.'))
                .map_or("", |(_, e)| e);
            ["yaml", "yml", "json"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        };
        for file in self
            .files
            .iter()
            .filter(|f| f.name.starts_with("crds/") && manifest(&f.name))
        {
            found.push(Crd {
                file_name: format!("{path}/{}", file.name),
                file: file.clone(),
            });
        }
        for child in &self.dependencies {
            child.collect_crds(&format!("{path}/charts/{}", child.name()), found);
        }
    }

    /// Whether the chart may be installed by itself.
    ///
    /// # Errors
    /// For a library chart.
    pub fn check_installable(&self) -> Result<(), ChartError> {
        match self.metadata.kind.as_str() {
            "" | "application" => Ok(()),
            other => Err(ChartError::NotInstallable(other.to_owned())),
        }
    }

    /// Whether every dependency that `Chart.yaml` lists lies in `charts/`.
    ///
    /// # Errors
    /// [`ChartError::MissingDependencies`] with the names of those that do not.
    pub fn check_dependencies(&self) -> Result<(), ChartError> {
        let there = |wanted: &Dependency| {
            self.dependencies
                .iter()
                .any(|child| child.name() == wanted.name)
        };
        let missing: Vec<String> = self
            .metadata
            .dependencies()
            .iter()
            .filter(|d| !there(d))
            .map(|d| d.name.clone())
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(ChartError::MissingDependencies(missing))
        }
    }
}

#[cfg(test)]
#[path = "tests/chart.rs"]
mod tests;
