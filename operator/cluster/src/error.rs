//! What can go wrong between us and the API server, and what a write that did not answer `Done` leaves open.

use std::time::Duration;

pub use crate::refusal::{Cause, Refusal, RefusalKind};

/// A boxed error from below: TLS, HTTP or a token source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The one error type of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection could not be set up from the kubeconfig or the pod's service account.
    #[error("cannot connect with {what}: check the kubeconfig, its context and its certificates")]
    Config {
        /// Which source of configuration was tried.
        what: String,
        /// What the source said.
        #[source]
        source: BoxError,
    },
    /// No usable answer came back.
    #[error("{call}: {source}")]
    Transport {
        /// Verb and resource of the call.
        call: String,
        /// How the exchange ended.
        #[source]
        source: Transport,
    },
    /// The API server answered and said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer is not what the API promises.
    #[error(
        "{what} cannot be read: {source}; check which program stands between us and the API server"
    )]
    Decode {
        /// What was being read.
        what: String,
        /// Where it stopped making sense.
        #[source]
        source: serde_json::Error,
    },
    /// Something of ours could not be turned into JSON.
    #[error("{what} cannot be written as JSON: {source}")]
    Encode {
        /// What was being written.
        what: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Compressed data could not be read or written.
    #[error("{what} cannot be unpacked: {source}; restore it from a backup or delete it")]
    Compression {
        /// What was being packed or unpacked.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An object lacks what every object has.
    #[error("{what} {why}")]
    Malformed {
        /// Which object.
        what: String,
        /// What it lacks.
        why: String,
    },
    /// The API server serves no such kind, even after asking again.
    #[error(
        "the cluster serves no kind {kind} in {api_version}: install its CRD or correct the apiVersion"
    )]
    UnknownKind {
        /// The manifest's apiVersion.
        api_version: String,
        /// The manifest's kind.
        kind: String,
    },
    /// The API server serves no such kind yet, and what is to bring it is on its way.
    #[error(
        "the cluster does not serve {kind} in {api_version} yet, which APIService {by} is to bring"
    )]
    NotServedYet {
        /// The manifest's apiVersion.
        api_version: String,
        /// The manifest's kind.
        kind: String,
        /// The `APIService`.
        by: String,
    },
    /// The object exists and belongs to nobody or to another release.
    #[error(
        "{object} exists and {}; remove it, rename yours, or set takeOwnership",
        .owner.as_ref().map_or_else(|| "belongs to no release".to_owned(), |owner| format!("belongs to release {owner}"))
    )]
    NotOurs {
        /// The object, printed.
        object: String,
        /// The release that its marks name, if any.
        owner: Option<crate::identity::Owner>,
    },
    /// A field of the object cannot change, and the object may not be deleted to be made anew.
    #[error("{}; it is not deleted and made anew, since {spared}", .refusal.in_short())]
    Spared {
        /// What the API server said.
        #[source]
        refusal: Box<Refusal>,
        /// Why it stays.
        spared: crate::recreate::Spared,
    },
    /// It does not fit into one Secret.
    #[error(
        "{what} takes {bytes} bytes of the {limit} that a Secret holds: make the chart or its values smaller"
    )]
    TooLarge {
        /// What does not fit.
        what: String,
        /// Its size in bytes.
        bytes: usize,
        /// The most that fits, in bytes.
        limit: usize,
    },
    /// Helm's record could not be read or written.
    #[error("{what}: {source}")]
    Record {
        /// The Secret's name.
        what: String,
        /// What the codec said.
        #[source]
        source: belay_release::Error,
    },
    /// A wait reached its deadline.
    #[error("{what} was not reached within {}s", .after.as_secs())]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long, from the start of this wait.
        after: Duration,
    },
}

impl Error {
    /// A short constant name for a metric's label.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Transport { source, .. } => source.category(),
            Self::Refused(refusal) => refusal.kind.category(),
            Self::Spared { refusal, .. } => refusal.kind.category(),
            Self::Decode { .. } => "decode",
            Self::Encode { .. } => "encode",
            Self::Compression { .. } => "compression",
            Self::Malformed { .. } => "malformed",
            Self::UnknownKind { .. } => "unknown_kind",
            Self::NotServedYet { .. } => "not_served_yet",
            Self::NotOurs { .. } => "not_ours",
            Self::TooLarge { .. } => "too_large",
            Self::Record { .. } => "record",
            Self::Deadline { .. } => "deadline",
        }
    }

    /// Is what was read of a record or ledger damaged, so that reading it again gives the same?
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Record { .. } | Self::Malformed { .. })
    }

    /// The API server's refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Spared { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Is it a refusal of this kind?
    pub fn is(&self, kind: RefusalKind) -> bool {
        self.refusal().is_some_and(|refusal| refusal.kind == kind)
    }

    /// Does the account lack the rights to what was asked?
    pub fn is_access_denied(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_access_denied)
    }

    /// Does the API server pass the request on to somebody else, who does not answer? So it is told of aggregated APIs
    /// (`proxyHandler` in Kubernetes' `kube-aggregator`); of anything else the API server itself would not answer.
    pub fn is_api_unavailable(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            refusal.status == 503
                && (refusal.message.contains("service unavailable")
                    || refusal.message.contains("error trying to reach service"))
        })
    }

    /// How long an API server that is asked too much wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        let refusal = self.refusal()?;
        (refusal.kind == RefusalKind::Throttled).then(|| refusal.retry_after.unwrap_or(RETRY_AFTER))
    }

    /// May the same read succeed in a moment?
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Transport { source, .. } => !matches!(source, Transport::ClaimLost),
            Self::Refused(refusal) => refusal.status == 429 || refusal.status >= 500,
            _ => false,
        }
    }
}

/// How an exchange with the API server ended without an answer.
#[derive(Debug, thiserror::Error)]
pub enum Transport {
    /// Sent, and no whole answer within the time limit.
    #[error("no answer within {}ms", .0.as_millis())]
    TimedOut(Duration),
    /// Not sent: all slots towards the API server stayed taken.
    #[error("no free slot towards the API server within {}ms", .0.as_millis())]
    Congested(Duration),
    /// Not sent: no connection.
    #[error("cannot reach the API server: {0}")]
    Connect(#[source] BoxError),
    /// Sent, and the connection broke before the answer.
    #[error("the connection broke before the answer: {0}")]
    Lost(#[source] BoxError),
    /// Not sent: the claim under which we may write has ended.
    #[error("not sent: the claim to write for this release has ended")]
    ClaimLost,
}

impl Transport {
    /// Can the request have reached the API server?
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Lost(_))
    }

    fn category(&self) -> &'static str {
        match self {
            Self::TimedOut(_) => "timeout",
            Self::Congested(_) => "congested",
            Self::Connect(_) => "unreachable",
            Self::Lost(_) => "lost",
            Self::ClaimLost => "claim_lost",
        }
    }
}

/// The answer to a write: done, or what is known instead.
pub type Written<T> = Result<T, NotDone>;

/// A write that is not known to be done. This crate never repeats a write; the decision does, or does not.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// It may have happened: look before doing anything else.
    #[error("it is not known whether the write happened: {source}")]
    Ambiguous {
        /// Why it is not known.
        #[source]
        source: Box<Error>,
    },
    /// It did not happen, and may when repeated.
    #[error("the write did not happen and can be repeated in {}ms: {source}", .after.as_millis())]
    Retry {
        /// How long to stay away.
        after: Duration,
        /// Why it did not happen.
        #[source]
        source: Box<Error>,
    },
    /// It did not happen, and the same write will not.
    #[error(transparent)]
    Refused(Box<Error>),
}

/// How long to stay away when the API server names no time. With too much to do it asks for this long itself
/// (`retryAfter` in `apiserver/pkg/server/filters/priority-and-fairness.go`).
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<Error> for NotDone {
    /// Judges what an error says about a write.
    fn from(error: Error) -> Self {
        match &error {
            Error::Transport {
                source: Transport::ClaimLost,
                ..
            } => Self::Refused(Box::new(error)),
            Error::Transport { source, .. } if source.may_have_arrived() => Self::Ambiguous {
                source: Box::new(error),
            },
            Error::Transport { .. } | Error::NotServedYet { .. } => Self::Retry {
                after: RETRY_AFTER,
                source: Box::new(error),
            },
            // A 2xx whose body cannot be read was a write that happened, in some shape.
            Error::Decode { .. } => Self::Ambiguous {
                source: Box::new(error),
            },
            Error::Refused(refusal) => match refusal.kind {
                RefusalKind::Throttled | RefusalKind::WebhookUnreachable => Self::Retry {
                    after: refusal.retry_after.unwrap_or(RETRY_AFTER),
                    source: Box::new(error),
                },
                RefusalKind::ServerError => Self::Ambiguous {
                    source: Box::new(error),
                },
                _ => Self::Refused(Box::new(error)),
            },
            _ => Self::Refused(Box::new(error)),
        }
    }
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Error::from(refusal).into()
    }
}

impl NotDone {
    /// The error underneath.
    pub fn error(&self) -> &Error {
        match self {
            Self::Ambiguous { source } | Self::Retry { source, .. } | Self::Refused(source) => {
                source
            }
        }
    }

    /// The API server's refusal, if that is what stands underneath.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.error().refusal()
    }

    /// Is a refusal of this kind underneath?
    pub fn is(&self, kind: RefusalKind) -> bool {
        self.error().is(kind)
    }

    /// A short constant name for a metric's label.
    pub fn category(&self) -> &'static str {
        self.error().category()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn refusal(code: u16, body: &str) -> Refusal {
        Refusal::read(
            "patch deployments".into(),
            StatusCode::from_u16(code).unwrap(),
            None,
            body.as_bytes(),
        )
    }

    #[test]
    fn a_gateway_timeout_leaves_a_write_open() {
        let error = Error::from(refusal(504, "upstream timed out"));
        assert!(matches!(NotDone::from(error), NotDone::Ambiguous { .. }));
    }

    #[test]
    fn a_throttled_write_did_not_happen_and_says_when_to_come_back() {
        let body = r#"{"kind":"Status","status":"Failure","message":"slow","reason":"TooManyRequests","code":429,
            "details":{"retryAfterSeconds":7}}"#;
        match NotDone::from(refusal(429, body)) {
            NotDone::Retry { after, .. } => assert_eq!(after, Duration::from_secs(7)),
            other => panic!("{other:?}"),
        }
    }

    /// Given an API server with too much to do, which says for how long in a header or not at all.
    #[test]
    fn a_throttled_read_says_when_to_come_back_and_no_other_refusal_does() {
        let busy = "Too many requests, please try again later.";
        let told = |code, body| Error::from(refusal(code, body)).retry_after();

        assert_eq!(told(429, busy), Some(RETRY_AFTER));
        assert_eq!(told(503, busy), None);
        assert_eq!(told(403, "{}"), None);
        let status = |code| kube::core::Status {
            code,
            ..kube::core::Status::default()
        };
        assert_eq!(crate::refusal::retry_after(&status(429)), Some(RETRY_AFTER));
        assert_eq!(crate::refusal::retry_after(&status(409)), None);
    }

    #[test]
    fn an_unreachable_webhook_is_told_from_a_failed_server() {
        let body = r#"{"kind":"Status","status":"Failure","reason":"InternalError","code":500,
            "message":"Internal error occurred: failed calling webhook \"guard.example.org\": connection refused"}"#;
        let refusal = refusal(500, body);
        assert_eq!(refusal.kind, RefusalKind::WebhookUnreachable);
        assert_eq!(refusal.admission(), Some("guard.example.org"));
        assert!(matches!(NotDone::from(refusal), NotDone::Retry { .. }));
    }
}
