//! Transfers that break off and go on where they broke off.

use belay_source::{Kind, OciChart, Pick, Source};

use super::asking::{NOW, fetch, fetcher, publish, repository};
use super::package;
use super::server::{Fault, Page, Server};

/// A repository that sends its package in pieces and closes the connection after each.
async fn in_pieces(page: impl FnOnce(Page) -> Page) -> Server {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let bytes = package::package("1.0.0");
    let piece = bytes.len() / 3;
    let broken = Page::ok(bytes).fault(Fault::Pieces(piece));
    server.serve("/web-1.0.0.tgz", page(broken));
    server
}

fn asked(server: &Server, path: &str) -> Vec<(u16, Option<String>, Option<String>)> {
    let seen = server.seen(path);
    let header = |request: &super::server::Request, name| request.header(name).map(str::to_owned);
    seen.iter()
        .map(|request| {
            let (range, version) = (header(request, "range"), header(request, "if-range"));
            (request.status, range, version)
        })
        .collect()
}

#[tokio::test]
async fn a_package_that_broke_off_goes_on_where_it_did() {
    for (name, value) in [
        ("ETag", "\"one\""),
        ("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ] {
        let server = in_pieces(|page| page.header(name, value).resumable()).await;

        let fetched = fetch(&fetcher(), &repository(&server), NOW).await.unwrap();

        assert_eq!(fetched.version, "1.0.0");
        let piece = package::package("1.0.0").len() / 3;
        let asked = asked(&server, "/web-1.0.0.tgz");
        assert_eq!(asked[0], (200, None, None));
        let rest = |from| (206, Some(format!("bytes={from}-")), Some(value.to_owned()));
        assert_eq!(asked[1..3], [rest(piece), rest(2 * piece)], "{asked:?}");
    }
}

/// Given a server that names no version of its package, half of one and half of another would be no package.
#[tokio::test]
async fn what_has_no_version_is_not_put_together() {
    for page in [(|page| page) as fn(Page) -> Page, |page| {
        page.header("ETag", "W/\"weak\"")
    }] {
        let server = in_pieces(|broken| page(broken).resumable()).await;

        let error = fetch(&fetcher(), &repository(&server), NOW).await;

        assert_eq!(error.unwrap_err().kind(), Kind::Unreachable);
        assert_eq!(server.seen("/web-1.0.0.tgz").len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_knows_no_parts_is_asked_for_the_whole_and_not_for_ever() {
    let server = in_pieces(|page| page.header("ETag", "\"one\"")).await;

    let error = fetch(&fetcher(), &repository(&server), NOW)
        .await
        .unwrap_err();

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains("broke off"), "{error}");
    assert_eq!(server.seen("/web-1.0.0.tgz").len(), 2);
}

#[tokio::test]
async fn a_blob_is_named_by_its_content_and_goes_on_without_a_version() {
    let server = Server::start().await;
    let bytes = package::package("1.0.0");
    let digest = package::digest(&bytes);
    let manifest = format!(
        r#"{{"schemaVersion": 2, "config": {{"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "sha256:00"}},
            "layers": [{{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": "sha256:{digest}", "size": {}}}]}}"#,
        bytes.len()
    );
    server.serve("/v2/web/manifests/1.0.0", Page::ok(manifest));
    let blob = format!("/v2/web/blobs/sha256:{digest}");
    let piece = bytes.len() / 2;
    let broken = Page::ok(bytes).fault(Fault::Pieces(piece)).resumable();
    server.serve(&blob, broken);
    let wanted = Source::Oci(OciChart {
        url: format!("oci://{}/web", server.address()),
        pick: Pick::Version(Some("1.0.0".into())),
        plain_http: true,
        ..OciChart::default()
    });

    fetcher().fetch(&wanted, NOW).await.unwrap();

    let asked = asked(&server, &blob);
    assert_eq!(
        asked[1],
        (206, Some(format!("bytes={piece}-")), None),
        "{asked:?}"
    );
}
