//! Where a tenant does not get through the operator: by address, by name, by redirect, or by what an index names.

use belay_source::{Destinations, Error, Fetcher, Kind, OciChart, Pick, Settings, Source};

use super::asking::{NOW, fetch, fetcher_with, publish, repository, settings};
use super::package;
use super::server::{Page, Server};

/// A fetcher for which these networks are the only exceptions.
fn guarded(besides: &[&str]) -> Fetcher {
    let besides = besides.iter().map(|text| text.parse().unwrap()).collect();
    fetcher_with(&Settings {
        destinations: Destinations::Guarded { besides },
        ..settings()
    })
}

fn is_forbidden(error: &Error) -> bool {
    assert_eq!(error.kind(), Kind::BadRequest, "{error}");
    matches!(error, Error::ForbiddenAddress { .. })
}

#[tokio::test]
async fn the_operator_s_own_machine_is_not_asked() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let mut wanted = repository(&server);

    let by_address = fetch(&guarded(&[]), &wanted, NOW).await.unwrap_err();
    wanted.url = format!("http://localhost:{}", server.address().port());
    let by_name = fetch(&guarded(&[]), &wanted, NOW).await.unwrap_err();

    assert!(is_forbidden(&by_address), "{by_address:?}");
    assert!(is_forbidden(&by_name), "{by_name:?}");
    assert!(server.seen("/index.yaml").is_empty());
    fetch(&guarded(&["127.0.0.0/8", "::1/128"]), &wanted, NOW)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_redirect_leads_nowhere_either() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    for to in [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.2/",
    ] {
        server.serve("/index.yaml", Page::redirect(to));

        let wanted = repository(&server);
        let error = fetch(&guarded(&["127.0.0.1/32"]), &wanted, NOW)
            .await
            .unwrap_err();

        assert!(is_forbidden(&error), "{error:?}");
    }
}

#[tokio::test]
async fn nor_does_an_index() {
    let server = Server::start().await;
    let entry = package::publish(&server, "1.0.0").at("http://[fe80::1]/web-1.0.0.tgz".to_owned());
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));

    let wanted = repository(&server);
    let error = fetch(&guarded(&["127.0.0.1/32"]), &wanted, NOW)
        .await
        .unwrap_err();

    assert!(is_forbidden(&error), "{error:?}");
}

#[tokio::test]
async fn nor_does_a_registry() {
    let server = Server::start().await;
    let realm = "Bearer realm=\"http://127.0.0.2/token\"";
    let refusal = Page::status(401).header("WWW-Authenticate", realm);
    server.serve("/v2/web/manifests/1.0.0", refusal);
    let wanted = Source::Oci(OciChart {
        url: format!("oci://{}/web", server.address()),
        pick: Pick::Version(Some("1.0.0".into())),
        plain_http: true,
        ..OciChart::default()
    });

    let at_once = guarded(&[]).fetch(&wanted, NOW).await.unwrap_err();
    let by_its_token_service = guarded(&["127.0.0.1/32"])
        .fetch(&wanted, NOW)
        .await
        .unwrap_err();

    assert!(is_forbidden(&at_once), "{at_once:?}");
    assert!(
        is_forbidden(&by_its_token_service),
        "{by_its_token_service:?}"
    );
}
