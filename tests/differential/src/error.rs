/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The oracle could not be built; see what the build printed before, and whether Go is there.
    #[error("the oracle could not be built: {0}")]
    Build(String),
    /// The oracle could not be started or asked.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The oracle was started without pipes.
    #[error("the oracle was started without pipes")]
    NoPipes,
    /// The oracle answered in another form than this side expects.
    #[error("the oracle's answer was not understood: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
