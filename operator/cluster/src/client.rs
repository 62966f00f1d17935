//! One connection stack to one cluster, shared by every account that speaks through it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderValue, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tower::ServiceBuilder;

use crate::error::{BoxError, Error};
use crate::faults::FaultPlan;
use crate::kinds::Kinds;
use crate::layers::{CallContext, Guarded, RequestObserver, Stack, Stamped, WriteGate};
use crate::permits::{Lane, Permits};

/// How to reach a cluster.
#[derive(Clone)]
pub struct ConnectOptions {
    /// A kubeconfig file. `None`: as kubectl looks for one, then the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// A kubeconfig's text, for another cluster named by a Secret. Goes before `kubeconfig`. Commands that a
    /// kubeconfig asks to run (exec plugins) are refused here.
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
        let kubeconfig = Kubeconfig::from_yaml(text).map_err(|error| failed(error.into()))?;
        let runs_commands = |info: &kube::config::NamedAuthInfo| {
            info.auth_info
                .as_ref()
                .is_some_and(|auth| auth.exec.is_some() || auth.auth_provider.is_some())
        };
        if kubeconfig.auth_infos.iter().any(runs_commands) {
            return Err(failed(
                "it asks to run a command for credentials, which is not done here: use a token"
                    .into(),
            ));
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

/// HTTP/2 where the server offers it: one connection carries all calls and watches, and its pings notice a dead
/// peer, which kube's own stack has no limit for.
fn bare_stack(config: &kube::Config, user_agent: &str) -> Result<Stack, BoxError> {
    // Failing means that somebody has chosen a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(Duration::from_secs(10)));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    let builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config()?)
        .https_or_http();
    let builder = match &config.tls_server_name {
        Some(name) => {
            let name = rustls::pki_types::ServerName::try_from(name.clone())?;
            builder.with_server_name_resolver(hyper_rustls::FixedServerNameResolver::new(name))
        }
        None => builder,
    };
    let connector = builder.enable_all_versions().wrap_connector(tcp);
    let http = hyper_util::client::legacy::Builder::new(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_mins(1))
        .http2_keep_alive_interval(Duration::from_secs(15))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .http2_adaptive_window(true)
        .build::<_, Body>(connector);
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
        .map_response(|answer: Response<hyper::body::Incoming>| {
            answer.map(|body| body.map_err(BoxError::from).boxed_unsync())
        })
        .map_err(BoxError::from)
        .service(http);
    Ok(Stack::new(service))
}
