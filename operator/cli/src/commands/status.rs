//! `belay status`: one page about a release, live if asked for.

use std::process::ExitCode;

use clap::Args;

use crate::commands::{Session, exit};
use crate::error::Error;
use crate::follow::{Patience, Rest, Screen, follow_release};
use crate::page::{condition, page};
use crate::stdout;
use crate::when;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The HelmRelease
    name: String,
    /// Follow it until it is at rest: exit status 0 if it is Ready then, 1 otherwise
    #[arg(short, long)]
    watch: bool,
    /// With --watch: stop following after this long, such as 90s or 10m
    #[arg(long, requires = "watch")]
    timeout: Option<belay_api::Duration>,
}

pub(crate) async fn run(arguments: Arguments, session: Session) -> Result<ExitCode, Error> {
    let release = session.release(&arguments.name).await?;
    if release.status.is_some() || !arguments.watch {
        stdout::print(page(&release, when::now(), session.style))?;
    }
    if !arguments.watch {
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new(session.style);
    let generation = release.metadata.generation.unwrap_or_default();
    let end = follow_release(
        &session.access,
        &arguments.name,
        Some(release.clone()),
        generation,
        Patience::UntilRest,
        arguments.timeout,
        &mut screen,
    )
    .await?;
    drop(screen);
    match &end {
        None => stdout::say(format_args!("{} is gone", arguments.name)),
        Some((last, Rest::NotReady)) if changed(&release, last) => {
            stdout::print(format!("\n{}", page(last, when::now(), session.style)))?;
        }
        Some(_) => {}
    }
    Ok(exit(end.as_ref()))
}

fn changed(before: &belay_api::HelmRelease, after: &belay_api::HelmRelease) -> bool {
    let ready = |release: &belay_api::HelmRelease| {
        release
            .status
            .as_ref()
            .and_then(|status| condition(status, belay_api::ConditionType::Ready).cloned())
    };
    ready(before) != ready(after)
}
