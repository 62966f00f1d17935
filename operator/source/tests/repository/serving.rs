//! What a healthy repository gives.

use std::collections::BTreeMap;

use belay_source::{Fetched, Inline, Kind, Package, Source};

use super::asking::{ANY_AGE, NOW, fetch, fetcher, publish, repository};
use super::package::{self, digest};
use super::server::{Page, Server};

#[tokio::test]
async fn the_newest_stable_version_comes_when_none_is_named() {
    let server = Server::start().await;
    publish(&server, &["1.9.0", "2.0.0-rc.1", "1.10.0"]);

    let fetched = fetch(&fetcher(), &repository(&server), NOW).await.unwrap();

    assert_eq!(fetched.version, "1.10.0");
    assert_eq!(fetched.chart.name(), "web");
    assert_eq!(
        fetched.package.unwrap().to_string(),
        digest(&package::package("1.10.0"))
    );
    assert_eq!(fetched.origin, server.url("/web-1.10.0.tgz"));
}

#[tokio::test]
async fn a_range_chooses_among_the_versions() {
    let server = Server::start().await;
    publish(&server, &["1.0.0", "1.5.0", "2.0.0"]);
    let mut wanted = repository(&server);
    wanted.version = Some("<2".into());

    assert_eq!(
        fetch(&fetcher(), &wanted, NOW).await.unwrap().version,
        "1.5.0"
    );
}

#[tokio::test]
async fn a_package_may_be_on_another_host() {
    let (server, files) = (Server::start().await, Server::start().await);
    let entry = package::publish(&files, "1.0.0").at(files.url("/web-1.0.0.tgz"));
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));

    let fetched = fetch(&fetcher(), &repository(&server), NOW).await.unwrap();

    assert_eq!(fetched.origin, files.url("/web-1.0.0.tgz"));
}

#[tokio::test]
async fn a_repository_below_a_path_is_asked_below_that_path() {
    let server = Server::start().await;
    let bytes = package::package("1.0.0");
    let entry = package::publish(&server, "1.0.0").at("files/web.tgz");
    server.serve(
        "/team/charts/index.yaml",
        Page::ok(package::index(&[entry])),
    );
    server.serve("/team/charts/files/web.tgz", Page::ok(bytes));
    let mut wanted = repository(&server);
    wanted.url = server.url("/team/charts");

    assert_eq!(
        fetch(&fetcher(), &wanted, NOW).await.unwrap().version,
        "1.0.0"
    );
}

#[tokio::test]
async fn redirects_are_followed() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    server.serve("/old/index.yaml", Page::redirect("/index.yaml"));
    server.serve(
        "/old/web-1.0.0.tgz",
        Page::redirect(server.url("/web-1.0.0.tgz")),
    );
    let mut wanted = repository(&server);
    wanted.url = server.url("/old");

    assert_eq!(
        fetch(&fetcher(), &wanted, NOW).await.unwrap().version,
        "1.0.0"
    );
}

/// Some file servers declare a package's own gzip as content encoding; undoing that would change its digest.
#[tokio::test]
async fn a_package_declared_as_gzip_encoded_keeps_its_bytes() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let page = Page::ok(package::package("1.0.0")).header("Content-Encoding", "gzip");
    server.serve("/web-1.0.0.tgz", page);

    assert!(fetch(&fetcher(), &repository(&server), NOW).await.is_ok());
}

#[tokio::test]
async fn an_index_may_be_compressed_on_its_way() {
    use std::io::Write as _;
    let server = Server::start().await;
    let entry = package::publish(&server, "1.0.0");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(package::index(&[entry]).as_bytes()).unwrap();
    server.serve(
        "/index.yaml",
        Page::ok(gzip.finish().unwrap()).header("Content-Encoding", "gzip"),
    );

    assert!(fetch(&fetcher(), &repository(&server), NOW).await.is_ok());
}

#[tokio::test]
async fn a_mirror_serves_when_the_first_address_does_not() {
    let server = Server::start().await;
    let index = package::index(&[package::publish(&server, "1.0.0")]);
    let index = index.replace("    urls:\n", "    urls:\n    - gone.tgz\n");
    server.serve("/index.yaml", Page::ok(index));

    let fetched = fetch(&fetcher(), &repository(&server), NOW).await.unwrap();

    assert_eq!(fetched.origin, server.url("/web-1.0.0.tgz"));
    assert_eq!(server.seen("/gone.tgz").len(), 1);
}

#[tokio::test]
async fn a_package_in_hand_is_opened_without_a_network() {
    let bytes = package::package("3.1.4");
    let source = Source::Package(Package {
        bytes: bytes.clone().into(),
        origin: "ConfigMap shop/charts, key web.tgz".into(),
    });

    let fetched = fetcher().fetch(&source, ANY_AGE).await.unwrap();

    assert_eq!(fetched.version, "3.1.4");
    assert_eq!(fetched.package.unwrap().to_string(), digest(&bytes));
}

#[tokio::test]
async fn a_package_in_hand_that_is_no_chart_says_where_it_is_from() {
    let source = Source::Package(Package {
        bytes: "not a chart".into(),
        origin: "ConfigMap shop/charts, key web.tgz".into(),
    });

    let error = fetcher().fetch(&source, ANY_AGE).await.unwrap_err();

    assert_eq!(error.kind(), Kind::BadPackage);
    assert!(
        error
            .to_string()
            .contains("ConfigMap shop/charts, key web.tgz"),
        "{error}"
    );
}

async fn inline(template: &str) -> Fetched {
    let files = BTreeMap::from([
        (
            "Chart.yaml".to_owned(),
            "apiVersion: v2\nname: web\nversion: 1.0.0\n".to_owned(),
        ),
        ("templates/web.yaml".to_owned(), template.to_owned()),
    ]);
    let origin = "spec.chart.inline".into();
    fetcher()
        .fetch(&Source::Inline(Inline { files, origin }), ANY_AGE)
        .await
        .unwrap()
}

#[tokio::test]
async fn inline_files_are_a_chart_without_a_package() {
    let (one, same, other) = (
        inline("a: 1").await,
        inline("a: 1").await,
        inline("a: 2").await,
    );

    assert_eq!(one.package, None);
    assert_eq!(one.version, "1.0.0");
    assert_eq!(one.chart.content_digest(), same.chart.content_digest());
    assert_ne!(one.chart.content_digest(), other.chart.content_digest());
}
