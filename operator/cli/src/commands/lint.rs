//! `belay lint`: what `helm lint` does, rule by rule.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use belay_chart::{KubeVersion, LintOptions, SchemaCheck, Severity, clean_path, lint};
use belay_template::Limits;
use clap::Args;

use crate::args::Globals;
use crate::error::Error;
use crate::host::LocalHost;
use crate::locate;
use crate::stdout;
use crate::value_flags::{ValueFlags, in_helms_words};

#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Folders or packages of charts
    #[arg(value_name = "CHART", required = true)]
    charts: Vec<PathBuf>,
    #[command(flatten)]
    values: ValueFlags,
    #[command(flatten)]
    judged: Judged,
    /// The Kubernetes version to render for and to judge deprecations by
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Lint the charts below charts/ as well
    #[arg(long)]
    with_subcharts: bool,
}

/// What counts, and what is shown.
#[derive(Clone, Debug, Args)]
struct Judged {
    /// Fail for warnings, too
    #[arg(long)]
    strict: bool,
    /// Print only warnings and errors
    #[arg(long)]
    quiet: bool,
    /// Do not hold values against the chart's schema
    #[arg(long)]
    skip_schema_validation: bool,
}

pub(crate) fn run(arguments: &Arguments, globals: &Globals) -> Result<ExitCode, Error> {
    let kube_version = arguments
        .kube_version
        .as_deref()
        .map(KubeVersion::parse)
        .transpose()
        .map_err(|error| in_helms_words(&error))?;
    let options = LintOptions {
        values: arguments.values.merge()?,
        namespace: locate::namespace(globals),
        kube_version,
        schema: if arguments.judged.skip_schema_validation {
            SchemaCheck::Skip
        } else {
            SchemaCheck::Enforce
        },
        limits: Limits::default(),
    };
    lint_all(arguments, &options)
}

fn lint_all(arguments: &Arguments, options: &LintOptions) -> Result<ExitCode, Error> {
    let mut charts = arguments.charts.clone();
    if arguments.with_subcharts {
        for chart in &arguments.charts {
            let folder = clean_path(&chart.join("charts"));
            if !folder.is_symlink() {
                subcharts(&folder, &mut charts);
            }
        }
    }
    let quiet = arguments.judged.quiet;
    let worst_allowed = if arguments.judged.strict {
        Severity::Info
    } else {
        Severity::Warning
    };
    let (mut text, mut failed, mut told) = (String::new(), 0, 0);
    for chart in &charts {
        let found = lint(chart, options, &mut LocalHost);
        let worst = match &found {
            Ok(found) => {
                found.warnings.iter().for_each(locate::tell);
                found.findings.iter().map(|finding| finding.severity).max()
            }
            Err(_) => Some(Severity::Error),
        };
        let noteworthy = worst > Some(Severity::Info);
        told += usize::from(noteworthy);
        failed += usize::from(worst > Some(worst_allowed));
        if quiet && !noteworthy {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "==> Linting {}", chart.display());
        match found {
            Ok(found) => {
                for finding in found.findings {
                    if !quiet || finding.severity > Severity::Info {
                        let _ = writeln!(text, "{finding}");
                    }
                }
            }
            Err(error) => {
                let _ = writeln!(text, "Error {error}");
            }
        }
        text.push('\n');
    }
    let summary = format!("{} chart(s) linted, {failed} chart(s) failed", charts.len());
    if failed == 0 && (!quiet || told > 0) {
        text.push_str(&summary);
        text.push('\n');
    }
    stdout::print(text)?;
    if failed > 0 {
        return Err(Error::Template(summary));
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything below the folder that looks like a chart, sorted by path; what cannot be read is passed over.
fn subcharts(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.to_string_lossy();
        if path.file_name().is_some_and(|name| name == "Chart.yaml") {
            found.extend(path.parent().map(Path::to_path_buf));
        } else if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
            found.push(path);
        } else if path.is_dir() && !path.is_symlink() {
            subcharts(&path, found);
        }
    }
}
