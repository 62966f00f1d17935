//! `belay reconcile`: asks for a look at a release right now.

use std::process::ExitCode;

use belay_api::names;
use clap::Args;

use crate::commands::{Session, token};
use crate::error::Error;
use crate::stdout;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    let token = token();
    session.annotate(name, names::RECONCILE, &token).await?;
    stdout::say(format_args!(
        "asked ({token}); `belay status {name} --watch` shows what follows"
    ));
    Ok(ExitCode::SUCCESS)
}
