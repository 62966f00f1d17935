//! One connection stack to one cluster, shared by every account that speaks through it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tower::ServiceBuilder;

use crate::connections::Connections;
use crate::error::{BoxError, Error};
use crate::faults::FaultPlan;
use crate::kinds::Kinds;
use crate::layers::{CallContext, Guarded, RequestObserver, Stack, Stamped, WriteGate};
use crate::permits::{Lane, Permits};
use crate::warnings::WarningReads;

/// How to reach a cluster.
#[derive(Clone)]
pub struct ConnectOptions {
    /// A kubeconfig file. `None`: as kubectl looks for one, then the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// A kubeconfig's text, for another cluster named by a Secret. Goes before `kubeconfig`. Commands that a
    /// kubeconfig asks to run (exec plugins) and files that it names are refused here.
    pub kubeconfig_text: Option<String>,
    /// The context inside the kubeconfig; its current one when `None`.
    pub context: Option<String>,
    /// Who we are, in the API server's audit log.
    pub user_agent: String,
    /// The most requests in flight, watches not counted.
    pub max_in_flight: usize,
    /// The time limit of one request that is no watch.
    pub request_timeout: Duration,
    /// Told about every request.
    pub observer: Option<Arc<dyn RequestObserver>>,
    /// Disturbs requests; for tests.
    pub faults: Option<Arc<dyn FaultPlan>>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            kubeconfig_text: None,
            context: None,
            user_agent: concat!("belay/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_in_flight: 64,
            request_timeout: Duration::from_secs(30),
            observer: None,
            faults: None,
        }
    }
}

impl fmt::Debug for ConnectOptions {
    /// Without the kubeconfig's text, which holds credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ConnectOptions")
            .field("kubeconfig", &self.kubeconfig)
            .field("context", &self.context)
            .field("user_agent", &self.user_agent)
            .field("max_in_flight", &self.max_in_flight)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}

/// A way to the API server under one account. Clones are cheap and share everything below the account.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
    pub(crate) context: CallContext,
    client: Arc<OnceLock<kube::Client>>,
}

struct Shared {
    stack: Stack,
    permits: Permits,
    kinds: Kinds,
    warning_reads: WarningReads,
    default_namespace: String,
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connection")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// Connects: reads the configuration and sets up the stack. The first request opens the first connection.
///
/// # Errors
/// When the configuration cannot be found, read or used.
pub async fn connect(options: ConnectOptions) -> Result<Connection, Error> {
    let (what, config) = load(&options).await?;
    let failed = |source: BoxError| Error::Config {
        what: what.clone(),
        source,
    };
    let stack = bare_stack(&config, &options.user_agent).map_err(failed)?;
    Ok(Connection::over(stack, config.default_namespace, &options))
}

impl Connection {
    /// A connection over any stack that answers API requests; for tests.
    pub(crate) fn over(stack: Stack, default_namespace: String, options: &ConnectOptions) -> Self {
        let permits = Permits::new(options.max_in_flight);
        let guarded = Guarded {
            inner: stack,
            permits: permits.clone(),
            limit: options.request_timeout,
            observer: options.observer.clone(),
            faults: options.faults.clone(),
        };
        let shared = Shared {
            stack: Stack::new(guarded),
            permits,
            kinds: Kinds::default(),
            warning_reads: WarningReads::default(),
            default_namespace,
        };
        Self {
            shared: Arc::new(shared),
            context: CallContext::default(),
            client: Arc::default(),
        }
    }

    /// The same stack, speaking for a service account. Our own account must be allowed to impersonate it; the API
    /// server adds the groups that every service account has.
    ///
    /// # Errors
    /// When the names cannot stand in a header.
    pub fn impersonate(&self, namespace: &str, service_account: &str) -> Result<Self, Error> {
        let user = format!("system:serviceaccount:{namespace}:{service_account}");
        let account = HeaderValue::from_str(&user).map_err(|source| Error::Config {
            what: format!("service account {user}"),
            source: source.into(),
        })?;
        Ok(self.with(CallContext {
            account: Some(account),
            ..self.context.clone()
        }))
    }

    /// The same connection in another lane of the permit pool.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        self.with(CallContext {
            lane,
            ..self.context.clone()
        })
    }

    /// The same connection with another time limit for each request that is no watch.
    #[must_use]
    pub fn limited(&self, limit: Duration) -> Self {
        self.with(CallContext {
            limit: Some(limit),
            ..self.context.clone()
        })
    }

    /// The same connection, which writes only while the gate lets it.
    #[must_use]
    pub fn gated(&self, gate: Arc<dyn WriteGate>) -> Self {
        self.with(CallContext {
            gate: Some(gate),
            ..self.context.clone()
        })
    }

    /// The same connection, which writes only while the other one's gate lets it.
    #[must_use]
    pub fn gated_like(&self, other: &Self) -> Self {
        self.with(CallContext {
            gate: other.context.gate.clone(),
            ..self.context.clone()
        })
    }

    /// A kube client over the same stack, without retries of its own. Must be called inside a tokio runtime.
    pub fn client(&self) -> kube::Client {
        self.client
            .get_or_init(|| {
                let service = Stamped {
                    context: self.context.clone(),
                    inner: self.shared.stack.clone(),
                };
                kube::Client::new(service, self.shared.default_namespace.clone())
            })
            .clone()
    }

    pub(crate) fn warning_reads(&self) -> &WarningReads {
        &self.shared.warning_reads
    }

    /// The kinds that the cluster serves.
    pub fn kinds(&self) -> &Kinds {
        &self.shared.kinds
    }

    /// The pool of permits, for gauges.
    pub fn permits(&self) -> &Permits {
        &self.shared.permits
    }

    /// The namespace that the configuration names: the context's, or the pod's own.
    pub fn default_namespace(&self) -> &str {
        &self.shared.default_namespace
    }

    pub(crate) fn stack(&self) -> Stack {
        self.shared.stack.clone()
    }

    fn with(&self, context: CallContext) -> Self {
        Self {
            shared: self.shared.clone(),
            context,
            client: Arc::default(),
        }
    }
}

async fn load(options: &ConnectOptions) -> Result<(String, kube::Config), Error> {
    let choice = KubeConfigOptions {
        context: options.context.clone(),
        ..KubeConfigOptions::default()
    };
    if let Some(text) = &options.kubeconfig_text {
        let what = "the given kubeconfig".to_owned();
        let failed = |source: BoxError| Error::Config {
            what: what.clone(),
            source,
        };
        // The parser's own words quote the text, and with it credentials.
        let kubeconfig = Kubeconfig::from_yaml(text)
            .map_err(|_| failed("it is no kubeconfig: its YAML cannot be read".into()))?;
        if let Some(why) = untrusted(&kubeconfig) {
            return Err(failed(why.into()));
        }
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &choice)
            .await
            .map_err(|error| failed(error.into()))?;
        return Ok((what, config));
    }
    if let Some(path) = &options.kubeconfig {
        let what = format!("kubeconfig {}", path.display());
        let failed = |source: BoxError| Error::Config {
            what: what.clone(),
            source,
        };
        let kubeconfig = Kubeconfig::read_from(path).map_err(|error| failed(error.into()))?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &choice)
            .await
            .map_err(|error| failed(error.into()))?;
        return Ok((what, config));
    }
    let what = "the default kubeconfig or the pod's service account".to_owned();
    let failed = |source: BoxError| Error::Config {
        what: what.clone(),
        source,
    };
    let config = if options.context.is_some() {
        kube::Config::from_kubeconfig(&choice)
            .await
            .map_err(|error| failed(error.into()))?
    } else {
        kube::Config::infer()
            .await
            .map_err(|error| failed(error.into()))?
    };
    Ok((what, config))
}

/// What a kubeconfig from somebody else asks for that would act with our rights: our programs, or our files.
fn untrusted(kubeconfig: &Kubeconfig) -> Option<&'static str> {
    let users = kubeconfig
        .auth_infos
        .iter()
        .filter_map(|named| named.auth_info.as_ref());
    for user in users {
        if user.exec.is_some() || user.auth_provider.is_some() {
            return Some(
                "it asks to run a command for credentials, which is not done here: use a token",
            );
        }
        let files = [&user.token_file, &user.client_certificate, &user.client_key];
        if files.into_iter().any(Option::is_some) {
            return Some(
                "it names a file for credentials, which is not read here: embed them as data",
            );
        }
    }
    let mut clusters = kubeconfig
        .clusters
        .iter()
        .filter_map(|named| named.cluster.as_ref());
    let is_open = |server: &String| !server.starts_with("https://");
    if clusters
        .clone()
        .any(|cluster| cluster.server.as_ref().is_some_and(is_open))
    {
        return Some(
            "its server is not asked over https, where credentials would travel for everybody to read",
        );
    }
    clusters
        .any(|cluster| cluster.certificate_authority.is_some())
        .then_some("it names a file for its certificate authority, which is not read here: embed it as data")
}

fn bare_stack(config: &kube::Config, user_agent: &str) -> Result<Stack, BoxError> {
    let agent = HeaderValue::from_str(user_agent)?;
    let service = ServiceBuilder::new()
        .map_request(move |mut request: http::Request<Body>| {
            request
                .headers_mut()
                .insert(http::header::USER_AGENT, agent.clone());
            request
        })
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .service(Connections::new(config)?);
    Ok(Stack::new(service))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(user: &str) -> String {
        let text = format!(
            "{{apiVersion: v1, kind: Config, current-context: a, clusters: [{{name: a, cluster: {{server: 'https://a'}}}}], \
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}], users: [{{name: a, user: {user}}}]}}"
        );
        let options = ConnectOptions {
            kubeconfig_text: Some(text),
            ..ConnectOptions::default()
        };
        let error = connect(options).await.unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    }

    #[tokio::test]
    async fn a_given_kubeconfig_neither_runs_commands_nor_reads_our_files() {
        let runs =
            refusal("{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}}").await;
        assert!(runs.contains("command"), "{runs}");
        for user in [
            "{tokenFile: /token}",
            "{client-key: /key}",
            "{client-certificate: /crt}",
        ] {
            let reads = refusal(user).await;
            assert!(reads.contains("file"), "{reads}");
        }
    }
}
