//! What an operator is told when it starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use belay_source::IpNet;

/// What an operator is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespaces to work in; all of them if empty.
    pub namespaces: Vec<String>,
    /// The operator's own namespace: its Lease lives there.
    pub own_namespace: String,
    /// The name of the Lease; operators that share it take turns.
    pub lease: String,
    /// This process' name among those that want the Lease.
    pub holder: String,
    /// For how long a Lease counts after its last renewal.
    pub lease_duration: Duration,
    /// Where `/healthz`, `/readyz` and `/metrics` are served.
    pub metrics_bind: Option<SocketAddr>,
    /// Whether a release may put objects and records into namespaces other than its own.
    pub allow_cross_namespace: bool,
    /// The service account of releases that name none, in their own namespaces; the operator itself if absent.
    pub default_service_account: Option<String>,
    /// How long somebody else's pending record is waited for before it counts as the trace of a dead process; a
    /// release whose timeout is longer waits that long.
    pub foreign_patience: belay_api::Duration,
    /// The most reconciles at once. A release that waits is none.
    pub concurrency: u16,
    /// Networks from which charts are fetched although they are guarded: loopback, link-local and the like.
    pub allow_source_addresses: Vec<IpNet>,
    /// Where packages are cached; memory only if absent.
    pub cache_dir: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            own_namespace: "belay-system".to_owned(),
            lease: "belay".to_owned(),
            holder: "belay".to_owned(),
            lease_duration: Duration::from_secs(15),
            metrics_bind: None,
            allow_cross_namespace: false,
            default_service_account: None,
            foreign_patience: belay_api::Duration::minutes(5),
            concurrency: 64,
            allow_source_addresses: Vec::new(),
            cache_dir: None,
        }
    }
}
