//! A fetcher against a real HTTP server that serves real packages, and lies, hangs and breaks off when told to.

mod access;
mod faults;
mod keeping;
mod package;
mod server;
mod serving;

use std::sync::Once;
use std::time::Duration;

use belay_source::{Error, Fetched, Fetcher, HttpRepository, Settings, Source};

use server::{Page, Server};

/// Old enough for whatever was fetched during a test.
const ANY_AGE: Duration = Duration::from_secs(3600);
/// Asks the server.
const NOW: Duration = Duration::ZERO;

fn fetcher() -> Fetcher {
    fetcher_with(settings())
}

fn settings() -> Settings {
    Settings {
        proxy_from_environment: false,
        ..Settings::default()
    }
}

fn fetcher_with(settings: Settings) -> Fetcher {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    Fetcher::new(&settings)
}

fn repository(server: &Server) -> HttpRepository {
    HttpRepository {
        url: server.url(""),
        name: "web".into(),
        version: None,
        credentials: None,
        ca_bundle: None,
    }
}

async fn fetch(
    fetcher: &Fetcher,
    repository: &HttpRepository,
    max_age: Duration,
) -> Result<Fetched, Error> {
    fetcher
        .fetch(&Source::HttpRepository(repository.clone()), max_age)
        .await
}

/// Publishes these versions of the chart `web`, as `helm repo index` does.
fn publish(server: &Server, versions: &[&str]) {
    let entries: Vec<_> = versions
        .iter()
        .map(|version| package::publish(server, version))
        .collect();
    server.serve("/index.yaml", Page::ok(package::index(&entries)));
}
