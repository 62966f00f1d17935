//! Charts in OCI registries, by the OCI distribution specification and as Helm puts them there.

mod address;
mod challenge;
mod door;
mod manifest;
mod signatures;
mod tags;

use std::sync::Arc;
use std::time::Duration;

use belay_chart::semver::Version;
use url::Url;

use crate::digest::PackageDigest;
use crate::error::Error;
use crate::fetcher::{Fetched, may_be_outdated};
use crate::flight::{Flights, Shared};
use crate::http::{Answer, Document, Http, Received, Validators};
use crate::index::{Index, Range};
use crate::location::{Access, Scope, shown};
use crate::packages::{Packages, unasked};
use crate::provenances::Provenances;
use crate::reader::Reader;
use crate::request::{OciChart, Pick};
use crate::settings::Settings;

use address::Address;
use door::Doors;
use manifest::Manifest;
use signatures::{Found, Signatures};

pub use address::{Reference, split_reference};

/// What registries said: tags, manifests, and how to enter.
#[derive(Debug)]
pub(crate) struct Oci {
    tags: Flights<Scope, Arc<Index>>,
    manifests: Flights<(Scope, String), Arc<Known>>,
    signatures: Signatures,
    doors: Doors,
}

/// A manifest with what the server needs to say that its tag still means it.
#[derive(Debug)]
struct Known {
    digest: PackageDigest,
    manifest: Manifest,
    validators: Validators,
}

/// The parts of a fetcher that an answer takes.
#[derive(Clone, Copy)]
pub(crate) struct Means<'f> {
    pub http: &'f Http,
    pub reader: &'f Reader,
    pub packages: &'f Packages,
    pub provenances: &'f Provenances,
}

/// Manifests kept for each repository that is: a handful of versions.
const MANIFESTS_PER_REPOSITORY: u64 = 8;

impl Oci {
    pub fn new(settings: &Settings) -> Self {
        let repositories = settings.repositories as u64;
        Self {
            tags: Flights::new(repositories),
            manifests: Flights::new(repositories.saturating_mul(MANIFESTS_PER_REPOSITORY)),
            signatures: Signatures::new(),
            doors: Doors::new(repositories),
        }
    }

    /// Gets a chart. What a kept list of tags or a kept manifest does not lead to is looked for in new ones before
    /// it is called missing.
    pub async fn fetch(
        &self,
        means: Means<'_>,
        chart: &OciChart,
        max_age: Duration,
    ) -> Result<Fetched, Error> {
        let address = Address::new(chart)?;
        let mut fresh = true;
        match self.take(means, &address, chart, max_age, &mut fresh).await {
            Err(error) if !fresh && may_be_outdated(&error) => {
                self.take(means, &address, chart, Duration::ZERO, &mut fresh)
                    .await
            }
            other => other,
        }
    }

    /// One way from the address to the package; `fresh` says whether everything on it was asked of the server.
    async fn take(
        &self,
        means: Means<'_>,
        address: &Address,
        chart: &OciChart,
        max_age: Duration,
        fresh: &mut bool,
    ) -> Result<Fetched, Error> {
        let (known, tag) = match &chart.pick {
            Pick::Digest(digest) => (self.manifest_of(means, address, *digest).await?, None),
            Pick::Version(version) => {
                let range = Range::parse(version.as_deref())?;
                let tagged = self.tagged(means, address, &range, max_age, fresh).await?;
                (tagged.0, Some(tagged.1))
            }
        };
        let origin = match &tag {
            Some(tag) => format!("{address}:{tag}"),
            None => format!("{address}@sha256:{}", known.digest),
        };
        let manifest = &known.manifest;
        let limit = means.http.package_bytes();
        if manifest.size > limit {
            return Err(Error::TooLarge { url: origin, limit });
        }
        let found = Found {
            means,
            address,
            known: &known,
            origin: &origin,
            max_age,
        };
        if let Some(keys) = &chart.cosign {
            self.verify_signature(&found, keys).await?;
        }
        if let Some(keyring) = &chart.provenance {
            let file = tag.map(|tag| tags::package(address.name(), &tag));
            self.verify_provenance(&found, keyring, file).await?;
        }
        let access = &address.access;
        let url = address.blob(manifest.chart)?;
        for _ in 0..2 {
            let opened = self.doors.open(means.http, address).await?;
            let fetched = means
                .packages
                .fetch_blob(
                    means.http,
                    means.reader,
                    &opened,
                    url.clone(),
                    manifest.chart,
                )
                .await;
            match fetched {
                // A token that ended meanwhile.
                Err(Error::Unauthorized { .. }) if self.doors.forget(access) => {}
                Ok(fetched) => return Ok(Fetched { origin, ..fetched }),
                Err(error) => return Err(error),
            }
        }
        Err(refused(address, &url))
    }

    /// The manifest of the newest tag inside a range, and that tag. A single version is asked for by its tag, without
    /// the list.
    async fn tagged(
        &self,
        means: Means<'_>,
        address: &Address,
        range: &Range,
        max_age: Duration,
        fresh: &mut bool,
    ) -> Result<(Arc<Known>, String), Error> {
        let text = range.text();
        if Version::parse_strict(text.trim_start_matches('v')).is_ok() {
            let tag = tags::tag(text);
            match self.manifest_at(means, address, &tag, max_age).await {
                Ok(shared) => {
                    *fresh &= shared.fresh;
                    return Ok((shared.value, tag));
                }
                // `v1.2.3` may be tagged `1.2.3`, and if not, its neighbours are worth telling.
                Err(Error::NotInRegistry { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let index = self.index(means, address, max_age).await?;
        *fresh &= index.fresh;
        let entry = index
            .value
            .select(&address.registry(), address.name(), range)?;
        let tag = tags::tag(&entry.version);
        let shared = self.manifest_at(means, address, &tag, max_age).await?;
        *fresh &= shared.fresh;
        Ok((shared.value, tag))
    }

    /// The tags that are versions: one look for all that use the repository.
    async fn index(
        &self,
        means: Means<'_>,
        address: &Address,
        max_age: Duration,
    ) -> Result<Shared<Arc<Index>>, Error> {
        let flight = self.tags.of(&address.access.scope);
        let look = |_| async {
            let mut versions = Vec::new();
            let mut next = Some(address.tags()?);
            for _ in 0..tags::PAGES {
                let Some(url) = next else { break };
                let page = self
                    .body(means, address, url.clone(), Document::Tags)
                    .await?;
                versions.extend(tags::read(&url, &page.bytes)?);
                next = tags::next(&url, page.link.as_deref())?;
            }
            if let Some(url) = next {
                return Err(tags::too_many(&url));
            }
            Ok(Arc::new(tags::index(address.name(), &versions)))
        };
        flight.share(max_age, look).await
    }

    /// The manifest that a tag means.
    async fn manifest_at(
        &self,
        means: Means<'_>,
        address: &Address,
        tag: &str,
        max_age: Duration,
    ) -> Result<Shared<Arc<Known>>, Error> {
        let flight = self.manifests.of(&(address.access.scope, tag.to_owned()));
        let look = |known: Option<Arc<Known>>| async {
            let url = address.manifest(tag)?;
            let nothing = Validators::default();
            let validators = known.as_ref().map_or(&nothing, |known| &known.validators);
            let answer = self.ask(means, address, url.clone(), Document::Manifest, validators);
            match (answer.await?, known) {
                (Answer::Body(received), _) => {
                    let label = format!("{address}:{tag}");
                    read(&label, received).map(Arc::new)
                }
                (Answer::NotModified, Some(known)) => Ok(known),
                _ => Err(unasked(shown(&url))),
            }
        };
        flight.share(max_age, look).await
    }

    /// The manifest with a digest, which does not age.
    async fn manifest_of(
        &self,
        means: Means<'_>,
        address: &Address,
        digest: PackageDigest,
    ) -> Result<Arc<Known>, Error> {
        let name = format!("sha256:{digest}");
        let flight = self.manifests.of(&(address.access.scope, name.clone()));
        let look = |_| async {
            let received = self.content(means, address, digest, Document::Manifest);
            read(&format!("{address}@{name}"), received.await?).map(Arc::new)
        };
        Ok(flight.share(Duration::MAX, look).await?.value)
    }

    /// What a registry has under a digest, a manifest or a blob, if it is that.
    async fn content(
        &self,
        means: Means<'_>,
        address: &Address,
        digest: PackageDigest,
        document: Document,
    ) -> Result<Received, Error> {
        let url = match document {
            Document::Manifest => address.manifest(&format!("sha256:{digest}"))?,
            _ => address.blob(digest)?,
        };
        let received = self.body(means, address, url, document).await?;
        let actual = PackageDigest::of(&received.bytes);
        if actual != digest {
            return Err(Error::DigestMismatch {
                url: format!("{address}@sha256:{digest}"),
                expected: digest.to_string(),
                actual: actual.to_string(),
            });
        }
        Ok(received)
    }

    /// What a registry has at an address.
    async fn body(
        &self,
        means: Means<'_>,
        address: &Address,
        url: Url,
        document: Document,
    ) -> Result<Received, Error> {
        let nothing = Validators::default();
        let answer = self.ask(means, address, url.clone(), document, &nothing);
        match answer.await? {
            Answer::Body(received) => Ok(received),
            _ => Err(unasked(shown(&url))),
        }
    }

    /// Asks a registry, going through its door first where it has one.
    async fn ask(
        &self,
        means: Means<'_>,
        address: &Address,
        url: Url,
        document: Document,
        known: &Validators,
    ) -> Result<Answer, Error> {
        // Once as things are remembered, once with what the registry answers to that.
        for _ in 0..2 {
            let access = self.doors.open(means.http, address).await?;
            let answer = means
                .http
                .get(&access, url.clone(), document, known)
                .await
                .map_err(|error| in_words_of(address, error))?;
            match answer {
                Answer::Challenged(challenges) => self.doors.learn(address, &url, &challenges)?,
                other => return Ok(other),
            }
        }
        Err(refused(address, &url))
    }
}

fn read(origin: &str, received: Received) -> Result<Known, Error> {
    Ok(Known {
        digest: PackageDigest::of(&received.bytes),
        manifest: Manifest::read(origin, &received.bytes)?,
        validators: received.validators,
    })
}

fn refused(address: &Address, url: &Url) -> Error {
    Error::Unauthorized {
        url: shown(url),
        status: 401,
        sent: address.access.credentials.is_some(),
    }
}

/// What is missing is told by the address that the user knows.
fn in_words_of(address: &Address, error: Error) -> Error {
    match error {
        Error::NotInRegistry { status, .. } => Error::NotInRegistry {
            url: address.to_string(),
            status,
        },
        other => other,
    }
}

impl Access {
    /// Whether the credentials are a token that goes along without being asked for.
    fn sends_at_once(&self) -> bool {
        matches!(
            self.credentials,
            Some(crate::request::Credentials::Bearer(_))
        )
    }
}
