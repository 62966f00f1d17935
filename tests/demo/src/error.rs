//! Why the story could not be told to its end.

/// Why the story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Usage(&'static str),
    #[error("interrupted; nothing is left running")]
    Interrupted,
    #[error("signals cannot be listened for")]
    Signals(#[source] std::io::Error),
    #[error(transparent)]
    Harness(#[from] belay_harness::Error),
    #[error("{doing}: {source}")]
    Kube {
        doing: &'static str,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("the kubeconfig {path} cannot be used")]
    Kubeconfig {
        path: String,
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    #[error("{doing}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` ended with {status}{output}")]
    Command {
        command: String,
        status: String,
        output: String,
    },
    #[error("`{command}` did not end within {seconds} s")]
    Slow { command: String, seconds: u64 },
    #[error("`{command}` printed what is no JSON")]
    Unreadable {
        command: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("the operator ended by itself ({0})")]
    OperatorEnded(String),
    #[error("not seen in the cluster: {promise}; there is {found}")]
    NotSeen { promise: String, found: String },
    #[error(
        "the demo's namespace is still being removed; `kubectl get namespaces` shows when it is gone"
    )]
    NotTidied,
}

impl Error {
    pub(crate) fn kube(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Kube {
            doing,
            source: Box::new(source),
        }
    }

    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
