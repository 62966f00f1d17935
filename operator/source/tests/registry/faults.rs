//! What a registry that misbehaves gives: an error of the right kind, and the chart again when it is well.

use std::time::Duration;

use belay_harness::Fault;
use belay_source::{Kind, Settings};
use rstest::rstest;

use super::world::{NOW, fetch, fetcher, fetcher_with, settings, web_at, world};

#[rstest]
#[case("", Fault::Status(401), Kind::Unauthorized)]
#[case("", Fault::Status(403), Kind::Unauthorized)]
#[case("", Fault::Status(404), Kind::NotFound)]
#[case("", Fault::Status(429), Kind::Unreachable)]
#[case("", Fault::Status(500), Kind::Unreachable)]
#[case("manifests", Fault::Status(404), Kind::NotFound)]
#[case("manifests", Fault::Status(401), Kind::Unauthorized)]
#[case("manifests", Fault::Status(429), Kind::Unreachable)]
#[case("manifests", Fault::Status(500), Kind::Unreachable)]
#[case("blobs", Fault::Status(401), Kind::Unauthorized)]
#[case("blobs", Fault::Status(429), Kind::Unreachable)]
#[case("blobs", Fault::Status(500), Kind::Unreachable)]
#[case("blobs", Fault::Status(404), Kind::NotFound)]
#[case("blobs", Fault::Status(503), Kind::Unreachable)]
#[case("tags", Fault::Truncated, Kind::Unreachable)]
#[case("manifests", Fault::Truncated, Kind::Unreachable)]
#[case("blobs", Fault::Truncated, Kind::Unreachable)]
#[case("manifests", Fault::Damaged, Kind::BadIndex)]
#[case("blobs", Fault::Damaged, Kind::DigestMismatch)]
#[tokio::test]
async fn a_fault_is_called_by_its_kind_and_ends_with_the_fault(
    #[case] part: &str,
    #[case] fault: Fault,
    #[case] kind: Kind,
) {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), web_at(&front.url("web"), "1.x"));
    front.fail(part, fault);

    let error = fetch(&fetcher, &wanted, NOW).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.is_transient(), kind == Kind::Unreachable);

    front.heal();
    fetch(&fetcher, &wanted, NOW).await.unwrap();
}

#[rstest]
#[case("tags")]
#[case("manifests")]
#[case("blobs")]
#[tokio::test]
async fn a_slow_registry_is_given_up_in_time(#[case] part: &str) {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let impatient = Settings {
        request_time: Duration::from_millis(100),
        ..settings()
    };
    front.fail(part, Fault::Slow(Duration::from_mins(1)));

    let wanted = web_at(&front.url("web"), "1.x");
    let error = fetch(&fetcher_with(&impatient), &wanted, NOW)
        .await
        .unwrap_err();

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
}

/// Given a package that was changed behind its digest, in the registry's answer and with the right length.
#[tokio::test]
async fn other_bytes_than_the_manifest_names_are_not_kept_either() {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), web_at(&front.url("web"), "1.0.0"));
    front.fail("blobs", Fault::Damaged);
    fetch(&fetcher, &wanted, NOW).await.unwrap_err();

    let again = fetch(&fetcher, &wanted, NOW).await.unwrap_err();

    assert_eq!(again.kind(), Kind::DigestMismatch, "{again}");
    assert!(front.requests("blobs") >= 2);
}

#[tokio::test]
async fn a_package_over_the_limit_is_refused_before_it_is_sent() {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let narrow = Settings {
        package_bytes: 16,
        ..settings()
    };

    let wanted = web_at(&front.url("web"), "1.0.0");
    let error = fetch(&fetcher_with(&narrow), &wanted, NOW)
        .await
        .unwrap_err();

    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
    assert_eq!(front.requests("blobs"), 0);
}

/// Given a manifest that was kept and whose package the registry has lost since: the tag is asked again first.
#[tokio::test]
async fn what_a_kept_manifest_does_not_lead_to_is_looked_for_anew() {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), web_at(&front.url("web"), "1.0.0"));
    front.fail("blobs", Fault::Status(404));
    fetch(&fetcher, &wanted, NOW).await.unwrap_err();
    let asked = front.requests("manifests");

    let hour = Duration::from_hours(1);
    fetch(&fetcher, &wanted, hour).await.unwrap_err();

    assert!(front.requests("manifests") > asked);
}

/// Given connections that break off in the middle of the package: the real registry gives the rest of it.
#[tokio::test]
async fn a_transfer_that_breaks_off_goes_on_where_it_did() {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), web_at(&front.url("web"), "1.0.0"));
    let whole = fetch(&fetcher_with(&settings()), &wanted, NOW)
        .await
        .unwrap();
    let (requests, bytes) = (front.requests("blobs"), front.bytes());
    front.fail("blobs", Fault::BrokenOff);

    let resumed = fetch(&fetcher, &wanted, NOW).await.unwrap();

    assert_eq!(resumed.package, whole.package);
    assert_eq!(front.requests("blobs") - requests, 2);
    // Manifest and package, each byte once.
    assert_eq!(front.bytes() - bytes, bytes);
}

/// Given a tag that means something else at each look: each is taken for what it is, and none for another.
#[tokio::test]
async fn a_tag_whose_content_changes_is_seen_to_change() {
    let world = world(&["1.0.0"]).await;
    let fetcher = fetcher();
    let mut seen = std::collections::BTreeSet::new();
    for template in ["kind: ConfigMap\n", "kind: Secret\n", "kind: Service\n"] {
        world.write(template);
        world.push("1.0.0").await;

        let found = fetch(&fetcher, &world.web("1.0.0"), NOW).await.unwrap();

        seen.insert(found.chart.content_digest().to_string());
    }
    assert_eq!(seen.len(), 3);
}
