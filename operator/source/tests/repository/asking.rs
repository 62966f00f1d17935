//! How the tests ask.

use std::sync::Once;
use std::time::Duration;

use belay_source::{Destinations, Error, Fetched, Fetcher, HttpRepository, Settings, Source};

use super::package;
use super::server::{Page, Server};

/// Old enough for whatever was fetched during a test.
pub const ANY_AGE: Duration = Duration::from_hours(1);
/// Asks the server.
pub const NOW: Duration = Duration::ZERO;

pub fn fetcher() -> Fetcher {
    fetcher_with(&settings())
}

pub fn settings() -> Settings {
    Settings {
        destinations: Destinations::Any,
        proxy_from_environment: false,
        ..Settings::default()
    }
}

pub fn fetcher_with(settings: &Settings) -> Fetcher {
    install_tls();
    Fetcher::new(settings)
}

pub fn install_tls() {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
}

pub fn repository(server: &Server) -> HttpRepository {
    HttpRepository {
        url: server.url(""),
        name: "web".into(),
        ..HttpRepository::default()
    }
}

pub async fn fetch(
    fetcher: &Fetcher,
    repository: &HttpRepository,
    max_age: Duration,
) -> Result<Fetched, Error> {
    fetcher
        .fetch(&Source::HttpRepository(repository.clone()), max_age)
        .await
}

/// Publishes these versions of the chart `web`, as `helm repo index` does.
pub fn publish(server: &Server, versions: &[&str]) {
    let entries: Vec<_> = versions
        .iter()
        .map(|version| package::publish(server, version))
        .collect();
    server.serve("/index.yaml", Page::ok(package::index(&entries)));
}
