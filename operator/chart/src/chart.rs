//! A chart in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use belay_yaml::{Numbers, ParseOptions, Value};

use crate::archive::{self, Budget};
use crate::content_type;
use crate::decode::DecodeError;
use crate::digest::{self, Digest};
use crate::directory;
use crate::error::ChartError;
use crate::file::File;
use crate::lock;
use crate::metadata::{Dependency, Metadata};
use crate::validate::validate;
use crate::warning::Warning;

/// Values as YAML has them: a map by key. Numbers from files are floats, those from `--set` integers.
pub type Values = belay_yaml::Map;

/// How deep charts may hold charts.
const MAX_DEPTH: usize = 32;

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
    /// What Helm logs while it loads and processes a chart.
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
    /// Loads a chart from a folder or a package, whichever the path is. Blocks on the file system.
    ///
    /// # Errors
    /// When it cannot be read, unpacked or understood.
    pub fn from_path(path: &Path) -> Result<Self, ChartError> {
        let failed = |source| ChartError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Self::from_files(directory::read(path)?);
        }
        let package = directory::read_file(path)?;
        if !package.starts_with(archive::GZIP) {
            let yaml = path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml");
            return Err(ChartError::NotAPackage {
                path: path.to_owned(),
                found: if yaml {
                    "seems to be a YAML file, but expected a gzipped archive".to_owned()
                } else {
                    let found = content_type::of(&package);
                    format!("does not appear to be a gzipped archive; got '{found}'")
                },
            });
        }
        Self::from_archive(&package)
    }

    /// Loads a chart from the bytes of a package (`.tgz`), with Helm's limits: 100 MiB unpacked, 5 MiB a file.
    ///
    /// # Errors
    /// When it cannot be unpacked, names paths outside of itself, or cannot be understood.
    pub fn from_archive(package: &[u8]) -> Result<Self, ChartError> {
        let files = archive::unpack(package).map_err(|error| match error {
            ChartError::Package(text) if text == archive::NO_GZIP => ChartError::NotAnArchive(text),
            ChartError::Package(text) => ChartError::Archive(text),
            other => other,
        })?;
        Self::from_files(files)
    }

    /// Loads a chart from its files. A `charts/` entry may be a package itself.
    ///
    /// # Errors
    /// When `Chart.yaml` is missing or broken, or another file that Helm reads is.
    pub fn from_files(files: impl IntoIterator<Item = File>) -> Result<Self, ChartError> {
        let files: Vec<File> = files.into_iter().collect();
        for file in files.iter().filter(|file| &*file.name == "Chart.yaml") {
            api_version(file, &parse(file)?)?;
        }
        load(files, 0, &mut Budget::new())
    }

    /// As [`from_files`](Self::from_files) for any `apiVersion`, which only loading for a release looks at.
    pub(crate) fn of_any_version(files: Vec<File>) -> Result<Self, ChartError> {
        load(files, 0, &mut Budget::new())
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

    /// What Helm would log about the chart.
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

fn load(files: Vec<File>, depth: usize, budget: &mut Budget) -> Result<Chart, ChartError> {
    if depth > MAX_DEPTH {
        return Err(ChartError::TooDeep(MAX_DEPTH));
    }
    let mut metadata = None;
    for file in files.iter().filter(|f| &*f.name == "Chart.yaml") {
        let metadata = metadata.get_or_insert_with(Metadata::default);
        metadata.read(&parse(file)?).map_err(|e| refused(file, e))?;
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
    }
    let mut chart = Chart {
        metadata: metadata.ok_or(ChartError::NoChartYaml)?,
        lock: None,
        templates: Vec::new(),
        values: None,
        values_text: None,
        schema: None,
        files: Vec::new(),
        dependencies: Vec::new(),
        digest: Digest::default(),
        warnings: Vec::new(),
    };
    let mut digest = digest::Builder::default();
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        let inside = file.name.strip_prefix("charts/");
        if let Some(inside) = inside.filter(|name| !has_extension(name, "prov")) {
            let name = inside.split('/').next().unwrap_or(inside).to_owned();
            let inner = File {
                name: Arc::from(inside),
                data: file.data,
            };
            subcharts.entry(name).or_default().push(inner);
            continue;
        }
        digest.file(&file);
        chart.take(file)?;
    }
    validate(&mut chart.metadata)?;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let child = load_subchart(&name, files, depth, budget);
        let child = child.map_err(|source| ChartError::Subchart {
            name: name.clone(),
            parent: chart.name().to_owned(),
            source: Box::new(source),
        })?;
        digest.subchart(&child.digest);
        chart.dependencies.push(Arc::new(child));
    }
    chart.digest = digest.finish();
    Ok(chart)
}

impl Chart {
    /// Puts a file where it belongs.
    fn take(&mut self, file: File) -> Result<(), ChartError> {
        let first_version = self.metadata.api_version == "v1";
        match &*file.name {
            "Chart.yaml" => return Ok(()),
            "Chart.lock" => {
                self.lock = Some(lock::read(&parse(&file)?).map_err(|e| refused(&file, e))?);
                return Ok(());
            }
            "values.yaml" => {
                let values = crate::user_values::read_documents(&file.data).map_err(|message| {
                    ChartError::File {
                        file: file.name.to_string(),
                        message,
                    }
                })?;
                self.values = Some(Arc::new(values));
                self.values_text = Some(file.data);
                return Ok(());
            }
            "values.schema.json" => {
                self.schema = Some(file.data);
                return Ok(());
            }
            "requirements.yaml" => {
                if !first_version {
                    self.warnings.push(Warning::info(
                        "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.",
                    ));
                }
                self.metadata
                    .read(&parse(&file)?)
                    .map_err(|e| refused(&file, e))?;
            }
            "requirements.lock" => {
                self.lock = Some(lock::read(&parse(&file)?).map_err(|e| refused(&file, e))?);
                if !first_version {
                    self.warnings.push(Warning::info(
                        "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.",
                    ));
                }
            }
            name if name.starts_with("templates/") => {
                self.templates.push(file);
                return Ok(());
            }
            _ => {
                self.files.push(file);
                return Ok(());
            }
        }
        if first_version {
            self.files.push(file);
        }
        Ok(())
    }
}

fn load_subchart(
    name: &str,
    files: Vec<File>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Chart, ChartError> {
    if has_extension(name, "tgz") {
        let Some(package) = files.iter().find(|f| &*f.name == name) else {
            let found = files
                .first()
                .map_or_else(String::new, |f| f.name.to_string());
            return Err(ChartError::Package(format!("expected {name}, got {found}")));
        };
        return load(budget.unpack(&package.data)?, depth + 1, budget);
    }
    // A loose file in charts/ is no chart: what stays is an empty one, which then lacks its Chart.yaml.
    let inner = files
        .into_iter()
        .filter_map(|f| {
            f.name.split_once('/').map(|(_, rest)| File {
                name: Arc::from(rest),
                data: f.data.clone(),
            })
        })
        .collect();
    load(inner, depth + 1, budget)
}

/// Names are compared as they are written, as on Helm's side.
fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, found)| found == extension)
}

fn parse(file: &File) -> Result<Value, ChartError> {
    let options = ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    };
    belay_yaml::parse_with(&file.data, &options).map_err(|e| ChartError::File {
        file: file.name.to_string(),
        message: e.to_string(),
    })
}

fn refused(file: &File, error: DecodeError) -> ChartError {
    match error {
        DecodeError::Rule(text) => ChartError::Invalid(text),
        DecodeError::Type(text) => ChartError::File {
            file: file.name.to_string(),
            message: format!("error unmarshaling JSON: while decoding JSON: {text}"),
        },
    }
}

/// Helm looks at the apiVersion first, by itself, and at that of the chart alone: subcharts may say anything.
fn api_version(file: &File, chart_yaml: &Value) -> Result<(), ChartError> {
    let mut first = None;
    let path = crate::decode::Path::root("chartBase", "loader.chartBase");
    let mut version = String::new();
    for (key, value) in path.object(chart_yaml, &mut first).into_iter().flatten() {
        if key.eq_ignore_ascii_case("apiVersion") {
            crate::decode::Decode {
                path: &path,
                value,
                first: &mut first,
            }
            .text("apiVersion", &mut version);
        }
    }
    if let Some(error) = first {
        return Err(refused(file, error));
    }
    match version.as_str() {
        "" | "v1" | "v2" => Ok(()),
        _ => Err(ChartError::UnsupportedApiVersion),
    }
}

#[cfg(test)]
#[path = "tests/chart.rs"]
mod tests;
