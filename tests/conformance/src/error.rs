use std::path::PathBuf;

/// Why a comparison could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The real helm could not be built; see what the build printed before, and whether Go is there.
    #[error("the real tools could not be built: {0}")]
    Tools(String),
    /// A program could not be run.
    #[error("running {program}: {source}")]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
    /// A file of a case could not be written or read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
    /// An argument of a case that this side does not know; teach it to `ours`.
    #[error("unknown argument {0}")]
    Argument(String),
    /// Helm printed something else than JSON where it should.
    #[error("helm's answer is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}
