//! What can be wrong with a chart or its values.

use std::path::PathBuf;

/// Why a chart could not be loaded, its values not merged, or its templates not rendered.
///
/// The texts are Helm's own where Helm has one, so that they can be searched for.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// A file or folder could not be read; check that it exists and may be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was read.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
    /// A device, socket or pipe lies in the chart's folder; remove it or name it in `.helmignore`.
    #[error("cannot load irregular file {0} as it has file mode type bits set")]
    IrregularFile(PathBuf),
    /// A link in a chart's folder leads nowhere; mend or remove it.
    #[error(
        "error evaluating symlink {}: lstat {}: no such file or directory", path.display(), missing.display()
    )]
    DanglingLink {
        /// The link.
        path: PathBuf,
        /// What is not there.
        missing: PathBuf,
    },
    /// A link in the chart's folder leads back into itself; remove it.
    #[error("error evaluating symlink {0}: too many links")]
    LinkLoop(PathBuf),
    /// The file is no package; name the chart's folder, or what `helm package` made of it.
    #[error("file '{}' {found}", path.display())]
    NotAPackage {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The bytes are no package; `helm package` makes one.
    #[error("file does not appear to be a valid chart file (details: {0})")]
    NotAnArchive(String),
    /// The package cannot be unpacked whole; fetch or build it again.
    #[error("unable to load chart archive: {0}")]
    Archive(String),
    /// A package cannot be unpacked, holds a path that would leave the chart's folder, or more than is allowed.
    #[error("{0}")]
    Package(String),
    /// A line of `.helmignore` cannot be understood; rewrite that line.
    #[error("{0}")]
    Ignore(&'static str),
    /// A file of the chart is no YAML or has the wrong shape; correct it where the text says.
    #[error("cannot load {file}: {message}")]
    File {
        /// Name of the file inside the chart.
        file: String,
        /// Where and what, in the words of Go's readers.
        message: String,
    },
    /// There is no `Chart.yaml`; every chart needs one at its top.
    #[error("Chart.yaml file is missing")]
    NoChartYaml,
    /// A folder has no `Chart.yaml` that can be read; name the chart's own folder.
    #[error("unable to detect chart at {}: {message}", path.display())]
    Undetected {
        /// Where it should be.
        path: PathBuf,
        /// What the system answered, in Go's words.
        message: String,
    },
    /// A package has no `Chart.yaml`; `helm package` makes one that has.
    #[error("unable to detect chart version, no Chart.yaml found")]
    NoChartYamlInPackage,
    /// `Chart.yaml` names an apiVersion that nobody knows; v1 and v2 are known.
    #[error("unsupported chart version")]
    UnsupportedApiVersion,
    /// `Chart.yaml` names apiVersion v3, which Helm installs nothing from yet; use v2.
    #[error("invalid chart apiVersion")]
    ThirdApiVersion,
    /// `Chart.yaml` breaks a rule; change the field that the text names.
    #[error("validation: {0}")]
    Invalid(String),
    /// A chart below `charts/` cannot be loaded.
    #[error("error unpacking subchart {name} in {parent}: {source}")]
    Subchart {
        /// File or folder below `charts/`.
        name: String,
        /// The chart that holds it.
        parent: String,
        /// What is wrong with it.
        #[source]
        source: Box<ChartError>,
    },
    /// A folder below `charts/` is named like a package; rename it.
    #[error("error unpacking subchart tar in {parent}: expected {name}, got {found}")]
    NoSubchartPackage {
        /// The folder below `charts/`.
        name: String,
        /// The chart that holds it.
        parent: String,
        /// What lies there.
        found: String,
    },
    /// Charts nest deeper than anything sensible; flatten them.
    #[error("charts are nested deeper than {0} levels")]
    TooDeep(usize),
    /// A library chart, which holds definitions for other charts, cannot be installed itself.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// Listed dependencies are not in the package; run `helm dependency build` and package it again.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        .0.join(", ")
    )]
    MissingDependencies(Vec<String>),
    /// The subcharts could not be chosen.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(#[source] Box<ChartError>),
    /// The values of a subchart are no map; make them one.
    #[error("type mismatch on {0}: {1}")]
    SubchartValues(String, String),
    /// The text after `--set`, `--set-json` and the like cannot be read.
    #[error("failed parsing {flag} data{details}")]
    Set {
        /// The flag, or the field of a HelmRelease with the same meaning.
        flag: &'static str,
        /// Where and what.
        details: String,
    },
    /// A values file is no YAML map.
    #[error("failed to parse {file}: {message}")]
    ValuesFile {
        /// The file's name as given.
        file: String,
        /// Where and what.
        message: String,
    },
    /// The values break a `values.schema.json`; each line names a path in the values and what is wanted there, and the
    /// last one, too, is ended. Or the schema is broken itself.
    #[error(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{0}"
    )]
    Schema(String),
    /// A Kubernetes version that is none.
    #[error("invalid kube version '{version}': {message}")]
    KubeVersion {
        /// The text given.
        version: String,
        /// What is wrong with it.
        message: String,
    },
    /// The chart is not made for this cluster; use another chart version.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}")]
    IncompatibleKubernetes {
        /// The range in `Chart.yaml`.
        wanted: String,
        /// The cluster's version.
        found: String,
    },
    /// What is to be linted is no chart: there is no `Chart.yaml`, or the package cannot be unpacked.
    #[error("{0}")]
    NotLintable(String),
    /// A template does not parse or failed; the text names file, line and column.
    #[error("{0}")]
    Template(String),
    /// A template printed bytes that are no UTF-8, perhaps those of a file; encode it (`b64enc`), or save it as UTF-8.
    #[error("YAML parse error on {file}: {message}")]
    NotText {
        /// Full name of the template.
        file: String,
        /// What the reader says.
        message: String,
    },
    /// A Handlebars template does not parse or failed.
    #[error("{kind} error at ({file}:{line}:{column}): {message}")]
    Handlebars {
        /// `parse` or `execution`.
        kind: &'static str,
        /// Full name of the template.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The renderer itself broke down; this is a fault of the program, not of the chart.
    #[error("rendering template failed: {0}")]
    Broken(String),
}
