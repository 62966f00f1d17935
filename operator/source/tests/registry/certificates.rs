//! The real registry, when it knows its clients by certificates.

use belay_harness::RegistryOptions;
use belay_source::{ClientCertificate, Kind, OciChart, Secret};

use super::world::{NOW, fetch, fetcher, world_with};

#[tokio::test]
async fn who_shows_the_certificate_gets_in() {
    let options = RegistryOptions {
        tls: true,
        client_certificates: true,
        ..RegistryOptions::default()
    };
    let world = world_with(options, &["1.0.0"]).await;
    let (certificate, key) = world.registry.client("jane").unwrap();
    let without = OciChart {
        plain_http: false,
        ca_bundle: world.registry.authority().map(str::to_owned),
        ..world.web("1.x")
    };
    let with = OciChart {
        client_certificate: Some(ClientCertificate {
            certificate,
            key: Secret::new(key),
        }),
        ..without.clone()
    };

    fetch(&fetcher(), &with, NOW).await.unwrap();

    let error = fetch(&fetcher(), &without, NOW).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains("ertificate"), "{error}");
}
