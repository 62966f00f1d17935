//! The real programs of the story, run as the reader would run them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use belay_harness::{Tools, belay_binary};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::error::Error;
use crate::terminal::Terminal;

/// No command of the story takes longer, following included.
const LIMIT: Duration = Duration::from_mins(5);

/// belay, helm and kubectl for one cluster and namespace.
pub(crate) struct Programs {
    belay: PathBuf,
    tools: Tools,
    kubeconfig: PathBuf,
    namespace: String,
    /// Keeps helm away from the user's own settings.
    home: TempDir,
}

impl Programs {
    pub(crate) fn new(tools: Tools, kubeconfig: &Path, namespace: &str) -> Result<Self, Error> {
        Ok(Self {
            belay: belay_binary()?,
            tools,
            kubeconfig: kubeconfig.to_owned(),
            namespace: namespace.to_owned(),
            home: tempfile::tempdir().map_err(Error::io("making a folder for helm"))?,
        })
    }

    pub(crate) fn belay_path(&self) -> &Path {
        &self.belay
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Lets the reader see a command and what it prints; its exit status.
    pub(crate) async fn show(
        &self,
        terminal: &Terminal,
        program: &str,
        arguments: &[&str],
    ) -> Result<i32, Error> {
        terminal.typed(&format!("{program} {}", arguments.join(" ")));
        let mut command = self.command(program, arguments);
        command.stdin(Stdio::null());
        let mut child = command
            .spawn()
            .map_err(Error::io(format!("running {program}")))?;
        let ended = tokio::time::timeout(LIMIT, child.wait())
            .await
            .map_err(|_| slow(program, arguments))?;
        let status = ended.map_err(Error::io(format!("running {program}")))?;
        Ok(status.code().unwrap_or(-1))
    }

    /// Shows a command that must succeed.
    pub(crate) async fn show_ok(
        &self,
        terminal: &Terminal,
        program: &str,
        arguments: &[&str],
    ) -> Result<(), Error> {
        match self.show(terminal, program, arguments).await? {
            0 => Ok(()),
            status => Err(Error::Command {
                command: line(program, arguments),
                status: status.to_string(),
                output: String::new(),
            }),
        }
    }

    /// What a command prints as JSON, unseen by the reader.
    pub(crate) async fn json(&self, program: &str, arguments: &[&str]) -> Result<Value, Error> {
        let text = self.run(program, arguments, "").await?;
        serde_json::from_str(&text).map_err(|source| Error::Unreadable {
            command: line(program, arguments),
            source,
        })
    }

    /// Runs a command unseen, with `input`, and gives what it prints.
    pub(crate) async fn run(
        &self,
        program: &str,
        arguments: &[&str],
        input: &str,
    ) -> Result<String, Error> {
        let doing = || Error::io(format!("running {program}"));
        let mut command = self.command(program, arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(doing())?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes()).await.map_err(doing())?;
        }
        let ended = tokio::time::timeout(LIMIT, child.wait_with_output())
            .await
            .map_err(|_| slow(program, arguments))?
            .map_err(doing())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if ended.status.success() {
            return Ok(text(&ended.stdout));
        }
        Err(Error::Command {
            command: line(program, arguments),
            status: ended.status.to_string(),
            output: format!("\n{}{}", text(&ended.stdout), text(&ended.stderr)),
        })
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = match program {
            "belay" => self.belay.clone(),
            tool => self.tools.path(tool),
        };
        let mut command = Command::new(path);
        command
            .args(["-n", &self.namespace])
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HELM_CACHE_HOME", self.home.path().join("cache"))
            .env("HELM_CONFIG_HOME", self.home.path().join("config"))
            .env("HELM_DATA_HOME", self.home.path().join("data"))
            .env_remove("HELM_NAMESPACE")
            .kill_on_drop(true);
        command
    }
}

fn line(program: &str, arguments: &[&str]) -> String {
    format!("{program} {}", arguments.join(" "))
}

fn slow(program: &str, arguments: &[&str]) -> Error {
    Error::Slow {
        command: line(program, arguments),
        seconds: LIMIT.as_secs(),
    }
}
