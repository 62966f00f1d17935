//! `belay retry`: asks by name for what is blocked.

use std::process::ExitCode;

use belay_api::{Duration, names};
use clap::Args;

use crate::commands::{Session, exit, token};
use crate::error::Error;
use crate::follow::{Patience, Screen, follow_release};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// Follow it until it is at rest; --wait=false only asks for it
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wait: bool,
    /// How long to follow it, such as 90s or 10m
    #[arg(long, default_value = "10m")]
    timeout: Duration,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    let before = session.release(name).await?;
    let status = before.status.clone().unwrap_or_default();
    let digest = status
        .desired
        .map(|desired| desired.digest)
        .filter(|digest| !digest.is_empty());
    let digest = digest.ok_or_else(|| Error::NoDigest { name: name.clone() })?;
    let asked = session
        .annotate(name, names::RETRY, &format!("{digest}#{}", token()))
        .await?;
    println!("asked to try {digest} once more");
    if !arguments.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new(session.style);
    let end = follow_release(
        &session.access,
        name,
        Some(asked),
        before.metadata.generation.unwrap_or_default(),
        Patience::AfterNews,
        Some(arguments.timeout),
        &mut screen,
    )
    .await?;
    Ok(exit(end.as_ref()))
}
