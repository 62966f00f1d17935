//! `belay template` against `helm template`: whole processes, one after another in turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use belay_harness::belay_binary;

use crate::error::Error;
use crate::figures::median;
use crate::ground::Ground;

/// How many times each renders the chart.
const TIMES: usize = 21;

/// Renders the chart with both, and says how long they took and whether they agree.
pub(crate) async fn compare(ground: &Ground) -> Result<String, Error> {
    let helm = ground.cluster.tools().path("helm");
    let belay = belay_binary()?;
    let chart = ground.chart.clone();
    let runs = move || {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut same = true;
        for _ in 0..TIMES {
            let (our_text, our_time) = template(&belay, &chart)?;
            let (their_text, their_time) = template(&helm, &chart)?;
            same &= our_text == their_text;
            ours.push(our_time);
            theirs.push(their_time);
        }
        let ratios = theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours);
        Ok(format!(
            "template of the same chart, whole processes, {TIMES} times: belay {:.1} ms, helm {:.1} ms, {:.1} times as fast; {}",
            median(ours.clone()),
            median(theirs.clone()),
            median(ratios.collect()),
            if same {
                "the same bytes"
            } else {
                "DIFFERENT OUTPUT"
            }
        ))
    };
    tokio::task::spawn_blocking(runs)
        .await
        .map_err(|error| Error::NotDone(format!("rendering ended badly: {error}")))?
}

/// The output, and how many milliseconds it took.
fn template(program: &Path, chart: &Path) -> Result<(Vec<u8>, f64), Error> {
    let doing = format!("running {} template", program.display());
    let started = Instant::now();
    let output = Command::new(program)
        .arg("template")
        .arg("bench")
        .arg(chart)
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io(&doing))?;
    let took = started.elapsed().as_secs_f64() * 1000.0;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::NotDone(format!("{doing}: {said}")));
    }
    Ok((output.stdout, took))
}
