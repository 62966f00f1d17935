//! `belay template`: what `helm template` does, argument by argument and byte by byte.

mod host;
mod locate;
mod output;
mod release_name;

use std::process::ExitCode;
use std::sync::Arc;

use belay_chart::{
    Capabilities, Chart, ChartError, KubeVersion, Prepared, Release, RenderOptions, Renderer,
    SchemaCheck, UserValues, Values, ValuesFile,
};
use belay_release::Rendered;
use belay_template::Limits;
use clap::Args;

use crate::args::Globals;
use crate::commands::template::host::LocalHost;
use crate::commands::template::output::Output;
use crate::error::Error;

/// What Helm adds when a chart's own output is at fault.
const HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The release's name, if any, and the chart: a folder, a package, or with --repo its name there
    #[arg(value_name = "[NAME] CHART", num_args = 0..)]
    names: Vec<String>,
    /// Values from a YAML file; can be repeated
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ','
    )]
    values: Vec<String>,
    /// Set values: key1=val1,key2=val2
    #[arg(long, allow_hyphen_values = true)]
    set: Vec<String>,
    /// Set values that are text whatever they look like
    #[arg(long, allow_hyphen_values = true)]
    set_string: Vec<String>,
    /// Set values in JSON
    #[arg(long, allow_hyphen_values = true)]
    set_json: Vec<String>,
    /// Set values to the content of files
    #[arg(long)]
    set_file: Vec<String>,
    /// Set one value to the text as it is
    #[arg(long, allow_hyphen_values = true)]
    set_literal: Vec<String>,
    /// The Kubernetes version to render for
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// API versions that the cluster has, besides the usual ones
    #[arg(short, long, value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Render as for an upgrade
    #[arg(long)]
    is_upgrade: bool,
    /// Do not hold values against the chart's schema
    #[arg(long)]
    skip_schema_validation: bool,
    /// A template that gives the release's name
    #[arg(long, value_name = "TEMPLATE")]
    name_template: Option<String>,
    /// Render the notes of subcharts as well
    #[arg(long)]
    render_subchart_notes: bool,
    #[command(flatten)]
    shown: output::Shown,
    #[command(flatten)]
    source: locate::Source,
}

pub(crate) async fn run(arguments: Arguments, globals: &Globals) -> Result<ExitCode, Error> {
    let mut capabilities = Capabilities::default();
    if let Some(version) = &arguments.kube_version {
        capabilities.kube_version =
            KubeVersion::parse(version).map_err(|error| in_helms_words(&error))?;
    }
    capabilities
        .api_versions
        .extend(arguments.api_versions.iter().cloned());
    let (name, chart) = release_name::split(&arguments.names, arguments.name_template.as_deref())?;
    let namespace = globals
        .namespace
        .last()
        .cloned()
        .unwrap_or_else(|| locate::namespace(globals));
    let located = locate::check(&chart, &arguments.source)?;
    let values = user_values(&arguments)?;
    let chart = locate::load(located, &arguments.source).await?;
    let release = Release {
        name,
        namespace,
        revision: 1,
        is_upgrade: arguments.is_upgrade,
    };
    // Charts compute; the runtime's threads are for waiting.
    let work = move || {
        let output = render(&arguments, &chart, &values, release, capabilities)?;
        output.print(&arguments.shown)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Template(error.to_string()))??;
    Ok(ExitCode::SUCCESS)
}

fn user_values(arguments: &Arguments) -> Result<Values, Error> {
    let files = arguments
        .values
        .iter()
        .map(|name| {
            Ok(ValuesFile {
                name: name.clone(),
                data: locate::read(name).map_err(Error::Template)?,
            })
        })
        .collect::<Result<_, Error>>()?;
    UserValues {
        files,
        json: arguments.set_json.clone(),
        set: arguments.set.clone(),
        strings: arguments.set_string.clone(),
        set_files: arguments.set_file.clone(),
        literals: arguments.set_literal.clone(),
    }
    .merge(Values::new(), &mut |name| locate::read(name))
    .map_err(|error| in_helms_words(&error))
}

fn render(
    arguments: &Arguments,
    chart: &Chart,
    values: &Values,
    release: Release,
    capabilities: Capabilities,
) -> Result<Output, Error> {
    let check = if arguments.skip_schema_validation {
        SchemaCheck::Skip
    } else {
        SchemaCheck::Enforce
    };
    let prepared = Prepared::new(chart, values, check).map_err(|error| in_helms_words(&error))?;
    for warning in prepared.warnings() {
        eprintln!("level=WARN msg={warning:?}");
    }
    release_name::check(&release.name)?;
    let name = release.name.clone();
    let options = RenderOptions {
        release,
        capabilities,
        subchart_notes: arguments.render_subchart_notes,
        limits: Limits::default(),
    };
    let output = Renderer::default()
        .render(&prepared, &options, &mut LocalHost)
        .map_err(|error| Error::Template(format!("{error}{HINT}")))?;
    let rendered = Rendered::from_files(&output.files)
        .map_err(|error| Error::Template(format!("{}{HINT}", error.helm())))?;
    Ok(Output {
        name,
        rendered,
        chart: Arc::clone(prepared.chart()),
    })
}

/// Texts of charts are Helm's own.
fn in_helms_words(error: &ChartError) -> Error {
    Error::Template(match error {
        // Helm's text ends with a line break, and another one follows.
        ChartError::Schema(_) => format!("{error}\n"),
        _ => error.to_string(),
    })
}
