//! `belay why`: what failed, why, what runs now and since when, and what to do next.

use std::process::ExitCode;

use clap::Args;

use crate::commands::Session;
use crate::error::Error;
use crate::page::why;
use crate::stdout;
use crate::when;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
}

pub(crate) async fn run(arguments: &Arguments, session: Session) -> Result<ExitCode, Error> {
    let release = session.release(&arguments.name).await?;
    stdout::print(why(&release, when::now(), session.style))?;
    Ok(ExitCode::SUCCESS)
}
