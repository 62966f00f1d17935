//! One process, measured: this program starts itself again to run it, small and with no other children, so that what
//! the system counts for ended children is that process and nothing else.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The first argument that makes this program [`run`] the rest.
pub(crate) const WORD: &str = "measure";

/// What a process, or a piece of work, took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Milliseconds until it ended.
    pub(crate) wall: f64,
    /// Milliseconds of all processors.
    pub(crate) cpu: f64,
    /// MiB that it held at most.
    pub(crate) peak: f64,
}

/// Starts this program again to measure the command, whose output is thrown away.
pub(crate) fn measured(program: &std::path::Path, args: &[&str]) -> Result<Cost, Error> {
    let own = std::env::current_exe().map_err(Error::io("finding this program"))?;
    let output = Command::new(own)
        .arg(WORD)
        .arg(program)
        .args(args)
        .output()
        .map_err(Error::io("starting this program again"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::NotDone(format!("{}: {said}", program.display())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::NotDone(format!("a measurement was not understood: {error}")))
}

/// Runs the command and prints its [`Cost`] as JSON.
pub(crate) fn run(mut command: impl Iterator<Item = OsString>) -> Result<(), Error> {
    let program = command.next().unwrap_or_default();
    let doing = format!("running {}", program.display());
    let started = Instant::now();
    let status = Command::new(&program)
        .args(command)
        .env("KUBECONFIG", "/dev/null")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(Error::io(&doing))?;
    let wall = started.elapsed().as_secs_f64() * 1000.0;
    if !status.success() {
        return Err(Error::NotDone(doing));
    }
    let usage = usage(UsageWho::RUSAGE_CHILDREN)?;
    let cost = Cost {
        wall,
        cpu: cpu(&usage),
        peak: peak(&usage),
    };
    println!("{}", serde_json::json!(cost));
    Ok(())
}

pub(crate) fn usage(of: UsageWho) -> Result<Usage, Error> {
    getrusage(of).map_err(|error| Error::NotDone(format!("the system counts nothing: {error}")))
}

/// Milliseconds of all processors.
pub(crate) fn cpu(usage: &Usage) -> f64 {
    let both = usage.user_time() + usage.system_time();
    both.num_microseconds() as f64 / 1000.0
}

/// MiB at most; Linux counts in KiB.
pub(crate) fn peak(usage: &Usage) -> f64 {
    usage.max_rss() as f64 / 1024.0
}
