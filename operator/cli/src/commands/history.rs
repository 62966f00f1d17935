//! `belay history`: Helm's revisions, and which of them runs and which is the way back.

use std::process::ExitCode;

use belay_api::helm_release::{HelmReleaseStatus, RevisionStatus};
use belay_api::{HelmRelease, Timestamp};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::commands::Session;
use crate::error::Error;
use crate::stdout;
use crate::when;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// The most revisions to show, the newest ones
    #[arg(long, default_value_t = 256)]
    max: usize,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
    Yaml,
}

/// A revision with the fields of `helm history`, and two of ours.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    revision: u32,
    updated: Option<Timestamp>,
    status: String,
    chart: String,
    app_version: String,
    description: String,
    current: bool,
    last_good: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: Session) -> Result<ExitCode, Error> {
    let release = session.release(&arguments.name).await?;
    let mut rows = rows(&release);
    rows.drain(..rows.len().saturating_sub(arguments.max));
    let unprintable = |format| {
        move |source: Box<dyn std::error::Error + Send + Sync>| Error::Print { format, source }
    };
    match arguments.output {
        Format::Table => stdout::print(format!("{}\n", table(&rows)))?,
        Format::Json => {
            let text =
                serde_json::to_string(&rows).map_err(|error| unprintable("JSON")(error.into()))?;
            stdout::print(format!("{text}\n"))?;
        }
        Format::Yaml => {
            let text =
                serde_yaml::to_string(&rows).map_err(|error| unprintable("YAML")(error.into()))?;
            stdout::print(text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Oldest first, as Helm shows them.
fn rows(release: &HelmRelease) -> Vec<Row> {
    let nothing = HelmReleaseStatus::default();
    let status = release.status.as_ref().unwrap_or(&nothing);
    let is = |revision: &Option<RevisionStatus>, number: u32| {
        revision
            .as_ref()
            .is_some_and(|known| known.revision == number)
    };
    let known = [&status.current, &status.last_good, &status.previous_good];
    let mut rows: Vec<Row> = status
        .history
        .iter()
        .map(|entry| Row {
            revision: entry.revision,
            updated: entry.last_deployed,
            status: entry.status.clone(),
            chart: entry.chart.clone(),
            app_version: known
                .into_iter()
                .flatten()
                .find(|revision| revision.chart == entry.chart)
                .map_or_else(String::new, |revision| revision.app_version.clone()),
            description: entry.description.clone(),
            current: is(&status.current, entry.revision),
            last_good: is(&status.last_good, entry.revision),
        })
        .collect();
    rows.sort_by_key(|row| row.revision);
    rows
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "REVISION",
        "UPDATED",
        "STATUS",
        "CHART",
        "APP VERSION",
        "DESCRIPTION",
        "",
    ]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for row in rows {
        let mark = match (row.current, row.last_good) {
            (true, true) => "← runs, last good",
            (true, false) => "← runs",
            (false, true) => "← last good",
            (false, false) => "",
        };
        table.add_row([
            row.revision.to_string(),
            row.updated.map_or_else(String::new, when::like_helm),
            row.status.clone(),
            row.chart.clone(),
            row.app_version.clone(),
            row.description.clone(),
            mark.to_owned(),
        ]);
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release() -> HelmRelease {
        let revision = |number: u32| {
            json!({"revision": number, "digest": "v1:a", "chart": "web-1.0.0", "appVersion": "6.1",
                "since": "2026-01-01T00:00:00Z"})
        };
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": "web"},
            "spec": {"chart": {"inline": {"files": {}}}},
            "status": {
                "current": revision(3), "lastGood": revision(1),
                "history": [
                    {"revision": 3, "chart": "web-1.0.0", "status": "deployed", "lastDeployed": "2026-01-01T00:00:00Z",
                        "description": "Rollback to 1"},
                    {"revision": 1, "chart": "web-1.0.0", "status": "superseded", "description": "Install complete"},
                ],
            },
        }))
        .unwrap()
    }

    #[test]
    fn revisions_come_oldest_first_with_a_mark_for_what_runs_and_what_is_good() {
        let table = table(&rows(&release()));
        let lines: Vec<&str> = table.lines().collect();

        assert!(
            lines[0].contains("REVISION") && lines[0].contains("APP VERSION"),
            "{table}"
        );
        assert!(
            lines[1].contains("Install complete") && lines[1].ends_with("← last good"),
            "{table}"
        );
        assert!(
            lines[2].contains("Rollback to 1") && lines[2].ends_with("← runs"),
            "{table}"
        );
    }

    #[test]
    fn json_has_the_fields_of_helm_history() {
        let rows = serde_json::to_value(rows(&release())).unwrap();

        for field in [
            "revision",
            "updated",
            "status",
            "chart",
            "app_version",
            "description",
        ] {
            assert!(rows[0].get(field).is_some(), "{field} is not in {rows}");
        }
        assert_eq!(rows[0]["app_version"], "6.1");
    }
}
