//! A real control plane for tests: starts it, hands out identities, stops it.
//!
//! [`Cluster::shared`] is the way in: etcd, the API server, the controller manager,
//! the scheduler and kwok's fake nodes, one set for the whole test run. Each test
//! takes a [`TestNamespace`] and, where rights matter, an [`Identity`] of its own.
//! The tools are the real ones that `tests/controlplane/go.mod` names; the first use
//! builds them.
//!
//! Which faults fake pods can play stands in `tests/controlplane/README.md`.

mod certificates;
mod cluster;
mod command;
mod control_plane;
mod cosign;
mod error;
mod eventually;
mod extension;
mod front;
mod identity;
mod judges;
mod kubeconfig;
mod namespace;
mod operator;
mod parts;
mod prometheus;
mod publisher;
mod registry;
mod repository;
mod requests;
mod token_service;
mod tools;
mod unique;
mod watchdog;

pub use cluster::{Cluster, Lock};
pub use command::Output;
pub use control_plane::ControlPlane;
pub use cosign::{CosignKey, SignatureFormat};
pub use error::Error;
pub use eventually::{GENEROUS, gone, until};
pub use extension::{Admission, Extension};
pub use front::Front;
pub use identity::{Identity, Rights, rule};
pub use judges::{Judgement, Judges};
pub use namespace::TestNamespace;
pub use operator::{Operator, belay_binary};
pub use prometheus::Prometheus;
pub use publisher::Publisher;
pub use registry::{Registry, RegistryOptions};
pub use repository::{Fault, HttpRepo};
pub use requests::{Request, RequestTotals};
pub use tools::Tools;
pub use unique::unique;
pub use watchdog::Watchdog;

/// What a function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;
