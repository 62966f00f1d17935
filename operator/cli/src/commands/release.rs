//! `belay release`: ends what holds a release at a revision that its spec does not ask for.

use std::process::ExitCode;

use clap::Args;

use crate::commands::{Asking, Session, ask_by_name};
use crate::error::Error;
use crate::stdout;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let name = &arguments.name;
    let release = session.release(name).await?;
    let pin = release
        .status
        .as_ref()
        .and_then(|status| status.pin.clone());
    let pin = pin.ok_or_else(|| Error::NotHeld { name: name.clone() })?;
    let by = pin.request.map_or_else(
        || "a helm command run by hand".to_owned(),
        |request| format!("RollbackRequest {request}"),
    );
    stdout::say(format_args!(
        "{name} is held by {by} until {}; the hold ends now",
        pin.until
    ));
    ask_by_name(&release, &arguments.asking, &session).await
}
