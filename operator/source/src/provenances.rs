//! Provenance files that were fetched, and what they say of packages.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::digest::PackageDigest;
use crate::error::Error;
use crate::flight::Flights;
use crate::location::Scope;
use crate::reader::Reader;
use crate::request::Package;
use crate::verify::{Keyring, judge};

/// Provenance files, one transfer for all who want the same one.
#[derive(Debug)]
pub(crate) struct Provenances {
    /// By where they are; nothing where there is none.
    files: Flights<(Scope, String), Option<Bytes>>,
}

/// Files kept.
const FILES: u64 = 256;

/// What a provenance file has to vouch for.
#[derive(Clone, Debug)]
pub(crate) struct Claim<'c> {
    pub keyring: &'c Keyring,
    /// The package's file name, where it is known.
    pub file: Option<String>,
    pub package: PackageDigest,
    /// What is being verified, for messages.
    pub origin: &'c str,
    /// Where the file is, or would be, for messages.
    pub place: String,
}

impl Provenances {
    pub fn new() -> Self {
        Self {
            files: Flights::new(FILES),
        }
    }

    /// Verifies a package by its provenance file. A file that was kept is enough while it vouches, unless `max_age` is
    /// zero; one that does not vouch is asked for again when it is older than `max_age`.
    ///
    /// # Errors
    /// [`Error::Unverified`], and those of `fetch`.
    pub async fn verify<F>(
        &self,
        reader: &Reader,
        scope: Scope,
        claim: &Claim<'_>,
        max_age: Duration,
        fetch: impl Fn() -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<Option<Bytes>, Error>>,
    {
        let flight = self.files.of(&(scope, claim.place.clone()));
        let kept = flight.share(lasting(max_age), |_| fetch()).await?;
        match judged(reader, claim, kept.value).await {
            Err(_) if !kept.fresh => {
                let newer = flight.share(max_age, |_| fetch()).await?;
                judged(reader, claim, newer.value).await
            }
            verdict => verdict,
        }
    }
}

/// A proof that holds does not age; who asks for what is new gets it all the same.
pub(crate) fn lasting(max_age: Duration) -> Duration {
    if max_age.is_zero() {
        max_age
    } else {
        Duration::MAX
    }
}

/// Verifies a package in hand by its provenance file, as `helm verify` does. `name` is the package's file name, which
/// the provenance file has to vouch for; a key's time is `now`'s.
///
/// # Errors
/// [`Error::Unverified`].
pub fn verify_package(
    package: &Package,
    name: &str,
    provenance: &[u8],
    keyring: &Keyring,
    now: SystemTime,
) -> Result<(), Error> {
    let digest = PackageDigest::of(&package.bytes);
    let verdict = judge(provenance, keyring, Some(name), digest, now);
    verdict.map(drop).map_err(|doubt| Error::Unverified {
        origin: package.origin.clone(),
        detail: format!("{name}.prov: {doubt}"),
        tried: keyring.to_string(),
    })
}

async fn judged(reader: &Reader, claim: &Claim<'_>, file: Option<Bytes>) -> Result<(), Error> {
    let unverified = |detail: String| Error::Unverified {
        origin: claim.origin.to_owned(),
        detail,
        tried: claim.keyring.to_string(),
    };
    let Some(text) = file else {
        return Err(unverified(format!(
            "there is no provenance file at {}",
            claim.place
        )));
    };
    let Claim {
        keyring,
        file,
        package,
        ..
    } = claim.clone();
    let keyring = keyring.clone();
    let judge = move || judge(&text, &keyring, file.as_deref(), package, SystemTime::now());
    let verdict = reader.compute(claim.origin, judge).await?;
    match verdict {
        Ok(signer) => {
            tracing::debug!(origin = claim.origin, %signer, "provenance verified");
            Ok(())
        }
        Err(doubt) => Err(unverified(format!("{}: {doubt}", claim.place))),
    }
}
