//! Loading a chart, in Helm's two ways: to be installed, where `apiVersion` is looked at first, and to be looked at.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use belay_yaml::{Numbers, ParseOptions, Value};

use crate::archive::{self, Budget};
use crate::chart::Chart;
use crate::clean_path::absolute_path;
use crate::content_type;
use crate::decode::{self, Decode, DecodeError};
use crate::digest::{self, Digest};
use crate::directory::{self, read_file};
use crate::error::ChartError;
use crate::file::File;
use crate::file_error::in_gos_words;
use crate::lock;
use crate::metadata::Metadata;
use crate::validate::validate;
use crate::warning::Warning;

/// The file that makes a folder a chart.
pub(crate) const CHART_YAML: &str = "Chart.yaml";

/// How deep charts may hold charts.
const MAX_DEPTH: usize = 32;

/// What a chart is loaded for. Helm has a loader for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadFor {
    /// To be rendered and installed, as `helm template` and `helm install` load it: `apiVersion` is v1, v2, or missing.
    Release,
    /// To be looked at, as `helm show` and `helm lint` load it: `apiVersion` may say anything.
    Inspection,
}

/// Why a chart could not be loaded, and what Helm logs before it says so.
#[derive(Debug)]
pub struct Unloadable {
    /// What is wrong.
    pub error: ChartError,
    /// What was odd until then.
    pub warnings: Vec<Warning>,
}

/// Gives what is logged while loading to the chart, or to the error.
pub(crate) fn logged(
    load: impl FnOnce(&mut Vec<Warning>) -> Result<Chart, ChartError>,
) -> Result<Chart, Unloadable> {
    let mut warnings = Vec::new();
    match load(&mut warnings) {
        Ok(chart) => Ok(Chart { warnings, ..chart }),
        Err(error) => Err(Unloadable { error, warnings }),
    }
}

/// Loads the folder or package at a path.
pub(crate) fn path(
    path: &Path,
    purpose: LoadFor,
    log: &mut Vec<Warning>,
) -> Result<Chart, ChartError> {
    let failed = |source| ChartError::Read {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        let version = match purpose {
            LoadFor::Release => detect(&read_chart_yaml(path)?)?,
            LoadFor::Inspection => ApiVersion::Known,
        };
        return version.load(directory::read(path, log)?, log);
    }
    let package = read_file(path)?;
    if !package.starts_with(archive::GZIP) {
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        return Err(ChartError::NotAPackage {
            path: path.to_owned(),
            found: if is_yaml {
                "seems to be a YAML file, but expected a gzipped archive".to_owned()
            } else {
                let found = content_type::of(&package);
                format!("does not appear to be a gzipped archive; got '{found}'")
            },
        });
    }
    self::package(&package, purpose, log)
}

/// Loads the bytes of a package.
pub(crate) fn package(
    package: &[u8],
    purpose: LoadFor,
    log: &mut Vec<Warning>,
) -> Result<Chart, ChartError> {
    let files = archive::unpack(package).map_err(|error| match error {
        ChartError::Package(text) if text == archive::NO_GZIP => ChartError::NotAnArchive(text),
        ChartError::Package(text) if purpose == LoadFor::Release => ChartError::Archive(text),
        other => other,
    })?;
    let is_chart = files.iter().any(|file| &*file.name == CHART_YAML);
    if purpose == LoadFor::Release && !is_chart {
        return Err(ChartError::NoChartYamlInPackage);
    }
    self::files(files, purpose, log)
}

/// Loads files in memory.
pub(crate) fn files(
    files: Vec<File>,
    purpose: LoadFor,
    log: &mut Vec<Warning>,
) -> Result<Chart, ChartError> {
    let first = files.iter().find(|file| &*file.name == CHART_YAML);
    let version = match (purpose, first) {
        (LoadFor::Release, Some(file)) => detect(file)?,
        (LoadFor::Release, None) | (LoadFor::Inspection, _) => ApiVersion::Known,
    };
    version.load(files, log)
}

/// What the `apiVersion` of a chart that is to be installed leads to.
enum ApiVersion {
    /// It is one that charts are installed from.
    Known,
    /// It is v3, which Helm 4 reads to the end and then refuses.
    Third,
}

impl ApiVersion {
    fn load(self, files: Vec<File>, log: &mut Vec<Warning>) -> Result<Chart, ChartError> {
        let mut tree = Tree {
            budget: Budget::new(),
            log,
        };
        match self {
            Self::Known => tree.load(files, 0),
            Self::Third => {
                // The files that version 1 kept its dependencies in are files like any other there.
                let files = files.into_iter().filter(|file| !of_version_one(file));
                let chart = tree.load(files.collect(), 0)?;
                chart.check_installable()?;
                Err(ChartError::ThirdApiVersion)
            }
        }
    }
}

/// The `Chart.yaml` of a folder, whether or not `.helmignore` names it.
fn read_chart_yaml(folder: &Path) -> Result<File, ChartError> {
    let path = folder.join(CHART_YAML);
    let data = std::fs::read(&path).map_err(|error| {
        let path = absolute_path(&path);
        ChartError::Undetected {
            message: in_gos_words("open", &path, &error),
            path,
        }
    })?;
    Ok(File::new(CHART_YAML, &data))
}

/// Helm looks at the apiVersion first, by itself, and at that of the chart alone: subcharts may say anything.
fn detect(file: &File) -> Result<ApiVersion, ChartError> {
    let mut first = None;
    let path = decode::Path::root("chartBase", "loader.chartBase");
    let mut version = String::new();
    let chart_yaml = parse(file)?;
    for (key, value) in path.object(&chart_yaml, &mut first).into_iter().flatten() {
        if key.eq_ignore_ascii_case("apiVersion") {
            Decode {
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
        "" | "v1" | "v2" => Ok(ApiVersion::Known),
        "v3" => Ok(ApiVersion::Third),
        _ => Err(ChartError::UnsupportedApiVersion),
    }
}

/// The name that a `Chart.yaml` gives, read as when the chart is loaded.
pub(crate) fn chart_name(file: &File) -> Result<String, ChartError> {
    let mut metadata = Metadata::default();
    metadata.read(&parse(file)?).map_err(|e| refused(file, e))?;
    Ok(metadata.name)
}

/// A chart and the charts in it, while they are loaded.
struct Tree<'l> {
    budget: Budget,
    log: &'l mut Vec<Warning>,
}

impl Tree<'_> {
    fn load(&mut self, files: Vec<File>, depth: usize) -> Result<Chart, ChartError> {
        if depth > MAX_DEPTH {
            return Err(ChartError::TooDeep(MAX_DEPTH));
        }
        let mut metadata = None;
        for file in files.iter().filter(|f| &*f.name == CHART_YAML) {
            let metadata = metadata.get_or_insert_with(Metadata::default);
            metadata.read(&parse(file)?).map_err(|e| refused(file, e))?;
            if metadata.api_version.is_empty() {
                "v1".clone_into(&mut metadata.api_version);
            }
        }
        // The files of version 1 count as a beginning of metadata, which then lacks everything else.
        let is_chart = metadata.is_some() || files.iter().any(of_version_one);
        let mut chart = Chart {
            metadata: metadata.unwrap_or_default(),
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
            self.take(&mut chart, file)?;
        }
        if !is_chart {
            return Err(ChartError::NoChartYaml);
        }
        validate(&mut chart.metadata)?;
        for (name, files) in subcharts {
            if name.starts_with(['_', '.']) {
                continue;
            }
            let child = match first_that_is_no_package(&name, &files) {
                Some(found) => {
                    return Err(ChartError::NoSubchartPackage {
                        parent: chart.name().to_owned(),
                        found: found.name.to_string(),
                        name,
                    });
                }
                None => self.subchart(&name, files, depth),
            };
            let child = child.map_err(|source| ChartError::Subchart {
                name,
                parent: chart.name().to_owned(),
                source: Box::new(source),
            })?;
            digest.subchart(&child.digest);
            chart.dependencies.push(Arc::new(child));
        }
        chart.digest = digest.finish();
        Ok(chart)
    }

    /// Puts a file where it belongs.
    fn take(&mut self, chart: &mut Chart, file: File) -> Result<(), ChartError> {
        let first_version = chart.metadata.api_version == "v1";
        match &*file.name {
            CHART_YAML => return Ok(()),
            "Chart.lock" => {
                chart.lock = Some(lock::read(&parse(&file)?).map_err(|e| refused(&file, e))?);
                return Ok(());
            }
            "values.yaml" => {
                let values = crate::user_values::read_documents(&file.data).map_err(|message| {
                    ChartError::File {
                        file: file.name.to_string(),
                        message,
                    }
                })?;
                chart.values = Some(Arc::new(values));
                chart.values_text = Some(file.data);
                return Ok(());
            }
            "values.schema.json" => {
                chart.schema = Some(file.data);
                return Ok(());
            }
            "requirements.yaml" => {
                if !first_version {
                    self.log.push(Warning::info(
                        "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.",
                    ));
                }
                chart
                    .metadata
                    .read(&parse(&file)?)
                    .map_err(|e| refused(&file, e))?;
            }
            "requirements.lock" => {
                chart.lock = Some(lock::read(&parse(&file)?).map_err(|e| refused(&file, e))?);
                if !first_version {
                    self.log.push(Warning::info(
                        "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.",
                    ));
                }
            }
            name if name.starts_with("templates/") => {
                chart.templates.push(file);
                return Ok(());
            }
            _ => {
                chart.files.push(file);
                return Ok(());
            }
        }
        if first_version {
            chart.files.push(file);
        }
        Ok(())
    }

    fn subchart(
        &mut self,
        name: &str,
        files: Vec<File>,
        depth: usize,
    ) -> Result<Chart, ChartError> {
        if let Some(package) = files.iter().find(|file| is_package(name, file)) {
            let files = self.budget.unpack(&package.data)?;
            return self.load(files, depth + 1);
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
        self.load(inner, depth + 1)
    }
}

/// Whether the file is what its place below `charts/` is named after.
fn is_package(name: &str, file: &File) -> bool {
    has_extension(name, "tgz") && &*file.name == name
}

/// The first file of a folder that is named like a package.
fn first_that_is_no_package<'f>(name: &str, files: &'f [File]) -> Option<&'f File> {
    let first = files.first()?;
    (has_extension(name, "tgz") && !is_package(name, first)).then_some(first)
}

/// Whether charts of version 1 keep their dependencies in this file.
fn of_version_one(file: &File) -> bool {
    matches!(&*file.name, "requirements.yaml" | "requirements.lock")
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
