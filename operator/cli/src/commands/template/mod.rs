//! `belay template`: what `helm template` does, argument by argument and byte by byte.

mod output;
mod release_name;
mod without_effect;

use std::process::ExitCode;

use belay_chart::{
    Capabilities, Chart, ChartError, KubeVersion, LoadFor, Prepared, Release, RenderOptions,
    Renderer, SchemaCheck, Values, Warning,
};
use belay_release::Rendered;
use belay_template::Limits;
use clap::Args;

use crate::args::Globals;
use crate::commands::template::output::Output;
use crate::commands::template::without_effect::WithoutEffect;
use crate::error::Error;
use crate::host::LocalHost;
use crate::locate::{self, Source};
use crate::value_flags::{ValueFlags, in_helms_words};

/// What Helm adds when a chart's own output is at fault.
const HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// The release's name, if any, and the chart: a folder, a package, or with --repo its name there
    #[arg(value_name = "[NAME] CHART", num_args = 0..)]
    names: Vec<String>,
    #[command(flatten)]
    values: ValueFlags,
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
    without_effect: WithoutEffect,
    #[command(flatten)]
    shown: output::Shown,
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(arguments: &Arguments, globals: &Globals) -> Result<ExitCode, Error> {
    if arguments.render_subchart_notes {
        eprintln!(
            "Flag --render-subchart-notes has been deprecated, this flag has no effect for 'helm template' and will be removed in Helm 5"
        );
    }
    let mut capabilities = Capabilities::default();
    if let Some(version) = &arguments.kube_version {
        capabilities.kube_version =
            KubeVersion::parse(version).map_err(|error| in_helms_words(&error))?;
    }
    capabilities
        .api_versions
        .extend(arguments.api_versions.iter().cloned());
    arguments.without_effect.check(&arguments.names)?;
    let (name, chart) = release_name::split(&arguments.names, arguments.name_template.as_deref())?;
    let namespace = locate::namespace(globals);
    let located = locate::check(&chart, &arguments.source)?;
    let values = arguments.values.merge()?;
    let chart = locate::load(located, LoadFor::Release)?;
    let release = Release {
        name,
        namespace,
        revision: 1,
        is_upgrade: arguments.is_upgrade,
    };
    let renderer = Renderer::default();
    let output = render(arguments, &renderer, &chart, &values, release, capabilities)?;
    output.print(&arguments.shown)?;
    // The process ends with this. To give back piece by piece what it holds takes a tenth of its time.
    std::mem::forget((output, renderer, chart, values));
    Ok(ExitCode::SUCCESS)
}

fn render(
    arguments: &Arguments,
    renderer: &Renderer,
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
    let mut warnings = Vec::new();
    let prepared = Prepared::with_warnings(chart, values, check, &mut warnings);
    warnings.iter().for_each(locate::tell);
    // What the chart is comes before the name of its release, and that before its values.
    let named = match &prepared {
        Err(ChartError::NotInstallable(_) | ChartError::MissingDependencies(_)) => Ok(()),
        _ => release_name::check(&release.name),
    };
    named.map_err(|problem| {
        const FAILED: &str = "release name check failed";
        locate::tell(&Warning::error(FAILED).with("error", problem.as_str()));
        Error::Template(format!("{FAILED}: {problem}"))
    })?;
    let prepared = prepared.map_err(|error| in_helms_words(&error))?;
    let name = release.name.clone();
    let options = RenderOptions {
        release,
        capabilities: capabilities.into(),
        subchart_notes: arguments.render_subchart_notes,
        limits: Limits::default(),
    };
    let output = renderer
        .render(&prepared, &options, &mut LocalHost)
        .map_err(|error| Error::Template(format!("{error}{HINT}")))?;
    let (documents, unreadable) = Rendered::readable(&output.files);
    let sorted = Rendered::from_documents(documents);
    for skipped in &sorted.skipped {
        locate::tell(
            &Warning::info("skipping unknown hooks").with("hookTypes", skipped.events.as_str()),
        );
    }
    if let Some(error) = unreadable {
        return Err(Error::Template(format!("{}{HINT}", error.helm())));
    }
    Ok(Output {
        name,
        rendered: sorted,
        prepared,
    })
}
