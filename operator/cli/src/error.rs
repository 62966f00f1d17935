//! Why a command failed.

use std::path::PathBuf;

/// Why a command failed; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the asynchronous runtime did not start; the machine is out of threads or memory")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Cluster(#[from] belay_cluster::Error),
    #[error("{0}")]
    Operator(String),
    #[error(
        "-n/--namespace was given {0} times, and this command works in one namespace: give it once"
    )]
    ManyNamespaces(usize),
    #[error("{doing}: {message}")]
    Api {
        doing: String,
        message: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("{doing} took longer than {seconds} s; check that the API server can be reached")]
    Slow { doing: String, seconds: u64 },
    #[error(
        "there is no HelmRelease {name} in the namespace {namespace}; `kubectl get helmreleases -A` lists all"
    )]
    NotFound { namespace: String, name: String },
    #[error(
        "there is a HelmRelease {name} in the namespace {namespace} already: use `belay upgrade {name} CHART`"
    )]
    Exists { namespace: String, name: String },
    #[error(
        "there is no HelmRelease {name} in the namespace {namespace}: use `belay install {name} CHART`, or `belay upgrade --install`"
    )]
    NothingToUpgrade { namespace: String, name: String },
    #[error(
        "another manager has set fields of the HelmRelease {name} that you want to change ({message}); change them where they come from, or add --force-conflicts to take them over"
    )]
    Conflict { name: String, message: String },
    #[error(
        "helm knows no release {name} in the namespace {namespace}; `helm list -A` lists all, and -n says where to look"
    )]
    NoRecord { namespace: String, name: String },
    #[error(
        "no revision of {name} is deployed (the newest, {revision}, is {status}); bring one back first: `helm rollback {name}`"
    )]
    NothingDeployed {
        name: String,
        revision: u32,
        status: String,
    },
    #[error(
        "revision {revision} of {name} is {status}: somebody's helm is at work, or died; wait for it, or end it with `helm rollback {name}`"
    )]
    Pending {
        name: String,
        revision: u32,
        status: String,
    },
    #[error("the release {name} is the HelmRelease {owner}'s already: `belay status {owner}`")]
    Adopted { name: String, owner: String },
    #[error(
        "Helm's records are Secrets, and you need the rights to get and list Secrets in the namespace {namespace} to read them: {message}"
    )]
    NoRightsOnRecords { namespace: String, message: String },
    #[error(
        "Helm's record of {name} ({chart}) does not say where its chart is from: name it, as `belay adopt {name} {chart_name} --repo URL`, `belay adopt {name} oci://HOST/PATH` or `belay adopt {name} FOLDER`; --inline takes the chart's files out of the record itself"
    )]
    NoChartSource {
        name: String,
        chart: String,
        chart_name: String,
    },
    #[error(
        "the chart cannot be taken out of the record of {name}: {why}; name the chart's source instead, for example with --repo URL"
    )]
    NotInRecord { name: String, why: String },
    #[error("what the HelmRelease would come to cannot be told: {0}")]
    Trial(#[from] belay_controller::TrialError),
    #[error(
        "the HelmRelease would change {objects} object(s) of {name}, as told above; nothing was changed. Correct chart, version or values, or add --accept-changes to --apply"
    )]
    WouldChange { name: String, objects: usize },
    #[error("watching {what} ended: {message}")]
    Watch { what: String, message: String },
    #[error(
        "{what} came to no end within {limit}; it goes on without you: `belay status {name} --watch` follows it"
    )]
    StillUnderWay {
        what: String,
        name: String,
        limit: belay_api::Duration,
    },
    #[error(
        "there is no RollbackRequest {name} in the namespace {namespace}; `kubectl get rollbackrequests -A` lists all"
    )]
    NoRequest { namespace: String, name: String },
    #[error("the RollbackRequest {name} is {phase} already; an approval changes nothing any more")]
    TooLate { name: String, phase: String },
    #[error(
        "nothing is known of what the release {name} asks for yet: wait until `belay status {name}` shows a digest, then try again"
    )]
    NoDigest { name: String },
    #[error(
        "nothing holds the release {name}; `belay retry {name}` tries what is blocked once more"
    )]
    NotHeld { name: String },
    #[error("the chart {chart} cannot be used: {source}")]
    Chart {
        chart: String,
        #[source]
        source: belay_chart::ChartError,
    },
    #[error(
        "{chart:?} is no folder and no package; for a chart of a repository add --repo URL, for one of a registry write oci://HOST/PATH"
    )]
    NoSuchChart { chart: String },
    #[error(
        "--version {version:?} and what {chart:?} says itself are two answers to one question; leave one away"
    )]
    TwoVersions { chart: String, version: String },
    #[error(
        "--version chooses among the versions of a repository or registry, and {chart:?} is local; leave it away, or add --repo URL"
    )]
    VersionOfLocalChart { chart: String },
    #[error("{0}")]
    Values(#[source] belay_chart::ChartError),
    #[error(transparent)]
    Compare(#[from] belay_controller::CannotCompare),
    #[error("the values of the release: {0}")]
    WrongValues(#[source] belay_controller::WrongValues),
    #[error("{path}: {source}; check that it exists and may be read")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "the chart {chart} takes {bytes} bytes as a package and a ConfigMap holds {limit}: serve it from a chart repository and use --repo"
    )]
    ChartTooLarge {
        chart: String,
        bytes: usize,
        limit: usize,
    },
    #[error("the chart could not be packed")]
    Pack(#[source] std::io::Error),
    #[error("the result cannot be printed as {format}")]
    Print {
        format: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// In the words of `helm template`.
    #[error("{0}")]
    Template(String),
    #[error("cannot write to standard output")]
    Output(#[source] std::io::Error),
    #[error("the log filter {filter:?} cannot be read; write for example info or belay=debug,warn")]
    LogFilter {
        filter: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("signals cannot be listened for")]
    Signals(#[source] std::io::Error),
}

impl Error {
    /// Whether all that went wrong is that nobody reads on.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// An error and its causes in one line; a cause that the text before it already tells is left out.
pub(crate) fn told_once(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

/// What the API server's answer means for somebody at a terminal.
pub(crate) fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status)
            if status.code == 404
                && status
                    .message
                    .contains("could not find the requested resource") =>
        {
            "the cluster does not know Belay's kinds: apply the manifests in crds/ first".to_owned()
        }
        kube::Error::Api(status)
            if status.code == 404 && status.message.starts_with("namespaces ") =>
        {
            format!(
                "{}: create the namespace first, or add --create-namespace",
                status.message
            )
        }
        kube::Error::Api(status) if status.code == 403 => {
            format!("{}; ask for this right", status.message)
        }
        kube::Error::Api(status) if status.code == 401 => {
            "the API server does not know you: renew the credentials of the kubeconfig".to_owned()
        }
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::Service(source) => format!(
            "the API server cannot be reached: {}",
            told_once(source.as_ref())
        ),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no such thing");
        let error = Error::Read {
            path: "values.yaml".into(),
            source,
        };

        let told = told_once(&error);

        assert_eq!(told.matches("no such thing").count(), 1, "{told}");
    }

    #[test]
    fn a_cluster_without_the_definitions_is_told_what_to_apply() {
        let status = kube::core::Status::failure(
            "the server could not find the requested resource",
            "NotFound",
        )
        .with_code(404);

        let told = explain(&kube::Error::Api(Box::new(status)));

        assert!(told.contains("crds/"), "{told}");
    }
}
