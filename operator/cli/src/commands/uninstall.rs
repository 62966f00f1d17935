//! `belay uninstall`: deletes the HelmRelease; the operator removes what belongs to it.

use std::process::ExitCode;

use belay_api::{Duration, HelmRelease};
use clap::Args;
use kube::api::DeleteParams;

use crate::commands::Session;
use crate::connect::asking;
use crate::error::Error;
use crate::follow::{Patience, Screen, follow_release};
use crate::stdout;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// Follow it until everything is gone; --wait=false only asks for it
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wait: bool,
    /// How long to follow it, such as 90s or 10m
    #[arg(long, default_value = "10m")]
    timeout: Duration,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    let release = session.release(name).await?;
    let api = session.access.api::<HelmRelease>();
    asking(
        &format!("deleting the HelmRelease {name}"),
        api.delete(name, &DeleteParams::default()),
    )
    .await?;
    if !arguments.wait {
        stdout::say(format_args!("{name} is being removed"));
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new(session.style);
    // No state of a release that is being deleted is an end but its absence.
    let end = follow_release(
        &session.access,
        name,
        Some(release),
        i64::MAX,
        Patience::UntilRest,
        Some(arguments.timeout),
        &mut screen,
    )
    .await?;
    drop(screen);
    if end.is_none() {
        stdout::say(format_args!("{name} is gone"));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}
