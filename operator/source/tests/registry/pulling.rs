//! Which manifest is meant, who gets in, and what it costs.

use std::path::Path;

use belay_harness::RegistryOptions;
use belay_source::{Credentials, Error, Kind, OciChart, Pick, Secret};
use futures::future::join_all;
use rstest::rstest;

use super::world::{ANY_AGE, NOW, fetch, fetcher, web_at, world, world_with};

#[rstest]
#[case("", "2.0.0")]
#[case(">=1 <2", "1.10.0")]
#[case("1.2.0", "1.2.0")]
#[case("v1.2.0", "1.2.0")]
#[case("1.2", "1.2.0")]
#[case("1.3.0+build.4", "1.3.0+build.4")]
#[case("~1.3", "1.3.0+build.4")]
#[case(">0.0.0-0", "3.0.0-rc.1")]
#[tokio::test]
async fn a_range_means_the_newest_tag_inside_it(#[case] range: &str, #[case] version: &str) {
    let world = world(&["1.2.0", "1.10.0", "1.3.0+build.4", "2.0.0", "3.0.0-rc.1"]).await;

    let fetched = fetch(&fetcher(), &world.web(range), NOW).await.unwrap();

    assert_eq!(fetched.version, version);
    let tag = version.replace('+', "_");
    assert!(
        fetched.origin.ends_with(&format!("/charts/web:{tag}")),
        "{}",
        fetched.origin
    );
}

#[tokio::test]
async fn a_digest_holds_what_its_tag_has_left() {
    let world = world(&["1.0.0"]).await;
    let fetcher = fetcher();
    let before = fetch(&fetcher, &world.web("1.0.0"), NOW).await.unwrap();
    let digest = manifest_digest(world.registry.address(), "1.0.0").await;
    world.write("kind: Secret\n");
    world.push("1.0.0").await;
    let pinned = OciChart {
        pick: Pick::Digest(digest.parse().unwrap()),
        ..world.web("")
    };

    let held = fetch(&fetcher, &pinned, NOW).await.unwrap();
    let moved = fetch(&fetcher, &world.web("1.0.0"), NOW).await.unwrap();

    assert_eq!(held.chart.content_digest(), before.chart.content_digest());
    assert_ne!(moved.chart.content_digest(), before.chart.content_digest());
}

/// The digest of a tag's manifest, as the registry says it.
async fn manifest_digest(address: &str, tag: &str) -> String {
    let url = format!("http://{address}/v2/charts/web/manifests/{tag}");
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url)
        .header("Accept", "application/vnd.oci.image.manifest.v1+json")
        .send()
        .await
        .unwrap();
    answer.headers()["docker-content-digest"]
        .to_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_thousand_releases_of_one_chart_ask_once_and_transfer_once() {
    let world = world(&["1.0.0"]).await;
    let front = world.registry.front().await.unwrap();
    let (fetcher, wanted) = (fetcher(), web_at(&front.url("web"), "1.x"));

    let all = join_all((0..1000).map(|_| fetch(&fetcher, &wanted, ANY_AGE))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(front.requests("tags/list"), 1);
    assert_eq!(front.requests("manifests"), 1);
    assert_eq!(front.requests("blobs"), 1);

    // Their next look costs the two questions whether something changed, and no transfer.
    let bytes = front.bytes();
    join_all((0..1000).map(|_| fetch(&fetcher, &wanted, NOW))).await;
    // Who asks after a look began gets what the next one sees: a crowd makes a handful of them.
    assert!(front.requests("tags/list") < 10);
    assert!(front.requests("manifests") < 10);
    assert_eq!(front.requests("blobs"), 1);
    assert!(front.bytes() - bytes < 1024, "{}", front.bytes() - bytes);
}

#[tokio::test]
async fn a_version_that_appears_is_found_even_while_the_kept_list_is_young() {
    let world = world(&["1.0.0"]).await;
    let fetcher = fetcher();
    fetch(&fetcher, &world.web("1.x"), NOW).await.unwrap();

    world.push("2.0.0").await;

    let newer = fetch(&fetcher, &world.web("2.x"), ANY_AGE).await.unwrap();
    assert_eq!(newer.version, "2.0.0");
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_what_is() {
    let world = world(&["1.0.0", "1.1.0"]).await;
    let fetcher = fetcher();

    let version = fetch(&fetcher, &world.web("1.2.0"), NOW).await.unwrap_err();
    assert_eq!(version.kind(), Kind::NotFound);
    assert!(
        version.to_string().ends_with("nearest: 1.1.0, 1.0.0"),
        "{version}"
    );

    let url = world.registry.url("wap");
    let chart = fetch(&fetcher, &web_at(&url, "1.0.0"), NOW)
        .await
        .unwrap_err();
    assert!(matches!(chart, Error::NotInRegistry { .. }), "{chart:?}");
    assert!(chart.to_string().contains(&url), "{chart}");
}

#[tokio::test]
async fn what_is_no_chart_is_refused_by_its_name() {
    let world = world(&["1.0.0"]).await;
    let url = format!(
        "http://{}/v2/charts/web/manifests/9.9.9",
        world.registry.address()
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    // The same blobs, called an image.
    let known = client
        .get(url.replace("9.9.9", "1.0.0"))
        .header("Accept", "application/vnd.oci.image.manifest.v1+json");
    let manifest = known.send().await.unwrap().text().await.unwrap();
    let image = manifest.replace("vnd.cncf.helm.config.v1", "vnd.oci.image.config.v1");
    let put = client
        .put(&url)
        .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        .body(image);
    assert!(put.send().await.unwrap().status().is_success());

    let error = fetch(&fetcher(), &world.web("9.9.9"), NOW)
        .await
        .unwrap_err();

    assert!(matches!(error, Error::NotAChart { .. }), "{error:?}");
    assert!(error.to_string().contains("image.config"), "{error}");
}

fn known(user: &str, password: &str) -> RegistryOptions {
    RegistryOptions {
        credentials: Some((user.to_owned(), password.to_owned())),
        ..RegistryOptions::default()
    }
}

#[tokio::test]
async fn who_has_the_password_gets_in_and_nobody_else_gets_it_out_of_the_cache() {
    let world = world_with(known("jane", "hunter2"), &["1.0.0"]).await;
    let fetcher = fetcher();
    let with = |password: &str| OciChart {
        credentials: Some(Credentials::Basic {
            username: "jane".to_owned(),
            password: Secret::new(password),
        }),
        ..world.web("1.x")
    };

    fetch(&fetcher, &with("hunter2"), NOW).await.unwrap();

    let wrong = fetch(&fetcher, &with("hunter3"), ANY_AGE)
        .await
        .unwrap_err();
    assert_eq!(wrong.kind(), Kind::Unauthorized);
    assert!(wrong.to_string().contains("check the user"), "{wrong}");
    assert!(
        !format!("{wrong} {wrong:?}").contains("hunter"),
        "{wrong:?}"
    );
    let without = fetch(&fetcher, &world.web("1.x"), ANY_AGE)
        .await
        .unwrap_err();
    assert!(
        without.to_string().contains("no credentials were sent"),
        "{without}"
    );
}

/// Given the real registry behind a token service: the password goes to the service, and what the service gives opens
/// the one repository.
#[tokio::test]
async fn a_registry_that_wants_tokens_is_entered_with_one() {
    let options = RegistryOptions {
        tokens: true,
        ..known("jane", "hunter2")
    };
    let world = world_with(options, &["1.0.0", "1.1.0"]).await;
    let with = |password: &str| OciChart {
        credentials: Some(Credentials::Basic {
            username: "jane".to_owned(),
            password: Secret::new(password),
        }),
        ..world.web("1.x")
    };
    let fetcher = fetcher();

    let newest = fetch(&fetcher, &with("hunter2"), NOW).await.unwrap();
    assert_eq!(newest.version, "1.1.0");

    for wanted in [with("hunter3"), world.web("1.x")] {
        let refused = fetch(&fetcher, &wanted, ANY_AGE).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unauthorized, "{refused}");
    }
}

#[tokio::test]
async fn tls_is_spoken_unless_told_otherwise_and_trusts_the_named_authority() {
    let options = RegistryOptions {
        tls: true,
        ..RegistryOptions::default()
    };
    let world = world_with(options, &["1.0.0"]).await;
    let secure = |ca_bundle: Option<String>| OciChart {
        plain_http: false,
        ca_bundle,
        ..world.web("1.0.0")
    };
    let authority = world.registry.authority().map(str::to_owned);

    fetch(&fetcher(), &secure(authority), NOW).await.unwrap();

    let distrusted = fetch(&fetcher(), &secure(None), NOW).await.unwrap_err();
    assert_eq!(distrusted.kind(), Kind::Unreachable);
    assert!(
        distrusted.to_string().contains("certificate"),
        "{distrusted}"
    );
}

#[tokio::test]
async fn a_registry_without_tls_is_not_spoken_to_unasked() {
    let world = world(&["1.0.0"]).await;
    let secure = OciChart {
        plain_http: false,
        ..world.web("1.0.0")
    };

    let error = fetch(&fetcher(), &secure, NOW).await.unwrap_err();

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
}

/// Given a package that was pushed before Helm 3.7, by its media type then.
#[tokio::test]
async fn a_package_under_helms_old_name_is_taken() {
    let world = world(&["1.0.0"]).await;
    let url = format!(
        "http://{}/v2/charts/web/manifests/1.0.0",
        world.registry.address()
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let oci = "application/vnd.oci.image.manifest.v1+json";
    let manifest = client
        .get(&url)
        .header("Accept", oci)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let old = manifest.replace(
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "application/tar+gzip",
    );
    assert_ne!(old, manifest);
    let put = client
        .put(url.replace("1.0.0", "0.9.0"))
        .header("Content-Type", oci)
        .body(old);
    assert!(put.send().await.unwrap().status().is_success());

    fetch(&fetcher(), &world.web("0.9.0"), NOW).await.unwrap();
}

/// The registry holds what helm pulls: the package is the same, byte by byte.
#[tokio::test]
async fn the_package_is_the_one_that_helm_pulls() {
    let world = world(&["1.0.0"]).await;
    let into = tempfile::tempdir().unwrap();
    let tools = belay_harness::Tools::ensure().await.unwrap();
    let (url, folder) = (world.registry.url("web"), into.path().display().to_string());
    let pull = [
        "pull",
        &url,
        "--version",
        "1.0.0",
        "--plain-http",
        "-d",
        &folder,
    ];
    tools.helm(&pull).await.unwrap().ok().unwrap();
    let pulled = std::fs::read(into.path().join(Path::new("web-1.0.0.tgz"))).unwrap();

    let fetched = fetch(&fetcher(), &world.web("1.0.0"), NOW).await.unwrap();

    assert_eq!(
        fetched.package,
        Some(belay_source::PackageDigest::of(&pulled))
    );
}
