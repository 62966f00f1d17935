//! The command line as a whole.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// Rolls out Helm charts and lets go of none of them.
#[derive(Debug, Parser)]
#[command(name = "belay", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Globals {
    /// The kubeconfig file [default: as kubectl looks for one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig [default: its current one]
    #[arg(long, global = true, alias = "kube-context", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The namespace [default: the context's]; `belay operator` takes several
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) namespace: Vec<String>,
    /// Print no colours, on a terminal either
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// Only the flags of the command that is called are put together: the others' take longer than a small chart.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Render a chart as `helm template` does, without a cluster
    Template(Box<commands::template::Arguments>),
    /// Look for faults in charts as `helm lint` does
    Lint(commands::lint::Arguments),
    /// Show what a chart says about itself, its values, README or definitions
    Show(commands::show::Arguments),
    #[command(flatten)]
    Cluster(Box<ClusterCommand>),
}

/// What speaks to a cluster.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ClusterCommand {
    /// Run the operator
    Operator(commands::operator::Arguments),
    /// Show where a release stands
    Status(commands::status::Arguments),
    /// Tell why a release is not what its spec asks for
    Why(commands::why::Arguments),
    /// Show what a release's values come to, and where each is from
    Values(commands::values::Arguments),
    /// Show what an upgrade to what a release asks for would change, by dry runs with your own rights
    Diff(Box<commands::diff::Arguments>),
    /// Show a release's revisions
    History(commands::history::Arguments),
    /// Take a release back to an older revision
    Rollback(commands::rollback::Arguments),
    /// Say, as another than who asked, that a RollbackRequest may be carried out
    Approve(commands::approve::Arguments),
    /// Install a chart by creating a HelmRelease
    Install(commands::install::InstallArguments),
    /// Upgrade a release by changing its HelmRelease
    Upgrade(commands::install::UpgradeArguments),
    /// Write the HelmRelease that fits a release that helm made, and show what it would change
    Adopt(commands::adopt::Arguments),
    /// Remove a release by deleting its HelmRelease
    Uninstall(commands::uninstall::Arguments),
    /// End what holds a release at an older revision
    Release(commands::release::Arguments),
    /// Try what is blocked once more
    Retry(commands::retry::Arguments),
    /// Ask for a look at a release right now
    Reconcile(commands::reconcile::Arguments),
}
