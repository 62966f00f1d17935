//! Charts that have to be signed as cosign does, in the real registry.

use belay_harness::{CosignKey, Fault, SignatureFormat};
use belay_source::{Error, Kind, OciChart, PublicKeys};
use rstest::rstest;

use super::world::{ANY_AGE, NOW, World, fetch, fetcher, web_at, world};

fn by(key: &CosignKey, chart: OciChart) -> OciChart {
    let pem = key.public().unwrap();
    let keys = PublicKeys::read([("cosign.pub", pem.as_bytes())]).unwrap();
    OciChart {
        cosign: Some(keys),
        ..chart
    }
}

impl World {
    async fn signed(&self, key: &CosignKey, format: SignatureFormat) {
        key.sign(&self.registry, "web", "1.0.0", format)
            .await
            .unwrap();
    }
}

fn unverified(error: &Error) -> String {
    assert_eq!(error.kind(), Kind::Unverified, "{error}");
    assert!(!error.is_transient());
    error.to_string()
}

#[rstest]
#[case(SignatureFormat::Payload)]
#[case(SignatureFormat::Bundle)]
#[tokio::test]
async fn a_signed_chart_is_fetched_and_another_key_s_is_not(#[case] format: SignatureFormat) {
    let world = world(&["1.0.0"]).await;
    let (key, other) = (CosignKey::new(), CosignKey::new());
    world.signed(&key, format).await;
    let front = world.registry.front().await.unwrap();
    let wanted = web_at(&front.url("web"), "1.x");

    fetch(&fetcher(), &by(&key, wanted.clone()), NOW)
        .await
        .unwrap();

    let transferred = front.requests("blobs/sha256:");
    let refused = fetch(&fetcher(), &by(&other, wanted), NOW)
        .await
        .unwrap_err();
    let told = unverified(&refused);
    assert!(told.contains("by none of them"), "{told}");
    assert!(
        told.contains("tried the cosign keys cosign.pub (SHA-256 "),
        "{told}"
    );
    // The signature is looked at, the package is not even transferred.
    assert_eq!(front.requests("blobs/sha256:"), transferred + 1);
}

#[tokio::test]
async fn a_chart_without_a_signature_is_not_fetched_until_it_has_one() {
    let world = world(&["1.0.0"]).await;
    let (fetcher, key) = (fetcher(), CosignKey::new());
    let wanted = by(&key, world.web("1.0.0"));

    let told = unverified(&fetch(&fetcher, &wanted, NOW).await.unwrap_err());
    assert!(told.contains("has no signature"), "{told}");

    world.signed(&key, SignatureFormat::Payload).await;
    assert!(fetch(&fetcher, &wanted, ANY_AGE).await.is_err());
    fetch(&fetcher, &wanted, NOW).await.unwrap();
}

/// Given a signed version whose tag is pushed anew with other content: the signature is the old manifest's.
#[tokio::test]
async fn what_is_pushed_over_a_signed_tag_is_not_taken() {
    let world = world(&["1.0.0"]).await;
    let (fetcher, key) = (fetcher(), CosignKey::new());
    world.signed(&key, SignatureFormat::Payload).await;
    let wanted = by(&key, world.web("1.0.0"));
    fetch(&fetcher, &wanted, NOW).await.unwrap();

    world.write("kind: Secret\n");
    world.push("1.0.0").await;

    unverified(&fetch(&fetcher, &wanted, NOW).await.unwrap_err());
}

/// Given the signature of one manifest, put under the tag where another one's belongs.
#[tokio::test]
async fn a_signature_is_not_carried_over_to_another_manifest() {
    let world = world(&["1.0.0"]).await;
    let key = CosignKey::new();
    world.signed(&key, SignatureFormat::Payload).await;
    let digest = |bytes: &[u8]| belay_source::PackageDigest::of(bytes).to_string();
    let manifest = world.registry.manifest("web", "1.0.0").await.unwrap();
    let signature = format!("sha256-{}.sig", digest(&manifest));
    let signature = world.registry.manifest("web", &signature).await.unwrap();
    world.write("kind: Secret\n");
    world.push("2.0.0").await;
    let other = world.registry.manifest("web", "2.0.0").await.unwrap();
    let place = format!("sha256-{}.sig", digest(&other));
    let signature = serde_json::from_slice(&signature).unwrap();
    world
        .registry
        .put_manifest("web", &place, &signature)
        .await
        .unwrap();

    let error = fetch(&fetcher(), &by(&key, world.web("2.0.0")), NOW).await;

    let told = unverified(&error.unwrap_err());
    assert!(told.contains("for another manifest"), "{told}");
}

/// Given a list of referrers as clients kept it that named the configuration's kind: what counts is the manifest.
#[tokio::test]
async fn a_bundle_is_found_whatever_its_list_calls_it() {
    let world = world(&["1.0.0"]).await;
    let key = CosignKey::new();
    world.signed(&key, SignatureFormat::Bundle).await;
    let manifest = world.registry.manifest("web", "1.0.0").await.unwrap();
    let list = format!("sha256-{}", belay_source::PackageDigest::of(&manifest));
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let text = world.registry.manifest("web", &list).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(bundle), "{text}");
    for named in ["application/vnd.oci.empty.v1+json", ""] {
        let text = text.replace(bundle, named);
        let changed = serde_json::from_str(&text).unwrap();
        let registry = &world.registry;
        registry.put_manifest("web", &list, &changed).await.unwrap();

        let wanted = by(&key, world.web("1.0.0"));
        fetch(&fetcher(), &wanted, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn a_thousand_releases_look_for_signatures_once() {
    let world = world(&["1.0.0"]).await;
    let key = CosignKey::new();
    world.signed(&key, SignatureFormat::Payload).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), by(&key, web_at(&front.url("web"), "1.0.0")));

    let all = (0..1000).map(|_| fetch(&fetcher, &wanted, ANY_AGE));
    let all = futures::future::join_all(all).await;

    assert!(all.iter().all(Result::is_ok));
    assert_eq!(front.requests(".sig"), 1);
    // Package and payload.
    assert_eq!(front.requests("blobs"), 2);
}

#[rstest]
#[case(".sig", Fault::Status(503), Kind::Unreachable)]
#[case(".sig", Fault::Status(401), Kind::Unauthorized)]
#[case(".sig", Fault::Damaged, Kind::BadIndex)]
#[case("blobs", Fault::Damaged, Kind::DigestMismatch)]
#[case("blobs", Fault::Truncated, Kind::Unreachable)]
#[tokio::test]
async fn a_fault_on_the_way_to_a_signature_is_none_of_the_chart_s(
    #[case] part: &str,
    #[case] fault: Fault,
    #[case] kind: Kind,
) {
    let world = world(&["1.0.0"]).await;
    let key = CosignKey::new();
    world.signed(&key, SignatureFormat::Payload).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), by(&key, web_at(&front.url("web"), "1.0.0")));
    front.fail(part, fault);

    let error = fetch(&fetcher, &wanted, NOW).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");

    front.heal();
    fetch(&fetcher, &wanted, NOW).await.unwrap();
}
