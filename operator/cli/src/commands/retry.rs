//! `belay retry`: asks by name for what is blocked.

use std::process::ExitCode;

use clap::Args;

use crate::commands::{Asking, Session, ask_by_name};
use crate::error::Error;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let release = session.release(&arguments.name).await?;
    ask_by_name(&release, &arguments.asking, &session).await
}
