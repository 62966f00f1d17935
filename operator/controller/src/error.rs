//! What can end a reconcile or the operator.

use std::time::Duration;

use belay_cluster::NotDone;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server did not do what was asked.
    #[error("{0}")]
    Cluster(#[from] belay_cluster::Error),
    /// A write is not known to be done.
    #[error("{0}")]
    NotDone(#[from] NotDone),
    /// A release record cannot be read or written.
    #[error("{0}")]
    Record(#[from] belay_release::Error),
    /// A call through kube failed.
    #[error("{doing}: {}", said(.source))]
    Kube {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<kube::Error>,
    },
    /// The cluster of a release cannot be reached for want of a kubeconfig that can be used.
    #[error("{message}")]
    Kubeconfig {
        /// In one word.
        reason: belay_api::Reason,
        /// For people: place and remedy, without a word out of the kubeconfig.
        message: String,
    },
    /// Something that the ledger speaks of is not there.
    #[error("{0}; it is looked at again")]
    Gone(String),
    /// The ledger or a record changed under a step: everything is read again.
    #[error("the ledger changed meanwhile; it is read again")]
    Stale,
    /// The metrics page cannot be served.
    #[error("cannot listen on {address}; choose another --metrics-bind: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The metrics cannot be registered twice.
    #[error("cannot register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A task of the operator ended before its time.
    #[error("a task ended unexpectedly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// A short constant name for a metric's label.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Cluster(error) => error.category(),
            Self::NotDone(error) => error.category(),
            Self::Record(_) => "record",
            Self::Kube { .. } => "kube",
            Self::Kubeconfig { .. } => "kubeconfig",
            Self::Gone(_) => "gone",
            Self::Stale => "stale",
            Self::Listen { .. } => "listen",
            Self::Metrics(_) => "metrics",
            Self::Task(_) => "task",
        }
    }

    /// Whether an account lacks the rights to what was asked.
    pub(crate) fn is_access_denied(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_access_denied(),
            Self::NotDone(not_done) => not_done.error().is_access_denied(),
            Self::Kube { source, .. } => matches!(
                &**source,
                kube::Error::Api(status)
                    if status.code == 403 && belay_cluster::refusal::tells_of_rights(&status.message)
            ),
            _ => false,
        }
    }

    /// How long the API server asks to stay away.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotDone(NotDone::Retry { after, .. }) => Some(*after),
            Self::Cluster(error) => error.retry_after(),
            Self::Kube { source, .. } => match &**source {
                kube::Error::Api(status) => belay_cluster::refusal::retry_after(status),
                _ => None,
            },
            _ => None,
        }
    }

    /// Wraps an error of kube's.
    pub(crate) fn kube(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Kube {
            doing,
            source: Box::new(source),
        }
    }
}

/// The API server's own words, without the rest of its answer.
fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}
