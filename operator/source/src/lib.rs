//! Where charts come from: HTTP repositories, OCI registries, packages, inline files. And, by the same rules of the
//! network, what a Prometheus answers ([`Prometheus`]).
//!
//! A [`Source`] describes one chart, a [`Fetcher`] gets it: [`Fetched`] is a loaded chart with its version and the
//! digest of its package, or an [`Error`] whose [`Kind`] says what would cure it. Nothing in here knows Kubernetes:
//! who reads a Secret or a `ConfigMap` does so before he asks.
//!
//! One fetcher serves a whole process. An index is fetched once for all who use its repository with the same
//! credentials, revalidated by `ETag` and `Last-Modified`, and kept; packages are kept by their digest. Every transfer
//! is bounded in time and size by [`Settings`], a chart whose proof of origin is asked for comes only with it, credentials go to the repository's own origin alone, and addresses that
//! are not for tenants are not asked ([`Destinations`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), belay_source::Error> {
//! use std::time::Duration;
//! use belay_source::{Fetcher, HttpRepository, Settings, Source};
//!
//! let fetcher = Fetcher::new(&Settings::default());
//! let source = Source::HttpRepository(HttpRepository {
//!     url: "https://charts.example.org".into(),
//!     name: "web".into(),
//!     version: Some(">=6 <7".into()),
//!     ..HttpRepository::default()
//! });
//! let fetched = fetcher.fetch(&source, Duration::from_secs(300)).await?;
//! println!("{} {}", fetched.chart.name(), fetched.version);
//! # Ok(())
//! # }
//! ```

mod cache;
mod destinations;
mod digest;
mod docker_config;
mod error;
mod fetcher;
mod flight;
mod http;
mod index;
mod location;
mod oci;
mod packages;
mod prometheus;
mod provenances;
mod reader;
mod recent;
mod request;
mod settings;
mod verify;

pub use destinations::Destinations;
pub use digest::{BadDigest, PackageDigest};
pub use docker_config::{BadDockerConfig, docker_credentials};
pub use error::{Error, Kind};
pub use fetcher::{Fetched, Fetcher};
pub use oci::{Reference, split_reference};
pub use prometheus::{Prometheus, PrometheusQuery, Sample};
pub use provenances::verify_package;
pub use request::{
    ClientCertificate, Credentials, HttpRepository, Inline, OciChart, Package, Pick, Secret, Source,
};
pub use settings::Settings;
pub use verify::{BadKeyring, BadPublicKey, Keyring, PublicKeys};

pub use ipnet::IpNet;
