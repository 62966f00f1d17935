//! `belay diff`: what an upgrade to what the spec asks for would change, found by dry runs.

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

use belay_api::HelmRelease;
use belay_chart::Chart;
use belay_controller::{Change, Comparison, Difference, compare};
use clap::Args;
use kube::api::{Patch, PatchParams};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::chart_argument::{self, Travelling, Wanted};
use crate::commands::Session;
use crate::commands::install::chart_source;
use crate::connect::asking;
use crate::error::{Error, told_once};
use crate::release_spec::{MANAGER, SpecArguments, carry_over, release};
use crate::stdout;
use crate::style::Style;

/// What `--exit-code` says of a comparison that failed, or of an upgrade that would be refused; as `kubectl diff`.
const TROUBLE: u8 = 2;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// Compare with this chart instead of the one that the HelmRelease names: its folder or package, its oci:// address,
    /// or with --repo its name there
    chart: Option<String>,
    #[command(flatten)]
    spec: SpecArguments,
    /// A version or a range of versions in the repository or registry, such as 6.1.0 or ">=6 <7"
    #[arg(long, requires = "chart")]
    version: Option<String>,
    /// The chart repository's address
    #[arg(long, value_name = "URL", requires = "chart")]
    repo: Option<String>,
    /// Speak to the OCI registry without TLS
    #[arg(long, requires = "chart")]
    plain_http: bool,
    /// Forget values that were set before, even if no new ones are given
    #[arg(long)]
    reset_values: bool,
    /// Lines around each change
    #[arg(short = 'U', long, value_name = "LINES", default_value_t = 3)]
    unified: usize,
    /// End with 1 if anything would change, with 2 if that cannot be told or would be refused
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let trouble = if arguments.exit_code {
        ExitCode::from(TROUBLE)
    } else {
        ExitCode::FAILURE
    };
    let comparison = match Box::pin(compared(&arguments, &session)).await {
        Ok(comparison) => comparison,
        Err(error) if arguments.exit_code => {
            eprintln!("Error: {}", told_once(&error));
            return Ok(trouble);
        }
        Err(error) => return Err(error),
    };
    stdout::print(told(&comparison, arguments.unified, session.style)?)?;
    let refused = comparison
        .differences
        .iter()
        .any(|difference| matches!(difference.change, Change::Refused { .. }));
    Ok(if refused {
        trouble
    } else if arguments.exit_code && !comparison.differences.is_empty() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

async fn compared(arguments: &Arguments, session: &Session) -> Result<Comparison, Error> {
    let (release, chart) = asked(arguments, session).await?;
    Ok(compare(&session.access.connection, &release, chart).await?)
}

/// The HelmRelease as it is, or as `belay upgrade` would leave it; in the latter case the API server is asked.
async fn asked(
    arguments: &Arguments,
    session: &Session,
) -> Result<(HelmRelease, Option<Arc<Chart>>), Error> {
    let name = &arguments.name;
    let existing = match &arguments.chart {
        Some(_) => session.release_if_any(name).await?,
        None => Some(session.release(name).await?),
    };
    let (source, chart) = match (&arguments.chart, &existing) {
        (Some(chart), _) => read_chart(arguments, chart)?,
        (None, Some(existing)) if arguments.spec.is_empty() && !arguments.reset_values => {
            return Ok((existing.clone(), None));
        }
        (None, existing) => {
            let chart = existing
                .as_ref()
                .map(|existing| existing.spec.chart.clone());
            (chart.unwrap_or_default(), None)
        }
    };
    let mut spec = arguments.spec.fields(&source)?;
    if let Some(existing) = &existing {
        let keep_values = !arguments.reset_values && !arguments.spec.has_values();
        carry_over(&mut spec, existing, keep_values);
    }
    let object = release(&session.access.namespace, name, &spec);
    let parameters = PatchParams::apply(MANAGER)
        .force()
        .validation_strict()
        .dry_run();
    let api = session.access.api::<HelmRelease>();
    let asked = asking(
        &format!("asking what the HelmRelease {name} would be"),
        api.patch(name, &parameters, &Patch::Apply(object)),
    )
    .await?;
    Ok((asked, chart))
}

/// What the spec would name, and the chart itself if it is only on this machine.
fn read_chart(
    arguments: &Arguments,
    chart: &str,
) -> Result<(belay_api::helm_release::ChartSource, Option<Arc<Chart>>), Error> {
    let travelling = chart_argument::read(Wanted {
        chart,
        repository: arguments.repo.as_deref(),
        version: arguments.version.as_deref(),
        plain_http: arguments.plain_http,
        proof: None,
    })?;
    let loaded = match &travelling {
        Travelling::InRelease(_) => None,
        Travelling::Packaged { package, .. } => {
            let loaded = Chart::from_archive(package).map_err(|source| Error::Chart {
                chart: chart.to_owned(),
                source,
            })?;
            Some(Arc::new(loaded))
        }
    };
    Ok((chart_source(&arguments.name, travelling).0, loaded))
}

/// The page: each object's difference, then what it comes to in one line.
fn told(comparison: &Comparison, around: usize, style: Style) -> Result<String, Error> {
    let mut page = String::new();
    for difference in &comparison.differences {
        page.push_str(&one(difference, comparison.revision, around, style)?);
        page.push('\n');
    }
    let count = |is: fn(&Change) -> bool| {
        let found = comparison.differences.iter();
        found.filter(|difference| is(&difference.change)).count()
    };
    let counts: Vec<_> = [
        (count(|c| matches!(c, Change::Added { .. })), "to add"),
        (count(|c| matches!(c, Change::Changed { .. })), "to change"),
        (
            count(|c| matches!(c, Change::Recreated { .. })),
            "to delete and make anew",
        ),
        (count(|c| matches!(c, Change::Removed { .. })), "to remove"),
        (count(|c| matches!(c, Change::Refused { .. })), "refused"),
        (comparison.unchanged, "unchanged"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let counts = if counts.is_empty() {
        "no objects".to_owned()
    } else {
        counts.join(", ")
    };
    let _ = writeln!(
        page,
        "revision {} ({}): {counts}",
        comparison.revision, comparison.chart
    );
    Ok(page)
}

fn one(
    difference: &Difference,
    revision: u32,
    around: usize,
    style: Style,
) -> Result<String, Error> {
    let (word, before, after) = match &difference.change {
        Change::Added { after } => ("added", None, Some(after)),
        Change::Changed { before, after } => ("changed", Some(before), Some(after)),
        Change::Recreated { before, after } => ("deleted and made anew", Some(before), Some(after)),
        Change::Removed { before } => ("removed", Some(before), None),
        Change::Refused { message } => {
            let line = format!("diff {}: refused: {message}", difference.object);
            return Ok(format!("{}\n", style.bad(&line)));
        }
    };
    let (before, after) = (yaml(before)?, yaml(after)?);
    let mut page = format!(
        "{}\n",
        style.strong(&format!("diff {}: {word}", difference.object))
    );
    let _ = writeln!(page, "--- {}, as it is", difference.object);
    let _ = writeln!(page, "+++ {}, as of revision {revision}", difference.object);
    let diff = TextDiff::from_lines(&before, &after);
    for hunk in diff.unified_diff().context_radius(around).iter_hunks() {
        let _ = writeln!(page, "{}", style.faint(&hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let text = change.value().trim_end_matches('\n');
            let line = match change.tag() {
                ChangeTag::Delete => style.bad(&format!("-{text}")),
                ChangeTag::Insert => style.good(&format!("+{text}")),
                ChangeTag::Equal => format!(" {text}"),
            };
            let _ = writeln!(page, "{line}");
        }
    }
    Ok(page)
}

fn yaml(object: Option<&Value>) -> Result<String, Error> {
    object.map_or(Ok(String::new()), |object| {
        serde_yaml::to_string(object).map_err(|source| Error::Print {
            format: "YAML",
            source: source.into(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn web(image: &str) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"image": image, "replicas": 2}})
    }

    fn page(differences: Vec<(&str, Change)>, unchanged: usize) -> String {
        let comparison = Comparison {
            chart: "shop-1.0.0".to_owned(),
            revision: 3,
            differences: differences
                .into_iter()
                .map(|(object, change)| Difference {
                    object: object.to_owned(),
                    change,
                })
                .collect(),
            unchanged,
        };
        told(&comparison, 1, Style::PLAIN).unwrap()
    }

    #[test]
    fn a_change_is_shown_as_a_unified_diff_with_as_many_lines_around_as_asked_for() {
        let change = Change::Changed {
            before: web("a:1"),
            after: web("a:2"),
        };
        assert_eq!(
            page(vec![("Deployment shop/web", change)], 4),
            "diff Deployment shop/web: changed\n\
             --- Deployment shop/web, as it is\n\
             +++ Deployment shop/web, as of revision 3\n\
             @@ -4,3 +4,3 @@\n spec:\n-  image: a:1\n+  image: a:2\n   replicas: 2\n\n\
             revision 3 (shop-1.0.0): 1 to change, 4 unchanged\n"
        );
    }

    #[test]
    fn what_comes_goes_or_is_refused_is_told_and_counted() {
        let told = page(
            vec![
                (
                    "Secret shop/new",
                    Change::Added {
                        after: json!({"kind": "Secret"}),
                    },
                ),
                (
                    "Job shop/migrate",
                    Change::Recreated {
                        before: web("a:1"),
                        after: web("a:2"),
                    },
                ),
                (
                    "Service shop/old",
                    Change::Removed {
                        before: json!({"kind": "Service"}),
                    },
                ),
                (
                    "Job shop/fixed",
                    Change::Refused {
                        message: "field is immutable".to_owned(),
                    },
                ),
            ],
            0,
        );
        for line in [
            "+kind: Secret",
            "diff Job shop/migrate: deleted and made anew",
            "-kind: Service",
            "diff Job shop/fixed: refused: field is immutable",
            "revision 3 (shop-1.0.0): 1 to add, 1 to delete and make anew, 1 to remove, 1 refused",
        ] {
            assert!(told.lines().any(|told| told == line), "{line}: {told}");
        }
    }

    #[test]
    fn nothing_is_one_line() {
        assert_eq!(
            page(Vec::new(), 2),
            "revision 3 (shop-1.0.0): 2 unchanged\n"
        );
    }
}
