//! What a broken repository gives: an error of the right kind that names the place and the cure.

use std::time::Duration;

use belay_source::{Error, Kind, Settings};
use rstest::rstest;

use super::asking::{NOW, fetch, fetcher, fetcher_with, publish, repository, settings};
use super::package;
use super::server::{Fault, Page, Server};

/// Given a repository with one version in which `page` stands at `path`, what a fetch says.
async fn failure(path: &str, page: Page) -> Error {
    failure_under(settings(), path, page).await
}

async fn failure_under(settings: Settings, path: &str, page: Page) -> Error {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    server.serve(path, page);
    fetch(&fetcher_with(&settings), &repository(&server), NOW)
        .await
        .unwrap_err()
}

fn impatient() -> Settings {
    Settings {
        stall_time: Duration::from_millis(100),
        ..settings()
    }
}

#[rstest]
#[case(404, Kind::NotFound, "no chart repository at")]
#[case(410, Kind::NotFound, "no chart repository at")]
#[case(401, Kind::Unauthorized, "secretRef")]
#[case(403, Kind::Unauthorized, "secretRef")]
#[case(400, Kind::NotFound, "HTTP 400")]
#[case(429, Kind::Unreachable, "HTTP 429")]
#[case(500, Kind::Unreachable, "HTTP 500")]
#[case(503, Kind::Unreachable, "HTTP 503")]
#[tokio::test]
async fn an_index_s_status_says_what_is_wrong(
    #[case] status: u16,
    #[case] kind: Kind,
    #[case] says: &str,
) {
    let error = failure("/index.yaml", Page::status(status)).await;

    assert_eq!(error.kind(), kind);
    assert_eq!(error.is_transient(), kind == Kind::Unreachable);
    assert!(error.to_string().contains(says), "{error}");
}

#[rstest]
#[case(404, Kind::NotFound)]
#[case(401, Kind::Unauthorized)]
#[case(403, Kind::Unauthorized)]
#[case(429, Kind::Unreachable)]
#[case(500, Kind::Unreachable)]
#[tokio::test]
async fn a_package_s_status_says_what_is_wrong(#[case] status: u16, #[case] kind: Kind) {
    let error = failure("/web-1.0.0.tgz", Page::status(status)).await;

    assert_eq!(error.kind(), kind);
    assert!(error.to_string().contains("/web-1.0.0.tgz"), "{error}");
}

#[rstest]
#[case("120", Some(120))]
#[case("86400", Some(300))]
#[case("Fri, 02 Jan 2026 03:04:05 GMT", None)]
#[tokio::test]
async fn a_server_that_asks_for_patience_is_heard_for_five_minutes_at_most(
    #[case] asked: &str,
    #[case] granted: Option<u64>,
) {
    let page = Page::status(429).header("Retry-After", asked);

    let error = failure("/index.yaml", page).await;

    assert_eq!(error.retry_after(), granted.map(Duration::from_secs));
}

#[rstest]
#[case("/index.yaml", Fault::Truncated)]
#[case("/index.yaml", Fault::Stalled)]
#[case("/index.yaml", Fault::Silent)]
#[case("/web-1.0.0.tgz", Fault::Truncated)]
#[case("/web-1.0.0.tgz", Fault::Stalled)]
#[case("/web-1.0.0.tgz", Fault::Silent)]
#[tokio::test]
async fn an_answer_that_does_not_come_whole_is_tried_again_later(
    #[case] path: &str,
    #[case] fault: Fault,
) {
    let body = package::package("1.0.0");

    let error = failure_under(impatient(), path, Page::ok(body).fault(fault)).await;

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains(path), "{error}");
}

#[tokio::test]
async fn an_answer_that_trickles_for_ever_ends_at_the_limit_for_the_whole() {
    let settings = Settings {
        request_time: Duration::from_millis(100),
        ..settings()
    };

    let error = failure_under(settings, "/index.yaml", Page::ok("a").fault(Fault::Silent)).await;

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains("no complete answer"), "{error}");
}

#[tokio::test]
async fn nobody_listening_is_transient() {
    let server = Server::start().await;
    let wanted = repository(&server);
    drop(server);

    let error = fetch(&fetcher(), &wanted, NOW).await.unwrap_err();

    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
}

#[tokio::test]
async fn a_package_other_than_the_index_says_is_not_opened() {
    let other = package::package("6.6.6");

    let error = failure("/web-1.0.0.tgz", Page::ok(other.clone())).await;

    assert_eq!(error.kind(), Kind::DigestMismatch);
    assert!(
        error.to_string().contains(&package::digest(&other)),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains(&package::digest(&package::package("1.0.0"))),
        "{error}"
    );
}

#[rstest]
#[case("/index.yaml")]
#[case("/web-1.0.0.tgz")]
#[tokio::test]
async fn what_is_too_large_is_given_up(#[case] path: &str) {
    let settings = Settings {
        index_bytes: 4096,
        package_bytes: 4096,
        ..settings()
    };

    let error = failure_under(settings, path, Page::ok(vec![b'#'; 4097])).await;

    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(error.to_string().contains("4096 bytes"), "{error}");
}

#[tokio::test]
async fn an_index_that_explodes_when_decompressed_is_given_up() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b'#'; 1 << 20]).unwrap();
    let bomb = Page::ok(gzip.finish().unwrap()).header("Content-Encoding", "gzip");
    let settings = Settings {
        index_bytes: 64 << 10,
        ..settings()
    };

    assert_eq!(
        failure_under(settings, "/index.yaml", bomb).await.kind(),
        Kind::TooLarge
    );
}

#[tokio::test]
async fn a_web_page_in_place_of_an_index_is_called_so() {
    let error = failure("/index.yaml", Page::ok("<!doctype html><html></html>")).await;

    assert_eq!(error.kind(), Kind::BadIndex);
    assert!(error.to_string().contains("web page"), "{error}");
}

#[tokio::test]
async fn a_broken_index_is_refused_with_its_line() {
    let error = failure(
        "/index.yaml",
        Page::ok("apiVersion: v1\nentries:\n  web: [\n"),
    )
    .await;

    assert_eq!(error.kind(), Kind::BadIndex);
    assert!(error.to_string().contains("(line "), "{error}");
}

#[tokio::test]
async fn a_package_that_is_no_chart_names_its_address() {
    let server = Server::start().await;
    let entry = package::publish(&server, "1.0.0").unproven();
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));
    server.serve("/web-1.0.0.tgz", Page::ok("<html>"));

    let error = fetch(&fetcher(), &repository(&server), NOW)
        .await
        .unwrap_err();

    assert_eq!(error.kind(), Kind::BadPackage);
    assert!(
        error.to_string().contains(&server.url("/web-1.0.0.tgz")),
        "{error}"
    );
}

#[tokio::test]
async fn a_chart_or_version_that_does_not_exist_is_answered_with_what_does() {
    let server = Server::start().await;
    publish(&server, &["1.0.0", "1.1.0"]);
    let fetcher = fetcher();
    let mut other = repository(&server);
    other.name = "wep".into();
    let mut newer = repository(&server);
    newer.version = Some("^2".into());

    let no_chart = fetch(&fetcher, &other, NOW).await.unwrap_err();
    let no_version = fetch(&fetcher, &newer, NOW).await.unwrap_err();

    assert_eq!(
        (no_chart.kind(), no_version.kind()),
        (Kind::NotFound, Kind::NotFound)
    );
    assert!(no_chart.to_string().ends_with("nearest: web"), "{no_chart}");
    assert!(
        no_version.to_string().ends_with("nearest: 1.1.0, 1.0.0"),
        "{no_version}"
    );
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let error = failure("/index.yaml", Page::redirect("/index.yaml")).await;

    assert!(matches!(error, Error::BadRedirect { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_to_a_file_is_not_followed() {
    let error = failure("/index.yaml", Page::redirect("file:///etc/passwd")).await;

    assert!(matches!(error, Error::BadRedirect { .. }), "{error:?}");
}
