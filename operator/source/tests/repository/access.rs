//! Who gets in, and who learns the key.

use std::sync::Arc;

use belay_source::{Credentials, Error, Kind, Secret};
use rstest::rstest;
use rustls::pki_types::PrivateKeyDer;

use super::asking::{ANY_AGE, NOW, fetch, fetcher, publish, repository};
use super::package;
use super::server::{Page, Server};

fn basic() -> Credentials {
    Credentials::Basic {
        username: "jane".into(),
        password: Secret::new("hunter2"),
    }
}

#[rstest]
#[case(basic(), "Basic amFuZTpodW50ZXIy")]
#[case(Credentials::Bearer(Secret::new("t0ken")), "Bearer t0ken")]
#[tokio::test]
async fn the_repository_gets_the_credentials_for_index_and_package(
    #[case] credentials: Credentials,
    #[case] header: &str,
) {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let mut wanted = repository(&server);
    wanted.credentials = Some(credentials);

    fetch(&fetcher(), &wanted, NOW).await.unwrap();

    for path in ["/index.yaml", "/web-1.0.0.tgz"] {
        assert_eq!(
            server.seen(path)[0].header("authorization"),
            Some(header),
            "{path}"
        );
    }
}

#[tokio::test]
async fn another_host_that_the_index_names_does_not_get_the_credentials() {
    let (server, other) = (Server::start().await, Server::start().await);
    let entry = package::publish(&other, "1.0.0").at(other.url("/web-1.0.0.tgz"));
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));
    let mut wanted = repository(&server);
    wanted.credentials = Some(basic());

    fetch(&fetcher(), &wanted, NOW).await.unwrap();

    assert_eq!(
        other.seen("/web-1.0.0.tgz")[0].header("authorization"),
        None
    );
}

#[tokio::test]
async fn another_host_that_a_redirect_names_does_not_get_the_credentials() {
    let (server, other) = (Server::start().await, Server::start().await);
    publish(&other, &["1.0.0"]);
    server.serve("/index.yaml", Page::redirect(other.url("/index.yaml")));
    server.serve(
        "/web-1.0.0.tgz",
        Page::redirect(other.url("/web-1.0.0.tgz")),
    );
    let mut wanted = repository(&server);
    wanted.credentials = Some(basic());

    fetch(&fetcher(), &wanted, NOW).await.unwrap();

    for path in ["/index.yaml", "/web-1.0.0.tgz"] {
        assert!(
            server.seen(path)[0].header("authorization").is_some(),
            "{path}"
        );
        assert_eq!(other.seen(path)[0].header("authorization"), None, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_says_whether_credentials_were_sent_and_never_which() {
    let server = Server::start().await;
    server.serve("/index.yaml", Page::status(401));
    server.serve("/index.yaml?token=hunter2", Page::status(401));
    let without = repository(&server);
    let mut with = repository(&server);
    with.url = format!("http://jane:hunter2@{}?token=hunter2", server.address());

    let without = fetch(&fetcher(), &without, NOW).await.unwrap_err();
    let with = fetch(&fetcher(), &with, NOW).await.unwrap_err();

    assert!(
        without.to_string().contains("no credentials were sent"),
        "{without}"
    );
    assert!(
        with.to_string()
            .contains("check the user, password or token"),
        "{with}"
    );
    assert!(!format!("{with} {with:?}").contains("hunter2"), "{with:?}");
}

/// Given a repository that opens to one tenant, another tenant with the same URL gets nothing out of what is kept.
#[tokio::test]
async fn what_one_tenant_may_see_is_not_kept_for_another() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let fetcher = fetcher();
    let mut opened = repository(&server);
    opened.credentials = Some(basic());
    fetch(&fetcher, &opened, NOW).await.unwrap();

    server.serve("/index.yaml", Page::status(401));

    let error = fetch(&fetcher, &repository(&server), ANY_AGE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthorized);
}

/// Given a tenant who knows the digest of another's chart and lists it in a repository of his own.
#[tokio::test]
async fn knowing_a_digest_does_not_open_the_cache() {
    let (private, own) = (Server::start().await, Server::start().await);
    publish(&private, &["1.0.0"]);
    let fetcher = fetcher();
    let held = fetch(&fetcher, &repository(&private), NOW).await.unwrap();
    let listed = package::Listed {
        version: "1.0.0".into(),
        url: "stolen.tgz".into(),
        digest: held.package.map(|digest| digest.to_string()),
    };
    own.serve("/index.yaml", Page::ok(package::index(&[listed])));

    let error = fetch(&fetcher, &repository(&own), NOW).await.unwrap_err();

    assert!(matches!(error, Error::PackageNotFound { .. }), "{error:?}");
}

/// A server with a certificate for this name by an authority of its own, and that authority's PEM.
pub async fn tls_server(name: &str) -> (Server, String) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec![name.to_owned()];
    let certificate = rcgen::CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (Server::start_tls(config).await, authority_certificate.pem())
}

#[tokio::test]
async fn an_authority_of_one_s_own_is_trusted_where_it_is_named_and_nowhere_else() {
    let (server, pem) = tls_server("127.0.0.1").await;
    publish(&server, &["1.0.0"]);
    let fetcher = fetcher();
    let mut trusting = repository(&server);
    trusting.ca_bundle = Some(pem);

    fetch(&fetcher, &trusting, NOW).await.unwrap();
    let distrusted = fetch(&fetcher, &repository(&server), NOW)
        .await
        .unwrap_err();

    assert_eq!(distrusted.kind(), Kind::Unreachable);
    assert!(
        distrusted.to_string().contains("certificate"),
        "{distrusted}"
    );
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_not_followed() {
    let (server, pem) = tls_server("127.0.0.1").await;
    let plain = Server::start().await;
    publish(&plain, &["1.0.0"]);
    server.serve("/index.yaml", Page::redirect(plain.url("/index.yaml")));
    let mut wanted = repository(&server);
    wanted.ca_bundle = Some(pem);

    let error = fetch(&fetcher(), &wanted, NOW).await.unwrap_err();

    assert!(matches!(error, Error::BadRedirect { .. }), "{error:?}");
    assert!(plain.seen("/index.yaml").is_empty());
}

#[tokio::test]
async fn authorities_that_are_none_are_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let mut wanted = repository(&server);
    wanted.ca_bundle =
        Some("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n".into());

    let error = fetch(&fetcher(), &wanted, NOW).await.unwrap_err();

    assert_eq!(error.kind(), Kind::BadRequest, "{error}");
    assert!(server.seen("/index.yaml").is_empty());
}
