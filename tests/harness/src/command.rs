//! Runs helm and kubectl as a user would.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::{Error, Result};

/// No command of a test takes longer, waiting included.
const LIMIT: Duration = Duration::from_mins(5);

/// What a command left behind.
#[derive(Debug, Clone)]
pub struct Output {
    command: String,
    /// The exit status; -1 if a signal ended it.
    pub status: i32,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a command that must succeed.
    ///
    /// # Errors
    /// [`Error::Command`] with everything it printed, if its status is not 0.
    pub fn ok(self) -> Result<String> {
        if self.status == 0 {
            return Ok(self.stdout);
        }
        Err(Error::Command {
            command: self.command,
            status: self.status.to_string(),
            stdout: self.stdout,
            stderr: self.stderr,
        })
    }
}

/// Runs `program` against the cluster of `kubeconfig`, with `input` on its standard
/// input, cut off from the user's own helm settings.
pub(crate) async fn run(
    program: &Path,
    args: &[&str],
    kubeconfig: &Path,
    input: Option<&str>,
) -> Result<Output> {
    let home = std::env::temp_dir().join("belay-helm-home");
    let command = format!("{} {}", program.display(), args.join(" "));
    let mut process = tokio::process::Command::new(program);
    process
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        .env("HELM_CACHE_HOME", home.join("cache"))
        .env("HELM_CONFIG_HOME", home.join("config"))
        .env("HELM_DATA_HOME", home.join("data"))
        .env_remove("HELM_NAMESPACE")
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = process
        .spawn()
        .map_err(Error::io(format!("running {command}")))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        pipe.write_all(input.as_bytes())
            .await
            .map_err(Error::io(format!("writing to {command}")))?;
    }
    let ended = tokio::time::timeout(LIMIT, child.wait_with_output())
        .await
        .map_err(|_| Error::NeverHappened {
            what: format!("the end of `{command}`"),
            limit: LIMIT,
            last: "running".into(),
        })?
        .map_err(Error::io(format!("running {command}")))?;
    Ok(Output {
        command,
        status: ended.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
    })
}
