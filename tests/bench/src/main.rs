//! Ratios from interleaved runs: 50 releases at once by Belay, by `kubectl apply` and by helm, and one chart
//! rendered by `belay template` and by `helm template`. There are no thresholds: the table is the result.

mod contest;
mod error;
mod figures;
mod floor;
mod ground;
mod rendering;

use std::process::ExitCode;

use crate::error::Error;
use crate::ground::Ground;

/// How many releases roll out at once, unless the first argument says otherwise.
const RELEASES: usize = 50;
/// How many times each contender runs, unless the second argument says otherwise.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let mut number = |usual| match arguments.next() {
        None => Some(usual),
        Some(given) => given.ok().filter(|given: &usize| *given > 0),
    };
    let (Some(releases), Some(rounds)) = (number(RELEASES), number(ROUNDS)) else {
        eprintln!("usage: belay-bench [RELEASES [ROUNDS]]");
        return ExitCode::FAILURE;
    };
    match run(releases, rounds).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
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
    println!("{}", rendering::compare(&ground).await?);
    Ok(())
}
