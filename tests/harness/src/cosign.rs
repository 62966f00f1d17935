//! What `cosign sign --key` does, without cosign, by its specifications (`specs/SIGNATURE_SPEC.md`, `specs/BUNDLE_SPEC.md`
//! and DSSE's `protocol.md`): building the real one costs as much as all the other tools together.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Error, Registry, Result};

/// A key as `cosign generate-key-pair` makes them: ECDSA over P-256.
pub struct CosignKey(SigningKey);

/// Where and how a signature is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFormat {
    /// A payload with a signature in an annotation, under a tag: cosign up to 2.
    Payload,
    /// A bundle that refers to the manifest: cosign from 3 on.
    Bundle,
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

impl CosignKey {
    /// A new key.
    pub fn new() -> Self {
        Self(SigningKey::random(
            &mut p256::elliptic_curve::rand_core::OsRng,
        ))
    }

    /// What is in `cosign.pub`.
    ///
    /// # Errors
    /// If it cannot be written so.
    pub fn public(&self) -> Result<String> {
        let key = self.0.verifying_key();
        key.to_public_key_pem(LineEnding::LF)
            .map_err(|error| Error::Tools(format!("writing a cosign key: {error}")))
    }

    /// Signs the manifest that a tag of a chart means, and keeps the signature in the registry.
    ///
    /// # Errors
    /// What the registry refuses.
    pub async fn sign(
        &self,
        registry: &Registry,
        chart: &str,
        tag: &str,
        format: SignatureFormat,
    ) -> Result<()> {
        let manifest = registry.manifest(chart, tag).await?;
        let digest = digest(&manifest);
        match format {
            SignatureFormat::Payload => self.payload(registry, chart, &digest).await,
            SignatureFormat::Bundle => self.bundle(registry, chart, &digest, manifest.len()).await,
        }
    }

    async fn payload(&self, registry: &Registry, chart: &str, digest: &str) -> Result<()> {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": registry.url(chart).replace("oci://", "")},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let payload = payload.to_string().into_bytes();
        let signature = self.signature(&payload);
        let mut layer = described(
            "application/vnd.dev.cosign.simplesigning.v1+json",
            &registry.put_blob(chart, &payload).await?,
            payload.len(),
        );
        layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
        let config = br#"{"architecture":"","config":{},"created":"0001-01-01T00:00:00Z","os":"","rootfs":{"diff_ids":[],"type":"layers"}}"#;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(
                "application/vnd.oci.image.config.v1+json",
                &registry.put_blob(chart, config).await?,
                config.len(),
            ),
            "layers": [layer],
        });
        let tag = format!("{}.sig", digest.replace(':', "-"));
        registry.put_manifest(chart, &tag, &manifest).await?;
        Ok(())
    }

    async fn bundle(
        &self,
        registry: &Registry,
        chart: &str,
        digest: &str,
        size: usize,
    ) -> Result<()> {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest.trim_start_matches("sha256:")}}],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        });
        let statement = statement.to_string();
        let kind = "application/vnd.in-toto+json";
        let signed = format!(
            "DSSEv1 {} {kind} {} {statement}",
            kind.len(),
            statement.len()
        );
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": "key"}},
            "dsseEnvelope": {
                "payload": STANDARD.encode(&statement),
                "payloadType": kind,
                "signatures": [{"sig": self.signature(signed.as_bytes())}],
            },
        });
        let bundle = bundle.to_string().into_bytes();
        let layer = described(
            BUNDLE,
            &registry.put_blob(chart, &bundle).await?,
            bundle.len(),
        );
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": BUNDLE,
            "config": described(EMPTY, &registry.put_blob(chart, b"{}").await?, 2),
            "layers": [layer],
            "subject": described(MANIFEST, digest, size),
            "annotations": {"dev.sigstore.bundle.content": "dsse-envelope"},
        });
        let text = manifest.to_string();
        let own = crate::cosign::digest(text.as_bytes());
        registry.put_manifest(chart, &own, &manifest).await?;
        // The registry has no referrers API: who pushes keeps the list, by the distribution specification.
        let mut referrer = described(MANIFEST, &own, text.len());
        referrer["artifactType"] = json!(BUNDLE);
        let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [referrer]});
        let tag = digest.replace(':', "-");
        registry.put_manifest(chart, &tag, &list).await?;
        Ok(())
    }

    fn signature(&self, message: &[u8]) -> String {
        let signature: DerSignature = self.0.sign(message);
        STANDARD.encode(signature.as_bytes())
    }
}

impl Default for CosignKey {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold("sha256:".to_owned(), |text, byte| {
        format!("{text}{byte:02x}")
    })
}

fn described(media_type: &str, digest: &str, size: usize) -> Value {
    json!({"mediaType": media_type, "digest": digest, "size": size})
}
