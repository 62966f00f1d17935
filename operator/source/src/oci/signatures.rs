//! Proofs of origin in a registry: signatures of cosign's beside a manifest, and provenance files within it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use url::Url;

use super::address::Address;
use super::manifest::Descriptor;
use super::{Known, Means, Oci};
use crate::digest::PackageDigest;
use crate::error::Error;
use crate::flight::Flights;
use crate::http::Document;
use crate::location::Scope;
use crate::provenances::{Claim, lasting};
use crate::verify::{Evidence, Keyring, PAYLOAD, PublicKeys, is_bundle};

/// Signatures that were found.
#[derive(Debug)]
pub(super) struct Signatures {
    beside: Flights<(Scope, PackageDigest, Way), Arc<[Evidence]>>,
}

/// How signatures are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// Under a tag that is named after the manifest's digest: cosign up to 2.
    Tag,
    /// As what refers to the manifest: cosign from 3 on.
    Referrers,
}

/// Manifests whose signatures are kept.
const MANIFESTS: u64 = 256;
/// Signatures of one manifest that are looked at.
const SIGNATURES: usize = 16;
/// The annotation that holds a payload's signature, by cosign's signature specification.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// The media type of a configuration that says nothing, by the OCI image specification.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A manifest that was found, and is yet to be verified.
pub(super) struct Found<'f> {
    pub means: Means<'f>,
    pub address: &'f Address,
    pub known: &'f Known,
    /// As it was asked for.
    pub origin: &'f str,
    pub max_age: Duration,
}

#[derive(Default, Deserialize)]
struct List {
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

impl Signatures {
    pub fn new() -> Self {
        Self {
            beside: Flights::new(MANIFESTS),
        }
    }
}

impl Oci {
    /// Whether one of the keys signed the manifest. Signatures that were kept are enough while one of them holds;
    /// if none does, they are looked for again when the look is older than the caller allows.
    pub(super) async fn verify_signature(
        &self,
        found: &Found<'_>,
        keys: &PublicKeys,
    ) -> Result<(), Error> {
        let manifest = found.known.digest;
        let mut doubts = Vec::new();
        for way in [Way::Tag, Way::Referrers] {
            let scope = found.address.access.scope;
            let flight = self.signatures.beside.of(&(scope, manifest, way));
            let look = |_| self.look(found, way);
            let kept = flight.share(lasting(found.max_age), look).await?;
            let mut verdict = judge(&kept.value, keys, manifest);
            if verdict.is_err() && !kept.fresh {
                let newer = flight.share(found.max_age, look).await?;
                verdict = judge(&newer.value, keys, manifest);
            }
            match verdict {
                Ok(signer) => {
                    tracing::debug!(origin = found.origin, signer, "signature verified");
                    return Ok(());
                }
                Err(doubt) => doubts.extend(doubt),
            }
        }
        Err(Error::Unverified {
            origin: found.origin.to_owned(),
            detail: if doubts.is_empty() {
                format!("the registry has no signature of cosign's for sha256:{manifest}")
            } else {
                doubts.join("; ")
            },
            tried: keys.to_string(),
        })
    }

    /// Whether one of the keys signed the provenance file that was pushed with the package.
    pub(super) async fn verify_provenance(
        &self,
        found: &Found<'_>,
        keyring: &Keyring,
        file: Option<String>,
    ) -> Result<(), Error> {
        let Found { means, address, .. } = found;
        let manifest = &found.known.manifest;
        let Some(digest) = manifest.provenance else {
            return Err(Error::Unverified {
                origin: found.origin.to_owned(),
                detail: "its manifest has no provenance file; helm push takes one along that lies beside the package"
                    .to_owned(),
                tried: keyring.to_string(),
            });
        };
        let claim = Claim {
            keyring,
            file,
            package: manifest.chart,
            origin: found.origin,
            place: format!("{address}@sha256:{digest}"),
        };
        let fetch = || async { self.blob(found, digest).await.map(Some) };
        let scope = address.access.scope;
        means
            .provenances
            .verify(means.reader, scope, &claim, found.max_age, fetch)
            .await
    }

    async fn look(&self, found: &Found<'_>, way: Way) -> Result<Arc<[Evidence]>, Error> {
        let evidence = match way {
            Way::Tag => self.payloads(found).await?,
            Way::Referrers => self.bundles(found).await?,
        };
        Ok(evidence.into())
    }

    async fn payloads(&self, found: &Found<'_>) -> Result<Vec<Evidence>, Error> {
        let tag = format!("sha256-{}.sig", found.known.digest);
        let url = found.address.manifest(&tag)?;
        let Some(list) = self.list(found, url, Document::Manifest).await? else {
            return Ok(Vec::new());
        };
        let mut payloads = Vec::new();
        for layer in list
            .layers
            .iter()
            .filter(|layer| layer.media_type == PAYLOAD)
        {
            let Some(signature) = layer.annotations.get(SIGNATURE) else {
                continue;
            };
            if payloads.len() == SIGNATURES {
                break;
            }
            let digest = layer.sha256().map_err(|detail| bad(found, detail))?;
            payloads.push(Evidence::Payload {
                bytes: self.blob(found, digest).await?,
                signature: signature.clone(),
            });
        }
        Ok(payloads)
    }

    async fn bundles(&self, found: &Found<'_>) -> Result<Vec<Evidence>, Error> {
        let Found { address, known, .. } = found;
        let api = address.referrers(known.digest)?;
        let mut list = self.list(found, api, Document::Referrers).await?;
        if list.is_none() {
            // A registry without that API has the list under a tag, by the distribution specification.
            let tag = address.manifest(&format!("sha256-{}", known.digest))?;
            list = self.list(found, tag, Document::Referrers).await?;
        }
        let list = list.unwrap_or_default();
        let mut bundles = Vec::new();
        let referrers = list.manifests.iter();
        let referrers = referrers.filter(|referrer| may_be_bundle(&referrer.artifact_type));
        for referrer in referrers.take(SIGNATURES) {
            let digest = referrer.sha256().map_err(|detail| bad(found, detail))?;
            let received = self.content(found.means, address, digest, Document::Manifest);
            let manifest = read(found, &received.await?.bytes)?;
            let mut layers = manifest.layers.iter();
            if let Some(layer) = layers.find(|layer| is_bundle(&layer.media_type)) {
                let digest = layer.sha256().map_err(|detail| bad(found, detail))?;
                bundles.push(Evidence::Bundle(self.blob(found, digest).await?));
            }
        }
        Ok(bundles)
    }

    /// A list that a registry has, or does not.
    async fn list(
        &self,
        found: &Found<'_>,
        url: Url,
        document: Document,
    ) -> Result<Option<List>, Error> {
        match self.body(found.means, found.address, url, document).await {
            Ok(received) => read(found, &received.bytes).map(Some),
            Err(Error::NotInRegistry { .. } | Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A small blob, checked by its digest.
    async fn blob(&self, found: &Found<'_>, digest: PackageDigest) -> Result<Bytes, Error> {
        let received = self.content(found.means, found.address, digest, Document::Proof);
        Ok(received.await?.bytes)
    }
}

/// Whether what a list says of a referrer's kind leaves open that it is a bundle: clients that kept the list
/// themselves named the kind of its configuration, which is empty.
fn may_be_bundle(kind: &str) -> bool {
    is_bundle(kind) || kind.is_empty() || kind == EMPTY
}

/// The key that vouches; what is wrong with each piece of evidence otherwise.
fn judge(
    evidence: &[Evidence],
    keys: &PublicKeys,
    manifest: PackageDigest,
) -> Result<String, Vec<String>> {
    let mut doubts = Vec::new();
    for piece in evidence {
        match piece.judge(keys, manifest) {
            Ok(signer) => return Ok(signer),
            Err(doubt) => doubts.push(doubt),
        }
    }
    doubts.dedup();
    Err(doubts)
}

fn read(found: &Found<'_>, bytes: &[u8]) -> Result<List, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| bad(found, format!("its signatures cannot be read: {error}")))
}

fn bad(found: &Found<'_>, detail: String) -> Error {
    Error::BadAnswer {
        url: found.address.to_string(),
        detail,
    }
}
