//! The real `belay` binary as a process that tests can kill.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::watchdog::Watchdog;
use crate::{Error, Result};

/// A running `belay operator`. It ends with its owner, whatever way that ends.
pub struct Operator {
    child: Child,
    logs: TempDir,
    // Dropped after the child was killed.
    _watchdog: Watchdog,
}

impl Operator {
    /// Starts `BINARY operator FLAGS…` against the cluster of `kubeconfig`.
    ///
    /// # Errors
    /// If the binary cannot be run.
    pub fn start(binary: &Path, kubeconfig: &Path, flags: &[String]) -> Result<Self> {
        let logs = tempfile::tempdir().map_err(Error::io("making a folder for logs"))?;
        let open = || {
            File::options()
                .create(true)
                .append(true)
                .open(logs.path().join("operator.log"))
        };
        let out = open().map_err(Error::io("writing the operator's log"))?;
        let err = open().map_err(Error::io("writing the operator's log"))?;
        let mut watchdog = Watchdog::start(None)?;
        let child = Command::new(binary)
            .arg("operator")
            .args(flags)
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io(format!(
                "starting {}; `cargo build -p belay-cli` makes it",
                binary.display()
            )))?;
        if let Some(pid) = child.id() {
            watchdog.guard(pid)?;
        }
        Ok(Self {
            child,
            logs,
            _watchdog: watchdog,
        })
    }

    /// Kills it at once (SIGKILL): nothing of it runs when this returns.
    ///
    /// # Errors
    /// If it had already ended and its status cannot be had.
    pub async fn kill(mut self) -> Result<()> {
        self.child
            .kill()
            .await
            .map_err(Error::io("killing the operator"))
    }

    /// Asks it to stop (SIGTERM) and returns how it ended.
    ///
    /// # Errors
    /// [`Error::NeverHappened`] with its log if it does not end within `limit`.
    pub async fn stop(mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(pid) = self.child.id() {
            let asked = Command::new("kill").arg(pid.to_string()).status().await;
            asked.map_err(Error::io("stopping the operator"))?;
        }
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => status.map_err(Error::io("waiting for the operator")),
            Err(_) => Err(Error::NeverHappened {
                what: "the operator's end".to_owned(),
                limit,
                last: self.log(),
            }),
        }
    }

    /// How it ended on its own, or `None` while it runs.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .map_err(Error::io("looking after the operator"))
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.logs.path().join("operator.log")).unwrap_or_default()
    }

    /// Its resident memory in bytes, where the system tells (Linux).
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
            .map(|kib| kib * 1024)
    }
}

/// The `belay` binary that was built with the running test: `BELAY_BIN` if it is set,
/// else the one in the same target folder.
///
/// # Errors
/// If the running program's own path is unknown.
pub fn belay_binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("BELAY_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe().map_err(Error::io("finding the running test"))?;
    let folder = test
        .ancestors()
        .find(|folder| !folder.ends_with("deps") && *folder != test.as_path());
    Ok(folder.unwrap_or(Path::new(".")).join("belay"))
}
