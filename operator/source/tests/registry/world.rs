//! A registry with a chart in it, and how the tests ask for that.

use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use belay_harness::{Registry, RegistryOptions, Tools};
use belay_source::{Destinations, Error, Fetched, Fetcher, OciChart, Pick, Settings, Source};
use tempfile::TempDir;

/// Old enough for whatever was fetched during a test.
pub const ANY_AGE: Duration = Duration::from_hours(1);
/// Asks the server.
pub const NOW: Duration = Duration::ZERO;

/// A registry and a chart's folder to push from.
pub struct World {
    pub registry: Registry,
    pub chart: TempDir,
}

/// A registry that holds these versions of the chart `web`.
pub async fn world(versions: &[&str]) -> World {
    world_with(RegistryOptions::default(), versions).await
}

pub async fn world_with(options: RegistryOptions, versions: &[&str]) -> World {
    let tools = Tools::ensure().await.unwrap();
    let world = World {
        registry: Registry::start(&tools, options).await.unwrap(),
        chart: tempfile::tempdir().unwrap(),
    };
    world.write("kind: ConfigMap\n");
    for version in versions {
        world.push(version).await;
    }
    world
}

impl World {
    /// Writes the chart with this template.
    pub fn write(&self, template: &str) {
        let write = |path: &str, text: &str| {
            let path = self.chart.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.0.0\n");
        write("templates/web.yaml", template);
    }

    pub async fn push(&self, version: &str) {
        self.registry
            .push(self.chart.path(), version)
            .await
            .unwrap();
    }

    /// The chart of this registry, in this range.
    pub fn web(&self, range: &str) -> OciChart {
        web_at(&self.registry.url("web"), range)
    }
}

/// The chart at this address, in this range.
pub fn web_at(url: &str, range: &str) -> OciChart {
    OciChart {
        url: url.to_owned(),
        pick: Pick::Version(Some(range.to_owned())),
        plain_http: true,
        ..OciChart::default()
    }
}

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
    static TLS: Once = Once::new();
    // Whoever installs it first, it is the same one.
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Fetcher::new(settings)
}

pub async fn fetch(
    fetcher: &Fetcher,
    chart: &OciChart,
    max_age: Duration,
) -> Result<Fetched, Error> {
    fetcher.fetch(&Source::Oci(chart.clone()), max_age).await
}
