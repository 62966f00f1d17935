//! Why there are no figures.

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The control plane, a tool or a process of the bench failed.
    #[error(transparent)]
    Harness(#[from] belay_harness::Error),
    /// The API server refused or could not be asked.
    #[error("{doing}: {source}")]
    Kube {
        /// What was being done.
        doing: &'static str,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// A file could not be read or written, or a process not run.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A contender did not come to its end.
    #[error("{0}; the figures would mean nothing")]
    NotDone(String),
}

impl Error {
    pub(crate) fn kube(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Kube {
            doing,
            source: Box::new(source),
        }
    }

    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
