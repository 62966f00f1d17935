//! Our engine alone, in a process of its own, as the oracle times Helm's.

use std::path::Path;
use std::time::Instant;

use belay_chart::{
    Capabilities, Chart, Prepared, Release, RenderOptions, Renderer, SchemaCheck, Values,
};
use belay_template::{Host, Limits, run_with_stack};
use nix::sys::resource::UsageWho;

use crate::error::Error;
use crate::measure::{Cost, cpu, peak, usage};

/// The first argument that makes this program [`run`] with a chart and a number.
pub(crate) const WORD: &str = "engine";

/// Renders the chart so many times with one renderer, which keeps its templates parsed, on one stack, and prints the
/// [`Cost`] of each render as JSON, with the median of the wall time.
pub(crate) fn run(chart: &Path, times: usize) -> Result<(), Error> {
    let cost = run_with_stack(|| cost(chart, times)).map_err(Error::io("taking a stack"))??;
    println!("{}", serde_json::json!(cost));
    Ok(())
}

fn cost(chart: &Path, times: usize) -> Result<Cost, Error> {
    let failed = |error: belay_chart::ChartError| Error::NotDone(error.to_string());
    let chart = Chart::from_path(chart).map_err(failed)?;
    let prepared = Prepared::new(&chart, &Values::new(), SchemaCheck::Enforce).map_err(failed)?;
    let renderer = Renderer::default();
    let options = RenderOptions {
        release: Release {
            name: "bench".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        capabilities: Capabilities::default().into(),
        subchart_notes: false,
        limits: Limits::default(),
    };
    renderer
        .render(&prepared, &options, &mut Still)
        .map_err(failed)?;
    let before = cpu(&usage(UsageWho::RUSAGE_SELF)?);
    let mut walls = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        renderer
            .render(&prepared, &options, &mut Still)
            .map_err(failed)?;
        walls.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let after = usage(UsageWho::RUSAGE_SELF)?;
    Ok(Cost {
        wall: crate::figures::median(walls),
        cpu: (cpu(&after) - before) / times as f64,
        peak: peak(&after),
    })
}

/// The charts of the bench ask for neither.
struct Still;

impl Host for Still {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}
