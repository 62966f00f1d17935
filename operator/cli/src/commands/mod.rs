//! One file per command.

pub(crate) mod adopt;
pub(crate) mod approve;
mod beside;
pub(crate) mod diff;
pub(crate) mod history;
pub(crate) mod install;
pub(crate) mod lint;
pub(crate) mod operator;
pub(crate) mod reconcile;
pub(crate) mod release;
pub(crate) mod retry;
pub(crate) mod rollback;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod template;
pub(crate) mod uninstall;
pub(crate) mod values;
pub(crate) mod why;

use std::process::ExitCode;

use belay_api::{Duration, HelmRelease, names};
use clap::Args;
use kube::ResourceExt;
use serde_json::json;

use crate::args::{self, ClusterCommand, Command, Globals};
use crate::connect::{Access, asking};
use crate::error::Error;
use crate::follow::{Patience, Rest, Screen, follow_release};
use crate::runtime;
use crate::stdout;
use crate::style::Style;

/// What every command but `operator` gets.
pub(crate) struct Session {
    pub(crate) access: Access,
    pub(crate) style: Style,
}

/// Runs the command of the line.
pub(crate) fn run(arguments: args::Arguments) -> Result<ExitCode, Error> {
    let globals = arguments.globals;
    match arguments.command {
        Command::Template(arguments) => template::run(&arguments, &globals),
        Command::Lint(arguments) => lint::run(&arguments, &globals),
        Command::Show(arguments) => show::run(&arguments),
        Command::Cluster(command) => runtime::block_on(with_cluster(*command, &globals)),
    }
}

async fn with_cluster(command: ClusterCommand, globals: &Globals) -> Result<ExitCode, Error> {
    let style = Style::of_stdout(globals.no_color);
    let session = async || {
        let access = Access::new(globals).await?;
        Ok::<_, Error>(Session { access, style })
    };
    match command {
        ClusterCommand::Operator(arguments) => operator::run(arguments, globals).await,
        ClusterCommand::Install(arguments) => {
            Box::pin(install::install(arguments, session().await?)).await
        }
        ClusterCommand::Adopt(arguments) => Box::pin(adopt::run(arguments, session().await?)).await,
        ClusterCommand::Upgrade(arguments) => {
            Box::pin(install::upgrade(arguments, session().await?)).await
        }
        ClusterCommand::Status(arguments) => status::run(arguments, session().await?).await,
        ClusterCommand::Why(arguments) => why::run(&arguments, session().await?).await,
        ClusterCommand::Values(arguments) => values::run(arguments, session().await?).await,
        ClusterCommand::Diff(arguments) => Box::pin(diff::run(*arguments, session().await?)).await,
        ClusterCommand::History(arguments) => history::run(&arguments, session().await?).await,
        ClusterCommand::Rollback(arguments) => {
            Box::pin(rollback::run(arguments, session().await?)).await
        }
        ClusterCommand::Approve(arguments) => approve::run(arguments, session().await?).await,
        ClusterCommand::Uninstall(arguments) => uninstall::run(arguments, session().await?).await,
        ClusterCommand::Release(arguments) => release::run(arguments, session().await?).await,
        ClusterCommand::Retry(arguments) => retry::run(arguments, session().await?).await,
        ClusterCommand::Reconcile(arguments) => reconcile::run(arguments, session().await?).await,
    }
}

impl Session {
    /// The release, which must exist.
    pub(crate) async fn release(&self, name: &str) -> Result<HelmRelease, Error> {
        self.release_if_any(name)
            .await?
            .ok_or_else(|| Error::NotFound {
                namespace: self.access.namespace.clone(),
                name: name.to_owned(),
            })
    }

    /// The release, if it exists.
    pub(crate) async fn release_if_any(&self, name: &str) -> Result<Option<HelmRelease>, Error> {
        let api = self.access.api::<HelmRelease>();
        asking(
            &format!("reading the HelmRelease {name}"),
            api.get_opt(name),
        )
        .await
    }

    /// Sets one annotation of a release.
    pub(crate) async fn annotate(
        &self,
        name: &str,
        annotation: &str,
        value: &str,
    ) -> Result<HelmRelease, Error> {
        let api = self.access.api::<HelmRelease>();
        let patch =
            kube::api::Patch::Merge(json!({"metadata": {"annotations": {annotation: value}}}));
        asking(
            &format!("asking through the annotation {annotation} of {name}"),
            api.patch(name, &kube::api::PatchParams::default(), &patch),
        )
        .await
    }
}

/// How somebody asks for what the spec says by its name.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Follow it until it is at rest; --wait=false only asks for it
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    wait: bool,
    /// How long to follow it, such as 90s or 10m
    #[arg(long, default_value = "10m")]
    timeout: Duration,
}

/// Asks by its name for what the spec says: that ends holds and blocks.
pub(crate) async fn ask_by_name(
    before: &HelmRelease,
    asking: &Asking,
    session: &Session,
) -> Result<ExitCode, Error> {
    let name = before.name_any();
    let status = before.status.clone().unwrap_or_default();
    let digest = status
        .desired
        .map(|desired| desired.digest)
        .filter(|digest| !digest.is_empty());
    let digest = digest.ok_or_else(|| Error::NoDigest { name: name.clone() })?;
    let asked = session
        .annotate(&name, names::RETRY, &format!("{digest}#{}", token()))
        .await?;
    stdout::say(format_args!("asked to try {digest} once more"));
    if !asking.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let mut screen = Screen::new(session.style);
    let end = follow_release(
        &session.access,
        &name,
        Some(asked),
        before.metadata.generation.unwrap_or_default(),
        Patience::AfterNews,
        Some(asking.timeout),
        &mut screen,
    )
    .await?;
    Ok(exit(end.as_ref()))
}

/// A value that no earlier request had.
pub(crate) fn token() -> String {
    crate::when::now().to_string()
}

/// 0 when what the spec asks for runs, 1 otherwise.
pub(crate) fn exit(end: Option<&(HelmRelease, Rest)>) -> ExitCode {
    match end {
        Some((_, Rest::Ready)) => ExitCode::SUCCESS,
        Some((_, Rest::NotReady)) | None => ExitCode::FAILURE,
    }
}
