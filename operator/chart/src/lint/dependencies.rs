//! The rules for the charts below `charts/` and their list in `Chart.yaml`.

use super::{Linter, Severity, holds};
use crate::chart::Chart;

impl Linter {
    pub(super) fn dependencies(&mut self) {
        let chart = match self.chart() {
            Ok(chart) => chart,
            Err(error) => {
                let text = format!("unable to load chart\n\t{error}");
                self.check(Severity::Error, "", Err(text));
                return;
            }
        };
        let place = self.place.name();
        self.check(Severity::Error, &place, listed(&chart));
        self.check(Severity::Error, &place, unique(&chart));
        self.check(Severity::Warning, &place, there(&chart));
    }
}

/// Each chart that lies there is listed.
fn listed(chart: &Chart) -> Result<(), String> {
    let listed = chart.metadata().dependencies();
    let missing: Vec<&str> = chart
        .dependencies()
        .iter()
        .map(|child| child.name())
        .filter(|name| !listed.iter().any(|dependency| dependency.name == *name))
        .collect();
    holds(missing.is_empty(), || {
        format!(
            "chart metadata is missing these dependencies: {}",
            missing.join(",")
        )
    })
}

/// No two go by one name.
fn unique(chart: &Chart) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut twice = Vec::new();
    for dependency in chart.metadata().dependencies() {
        let name = if dependency.alias.is_empty() {
            &dependency.name
        } else {
            &dependency.alias
        };
        if seen.contains(&name.as_str()) {
            twice.push(name.as_str());
        }
        seen.push(name);
    }
    holds(twice.is_empty(), || {
        format!(
            "multiple dependencies with name or alias: {}",
            twice.join(",")
        )
    })
}

/// Each listed chart lies there.
fn there(chart: &Chart) -> Result<(), String> {
    let missing: Vec<&str> = chart
        .metadata()
        .dependencies()
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| {
            !chart
                .dependencies()
                .iter()
                .any(|child| child.name() == *name)
        })
        .collect();
    holds(missing.is_empty(), || {
        format!(
            "chart directory is missing these dependencies: {}",
            missing.join(",")
        )
    })
}
