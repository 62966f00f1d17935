//! `belay template` against `helm template` as whole processes, and engine against engine, in turns.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use belay_differential::{Answer, Oracle, Question, Text};

use crate::charts::Charts;
use crate::engine;
use crate::error::Error;
use crate::figures::median;
use crate::measure::{Cost, measured};

/// How many renders in one process the engines are asked for.
const RENDERS: usize = 20;

/// What both sides took, by chart and by what was measured.
pub(crate) struct Comparison {
    rounds: usize,
    rows: Vec<Row>,
}

struct Row {
    chart: &'static str,
    what: &'static str,
    pairs: Vec<(Cost, Cost)>,
    same: bool,
}

/// Renders all charts so often with both.
pub(crate) fn compare(
    helm: &Path,
    belay: &Path,
    small: &Path,
    rounds: usize,
) -> Result<Comparison, Error> {
    let charts = Charts::make(small)?;
    let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
    let (helm, belay) = (
        &installed(helm, folder.path())?,
        &installed(belay, folder.path())?,
    );
    let mut rows = Vec::new();
    for (chart, folder) in &charts.all {
        let path = folder.display().to_string();
        let args = ["template", "bench", &path];
        let (mut processes, mut engines) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            processes.push((measured(helm, &args)?, measured(belay, &args)?));
            engines.push((their_engine(folder)?, our_engine(folder)?));
        }
        rows.push(Row {
            chart,
            what: "process",
            pairs: processes,
            same: output(helm, &args)? == output(belay, &args)?,
        });
        rows.push(Row {
            chart,
            what: "engine",
            pairs: engines,
            same: true,
        });
    }
    Ok(Comparison { rounds, rows })
}

/// The program as an installation leaves it. What a linker wrote lies in the page cache in small pieces, and takes a
/// fourth longer to start.
fn installed(program: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let copy = folder.join(program.file_name().unwrap_or_default());
    std::fs::copy(program, &copy).map_err(Error::io(format!("copying {}", program.display())))?;
    Ok(copy)
}

fn output(program: &Path, args: &[&str]) -> Result<Vec<u8>, Error> {
    let doing = format!("running {}", program.display());
    let output = Command::new(program)
        .args(args)
        .env("KUBECONFIG", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io(&doing))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::NotDone(format!("{doing}: {said}")));
    }
    Ok(output.stdout)
}

/// An oracle of its own for each measurement, so that its peak is that of this chart.
fn their_engine(chart: &Path) -> Result<Cost, Error> {
    let question = Question::Time {
        path: chart.to_owned(),
        values: Text::default(),
        times: RENDERS,
    };
    let answer = Oracle::start()
        .and_then(|mut oracle| oracle.ask(&question))
        .map_err(|error| Error::NotDone(error.to_string()))?;
    match answer {
        Answer::Times(times) => {
            let milliseconds = |ns: &u64| *ns as f64 / 1e6;
            Ok(Cost {
                wall: median(times.wall_ns.iter().map(milliseconds).collect()),
                cpu: milliseconds(&times.cpu_ns) / RENDERS as f64,
                peak: times.peak_kb as f64 / 1024.0,
            })
        }
        other => Err(Error::NotDone(format!("the oracle took no times: {other}"))),
    }
}

fn our_engine(chart: &Path) -> Result<Cost, Error> {
    let own = std::env::current_exe().map_err(Error::io("finding this program"))?;
    let args = [
        engine::WORD,
        &chart.display().to_string(),
        &RENDERS.to_string(),
    ];
    serde_json::from_slice(&output(&own, &args)?)
        .map_err(|error| Error::NotDone(format!("a measurement was not understood: {error}")))
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "helm and belay in turns, {} rounds; medians, ratios within each round; engine: one render, templates parsed by belay before",
            self.rounds
        )?;
        writeln!(
            out,
            "{:<16}{:<9}{:>27}{:>27}{:>27}",
            "", "", "wall ms", "CPU ms", "peak MiB"
        )?;
        for row in &self.rows {
            write!(out, "{:<16}{:<9}", row.chart, row.what)?;
            for of in [
                |cost: &Cost| cost.wall,
                |cost: &Cost| cost.cpu,
                |cost: &Cost| cost.peak,
            ] {
                let side = |side: fn(&(Cost, Cost)) -> &Cost| {
                    median(row.pairs.iter().map(|pair| of(side(pair))).collect())
                };
                let ratios = row.pairs.iter().map(|(theirs, ours)| of(theirs) / of(ours));
                write!(
                    out,
                    "{:>9.2}{:>9.2}{:>8.1}×",
                    side(|pair| &pair.0),
                    side(|pair| &pair.1),
                    median(ratios.collect())
                )?;
            }
            writeln!(out, "{}", if row.same { "" } else { "  DIFFERENT OUTPUT" })?;
        }
        Ok(())
    }
}
