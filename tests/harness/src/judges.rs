//! What the tools that people use make of an object's status: kstatus and Argo CD's Lua, the real ones.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::tools::workspace;
use crate::{Error, Result};

/// The program that `tests/oracle` builds, running. It ends when this is dropped.
#[derive(Debug)]
pub struct Judges {
    pipes: Mutex<Pipes>,
    _child: Child,
}

#[derive(Debug)]
struct Pipes {
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// What a tool makes of an object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Judgement {
    /// It has an answer.
    Is {
        /// In the tool's own word: `Current`, `Healthy` and so on.
        status: String,
        /// For people.
        #[serde(default)]
        message: String,
    },
    /// It cannot read the object, or the script fails.
    Refused {
        /// Why.
        error: String,
    },
}

impl Judgement {
    /// The tool's own word, or why it has none.
    pub fn word(&self) -> &str {
        match self {
            Self::Is { status, .. } => status,
            Self::Refused { error } => error,
        }
    }
}

impl Judges {
    /// Builds the program, unless that was done before, and starts it.
    ///
    /// # Errors
    /// If it cannot be built or started.
    pub async fn start() -> Result<Self> {
        let mut child = Command::new(Self::program().await?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("starting the judges"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Tools("the judges have no pipes".to_owned()));
        };
        Ok(Self {
            pipes: Mutex::new(Pipes {
                questions,
                answers: BufReader::new(answers).lines(),
            }),
            _child: child,
        })
    }

    async fn program() -> Result<PathBuf> {
        let script = workspace().join("tests/oracle/build.sh");
        let built = Command::new("bash")
            .arg(&script)
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(Error::io(format!("running {}", script.display())))?;
        let oracle = PathBuf::from(String::from_utf8_lossy(&built.stdout).trim());
        match oracle.parent() {
            Some(folder) if built.status.success() => Ok(folder.join("health")),
            _ => Err(Error::Tools(built.status.to_string())),
        }
    }

    /// What kstatus, and so Flux, makes of an object.
    ///
    /// # Errors
    /// If the program cannot be asked.
    pub async fn kstatus(&self, object: &Value) -> Result<Judgement> {
        self.ask(&json!({"op": "kstatus", "object": object})).await
    }

    /// What Argo CD makes of an object with this `health.lua`.
    ///
    /// # Errors
    /// If the program cannot be asked.
    pub async fn argo(&self, script: &str, object: &Value) -> Result<Judgement> {
        let question = json!({"op": "argo", "object": object, "script": script});
        self.ask(&question).await
    }

    async fn ask(&self, question: &Value) -> Result<Judgement> {
        let mut pipes = self.pipes.lock().await;
        let line = format!("{question}\n");
        let asked = pipes.questions.write_all(line.as_bytes()).await;
        asked.map_err(Error::io("asking the judges"))?;
        let answer = pipes.answers.next_line().await;
        let answer = answer.map_err(Error::io("hearing the judges"))?;
        let answer = answer.ok_or_else(|| Error::Tools("the judges have ended".to_owned()))?;
        serde_json::from_str(&answer).map_err(Error::unreadable("an answer of the judges"))
    }
}
