//! Flags of `helm template` that say something about a cluster, and so nothing here. They are accepted, so that
//! scripts need no change.

use clap::{ArgAction, Args};

use crate::error::Error;

#[derive(Clone, Debug, Args)]
pub(super) struct WithoutEffect {
    /// The name is a stand-in anyway; only refused beside a name.
    #[arg(short, long, hide = true)]
    generate_name: bool,
    #[arg(long, hide = true)]
    skip_crds: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "client", value_parser = ["none", "client", "unset", "true", "false"])]
    dry_run: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "watcher")]
    wait: Option<String>,
    #[arg(long, hide = true)]
    timeout: Option<String>,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(short, long, hide = true)]
    labels: Vec<String>,
    #[arg(long, hide = true, action = ArgAction::SetTrue)]
    wait_for_jobs: bool,
    #[command(flatten)]
    writes: Writes,
}

impl WithoutEffect {
    /// Refuses what helm refuses, too.
    pub(super) fn check(&self, names: &[String]) -> Result<(), Error> {
        if self.generate_name && names.len() == 2 {
            return Err(Error::Template(
                "cannot set --generate-name and also specify a name".to_owned(),
            ));
        }
        Ok(())
    }
}

/// How objects would be written.
#[derive(Clone, Debug, Args)]
struct Writes {
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    replace: bool,
    #[command(flatten)]
    takes: Takes,
}

/// What would be taken over or back.
#[derive(Clone, Debug, Args)]
struct Takes {
    #[arg(long, hide = true)]
    take_ownership: bool,
    #[arg(long, hide = true)]
    rollback_on_failure: bool,
    #[arg(long, hide = true)]
    force_conflicts: bool,
}
