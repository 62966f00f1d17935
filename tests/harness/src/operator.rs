//! The real `belay` binary as a process that tests can kill.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::watchdog::Watchdog;
use crate::{Error, Result};

/// The end of a process gives no event without a thread of its own.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running `belay operator`. It ends with its owner, whatever way that ends.
pub struct Operator {
    child: Child,
    logs: TempDir,
    // Kills it when dropped.
    _watchdog: Watchdog,
}

impl Operator {
    /// Starts `BINARY operator FLAGS…` against the cluster of `kubeconfig`.
    ///
    /// # Errors
    /// If no process can be started. A binary that does not exist shows in
    /// [`Operator::ended`] and [`Operator::log`]; `cargo build -p belay` makes it.
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
        let child = watchdog.spawn(binary.as_os_str(), |command| {
            command
                .arg("operator")
                .args(flags)
                .env("KUBECONFIG", kubeconfig)
                .stdout(out)
                .stderr(err);
        })?;
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
    pub fn kill(mut self) -> Result<()> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed
            .map(|_| ())
            .map_err(Error::io("killing the operator"))
    }

    /// Asks it to stop (SIGTERM) and returns how it ended.
    ///
    /// # Errors
    /// [`Error::NeverHappened`] with its log if it does not end within `limit`.
    pub async fn stop(mut self, limit: Duration) -> Result<ExitStatus> {
        let asked = Command::new("kill").arg(self.pid().to_string()).status();
        asked.map_err(Error::io("stopping the operator"))?;
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                let what = "the operator's end".to_owned();
                return Err(Error::NeverHappened {
                    what,
                    limit,
                    last: self.log(),
                });
            }
            sleep(LOOK_AGAIN).await;
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

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.logs.path().join("operator.log")).unwrap_or_default()
    }

    /// Its resident memory in bytes, where the system tells (Linux).
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
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
