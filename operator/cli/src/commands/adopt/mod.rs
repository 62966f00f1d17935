//! `belay adopt`: the HelmRelease that fits a release that helm made, and what it would change.

mod recorded;

use std::process::ExitCode;
use std::sync::Arc;

use belay_api::HelmRelease;
use belay_api::helm_release::{ChartSource, HelmReleaseSpec, InlineChart};
use belay_chart::{Chart, File, Release};
use belay_cluster::{RefusalKind, Storage};
use belay_controller::trial;
use belay_release::{Difference, Record, Status, differences};
use clap::Args;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Map, Value};

use crate::chart_argument::{self, Travelling};
use crate::commands::beside::Beside;
use crate::commands::{Session, exit, install};
use crate::connect::asking;
use crate::error::Error;
use crate::follow::{Patience, Screen, follow_release};
use crate::locate::{self, Source};
use crate::release_spec::release;
use crate::stdout;

/// The most bytes of a value that are shown of it.
const SHOWN: usize = 80;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The release that helm made; the HelmRelease gets the same name
    name: String,
    /// Its chart's folder or package, its oci:// address, or with --repo its name there
    chart: Option<String>,
    #[command(flatten)]
    source: Source,
    /// Take the chart's files out of Helm's record and write them into the HelmRelease
    #[arg(long, conflicts_with_all = ["chart", "repo", "version"])]
    inline: bool,
    /// Create the HelmRelease, too, and follow it until the release is taken over
    #[arg(long)]
    apply: bool,
    /// With --apply: go on although objects would be changed
    #[arg(long, requires = "apply")]
    accept_changes: bool,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    not_adopted(name, &session).await?;
    let record = deployed(name, &session).await?;
    let (chart, travelling) = chart(&arguments, &record).await?;
    let (mut source, package) = install::chart_source(name, travelling);
    let keyring = arguments.source.proof.demand(name, &mut source)?;
    let beside = Beside { package, keyring };
    let spec = spec(&source, &record)?;
    let found = would_change(&session, &record, chart, &spec).await?;
    tell(&record, &found);
    if arguments.source.needs_secrets() {
        eprintln!(
            "the operator needs credentials or authorities of its own: add secretRef or caSecretRef to spec.chart"
        );
    }
    if !arguments.apply {
        let printed = install::print(&session.access.namespace, name, &spec, &beside)?;
        return Ok(if found.is_empty() {
            printed
        } else {
            ExitCode::FAILURE
        });
    }
    if !found.is_empty() && !arguments.accept_changes {
        return Err(Error::WouldChange {
            name: name.clone(),
            objects: found.len(),
        });
    }
    beside.store(&session).await?;
    let applied = install::apply(&session, name, &spec, false).await?;
    beside.own(&session, &applied).await?;
    stdout::say(format_args!(
        "HelmRelease {name} in {} is created",
        session.access.namespace
    ));
    let mut screen = Screen::new(session.style);
    let end = follow_release(
        &session.access,
        name,
        Some(applied.clone()),
        applied.metadata.generation.unwrap_or_default(),
        Patience::UntilFailure,
        Some(applied.spec.timeout),
        &mut screen,
    )
    .await?;
    Ok(exit(end.as_ref()))
}

/// One release has one HelmRelease.
async fn not_adopted(name: &str, session: &Session) -> Result<(), Error> {
    let api = session.access.api::<HelmRelease>();
    let all = asking("listing HelmReleases", api.list(&ListParams::default())).await?;
    let namespace = session.access.namespace.as_str();
    let owner = all.iter().find(|release| {
        release.name_any() == name
            || (release.release_name() == name && release.storage_namespace() == namespace)
    });
    match owner {
        Some(owner) => Err(Error::Adopted {
            name: name.to_owned(),
            owner: owner.name_any(),
        }),
        None => Ok(()),
    }
}

/// The newest deployed record, with nothing under way.
async fn deployed(name: &str, session: &Session) -> Result<Record, Error> {
    let namespace = &session.access.namespace;
    let storage = Storage::new(session.access.connection.clone(), namespace);
    let denied = |error: belay_cluster::Error| {
        if error.is(RefusalKind::Forbidden) {
            Error::NoRightsOnRecords {
                namespace: namespace.clone(),
                message: error.to_string(),
            }
        } else {
            error.into()
        }
    };
    let listed = storage.list(name).await.map_err(denied)?;
    let status = |summary: &belay_cluster::Summary| -> Status {
        let label = summary.status.as_deref();
        label
            .and_then(|status| status.parse().ok())
            .unwrap_or(Status::Unknown)
    };
    let newest = listed.last().ok_or_else(|| Error::NoRecord {
        namespace: namespace.clone(),
        name: name.to_owned(),
    })?;
    let (revision, said) = (newest.key.revision, status(newest));
    if said.is_pending() {
        return Err(Error::Pending {
            name: name.to_owned(),
            revision,
            status: said.to_string(),
        });
    }
    let nothing = || Error::NothingDeployed {
        name: name.to_owned(),
        revision,
        status: said.to_string(),
    };
    let mut newest_first = listed.iter().rev();
    let found = newest_first
        .find(|summary| status(summary) == Status::Deployed)
        .ok_or_else(nothing)?;
    let stored = storage.get(&found.key).await.map_err(denied)?;
    stored.map(|stored| stored.record).ok_or_else(nothing)
}

/// The chart itself, and how the HelmRelease names it.
async fn chart(arguments: &Arguments, record: &Record) -> Result<(Arc<Chart>, Travelling), Error> {
    let unusable = |chart: &str, source| Error::Chart {
        chart: chart.to_owned(),
        source,
    };
    if arguments.inline {
        let files = recorded::chart_files(record)?;
        let loaded = files
            .iter()
            .map(|(name, text)| File::new(name, text.as_bytes()));
        let chart = Chart::from_files(loaded)
            .map_err(|error| unusable(&format!("of the record of {}", record.name), error))?;
        let source = ChartSource {
            inline: Some(InlineChart { files }),
            ..ChartSource::default()
        };
        return Ok((Arc::new(chart), Travelling::InRelease(Box::new(source))));
    }
    let summary = record.chart_summary();
    let Some(named) = &arguments.chart else {
        return Err(Error::NoChartSource {
            name: record.name.clone(),
            chart: summary.label(),
            chart_name: summary.name,
        });
    };
    // The version that runs, unless another one is asked for.
    let source = arguments
        .source
        .clone()
        .with_version_of(named, &summary.version);
    let travelling = chart_argument::read(source.wanted(named))?;
    let chart = locate::load_on_runtime(locate::check(named, &source)?).await?;
    Ok((chart, travelling))
}

fn spec(source: &ChartSource, record: &Record) -> Result<Map<String, Value>, Error> {
    let unprintable = |source: serde_json::Error| Error::Print {
        format: "JSON",
        source: source.into(),
    };
    let mut spec = Map::new();
    let chart = serde_json::to_value(source).map_err(unprintable)?;
    spec.insert("chart".to_owned(), chart);
    spec.extend(recorded::values(record)?);
    Ok(spec)
}

/// What the HelmRelease would change of what the record says.
async fn would_change(
    session: &Session,
    record: &Record,
    chart: Arc<Chart>,
    spec: &Map<String, Value>,
) -> Result<Vec<Difference>, Error> {
    let object = release(&session.access.namespace, &record.name, spec);
    let typed: HelmReleaseSpec =
        serde_json::from_value(object["spec"].clone()).map_err(|source| Error::Print {
            format: "HelmRelease",
            source: source.into(),
        })?;
    let release = Release {
        name: record.name.clone(),
        namespace: record.namespace.clone(),
        revision: i64::from(record.version),
        is_upgrade: record.version > 1,
    };
    let manifest = trial(&session.access.connection, chart, &typed, &[], release).await?;
    let broken = |source| belay_cluster::Error::Record {
        what: format!("revision {} of {}", record.version, record.name),
        source,
    };
    let recorded = record.documents().and_then(|manifest| manifest.objects());
    Ok(differences(
        &recorded.map_err(broken)?,
        &manifest.objects().map_err(broken)?,
    ))
}

/// Says on standard error what would happen; standard output is for the HelmRelease.
fn tell(record: &Record, found: &[Difference]) {
    let what = format!(
        "revision {} of {} ({})",
        record.version,
        record.name,
        record.chart_summary().label()
    );
    if found.is_empty() {
        eprintln!(
            "{what}: the HelmRelease comes to the same manifest; taking over changes nothing"
        );
        return;
    }
    eprintln!("{what}: the HelmRelease would upgrade it and change this:");
    for difference in found {
        match difference {
            Difference::Added(object) => eprintln!("+ {object}"),
            Difference::Removed(object) => eprintln!("- {object}"),
            Difference::Changed(object, changes) => {
                eprintln!("~ {object}");
                let is_secret = object.group.is_empty() && object.kind == "Secret";
                for change in changes {
                    if is_secret {
                        eprintln!("    {}: differs", change.path);
                    } else {
                        let (before, after) =
                            (shown(change.before.as_ref()), shown(change.after.as_ref()));
                        eprintln!("    {}: {before} -> {after}", change.path);
                    }
                }
            }
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "(nothing)".to_owned();
    };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
