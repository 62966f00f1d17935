//! Where the real tools are; builds them at first use.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::command::{self, Output};
use crate::{Error, Result, Watchdog};

/// The folder of tools that `tests/controlplane/go.mod` names: etcd, the Kubernetes
/// programs, kubectl, helm, kwok and a registry.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Finds the tools, building them first where they are missing (minutes, with
    /// progress on standard error). `BELAY_CACHE` says where they are kept.
    ///
    /// # Errors
    /// [`Error::Tools`] if Go is missing or a download or build failed.
    pub async fn ensure() -> Result<Self> {
        tokio::task::spawn_blocking(Self::ensure_blocking)
            .await
            .map_err(|error| Error::Tools(error.to_string()))?
    }

    fn ensure_blocking() -> Result<Self> {
        let script = workspace().join("tests/controlplane/build.sh");
        // Not left behind either: it takes minutes and both cores.
        let mut watchdog = Watchdog::start(None)?;
        let built = watchdog
            .spawn("bash".as_ref(), |command| {
                command.arg(&script).stdout(Stdio::piped());
            })?
            .wait_with_output()
            .map_err(Error::io(format!("running {}", script.display())))?;
        let folder = String::from_utf8_lossy(&built.stdout).trim().to_owned();
        if !built.status.success() || folder.is_empty() {
            return Err(Error::Tools(built.status.to_string()));
        }
        Ok(Self {
            folder: folder.into(),
        })
    }

    /// The path of one tool, for example `helm`.
    pub fn path(&self, tool: &str) -> PathBuf {
        self.folder.join(tool)
    }

    /// Runs helm without a cluster, for example `helm template`. It sees none of the
    /// user's own settings, repositories or plugins.
    ///
    /// # Errors
    /// If it could not be run at all; its own failures are in the [`Output`].
    pub async fn helm(&self, args: &[&str]) -> Result<Output> {
        command::run(&self.path("helm"), args, Path::new("/dev/null"), None).await
    }
}

/// The root of the workspace that this crate was built from.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
