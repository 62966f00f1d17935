//! Signatures that the real cosign (3.1.3, `sign --key`) made of charts that the real helm pushed, byte for byte as the
//! registry had them, in the real registry again. `cosign/repository.json` holds, under tag and digest, the charts
//! 1.0.0 to 8.0.0 signed and 9.0.0 attested: odd ones in the form of payloads (`--new-bundle-format=false`), even ones as
//! bundles.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belay_source::{Error, Kind, OciChart, PackageDigest, PublicKeys};
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{NOW, World, fetch, fetcher, world};

#[derive(Deserialize)]
struct Repository {
    manifests: Vec<Manifest>,
    /// In base64.
    blobs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    reference: String,
    media_type: String,
    text: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry/cosign")
}

/// A registry with all that cosign left in its own.
async fn signed() -> World {
    let world = world(&[]).await;
    let text = std::fs::read(folder().join("repository.json")).unwrap();
    let kept: Repository = serde_json::from_slice(&text).unwrap();
    for blob in kept.blobs {
        let blob = STANDARD.decode(blob).unwrap();
        world.registry.put_blob("web", &blob).await.unwrap();
    }
    for Manifest {
        reference,
        media_type,
        text,
    } in kept.manifests
    {
        let bytes = text.into_bytes();
        let put = world
            .registry
            .put_manifest_as_it_is("web", &reference, &media_type, bytes);
        put.await.unwrap();
    }
    world
}

/// The chart, which has to be signed by this key.
fn by(world: &World, key: &str, version: &str) -> OciChart {
    let file = format!("{key}.pub");
    let pem = std::fs::read(folder().join(&file)).unwrap();
    OciChart {
        cosign: Some(PublicKeys::read([(file.as_str(), pem.as_slice())]).unwrap()),
        ..world.web(version)
    }
}

fn unverified(error: &Error) -> String {
    assert_eq!(error.kind(), Kind::Unverified, "{error}");
    error.to_string()
}

#[rstest]
#[case("1.0.0", "p256")]
#[case("2.0.0", "p256")]
#[case("3.0.0", "rsa")]
#[case("4.0.0", "rsa")]
#[case("7.0.0", "p384")]
#[case("8.0.0", "p384")]
#[tokio::test]
async fn what_cosign_signed_is_taken_with_its_key_and_with_no_other(
    #[case] version: &str,
    #[case] key: &str,
) {
    let world = signed().await;

    let fetched = fetch(&fetcher(), &by(&world, key, version), NOW).await;
    assert_eq!(fetched.unwrap().version, version);

    for other in ["p256", "rsa", "ed25519", "p384"] {
        if other != key {
            let refused = fetch(&fetcher(), &by(&world, other, version), NOW).await;
            let told = unverified(&refused.unwrap_err());
            assert!(told.contains("by none of them"), "{told}");
            assert!(
                told.contains(&format!("tried the cosign keys {other}.pub")),
                "{told}"
            );
        }
    }
}

/// What somebody knows about a chart is no word that it may be used.
#[tokio::test]
async fn an_attestation_is_no_signature() {
    let world = signed().await;

    let refused = fetch(&fetcher(), &by(&world, "p256", "9.0.0"), NOW).await;

    let told = unverified(&refused.unwrap_err());
    assert!(
        told.contains("https://cosign.sigstore.dev/attestation/v1"),
        "{told}"
    );
}

impl World {
    async fn tagged(&self, tag: &str) -> Value {
        let text = self.registry.manifest("web", tag).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    async fn digest(&self, tag: &str) -> String {
        let manifest = self.registry.manifest("web", tag).await.unwrap();
        PackageDigest::of(&manifest).to_string()
    }

    async fn put(&self, tag: &str, manifest: &Value) {
        let registry = &self.registry;
        registry.put_manifest("web", tag, manifest).await.unwrap();
    }

    async fn blob(&self, digest: &str) -> Vec<u8> {
        let address = self.registry.address();
        let url = format!("http://{address}/v2/charts/web/blobs/{digest}");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        answer.bytes().await.unwrap().to_vec()
    }
}

/// Given a payload that names the manifest, under the signature of another payload by the same key.
#[tokio::test]
async fn a_payload_under_another_one_s_signature_is_refused() {
    let world = signed().await;
    world.push("1.1.0").await;
    let other = world.digest("1.1.0").await;
    let signature = format!("sha256-{}.sig", world.digest("1.0.0").await);
    let mut manifest = world.tagged(&signature).await;
    let payload = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    let payload = String::from_utf8(world.blob(&payload).await).unwrap();
    let digest = world.digest("1.0.0").await;
    assert!(payload.contains(&digest), "{payload}");
    let forged = payload.replace(&digest, &other);
    let blob = world.registry.put_blob("web", forged.as_bytes()).await;
    manifest["layers"][0]["digest"] = json!(blob.unwrap());
    manifest["layers"][0]["size"] = json!(forged.len());
    world.put(&format!("sha256-{other}.sig"), &manifest).await;

    let refused = fetch(&fetcher(), &by(&world, "p256", "1.1.0"), NOW).await;

    let told = unverified(&refused.unwrap_err());
    assert!(told.contains("by none of them"), "{told}");
}

/// Given a bundle whose statement was rewritten to name another manifest.
#[tokio::test]
async fn a_bundle_whose_statement_was_rewritten_is_refused() {
    let world = signed().await;
    world.push("2.1.0").await;
    let (digest, other) = (world.digest("2.0.0").await, world.digest("2.1.0").await);
    let mut list = world.tagged(&format!("sha256-{digest}")).await;
    let own = list["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let mut manifest = world.tagged(&own).await;
    let bundle = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    let mut bundle: Value = serde_json::from_slice(&world.blob(&bundle).await).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let statement = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
    assert!(statement.contains(&digest), "{statement}");
    let forged = statement.replace(&digest, &other);
    bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(forged));
    let bundle = bundle.to_string();
    let blob = world.registry.put_blob("web", bundle.as_bytes()).await;
    manifest["layers"][0]["digest"] = json!(blob.unwrap());
    manifest["layers"][0]["size"] = json!(bundle.len());
    let text = manifest.to_string();
    let own = format!("sha256:{}", PackageDigest::of(text.as_bytes()));
    world.put(&own, &manifest).await;
    list["manifests"][0]["digest"] = json!(own);
    list["manifests"][0]["size"] = json!(text.len());
    world.put(&format!("sha256-{other}"), &list).await;

    let refused = fetch(&fetcher(), &by(&world, "p256", "2.1.0"), NOW).await;

    let told = unverified(&refused.unwrap_err());
    assert!(told.contains("by none of them"), "{told}");
}

/// With such a key cosign makes signatures that it does not verify itself.
#[rstest]
#[case("5.0.0")]
#[case("6.0.0")]
#[tokio::test]
async fn what_cosign_signed_and_would_not_verify_is_refused(#[case] version: &str) {
    let world = signed().await;

    let refused = fetch(&fetcher(), &by(&world, "ed25519", version), NOW).await;

    let told = unverified(&refused.unwrap_err());
    assert!(told.contains("by none of them"), "{told}");
}
