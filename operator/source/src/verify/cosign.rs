//! What cosign leaves beside a manifest that it signed.
//!
//! Up to cosign 2 that is a payload in the format "simple signing" with its signature in an annotation
//! (cosign's `specs/SIGNATURE_SPEC.md`); from cosign 3 on a bundle that holds an in-toto statement in a DSSE envelope
//! (cosign's `specs/BUNDLE_SPEC.md`, DSSE's `protocol.md`). Both name the manifest's digest. Certificates and
//! transparency logs are not looked at: the key alone is what is trusted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use super::public_keys::PublicKeys;
use crate::digest::PackageDigest;

/// The media type of a payload.
pub(crate) const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// What the media types of bundles begin with; a version follows.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// What a payload has to be about.
const KIND: &str = "cosign container image signature";
/// What a statement has to say; others tell how something was built, not that it may be used.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";
/// What an envelope has to hold.
const STATEMENT: &str = "application/vnd.in-toto+json";

/// Whether a media type is one of a bundle.
pub(crate) fn is_bundle(media_type: &str) -> bool {
    media_type.starts_with(BUNDLE)
}

/// What was found beside a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// A payload with its signature in base64, as the annotation has it.
    Payload { bytes: Bytes, signature: String },
    /// A bundle, as it is.
    Bundle(Bytes),
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    // Go reads names whatever their case, and the specification's own example has another one.
    #[serde(rename = "docker-manifest-digest", alias = "Docker-manifest-digest")]
    digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    #[serde(default)]
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(default)]
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: Digests,
}

#[derive(Default, Deserialize)]
struct Digests {
    sha256: Option<String>,
}

impl Evidence {
    /// The key that vouches for a manifest; what is wrong with this otherwise.
    pub fn judge(&self, keys: &PublicKeys, manifest: PackageDigest) -> Result<String, String> {
        match self {
            Self::Payload { bytes, signature } => judge_payload(bytes, signature, keys, manifest),
            Self::Bundle(bytes) => judge_bundle(bytes, keys, manifest),
        }
    }
}

fn judge_payload(
    bytes: &[u8],
    signature: &str,
    keys: &PublicKeys,
    manifest: PackageDigest,
) -> Result<String, String> {
    let signature = STANDARD
        .decode(signature.trim())
        .map_err(|_| "a signature is no base64".to_owned())?;
    let key = keys.signer(bytes, &signature).ok_or_else(by_none)?;
    let payload: Payload = serde_json::from_slice(bytes)
        .map_err(|error| format!("what {key} signed is no payload of cosign: {error}"))?;
    if payload.critical.kind != KIND {
        let kind = payload.critical.kind;
        return Err(format!("what {key} signed is a {kind:?}, not a {KIND:?}"));
    }
    if payload.critical.image.digest.parse() != Ok(manifest) {
        return Err(for_another(&key.to_string(), manifest));
    }
    Ok(key.to_string())
}

fn judge_bundle(
    bytes: &[u8],
    keys: &PublicKeys,
    manifest: PackageDigest,
) -> Result<String, String> {
    let bundle: Bundle = serde_json::from_slice(bytes)
        .map_err(|error| format!("a bundle cannot be read: {error}"))?;
    let envelope = bundle
        .dsse_envelope
        .ok_or_else(|| "a bundle holds no DSSE envelope".to_owned())?;
    let payload = STANDARD
        .decode(&envelope.payload)
        .map_err(|_| "a bundle's payload is no base64".to_owned())?;
    let signed = pre_authentication(&envelope.payload_type, &payload);
    let key = envelope
        .signatures
        .iter()
        .filter_map(|signature| STANDARD.decode(&signature.sig).ok())
        .find_map(|signature| keys.signer(&signed, &signature))
        .ok_or_else(by_none)?;
    if envelope.payload_type != STATEMENT {
        let kind = envelope.payload_type;
        return Err(format!(
            "what {key} signed is a {kind:?}, not a {STATEMENT:?}"
        ));
    }
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| format!("what {key} signed is no in-toto statement: {error}"))?;
    if statement.predicate_type != SIGNED {
        let kind = statement.predicate_type;
        return Err(format!("what {key} signed is a {kind:?}, not a {SIGNED:?}"));
    }
    let about = statement.subject.iter().any(|subject| {
        let digest = subject.digest.sha256.as_deref();
        digest.is_some_and(|digest| digest.parse() == Ok(manifest))
    });
    if about {
        Ok(key.to_string())
    } else {
        Err(for_another(&key.to_string(), manifest))
    }
}

/// DSSE's pre-authentication encoding: what is signed, type and payload told apart by their lengths.
fn pre_authentication(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn by_none() -> String {
    "a signature is by none of them".to_owned()
}

fn for_another(key: &str, manifest: PackageDigest) -> String {
    format!("what {key} signed is for another manifest than sha256:{manifest}")
}

#[cfg(test)]
mod tests;
