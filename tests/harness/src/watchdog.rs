//! Nothing outlives its owner, whatever way the owner ends.
//!
//! The watchdog is a shell that reads from a pipe whose other end only the owner
//! holds. It is told the processes to end; when the owner is gone, even by SIGKILL,
//! the pipe closes and the shell ends them and removes the folder.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::{Error, Result};

const SCRIPT: &str = r#"
pids=
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do kill -9 -- "$pid" 2>/dev/null; done
if [ -n "$1" ]; then
    rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
fi
"#;

/// Ends processes, and removes a folder, when it is dropped or its owner dies.
pub struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// A watchdog that removes `folder`, if one is given, at the end.
    ///
    /// # Errors
    /// If no shell can be started.
    pub fn start(folder: Option<&Path>) -> Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .args(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own group, so that an interrupt from the terminal does not end it first.
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting a watchdog"))?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// Adds a process to those that end with the owner.
    ///
    /// # Errors
    /// If the watchdog was ended by somebody.
    pub fn guard(&mut self, pid: u32) -> Result<()> {
        self.tell(&pid.to_string())
    }

    /// Adds the process group that `leader` leads.
    ///
    /// # Errors
    /// If the watchdog was ended by somebody.
    pub fn guard_group(&mut self, leader: u32) -> Result<()> {
        self.tell(&format!("-{leader}"))
    }

    fn tell(&mut self, target: &str) -> Result<()> {
        if let Some(pipe) = &mut self.pipe {
            writeln!(pipe, "{target}")
                .and_then(|()| pipe.flush())
                .map_err(Error::io("telling the watchdog"))?;
        }
        Ok(())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // The shell has only kills and one removal to do.
        let _ = self.shell.wait();
    }
}
