//! The long search: `belay-differential [SECONDS [SEED]]`. Prints what differs, and fails when something does.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use belay_differential::generate::{Subject, questions};
use belay_differential::{Error, Oracle, search};

/// How many questions of a subject follow one another.
const ROUND: usize = 2000;
/// How many differences are shown before the search ends.
const ENOUGH: usize = 40;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let (Ok(seconds), Ok(seed)) = (
        arguments.next().unwrap_or(Ok(600)),
        arguments.next().unwrap_or(Ok(1_u64)),
    ) else {
        eprintln!("usage: belay-differential [SECONDS [SEED]]");
        return ExitCode::FAILURE;
    };
    match run(Duration::from_secs(seconds), seed) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(time: Duration, first: u64) -> Result<usize, Error> {
    let started = Instant::now();
    let mut oracle = Oracle::start()?;
    let mut differences = 0;
    for seed in first.. {
        for subject in Subject::ALL {
            let found = search(
                &mut oracle,
                questions(subject, seed).take(ROUND),
                ENOUGH - differences,
            )?;
            differences += found.differences.len();
            println!("{subject:?}, seed {seed}: {found}");
            if started.elapsed() > time || differences >= ENOUGH {
                return Ok(differences);
            }
        }
    }
    Ok(differences)
}
