//! From bytes to charts: pure computing, kept off the async threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use belay_chart::{Chart, ChartError, Digest, File};
use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::digest::PackageDigest;
use crate::error::Error;
use crate::fetcher::Fetched;
use crate::request::Inline;

/// Loads charts, a few at a time, and shares those that somebody still holds.
#[derive(Debug)]
pub(crate) struct Reader {
    charts: Mutex<BTreeMap<ReadFrom, Weak<Chart>>>,
    threads: Semaphore,
}

/// What a chart was read from, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ReadFrom {
    Package(PackageDigest),
    Files(Digest),
}

/// Charts and indexes being read at the same time.
const THREADS: usize = 2;

impl Reader {
    pub fn new() -> Self {
        Self {
            charts: Mutex::new(BTreeMap::new()),
            threads: Semaphore::new(THREADS),
        }
    }

    /// Opens a package, whatever its digest.
    pub async fn open(&self, bytes: Bytes, origin: String) -> Result<Fetched, Error> {
        let digest = self.digest(&bytes, &origin).await?;
        self.open_as(bytes, origin, digest).await
    }

    /// Opens a package when it is the expected one.
    pub async fn open_proven(
        &self,
        bytes: Bytes,
        origin: String,
        expected: PackageDigest,
    ) -> Result<Fetched, Error> {
        let actual = self.digest(&bytes, &origin).await?;
        if actual != expected {
            return Err(Error::DigestMismatch {
                url: origin,
                expected: expected.to_string(),
                actual: actual.to_string(),
            });
        }
        self.open_as(bytes, origin, actual).await
    }

    /// Loads a chart from its files.
    pub async fn load_files(&self, inline: Inline) -> Result<Fetched, Error> {
        let Inline { files, origin } = inline;
        let load = move || {
            let files = files.iter();
            Chart::from_files(files.map(|(path, content)| File::new(path, content.as_bytes())))
        };
        let chart = self.load(&origin, load).await?;
        let chart = self.share(ReadFrom::Files(chart.content_digest()), chart);
        Ok(Fetched::new(chart, None, origin))
    }

    /// How many charts somebody holds; all who hold the same one count as one.
    pub fn held(&self) -> usize {
        let charts = self.charts();
        let held = charts.values().filter(|chart| chart.strong_count() > 0);
        held.count()
    }

    /// Computes on a thread of its own. A panic in there is an error of this one source.
    pub async fn compute<T: Send + 'static>(
        &self,
        origin: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        // The semaphore is never closed, so waiting for a permit does not fail.
        let _permit = self.threads.acquire().await;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Error::Interrupted {
                origin: origin.to_owned(),
            })
    }

    async fn digest(&self, bytes: &Bytes, origin: &str) -> Result<PackageDigest, Error> {
        let bytes = bytes.clone();
        self.compute(origin, move || PackageDigest::of(&bytes))
            .await
    }

    async fn open_as(
        &self,
        bytes: Bytes,
        origin: String,
        digest: PackageDigest,
    ) -> Result<Fetched, Error> {
        let package = ReadFrom::Package(digest);
        let held = self.charts().get(&package).and_then(Weak::upgrade);
        if let Some(chart) = held {
            return Ok(Fetched::new(chart, Some(digest), origin));
        }
        let chart = self
            .load(&origin, move || Chart::from_archive(&bytes))
            .await?;
        Ok(Fetched::new(
            self.share(package, chart),
            Some(digest),
            origin,
        ))
    }

    /// The chart that is held already, or this one from now on: many may have loaded the same at the same time.
    fn share(&self, from: ReadFrom, chart: Chart) -> Arc<Chart> {
        let mut charts = self.charts();
        if let Some(held) = charts.get(&from).and_then(Weak::upgrade) {
            return held;
        }
        charts.retain(|_, chart| chart.strong_count() > 0);
        let chart = Arc::new(chart);
        charts.insert(from, Arc::downgrade(&chart));
        chart
    }

    async fn load(
        &self,
        origin: &str,
        load: impl FnOnce() -> Result<Chart, ChartError> + Send + 'static,
    ) -> Result<Chart, Error> {
        let loaded = self.compute(origin, load).await?;
        loaded.map_err(|source| Error::BadPackage {
            origin: origin.to_owned(),
            source: Arc::new(source),
        })
    }

    fn charts(&self) -> std::sync::MutexGuard<'_, BTreeMap<ReadFrom, Weak<Chart>>> {
        self.charts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
