//! Charts in the real registry that have to be signed with PGP, by the real helm.

use belay_harness::Publisher;
use belay_source::{Error, Keyring, Kind, OciChart, Pick};

use super::world::{NOW, World, fetch, fetcher, web_at, world};

fn by(publisher: &Publisher, chart: OciChart) -> OciChart {
    let ring = std::fs::read(publisher.keyring()).unwrap();
    let keyring = Keyring::read([("pubring.gpg", ring.as_slice())]).unwrap();
    OciChart {
        provenance: Some(keyring),
        ..chart
    }
}

impl World {
    async fn push_signed(&self, version: &str, publisher: &Publisher) {
        let chart = self.chart.path();
        self.registry
            .push_signed(chart, version, publisher)
            .await
            .unwrap();
    }
}

fn unverified(error: &Error) -> String {
    assert_eq!(error.kind(), Kind::Unverified, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_signed_chart_is_fetched_by_tag_range_and_digest_and_a_stranger_s_is_not() {
    let world = world(&[]).await;
    let (jane, joe) = (
        Publisher::new("Jane <jane@example.org>").unwrap(),
        Publisher::new("Joe <joe@example.org>").unwrap(),
    );
    world.push_signed("1.3.0+build.4", &jane).await;
    let front = world.registry.front().await.unwrap();
    let manifest = world
        .registry
        .manifest("web", "1.3.0_build.4")
        .await
        .unwrap();
    let digest = belay_source::PackageDigest::of(&manifest);
    let url = front.url("web");
    let wanted = [
        web_at(&url, "1.3.0+build.4"),
        web_at(&url, "~1.3"),
        OciChart {
            pick: Pick::Digest(digest),
            ..web_at(&url, "")
        },
    ];

    for wanted in wanted {
        let fetched = fetch(&fetcher(), &by(&jane, wanted.clone()), NOW).await;
        assert_eq!(fetched.unwrap().version, "1.3.0+build.4");

        let blobs = front.requests("blobs");
        let refused = fetch(&fetcher(), &by(&joe, wanted), NOW).await.unwrap_err();
        let told = unverified(&refused);
        assert!(told.contains(&jane.fingerprint()), "{told}");
        assert!(told.contains("not among them"), "{told}");
        let tried = format!(
            "tried the PGP keys {} (Joe <joe@example.org>)",
            joe.fingerprint()
        );
        assert!(told.ends_with(&tried), "{told}");
        assert_eq!(
            front.requests("blobs"),
            blobs + 1,
            "the package is not transferred"
        );
    }
}

#[tokio::test]
async fn a_chart_that_was_pushed_without_a_provenance_file_is_not_fetched() {
    let world = world(&["1.0.0"]).await;
    let jane = Publisher::new("Jane <jane@example.org>").unwrap();

    let error = fetch(&fetcher(), &by(&jane, world.web("1.0.0")), NOW).await;

    let told = unverified(&error.unwrap_err());
    assert!(told.contains("has no provenance file"), "{told}");
}

/// Given a signed version under the tag of another one.
#[tokio::test]
async fn an_old_version_under_a_new_tag_is_not_taken_for_the_new_one() {
    let world = world(&[]).await;
    let jane = Publisher::new("Jane <jane@example.org>").unwrap();
    world.push_signed("1.0.0", &jane).await;
    let manifest = world.registry.manifest("web", "1.0.0").await.unwrap();
    let manifest = serde_json::from_slice(&manifest).unwrap();
    world
        .registry
        .put_manifest("web", "2.0.0", &manifest)
        .await
        .unwrap();

    let error = fetch(&fetcher(), &by(&jane, world.web("2.0.0")), NOW).await;

    let told = unverified(&error.unwrap_err());
    assert!(told.contains("not for web-2.0.0.tgz"), "{told}");
}
