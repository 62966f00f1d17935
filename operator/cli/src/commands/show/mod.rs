//! `belay show`: what `helm show` tells of a chart.

mod json_path;

use std::process::ExitCode;

use belay_chart::{Chart, LoadFor};
use clap::{Args, Subcommand};

use crate::commands::show::json_path::JsonPath;
use crate::error::Error;
use crate::locate::{self, Source};
use crate::stdout;

#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Everything that the other commands show
    All(Where),
    /// Chart.yaml
    Chart(Where),
    /// The custom resource definitions in crds/
    Crds(Where),
    /// The README
    Readme(Where),
    /// values.yaml
    Values {
        #[command(flatten)]
        from: Where,
        /// Show what this JSON path template makes of the values
        #[arg(long, value_name = "TEMPLATE")]
        jsonpath: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
struct Where {
    /// A chart's folder or package, or with --repo its name there
    chart: String,
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let (What::All(from)
    | What::Chart(from)
    | What::Crds(from)
    | What::Readme(from)
    | What::Values { from, .. }) = &arguments.what;
    let located = locate::check(&from.chart, &from.source)?;
    let chart = locate::load(located, LoadFor::Inspection)?;
    chart.warnings().iter().for_each(locate::tell);
    let text = match &arguments.what {
        What::All(_) => all(&chart)?,
        What::Chart(_) => definition(&chart)?,
        What::Crds(_) => crds(&chart),
        What::Readme(_) => readme(&chart).map(line).unwrap_or_default(),
        What::Values { jsonpath, .. } => match jsonpath.as_deref() {
            None | Some("") => values(&chart).map(line).unwrap_or_default(),
            Some(template) => filtered(&chart, template)?.into_bytes(),
        },
    };
    stdout::print(text)?;
    Ok(ExitCode::SUCCESS)
}

fn all(chart: &Chart) -> Result<Vec<u8>, Error> {
    let mut text = definition(chart)?;
    for part in [values(chart), readme(chart)].into_iter().flatten() {
        text.extend_from_slice(b"---\n");
        text.extend_from_slice(&line(part));
    }
    text.extend_from_slice(&crds(chart));
    Ok(text)
}

/// `Chart.yaml` as Helm writes it anew.
fn definition(chart: &Chart) -> Result<Vec<u8>, Error> {
    let metadata = belay_yaml::from_serde(&chart.metadata().to_json());
    let text = belay_yaml::to_yaml(&metadata).map_err(|source| Error::Print {
        format: "YAML",
        source: source.into(),
    })?;
    Ok(line(text.as_bytes()))
}

fn values(chart: &Chart) -> Option<&[u8]> {
    chart.values_text()
}

fn filtered(chart: &Chart, template: &str) -> Result<String, Error> {
    let path = JsonPath::parse(template).map_err(|problem| {
        Error::Template(format!("error parsing jsonpath {template}: {problem}"))
    })?;
    let Some(values) = chart.values() else {
        return Ok(String::new());
    };
    // What is not there shows nothing, as with Helm.
    Ok(path
        .print(&belay_yaml::Value::Map(values.clone()))
        .unwrap_or_default())
}

fn readme(chart: &Chart) -> Option<&[u8]> {
    const NAMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];
    chart
        .files()
        .iter()
        .find(|file| {
            NAMES
                .iter()
                .any(|name| file.name.eq_ignore_ascii_case(name))
        })
        .map(|file| &*file.data)
}

fn crds(chart: &Chart) -> Vec<u8> {
    let mut text = Vec::new();
    for crd in chart.crds() {
        if !crd.file.data.starts_with(b"---") {
            text.extend_from_slice(b"---\n");
        }
        text.extend_from_slice(&line(&crd.file.data));
    }
    text
}

/// Files are shown as they are, whatever their encoding.
fn line(text: &[u8]) -> Vec<u8> {
    [text, b"\n"].concat()
}
