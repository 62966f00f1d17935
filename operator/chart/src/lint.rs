//! Whether a chart is well made: the rules of `helm lint`, in its order and words.
//!
//! Unlike loading, linting goes on after a fault as far as it can, and so it begins with the folder and not with a
//! loaded chart. Templates may be Handlebars (`.hbs` behind the extension); everything else is as in Helm.

mod address;
mod chart_yaml;
mod crds;
mod dependencies;
mod deprecations;
mod object;
mod object_name;
mod place;
mod templates;
mod url;
mod values;

use std::fmt;
use std::path::Path;

use belay_template::{Host, Limits};

use crate::capabilities::KubeVersion;
use crate::chart::{Chart, Values};
use crate::error::ChartError;
use crate::prepare::SchemaCheck;
use crate::warning::Warning;
use place::Place;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something that is recommended is missing.
    Info,
    /// It will probably work, but breaks with convention.
    Warning,
    /// It will probably not work.
    Error,
}

/// One thing that is wrong with a chart. As text it is the line that `helm lint` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file inside the chart, or the chart's folder.
    pub path: String,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        };
        write!(f, "[{severity}] {}: {}", self.path, self.text)
    }
}

/// What linting came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linted {
    /// What is wrong, in Helm's order.
    pub findings: Vec<Finding>,
    /// What Helm logs meanwhile; it loads a chart once for each rule that needs it, and logs as often.
    pub warnings: Vec<Warning>,
}

/// What a chart is linted with.
#[derive(Debug, Clone)]
pub struct LintOptions {
    /// What the user set.
    pub values: Values,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// The version of Kubernetes to render for and to judge deprecations by; the newest known one if nothing is given.
    pub kube_version: Option<KubeVersion>,
    /// Whether `values.schema.json` has a say.
    pub schema: SchemaCheck,
    /// How much the chart may use.
    pub limits: Limits,
}

/// Lints the chart in a folder or package and tells what was found. Blocks on the file system.
///
/// ```
/// use belay_chart::{LintOptions, SchemaCheck, Severity, Values, lint};
/// use belay_template::{Host, Limits};
///
/// struct Fixed;
///
/// impl Host for Fixed {
///     fn now(&mut self) -> jiff::Timestamp {
///         jiff::Timestamp::UNIX_EPOCH
///     }
///     fn random(&mut self, buffer: &mut [u8]) {
///         buffer.fill(7);
///     }
/// }
///
/// let folder = std::env::temp_dir().join(format!("belay-lint-example-{}", std::process::id()));
/// std::fs::create_dir_all(folder.join("templates"))?;
/// std::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: one\n")?;
///
/// let options = LintOptions {
///     values: Values::new(),
///     namespace: "default".into(),
///     kube_version: None,
///     schema: SchemaCheck::Enforce,
///     limits: Limits::default(),
/// };
/// let found = lint(&folder, &options, &mut Fixed).expect("a chart").findings;
/// let worst: Vec<String> =
///     found.iter().filter(|finding| finding.severity == Severity::Error).map(ToString::to_string).collect();
/// assert_eq!(worst[0], "[ERROR] Chart.yaml: version 'one' is not a valid SemVer");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the path holds no chart at all: there is no `Chart.yaml`, or the package cannot be unpacked.
pub fn lint(
    path: &Path,
    options: &LintOptions,
    host: &mut (dyn Host + Send),
) -> Result<Linted, ChartError> {
    let mut linter = Linter {
        place: Place::open(path)?,
        findings: Vec::new(),
        warnings: Vec::new(),
    };
    linter.chart_yaml();
    linter.values(options);
    linter.templates(options, host);
    linter.dependencies();
    linter.crds();
    Ok(Linted {
        findings: linter.findings,
        warnings: linter.warnings,
    })
}

struct Linter {
    place: Place,
    findings: Vec<Finding>,
    warnings: Vec<Warning>,
}

impl Linter {
    /// Loads the chart, as each rule does that needs it whole.
    fn chart(&mut self) -> Result<Chart, ChartError> {
        match self.place.chart() {
            Ok(chart) => {
                self.warnings.extend_from_slice(chart.warnings());
                Ok(chart)
            }
            Err(refused) => {
                self.warnings.extend(refused.warnings);
                Err(refused.error)
            }
        }
    }

    /// Takes note of a rule's verdict and answers whether it holds.
    fn check(&mut self, severity: Severity, path: &str, verdict: Result<(), String>) -> bool {
        let Err(text) = verdict else {
            return true;
        };
        self.findings.push(Finding {
            severity,
            path: path.to_owned(),
            text,
        });
        false
    }
}

/// A rule's verdict.
fn holds(rule: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if rule { Ok(()) } else { Err(text()) }
}
