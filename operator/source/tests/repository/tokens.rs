//! Registries that are entered with a token, played by a server that does what its specification says.

use std::time::Duration;

use belay_source::{Credentials, Error, Fetched, Fetcher, Kind, OciChart, Pick, Secret, Source};
use rstest::rstest;
use sha2::{Digest as _, Sha256};

use super::asking::{ANY_AGE, NOW, fetcher};
use super::package;
use super::server::{Page, Server};

const LIST: &str = "/v2/web/tags/list?n=1000";
const TAGGED: &str = "/v2/web/manifests/1.0.0";
const ASKED: &str = "/token?service=charts&scope=repository%3Aweb%3Apull";

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A registry that wants a token of `service` for everything, and what it holds behind it.
struct Guarded {
    server: Server,
    chart: OciChart,
    challenge: String,
    blob: String,
    package: Vec<u8>,
    manifest: String,
}

async fn guarded(realm: impl Fn(&Server) -> String) -> Guarded {
    let server = Server::start().await;
    let package = package::package("1.0.0");
    let digest = hex(&package);
    let manifest = format!(
        r#"{{"schemaVersion": 2, "config": {{"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "sha256:00", "size": 2}},
            "layers": [{{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": "sha256:{digest}", "size": {}}}]}}"#,
        package.len()
    );
    let challenge = format!(r#"Bearer realm="{}",service="charts""#, realm(&server));
    let guarded = Guarded {
        chart: OciChart {
            url: format!("oci://{}/web", server.address()),
            pick: Pick::Version(Some("1.0.0".into())),
            credentials: Some(Credentials::Basic {
                username: "jane".into(),
                password: Secret::new("hunter2"),
            }),
            plain_http: true,
            ..OciChart::default()
        },
        blob: format!("/v2/web/blobs/sha256:{digest}"),
        server,
        challenge,
        package,
        manifest,
    };
    guarded.shows("t0ken");
    guarded
}

impl Guarded {
    /// Opens to this token and to nothing else.
    fn shows(&self, token: &str) {
        let guard = |page: Page| {
            page.guarded(
                &format!("Bearer {token}"),
                Page::status(401).header("WWW-Authenticate", &self.challenge),
            )
        };
        self.server
            .serve(TAGGED, guard(Page::ok(self.manifest.as_str())));
        self.server
            .serve(LIST, guard(Page::ok(r#"{"tags": ["1.0.0"]}"#)));
        self.server
            .serve(&self.blob, guard(Page::ok(self.package.as_slice())));
    }

    async fn fetch(&self, fetcher: &Fetcher, max_age: Duration) -> Result<Fetched, Error> {
        fetcher
            .fetch(&Source::Oci(self.chart.clone()), max_age)
            .await
    }
}

#[tokio::test]
async fn a_token_is_fetched_with_the_password_and_used_for_all_that_follows() {
    let registry = guarded(|server| server.url("/token")).await;
    registry
        .server
        .serve(ASKED, Page::ok(r#"{"token": "t0ken", "expires_in": 300}"#));

    let fetched = registry.fetch(&fetcher(), NOW).await.unwrap();

    assert_eq!(fetched.version, "1.0.0");
    let asked = registry.server.seen(ASKED);
    assert_eq!(asked.len(), 1, "one token for manifest and package");
    assert_eq!(
        asked[0].header("authorization"),
        Some("Basic amFuZTpodW50ZXIy")
    );
    let manifests = registry.server.seen(TAGGED);
    assert_eq!(
        manifests[0].header("authorization"),
        None,
        "nothing before it is asked for"
    );
    assert_eq!(manifests[1].header("authorization"), Some("Bearer t0ken"));
}

#[tokio::test]
async fn a_token_that_ended_is_fetched_anew() {
    let registry = guarded(|server| server.url("/token")).await;
    registry
        .server
        .serve(ASKED, Page::ok(r#"{"access_token": "t0ken"}"#));
    let fetcher = fetcher();
    registry.fetch(&fetcher, NOW).await.unwrap();

    registry.shows("another");
    registry
        .server
        .serve(ASKED, Page::ok(r#"{"access_token": "another"}"#));

    registry.fetch(&fetcher, NOW).await.unwrap();
    assert_eq!(registry.server.seen(ASKED).len(), 2);
}

#[tokio::test]
async fn a_token_service_on_another_host_gets_the_password_only_over_the_asked_scheme() {
    let other = Server::start().await;
    other.serve(ASKED, Page::ok(r#"{"token": "t0ken"}"#));
    let mut registry = guarded(|_| other.url("/token")).await;
    registry.fetch(&fetcher(), NOW).await.unwrap();
    assert!(other.seen(ASKED)[0].header("authorization").is_some());

    // A registry that is spoken to in TLS cannot send the password away in the clear.
    registry.challenge = registry.challenge.replace("http://", "ftp://");
    registry.shows("t0ken");
    let error = registry.fetch(&fetcher(), NOW).await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { .. }), "{error:?}");
    assert!(error.to_string().contains("ftp://"), "{error}");
}

#[rstest]
#[case(Page::status(401), Kind::Unauthorized)]
#[case(Page::status(503), Kind::Unreachable)]
#[case(Page::ok("{}"), Kind::BadIndex)]
#[case(Page::ok("<html>"), Kind::BadIndex)]
#[tokio::test]
async fn what_a_token_service_answers_instead_is_told(#[case] page: Page, #[case] kind: Kind) {
    let registry = guarded(|server| server.url("/token")).await;
    registry.server.serve(ASKED, page);

    let error = registry.fetch(&fetcher(), NOW).await.unwrap_err();

    assert_eq!(error.kind(), kind, "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_registry_that_refuses_its_own_token_is_not_asked_for_ever() {
    let registry = guarded(|server| server.url("/token")).await;
    registry
        .server
        .serve(ASKED, Page::ok(r#"{"token": "wrong"}"#));

    let error = registry.fetch(&fetcher(), NOW).await.unwrap_err();

    assert_eq!(error.kind(), Kind::Unauthorized, "{error}");
    assert!(registry.server.seen(TAGGED).len() <= 3);
}

#[tokio::test]
async fn a_package_on_another_host_is_fetched_without_the_token() {
    let registry = guarded(|server| server.url("/token")).await;
    let store = Server::start().await;
    store.serve("/signed?key=x", Page::ok(registry.package.as_slice()));
    registry
        .server
        .serve(ASKED, Page::ok(r#"{"token": "t0ken"}"#));
    registry
        .server
        .serve(&registry.blob, Page::redirect(store.url("/signed?key=x")));

    registry.fetch(&fetcher(), ANY_AGE).await.unwrap();

    assert_eq!(store.seen("/signed?key=x")[0].header("authorization"), None);
}

/// Given a package store, or a registry's other half, that answers 401 with a challenge of its own: the password does
/// not follow it there.
#[tokio::test]
async fn a_challenge_of_another_host_is_not_answered() {
    for of_the_manifest in [true, false] {
        let registry = guarded(|server| server.url("/token")).await;
        let evil = Server::start().await;
        let challenge = format!(r#"Bearer realm="{}",service="charts""#, evil.url("/token"));
        evil.serve(
            "/there",
            Page::status(401).header("WWW-Authenticate", challenge),
        );
        evil.serve(ASKED, Page::ok(r#"{"token": "t0ken"}"#));
        registry
            .server
            .serve(ASKED, Page::ok(r#"{"token": "t0ken"}"#));
        let from = if of_the_manifest {
            TAGGED
        } else {
            &registry.blob
        };
        registry
            .server
            .serve(from, Page::redirect(evil.url("/there")));

        let error = registry.fetch(&fetcher(), NOW).await.unwrap_err();

        assert_eq!(error.kind(), Kind::Unauthorized, "{error}");
        assert!(!evil.seen("/there").is_empty());
        assert!(evil.seen(ASKED).is_empty());
    }
}

/// Given tokens that are over as soon as they are there: none serves twice.
#[tokio::test]
async fn a_token_serves_as_long_as_its_service_says() {
    let registry = guarded(|server| server.url("/token")).await;
    let over = r#"{"token": "t0ken", "expires_in": 0}"#;
    registry.server.serve(ASKED, Page::ok(over));

    registry.fetch(&fetcher(), NOW).await.unwrap();

    assert_eq!(
        registry.server.seen(ASKED).len(),
        2,
        "one for the manifest, one for the package"
    );
}
