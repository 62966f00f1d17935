//! Ratios from interleaved runs: 50 releases at once by Belay, by `kubectl apply` and by helm, and charts rendered by
//! `belay template` and by `helm template`. There are no thresholds: the tables are the result.
//!
//! How long upgrades to an image that does not exist take to be noticed and taken back is measured too.
//!
//! `belay-bench [RELEASES [ROUNDS]]` measures all of it, `belay-bench images [RELEASES]` the reverts only,
//! `belay-bench failures` those of every way to fail, `belay-bench rest [RELEASES]` what many releases at rest cost and
//! how soon news of them is told, `belay-bench charts [ROUNDS]` renders only and `belay-bench sources [RELEASES]` counts
//! only what releases cost their sources; these two need no cluster.

mod at_rest;
mod charts;
mod contest;
mod engine;
mod error;
mod failures;
mod figures;
mod floor;
mod ground;
mod measure;
mod missing_image;
mod news;
mod operated;
mod rendering;
mod sources;

use std::process::ExitCode;

use crate::error::Error;
use crate::ground::Ground;

/// How many releases roll out at once, unless the first argument says otherwise.
const RELEASES: usize = 50;
/// How many releases are at rest, unless the argument after `rest` says otherwise.
const MANY: usize = 1000;
/// How many times each contender runs, unless the second argument says otherwise.
const ROUNDS: usize = 3;

/// How many times both sides render each chart, unless the argument after `charts` says otherwise.
const CHART_ROUNDS: usize = 11;

/// How many releases look at one source, unless the argument after `sources` says otherwise.
const SOURCE_RELEASES: usize = 1000;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    let outcome = match first.to_str() {
        // Before anything else takes memory.
        Some(measure::WORD) => measure::run(arguments),
        Some(engine::WORD) => {
            let chart = arguments.next().unwrap_or_default();
            engine::run(chart.as_ref(), count(arguments.next(), 1))
        }
        Some("charts") => charts(count(arguments.next(), CHART_ROUNDS)),
        Some("rest") => rest(count(arguments.next(), MANY)),
        Some("failures") => failures(),
        Some("images") => images(count(arguments.next(), RELEASES)),
        Some("sources") => sources(count(arguments.next(), SOURCE_RELEASES)),
        _ => return cluster(),
    };
    ended(outcome)
}

fn count(argument: Option<std::ffi::OsString>, usual: usize) -> usize {
    let given = argument.and_then(|argument| argument.to_str()?.parse().ok());
    given.unwrap_or(usual).max(1)
}

fn ended(outcome: Result<(), Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn charts(rounds: usize) -> Result<(), Error> {
    let tools = belay_harness::Tools::ensure().await?;
    let comparison = rendering::compare(
        &tools.path("helm"),
        &belay_harness::belay_binary()?,
        &ground::chart(),
        rounds,
    )?;
    println!("{comparison}");
    Ok(())
}

#[tokio::main]
async fn rest(releases: usize) -> Result<(), Error> {
    Box::pin(at_rest::measure(&Ground::lay(releases).await?)).await
}

#[tokio::main]
async fn failures() -> Result<(), Error> {
    Box::pin(failures::measure(
        &Ground::lay(failures::cases().len()).await?,
    ))
    .await
}

#[tokio::main]
async fn images(releases: usize) -> Result<(), Error> {
    missing_image::measure(&Ground::lay(releases).await?).await
}

#[tokio::main]
async fn sources(releases: usize) -> Result<(), Error> {
    let tools = belay_harness::Tools::ensure().await?;
    let costs = sources::measure(&tools, &ground::chart(), releases).await?;
    println!("{costs}");
    Ok(())
}

#[tokio::main]
async fn cluster() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let mut number = |usual| match arguments.next() {
        None => Some(usual),
        Some(given) => given.ok().filter(|given: &usize| *given > 0),
    };
    let (Some(releases), Some(rounds)) = (number(RELEASES), number(ROUNDS)) else {
        eprintln!(
            "usage: belay-bench [RELEASES [ROUNDS]] | images [RELEASES] | failures | rest [RELEASES] | charts [ROUNDS] | sources [RELEASES]"
        );
        return ExitCode::FAILURE;
    };
    ended(run(releases, rounds).await)
}

async fn run(releases: usize, rounds: usize) -> Result<(), Error> {
    let ground = Ground::lay(releases).await?;
    println!(
        "{releases} releases at once, {} objects each, {rounds} rounds; medians, ratios within each round",
        ground.objects
    );
    let mut rollouts = figures::Rollouts::of(releases);
    for round in 0..rounds {
        contest::round(&ground, round, round + 1 == rounds, &mut rollouts).await?;
    }
    println!("\n{rollouts}");
    missing_image::measure(&ground).await?;
    let tools = ground.cluster.tools();
    let costs = sources::measure(tools, &ground::chart(), SOURCE_RELEASES).await?;
    println!("{costs}");
    let helm = ground.cluster.tools().path("helm");
    let belay = belay_harness::belay_binary()?;
    let rendered = tokio::task::spawn_blocking(move || {
        rendering::compare(&helm, &belay, &ground::chart(), CHART_ROUNDS)
    })
    .await
    .map_err(|error| Error::NotDone(format!("rendering ended badly: {error}")))??;
    println!("{rendered}");
    Ok(())
}
