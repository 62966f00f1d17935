//! From a described source to a chart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use belay_chart::{Chart, ChartError, File};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::cache::{Cache, Key};
use crate::digest::PackageDigest;
use crate::error::{Error, Kind};
use crate::flight::Flight;
use crate::http::{Answer, Document, Http, Validators};
use crate::index::{self, Entry, Index, Range};
use crate::location::{Access, shown};
use crate::recent::Recent;
use crate::request::{HttpRepository, Inline, Package, Source};
use crate::settings::Settings;

/// A chart that was had, and where from.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The chart, shared by all who fetched the same package.
    pub chart: Arc<Chart>,
    /// The package's digest, as indexes give it; `None` for an inline chart, which has no package. What a release is
    /// compared by is [`Chart::content_digest`].
    pub package: Option<PackageDigest>,
    /// The version that `Chart.yaml` says.
    pub version: String,
    /// Where it came from, for messages; holds no credentials.
    pub origin: String,
}

/// Fetches charts. Clones share connections, indexes and packages; make one for a process.
#[derive(Clone, Debug)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: Http,
    indexes: Mutex<Recent<[u8; 32], Arc<Flight<Arc<Offer>>>>>,
    /// Transfers under way. They live as long as somebody waits for them.
    packages: Mutex<BTreeMap<Wanted, Weak<Flight<Fetched>>>>,
    cache: Cache,
    /// What came from addresses for which the index gives no digest.
    unproven: Mutex<Recent<(Scope, Url), Unproven>>,
    /// Charts that somebody still holds, to be shared instead of read again.
    charts: Mutex<BTreeMap<PackageDigest, Weak<Chart>>>,
    readers: Semaphore,
}

type Scope = [u8; 32];

/// What a transfer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Content(Key),
    Address(Scope, Url),
}

/// An index with what the server needs to say that it is unchanged.
#[derive(Debug)]
struct Offer {
    index: Index,
    validators: Validators,
}

#[derive(Clone, Debug)]
struct Unproven {
    digest: PackageDigest,
    validators: Validators,
    began: Instant,
}

/// Charts and indexes being read at the same time: it is pure computing.
const READERS: usize = 2;
/// Addresses without digest that are remembered.
const UNPROVEN: u64 = 1024;

impl Fetcher {
    /// A fetcher under these limits. Looks through [`Settings::cache_dir`] at once, which blocks for a moment.
    ///
    /// The program must have installed a rustls cryptography provider before the first fetch over HTTP.
    pub fn new(settings: &Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                http: Http::new(settings),
                indexes: Mutex::new(Recent::new(settings.repositories as u64)),
                packages: Mutex::new(BTreeMap::new()),
                cache: Cache::new(settings),
                unproven: Mutex::new(Recent::new(UNPROVEN)),
                charts: Mutex::new(BTreeMap::new()),
                readers: Semaphore::new(READERS),
            }),
        }
    }

    /// Gets a chart.
    ///
    /// `max_age` is how old the knowledge about a repository may be: an index whose fetch began within it before this
    /// call serves without asking the server. Zero asks the server, which all who ask at the same time share. A chart,
    /// version or package that a kept index does not lead to is looked for in a new one before it is called missing.
    ///
    /// Cancelling the future ends a transfer that nobody else waits for.
    ///
    /// # Errors
    /// See [`Error`]; nothing is tried twice in here, except on a newer index.
    pub async fn fetch(&self, source: &Source, max_age: Duration) -> Result<Fetched, Error> {
        match source {
            Source::HttpRepository(repository) => {
                self.inner.from_repository(repository, max_age).await
            }
            Source::Package(Package { bytes, origin }) => {
                self.inner.open(bytes.clone(), origin.clone()).await
            }
            Source::Inline(inline) => self.inner.from_files(inline.clone()).await,
        }
    }
}

impl Inner {
    async fn from_repository(
        &self,
        repository: &HttpRepository,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let range = Range::parse(repository.version.as_deref())?;
        let access = Access::new(repository)?;
        let offer = self.offer(&access, max_age).await?;
        let first = self
            .from_offer(&access, &offer.value, &repository.name, &range, max_age)
            .await;
        match first {
            Err(error)
                if !offer.fresh
                    && matches!(error.kind(), Kind::NotFound | Kind::DigestMismatch) =>
            {
                let newer = self.offer(&access, Duration::ZERO).await?;
                if Arc::ptr_eq(&newer.value, &offer.value) {
                    return Err(error);
                }
                self.from_offer(
                    &access,
                    &newer.value,
                    &repository.name,
                    &range,
                    Duration::ZERO,
                )
                .await
            }
            other => other,
        }
    }

    /// The repository's index: one fetch for all that use it.
    async fn offer(
        &self,
        access: &Access,
        max_age: Duration,
    ) -> Result<crate::flight::Shared<Arc<Offer>>, Error> {
        let flight = {
            let mut indexes = lock(&self.indexes);
            let known = indexes.get(&access.scope).cloned();
            known.unwrap_or_else(|| {
                let flight = Arc::new(Flight::new());
                indexes.insert(access.scope, Arc::clone(&flight), 1);
                flight
            })
        };
        flight
            .share(max_age, |known| self.fetch_offer(access, known))
            .await
    }

    async fn fetch_offer(
        &self,
        access: &Access,
        known: Option<Arc<Offer>>,
    ) -> Result<Arc<Offer>, Error> {
        let url = access.index();
        let address = shown(&url);
        let none = Validators::default();
        let validators = known.as_ref().map_or(&none, |offer| &offer.validators);
        let answer = self
            .http
            .get(access, url, Document::Index, validators)
            .await?;
        match (answer, known) {
            (Answer::NotModified, Some(known)) => Ok(known),
            (Answer::NotModified, None) => Err(unasked(address)),
            (Answer::Body(text, validators), _) => {
                let label = address.clone();
                let index = self
                    .read(&label, move || index::read(&address, &text))
                    .await??;
                Ok(Arc::new(Offer { index, validators }))
            }
        }
    }

    async fn from_offer(
        &self,
        access: &Access,
        offer: &Offer,
        name: &str,
        range: &Range,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let entry = offer.index.select(&shown(&access.base), name, range)?;
        let Some(digest) = &entry.digest else {
            return self.from_mirrors(access, entry, None, max_age).await;
        };
        let proof = digest.parse().map_err(|_| Error::BadIndex {
            url: shown(&access.index()),
            line: None,
            detail: format!(
                "the digest of {name} {} is {digest:?}, which is no SHA-256",
                entry.version
            ),
        })?;
        self.from_mirrors(access, entry, Some(proof), max_age).await
    }

    /// The package from the first of its addresses that has it; the first one's failure when none does.
    async fn from_mirrors(
        &self,
        access: &Access,
        entry: &Entry,
        proof: Option<PackageDigest>,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let mut failure = None;
        for reference in &entry.urls {
            match self.package(access, reference, proof, max_age).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::BadIndex {
            url: shown(&access.index()),
            line: None,
            detail: format!("version {} has no URL", entry.version),
        }))
    }

    async fn package(
        &self,
        access: &Access,
        reference: &str,
        proof: Option<PackageDigest>,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let url = access.package(reference)?;
        let scope = access.scope;
        match proof {
            Some(digest) => {
                let key = Key { scope, digest };
                let flight = self.transfer(Wanted::Content(key));
                // Content that is named by its digest does not age.
                let shared = flight
                    .share(Duration::MAX, |_| self.fetch_proven(access, url, key))
                    .await?;
                Ok(shared.value)
            }
            None => {
                let flight = self.transfer(Wanted::Address(scope, url.clone()));
                let asked = Instant::now();
                let shared = flight
                    .share(max_age, |_| {
                        self.fetch_unproven(access, url, asked, max_age)
                    })
                    .await?;
                Ok(shared.value)
            }
        }
    }

    fn transfer(&self, wanted: Wanted) -> Arc<Flight<Fetched>> {
        let mut packages = lock(&self.packages);
        if let Some(flight) = packages.get(&wanted).and_then(Weak::upgrade) {
            return flight;
        }
        packages.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::new());
        packages.insert(wanted, Arc::downgrade(&flight));
        flight
    }

    async fn fetch_proven(&self, access: &Access, url: Url, key: Key) -> Result<Fetched, Error> {
        let origin = shown(&url);
        if let Some(bytes) = self.cache.get(key).await {
            return self.open(bytes, origin).await;
        }
        let (bytes, _) = self.download(access, url, &Validators::default()).await?;
        let fetched = self.open_proven(bytes.clone(), origin, key.digest).await?;
        self.cache.put(key, &bytes).await;
        Ok(fetched)
    }

    /// A package that no digest vouches for: the server is asked whether it changed.
    async fn fetch_unproven(
        &self,
        access: &Access,
        url: Url,
        asked: Instant,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let origin = shown(&url);
        let place = (access.scope, url.clone());
        let known = lock(&self.unproven).get(&place).cloned();
        let mut held = None;
        if let Some(known) = &known {
            let key = Key {
                scope: access.scope,
                digest: known.digest,
            };
            held = self.cache.get(key).await;
        }
        if let (Some(known), Some(bytes)) = (&known, &held)
            && asked.saturating_duration_since(known.began) <= max_age
            && max_age > Duration::ZERO
        {
            return self.open(bytes.clone(), origin).await;
        }
        let began = Instant::now();
        let none = Validators::default();
        let validators = known
            .as_ref()
            .filter(|_| held.is_some())
            .map_or(&none, |known| &known.validators);
        let answer = self
            .http
            .get(access, url, Document::Package, validators)
            .await?;
        let (bytes, validators) = match (answer, held, known) {
            (Answer::Body(bytes, validators), _, _) => (bytes, validators),
            (Answer::NotModified, Some(bytes), Some(known)) => (bytes, known.validators),
            (Answer::NotModified, _, _) => return Err(unasked(origin)),
        };
        let fetched = self.open(bytes.clone(), origin).await?;
        if let Some(digest) = fetched.package {
            self.cache
                .put(
                    Key {
                        scope: access.scope,
                        digest,
                    },
                    &bytes,
                )
                .await;
            let unproven = Unproven {
                digest,
                validators,
                began,
            };
            lock(&self.unproven).insert(place, unproven, 1);
        }
        Ok(fetched)
    }

    async fn download(
        &self,
        access: &Access,
        url: Url,
        known: &Validators,
    ) -> Result<(Bytes, Validators), Error> {
        let address = shown(&url);
        match self.http.get(access, url, Document::Package, known).await? {
            Answer::Body(bytes, validators) => Ok((bytes, validators)),
            Answer::NotModified => Err(unasked(address)),
        }
    }

    async fn open_proven(
        &self,
        bytes: Bytes,
        origin: String,
        expected: PackageDigest,
    ) -> Result<Fetched, Error> {
        let content = bytes.clone();
        let actual = self
            .read(&origin, move || PackageDigest::of(&content))
            .await?;
        if actual != expected {
            return Err(Error::DigestMismatch {
                url: origin,
                expected: expected.to_string(),
                actual: actual.to_string(),
            });
        }
        self.open_as(bytes, origin, actual).await
    }

    async fn open(&self, bytes: Bytes, origin: String) -> Result<Fetched, Error> {
        let content = bytes.clone();
        let digest = self
            .read(&origin, move || PackageDigest::of(&content))
            .await?;
        self.open_as(bytes, origin, digest).await
    }

    async fn open_as(
        &self,
        bytes: Bytes,
        origin: String,
        digest: PackageDigest,
    ) -> Result<Fetched, Error> {
        let held = lock(&self.charts).get(&digest).and_then(Weak::upgrade);
        let chart = match held {
            Some(chart) => chart,
            None => {
                let chart = Arc::new(
                    self.load(&origin, move || Chart::from_archive(&bytes))
                        .await?,
                );
                let mut charts = lock(&self.charts);
                charts.retain(|_, chart| chart.strong_count() > 0);
                charts.insert(digest, Arc::downgrade(&chart));
                chart
            }
        };
        Ok(Fetched::new(chart, Some(digest), origin))
    }

    async fn from_files(&self, inline: Inline) -> Result<Fetched, Error> {
        let Inline { files, origin } = inline;
        let chart = self
            .load(&origin, move || {
                Chart::from_files(
                    files
                        .iter()
                        .map(|(path, content)| File::new(path, content.as_bytes())),
                )
            })
            .await?;
        Ok(Fetched::new(Arc::new(chart), None, origin))
    }

    async fn load(
        &self,
        origin: &str,
        load: impl FnOnce() -> Result<Chart, ChartError> + Send + 'static,
    ) -> Result<Chart, Error> {
        self.read(origin, load)
            .await?
            .map_err(|source| Error::BadPackage {
                origin: origin.to_owned(),
                source: Arc::new(source),
            })
    }

    /// Computes off the async threads. A panic in there is an error of this one source.
    async fn read<T: Send + 'static>(
        &self,
        origin: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        // The semaphore is never closed, so waiting for a permit does not fail.
        let _permit = self.readers.acquire().await;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Error::Interrupted {
                origin: origin.to_owned(),
            })
    }
}

impl Fetched {
    fn new(chart: Arc<Chart>, package: Option<PackageDigest>, origin: String) -> Self {
        let version = chart.metadata().version.clone();
        Self {
            chart,
            package,
            version,
            origin,
        }
    }
}

/// A server that says "not changed" to somebody who holds nothing.
fn unasked(url: String) -> Error {
    Error::Refused { url, status: 304 }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
