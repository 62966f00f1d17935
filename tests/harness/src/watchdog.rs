//! Nothing outlives its owner, whatever way the owner ends.
//!
//! The watchdog is a shell that reads from a pipe whose other end only the owner
//! holds. It is told the processes to end; when the owner is gone, even by SIGKILL,
//! the pipe closes and the shell ends them and removes the folder.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::{Error, Result};

const WATCH: &str = r#"
groups=
while read -r group; do groups="$groups $group"; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
if [ -n "$1" ]; then
    rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
fi
"#;

/// A process begins only when the watchdog knows it: if the owner dies in between,
/// the line never comes.
const GATE: &str = r#"read -r go && exec "$0" "$@" </dev/null"#;

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
            .args(["-c", WATCH, "watchdog"])
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

    /// Starts a program, without standard input, that ends with the owner together
    /// with everything that it starts itself. `configure` adds arguments and the rest.
    ///
    /// # Errors
    /// If it cannot be started or the watchdog was ended by somebody.
    pub fn spawn(
        &mut self,
        program: &OsStr,
        configure: impl FnOnce(&mut Command),
    ) -> Result<Child> {
        let doing = || Error::io(format!("starting {}", program.display()));
        let mut command = Command::new("sh");
        command.args(["-c", GATE]).arg(program);
        configure(&mut command);
        let mut child = command
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(doing())?;
        if let Some(pipe) = &mut self.pipe {
            writeln!(pipe, "{}", child.id()).map_err(Error::io("telling the watchdog"))?;
        }
        if let Some(mut gate) = child.stdin.take() {
            writeln!(gate, "go").map_err(doing())?;
        }
        Ok(child)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // The shell has only kills and one removal to do.
        let _ = self.shell.wait();
    }
}
