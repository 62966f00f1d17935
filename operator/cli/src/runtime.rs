//! What speaks to a network: the asynchronous runtime and TLS. A command that only computes starts neither.

use crate::error::Error;

/// Starts the runtime, runs the work on it and waits for its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    // Fails only when somebody chose a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?
        .block_on(work)
}
