//! The one error of this crate.

use std::path::PathBuf;
use std::time::Duration;

/// Why the harness could not do what a test asked for.
#[derive(thiserror::Error)]
pub enum Error {
    /// The tools could not be built.
    #[error(
        "the control plane's tools could not be built ({0}): run tests/controlplane/build.sh by hand and read what it says"
    )]
    Tools(String),
    /// A file, folder or process of the harness itself failed.
    #[error("{doing}: {source}; check that the disk has room and that the folder may be written")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made; this is a fault of the harness")]
    Certificate(#[from] rcgen::Error),
    /// Part of the control plane ended on its own.
    #[error("{part} ended ({status}); the end of its log {log}:\n{tail}")]
    PartEnded {
        /// The program's name.
        part: String,
        /// How it ended.
        status: String,
        /// Where the whole log is.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// Something was awaited and did not come.
    #[error("{what} did not happen within {limit:?}; last seen: {last}")]
    NeverHappened {
        /// What was awaited.
        what: String,
        /// How long it was awaited.
        limit: Duration,
        /// The state of the object at the end, as YAML-like JSON, or the last error.
        last: String,
    },
    /// The API server refused or could not be asked.
    #[error("{doing}: {source}")]
    Kube {
        /// What was being done.
        doing: String,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// A kubeconfig cannot be used.
    #[error(
        "the kubeconfig {path} cannot be used: {source}; `make cluster-down cluster` makes a new one"
    )]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// A command ended with a status other than 0.
    #[error("`{command}` ended with {status}\nstdout: {stdout}\nstderr: {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// What it printed.
        stdout: String,
        /// What it complained about.
        stderr: String,
    },
    /// A text that should have had a known shape had not.
    #[error("{what} could not be read: {detail}")]
    Unreadable {
        /// The document.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// Tests unwrap, and an unwrapped error should be as readable as a printed one.
impl std::fmt::Debug for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{self}")
    }
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    pub(crate) fn kube(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Kube {
            doing,
            source: Box::new(source),
        }
    }

    pub(crate) fn unreadable(what: impl Into<String>) -> impl FnOnce(serde_json::Error) -> Self {
        let what = what.into();
        move |error| Self::Unreadable {
            what,
            detail: error.to_string(),
        }
    }
}
