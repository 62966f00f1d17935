//! From a described source to a chart.

use std::sync::Arc;
use std::time::Duration;

use belay_chart::Chart;
use url::Url;

use crate::digest::PackageDigest;
use crate::error::{Error, Kind};
use crate::flight::{Flights, Shared};
use crate::http::{Answer, Document, Http, Received, Validators};
use crate::index::{self, Index, Range};
use crate::location::{Access, Scope, file_name, provenance_of, shown};
use crate::oci::{Means, Oci};
use crate::packages::{Packages, unasked};
use crate::provenances::{Claim, Provenances};
use crate::reader::Reader;
use crate::request::{HttpRepository, OciChart, Package, Source};
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

impl Fetched {
    pub(crate) fn new(chart: Arc<Chart>, package: Option<PackageDigest>, origin: String) -> Self {
        let version = chart.metadata().version.clone();
        Self {
            chart,
            package,
            version,
            origin,
        }
    }
}

/// Fetches charts. Clones share connections, indexes and packages; make one for a process.
#[derive(Clone, Debug)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: Http,
    reader: Reader,
    packages: Packages,
    provenances: Provenances,
    offers: Flights<Scope, Arc<Offer>>,
    oci: Oci,
}

/// An index with what the server needs to say that it is unchanged.
#[derive(Debug)]
struct Offer {
    index: Index,
    validators: Validators,
}

impl Fetcher {
    /// A fetcher under these limits. Looks through [`Settings::cache_dir`] at once, which blocks for a moment.
    ///
    /// The program must have installed a rustls cryptography provider before the first fetch over HTTP.
    pub fn new(settings: &Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                http: Http::new(settings),
                reader: Reader::new(),
                packages: Packages::new(settings),
                provenances: Provenances::new(),
                offers: Flights::new(settings.repositories as u64),
                oci: Oci::new(settings),
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
        let inner = &self.inner;
        match source {
            Source::HttpRepository(repository) => inner.fetch(repository, max_age).await,
            Source::Oci(chart) => inner.fetch_oci(chart, max_age).await,
            Source::Package(Package { bytes, origin }) => {
                inner.reader.open(bytes.clone(), origin.clone()).await
            }
            Source::Inline(inline) => inner.reader.load_files(inline.clone()).await,
        }
    }

    /// How many charts are held by those who fetched them. A chart that a thousand hold counts once: they share it.
    pub fn held(&self) -> usize {
        self.inner.reader.held()
    }
}

impl Inner {
    async fn fetch(
        &self,
        repository: &HttpRepository,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let wanted = Wanted {
            repository,
            range: Range::parse(repository.version.as_deref())?,
            access: Access::new(repository)?,
        };
        let access = &wanted.access;
        let kept = self.offer(access, max_age).await?;
        let first = self.take(&wanted, &kept.value, max_age).await;
        match first {
            Err(error) if !kept.fresh && may_be_outdated(&error) => {
                let newer = self.offer(access, Duration::ZERO).await?.value;
                if Arc::ptr_eq(&newer, &kept.value) {
                    return Err(error);
                }
                self.take(&wanted, &newer, Duration::ZERO).await
            }
            other => other,
        }
    }

    async fn fetch_oci(&self, chart: &OciChart, max_age: Duration) -> Result<Fetched, Error> {
        let means = Means {
            http: &self.http,
            reader: &self.reader,
            packages: &self.packages,
            provenances: &self.provenances,
        };
        self.oci.fetch(means, chart, max_age).await
    }

    /// The repository's index: one fetch for all that use it.
    async fn offer(&self, access: &Access, max_age: Duration) -> Result<Shared<Arc<Offer>>, Error> {
        let flight = self.offers.of(&access.scope);
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
        let nothing = Validators::default();
        let validators = known.as_ref().map_or(&nothing, |offer| &offer.validators);
        let answer = self
            .http
            .get(access, url, Document::Index, validators)
            .await?;
        match (answer, known) {
            (Answer::NotModified, Some(known)) => Ok(known),
            (Answer::NotModified | Answer::Challenged(_), _) => Err(unasked(address)),
            (
                Answer::Body(Received {
                    bytes: text,
                    validators,
                    ..
                }),
                _,
            ) => {
                let label = address.clone();
                let read = move || index::read(&address, &text);
                let index = self.reader.compute(&label, read).await??;
                Ok(Arc::new(Offer { index, validators }))
            }
        }
    }

    /// The package that an index leads to, from the first of its addresses that has it; the first one's failure when
    /// none does.
    async fn take(
        &self,
        wanted: &Wanted<'_>,
        offer: &Offer,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let (access, name) = (&wanted.access, &wanted.repository.name);
        let entry = offer
            .index
            .select(&shown(&access.base), name, &wanted.range)?;
        let bad = |detail: String| Error::BadIndex {
            url: shown(&access.index()),
            line: None,
            detail,
        };
        let proof = entry.digest.as_ref().map(|digest| digest.parse());
        let proof = proof
            .transpose()
            .map_err(|error| bad(format!("the digest of {name} {}: {error}", entry.version)))?;
        let mut failure = None;
        for reference in &entry.urls {
            let url = access.package(reference)?;
            match self.take_from(wanted, url, proof, max_age).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| bad(format!("{name} {} has no URL", entry.version))))
    }

    /// A package, verified before it is transferred where the index says what it is.
    async fn take_from(
        &self,
        wanted: &Wanted<'_>,
        url: Url,
        proof: Option<PackageDigest>,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        if let Some(digest) = proof {
            self.verify(wanted, &url, digest, max_age).await?;
        }
        let (http, reader, access) = (&self.http, &self.reader, &wanted.access);
        let packages = &self.packages;
        let fetched = packages
            .fetch(http, reader, access, url.clone(), proof, max_age)
            .await?;
        if let (None, Some(digest)) = (proof, fetched.package) {
            self.verify(wanted, &url, digest, max_age).await?;
        }
        Ok(fetched)
    }

    /// Whether the package at `url` is signed, if that is asked for.
    async fn verify(
        &self,
        wanted: &Wanted<'_>,
        url: &Url,
        package: PackageDigest,
        max_age: Duration,
    ) -> Result<(), Error> {
        let Some(keyring) = &wanted.repository.provenance else {
            return Ok(());
        };
        let beside = provenance_of(url);
        let claim = Claim {
            keyring,
            file: Some(file_name(url)),
            package,
            origin: &shown(url),
            place: shown(&beside),
        };
        let access = &wanted.access;
        let fetch = || async {
            let nothing = Validators::default();
            let answer = self
                .http
                .get(access, beside.clone(), Document::Provenance, &nothing)
                .await;
            match answer {
                Ok(Answer::Body(received)) => Ok(Some(received.bytes)),
                Ok(_) => Err(unasked(shown(&beside))),
                Err(Error::PackageNotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.provenances
            .verify(&self.reader, access.scope, &claim, max_age, fetch)
            .await
    }
}

/// What is looked for in a repository.
struct Wanted<'w> {
    repository: &'w HttpRepository,
    range: Range,
    access: Access,
}

/// Whether newer knowledge of a repository or registry may lead where this one did not.
pub(crate) fn may_be_outdated(error: &Error) -> bool {
    matches!(error.kind(), Kind::NotFound | Kind::DigestMismatch)
}
