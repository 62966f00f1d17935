//! One package: from the cache, or from the server, proven by its digest where the index gives one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use url::Url;

use crate::cache::{Cache, Key};
use crate::digest::PackageDigest;
use crate::error::Error;
use crate::fetcher::Fetched;
use crate::flight::Flight;
use crate::http::{Answer, Document, Http, Received, Validators};
use crate::location::{Access, Scope, shown};
use crate::reader::Reader;
use crate::recent::Recent;
use crate::settings::Settings;

/// Packages, one transfer for all who want the same one.
#[derive(Debug)]
pub(crate) struct Packages {
    cache: Cache,
    /// They live as long as somebody waits for them.
    transfers: Mutex<BTreeMap<Wanted, Weak<Flight<Fetched>>>>,
    unproven: Mutex<Recent<Place, Unproven>>,
}

/// An address, as seen with certain credentials.
type Place = (Scope, Url);

/// What a transfer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Content(Key),
    At(Place),
}

/// What came from an address for which the index gives no digest.
#[derive(Clone, Debug)]
struct Unproven {
    digest: PackageDigest,
    validators: Validators,
    began: Instant,
}

/// Addresses without digest that are remembered.
const UNPROVEN: u64 = 1024;

impl Packages {
    pub fn new(settings: &Settings) -> Self {
        Self {
            cache: Cache::new(settings),
            transfers: Mutex::new(BTreeMap::new()),
            unproven: Mutex::new(Recent::new(UNPROVEN)),
        }
    }

    /// The package at `url`. With a digest, its content is named by it and does not age; without, an answer of the
    /// server serves for `max_age`.
    pub async fn fetch(
        &self,
        http: &Http,
        reader: &Reader,
        access: &Access,
        url: Url,
        proof: Option<PackageDigest>,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let scope = access.scope;
        if let Some(digest) = proof {
            return self
                .fetch_content(http, reader, access, url, Document::Package, digest)
                .await;
        }
        let asked = Instant::now();
        let transfer = self.transfer(Wanted::At((scope, url.clone())));
        let fetch = |_| self.fetch_unproven(http, reader, access, url, asked, max_age);
        Ok(transfer.share(max_age, fetch).await?.value)
    }

    /// The package of a registry at `url`, named by its content.
    pub async fn fetch_blob(
        &self,
        http: &Http,
        reader: &Reader,
        access: &Access,
        url: Url,
        digest: PackageDigest,
    ) -> Result<Fetched, Error> {
        self.fetch_content(http, reader, access, url, Document::Blob, digest)
            .await
    }

    async fn fetch_content(
        &self,
        http: &Http,
        reader: &Reader,
        access: &Access,
        url: Url,
        document: Document,
        digest: PackageDigest,
    ) -> Result<Fetched, Error> {
        let scope = access.scope;
        let key = Key { scope, digest };
        let fetch = |_| self.fetch_proven(http, reader, access, url, document, key);
        let transfer = self.transfer(Wanted::Content(key));
        let shared = transfer.share(Duration::MAX, fetch).await?;
        Ok(shared.value)
    }

    fn transfer(&self, wanted: Wanted) -> Arc<Flight<Fetched>> {
        let mut transfers = lock(&self.transfers);
        if let Some(transfer) = transfers.get(&wanted).and_then(Weak::upgrade) {
            return transfer;
        }
        transfers.retain(|_, transfer| transfer.strong_count() > 0);
        let transfer = Arc::new(Flight::new());
        transfers.insert(wanted, Arc::downgrade(&transfer));
        transfer
    }

    async fn fetch_proven(
        &self,
        http: &Http,
        reader: &Reader,
        access: &Access,
        url: Url,
        document: Document,
        key: Key,
    ) -> Result<Fetched, Error> {
        let origin = shown(&url);
        if let Some(bytes) = self.cache.get(key).await {
            return reader.open(bytes, origin).await;
        }
        let nothing = Validators::default();
        let bytes = match http.get(access, url, document, &nothing).await? {
            Answer::Body(received) => received.bytes,
            Answer::NotModified => return Err(unasked(origin)),
            Answer::Challenged(_) => {
                return Err(Error::Unauthorized {
                    url: origin,
                    status: 401,
                    sent: access.credentials.is_some(),
                });
            }
        };
        let fetched = reader
            .open_proven(bytes.clone(), origin, key.digest)
            .await?;
        self.cache.put(key, &bytes).await;
        Ok(fetched)
    }

    /// A package that no digest vouches for: the server is asked whether it changed.
    async fn fetch_unproven(
        &self,
        http: &Http,
        reader: &Reader,
        access: &Access,
        url: Url,
        asked: Instant,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let origin = shown(&url);
        let place = (access.scope, url.clone());
        let held = self.held(&place).await;
        if let Some((known, bytes)) = &held
            && known.began + max_age.min(A_YEAR) > asked
        {
            return reader.open(bytes.clone(), origin).await;
        }
        let began = Instant::now();
        let nothing = Validators::default();
        let validators = held
            .as_ref()
            .map_or(&nothing, |(known, _)| &known.validators);
        let answer = http.get(access, url, Document::Package, validators).await?;
        let (bytes, validators) = match (answer, held) {
            (
                Answer::Body(Received {
                    bytes, validators, ..
                }),
                _,
            ) => (bytes, validators),
            (Answer::NotModified, Some((known, bytes))) => (bytes, known.validators),
            (Answer::NotModified | Answer::Challenged(_), _) => return Err(unasked(origin)),
        };
        let fetched = reader.open(bytes.clone(), origin).await?;
        if let Some(digest) = fetched.package {
            let scope = access.scope;
            self.cache.put(Key { scope, digest }, &bytes).await;
            let unproven = Unproven {
                digest,
                validators,
                began,
            };
            lock(&self.unproven).insert(place, unproven, 1);
        }
        Ok(fetched)
    }

    async fn held(&self, place: &Place) -> Option<(Unproven, Bytes)> {
        let known = lock(&self.unproven).get(place).cloned()?;
        let key = Key {
            scope: place.0,
            digest: known.digest,
        };
        let bytes = self.cache.get(key).await?;
        Some((known, bytes))
    }
}

/// Far enough for any age, near enough to be added to an instant.
const A_YEAR: Duration = Duration::from_hours(24 * 365);

/// A server that says "not changed" to somebody who holds nothing.
pub(crate) fn unasked(url: String) -> Error {
    Error::Refused { url, status: 304 }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
