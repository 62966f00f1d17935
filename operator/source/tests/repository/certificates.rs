//! Servers that know their clients by certificates.

use std::sync::Arc;

use belay_source::{ClientCertificate, Error, Kind, Secret};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::asking::{ANY_AGE, NOW, fetch, fetcher, publish, repository};
use super::server::{Page, Server};

/// Signs servers and clients.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn sign(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn client(&self) -> ClientCertificate {
        let (certificate, key) = self.sign(&["client.example"]);
        ClientCertificate {
            certificate: certificate.pem(),
            key: Secret::new(key.serialize_pem()),
        }
    }

    /// A server that lets in only who shows a certificate by this authority.
    async fn server(&self) -> Server {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let (certificate, key) = self.sign(&["127.0.0.1"]);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let server = Server::start_tls(config).await;
        publish(&server, &["1.0.0"]);
        server
    }
}

fn shut_out(error: &Error) {
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains("fatal alert"), "{error}");
}

#[tokio::test]
async fn who_shows_the_certificate_gets_in_and_nobody_else_gets_it_out_of_the_cache() {
    let authority = Authority::new();
    let server = authority.server().await;
    let fetcher = fetcher();
    let mut without = repository(&server);
    without.ca_bundle = Some(authority.pem.clone());
    let mut with = without.clone();
    with.client_certificate = Some(authority.client());
    let mut stranger = without.clone();
    stranger.client_certificate = Some(Authority::new().client());

    fetch(&fetcher, &with, NOW).await.unwrap();

    shut_out(&fetch(&fetcher, &without, ANY_AGE).await.unwrap_err());
    shut_out(&fetch(&fetcher, &stranger, ANY_AGE).await.unwrap_err());
}

#[tokio::test]
async fn another_host_that_a_redirect_names_is_not_shown_the_certificate() {
    let authority = Authority::new();
    let (server, other) = (authority.server().await, authority.server().await);
    server.serve("/index.yaml", Page::redirect(other.url("/index.yaml")));
    let mut wanted = repository(&server);
    wanted.ca_bundle = Some(authority.pem.clone());
    wanted.client_certificate = Some(authority.client());

    let error = fetch(&fetcher(), &wanted, NOW).await.unwrap_err();

    shut_out(&error);
    assert_eq!(server.seen("/index.yaml").len(), 1);
    assert!(other.seen("/index.yaml").is_empty());
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let server = Server::start().await;
    let mut wanted = repository(&server);
    let mut certificate = authority.client();
    certificate.key =
        Secret::new("-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n");
    wanted.client_certificate = Some(certificate);

    let error = fetch(&fetcher(), &wanted, NOW).await.unwrap_err();

    assert_eq!(error.kind(), Kind::BadRequest, "{error}");
    assert!(!format!("{error:?}").contains("aHVudGVyMg"), "{error:?}");
    assert!(server.seen("/index.yaml").is_empty());
}
