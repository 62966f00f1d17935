//! A server that the API server asks in its turn: as an admission webhook, and as an aggregated API.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::Authority;
use crate::{Cluster, Error, Result};

/// Longer than a handshake on a busy machine takes.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How a webhook answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It lets everything through.
    Admits,
    /// It refuses everything, with these words.
    Refuses(String),
    /// Its connections break off before a word is said, as where no pod serves yet.
    Down,
}

/// An HTTPS server on the loopback interface, known by a certificate of the cluster's authority. It ends when dropped.
///
/// Every `POST` is taken for an `AdmissionReview`. `/apis/GROUP/VERSION/…` is one namespaced kind that is kept in memory:
/// enough of the API for objects to be applied, read, listed and deleted, but not watched.
pub struct Extension {
    address: SocketAddr,
    authority: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    admission: watch::Sender<Admission>,
    asked: watch::Sender<u64>,
    objects: Mutex<Objects>,
}

#[derive(Default)]
struct Objects {
    by_path: BTreeMap<String, Value>,
    version: u64,
}

impl Extension {
    /// Starts one that admits everything, for these names besides `127.0.0.1`: the API server asks a Service by
    /// `NAME.NAMESPACE.svc`.
    ///
    /// # Errors
    /// If it cannot listen, or no certificate can be had.
    pub async fn start(cluster: &Cluster, names: &[String]) -> Result<Self> {
        let doing = || Error::io("serving an extension of the API server");
        let pair = Authority::open(cluster.folder())?.server_named(names)?;
        let acceptor = TlsAcceptor::from(Arc::new(pair.server_config()?));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(doing())?;
        let address = listener.local_addr().map_err(doing())?;
        let shared = Arc::new(Shared {
            admission: watch::Sender::new(Admission::Admits),
            asked: watch::Sender::new(0),
            objects: Mutex::default(),
        });
        let door = Door {
            listener,
            acceptor,
            shared: Arc::clone(&shared),
        };
        let routes = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(door, routes).await;
        });
        Ok(Self {
            address,
            authority: cluster.authority()?,
            shared,
            server,
        })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What `caBundle` has to be: the authority's certificate, in base64.
    pub fn ca_bundle(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&self.authority)
    }

    /// How it answers from now on.
    pub fn set(&self, admission: Admission) {
        self.shared.admission.send_replace(admission);
    }

    /// How often it was asked, connections that broke off among it.
    pub fn asked(&self) -> u64 {
        *self.shared.asked.borrow()
    }

    /// Waits until it was asked more often than this.
    ///
    /// # Errors
    /// [`Error::NeverHappened`] after `limit`.
    pub async fn asked_more_than(&self, times: u64, limit: Duration) -> Result<()> {
        let mut asked = self.shared.asked.subscribe();
        let asked = asked.wait_for(|asked| *asked > times);
        match timeout(limit, asked).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Error::NeverHappened {
                what: "a question to the extension".to_owned(),
                limit,
                last: format!("it was asked {} times", self.asked()),
            }),
        }
    }

    /// The names of the objects of its API.
    pub fn objects(&self) -> Vec<String> {
        let objects = self.shared.objects();
        let names = objects.by_path.keys();
        names
            .filter_map(|path| path.rsplit('/').next())
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admission(&self) -> Admission {
        self.admission.borrow().clone()
    }

    fn note(&self) {
        self.asked.send_modify(|asked| *asked += 1);
    }
}

/// Lets connections in, or breaks them off.
struct Door {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
}

impl Listener for Door {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if self.shared.admission() == Admission::Down {
                self.shared.note();
                continue;
            }
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, self.acceptor.accept(stream)).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    shared.note();
    if shared.admission() == Admission::Down {
        // A connection that is kept alive from before.
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let parts: Vec<_> = uri.path().trim_matches('/').split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", _) => review(&shared.admission(), &body),
        ("GET", ["apis", group, version]) => kinds(group, version),
        (_, ["apis", _, _, "namespaces", _, plural, name]) => {
            object(&shared, method.as_str(), &uri, (plural, name), &body)
        }
        ("GET", ["apis", group, version, ..]) => list(&shared, group, version, uri.path()),
        _ => said(
            StatusCode::NOT_FOUND,
            &json!({"kind": "Status", "apiVersion": "v1", "code": 404}),
        ),
    }
}

fn review(admission: &Admission, body: &[u8]) -> Response {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut response = json!({"uid": asked["request"]["uid"], "allowed": true});
    if let Admission::Refuses(words) = admission {
        response["allowed"] = false.into();
        response["status"] = json!({"message": words});
    }
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
    });
    said(StatusCode::OK, &review)
}

fn kinds(group: &str, version: &str) -> Response {
    let resource = json!({
        "name": "gauges", "singularName": "gauge", "kind": "Gauge", "namespaced": true,
        "verbs": ["create", "delete", "get", "list", "patch", "update"],
    });
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": format!("{group}/{version}"), "resources": [resource],
    });
    said(StatusCode::OK, &list)
}

fn list(shared: &Shared, group: &str, version: &str, path: &str) -> Response {
    let objects = shared.objects();
    let items: Vec<_> = objects
        .by_path
        .iter()
        .filter(|(at, _)| at.starts_with(path))
        .map(|(_, object)| object.clone())
        .collect();
    let list = json!({
        "kind": "GaugeList", "apiVersion": format!("{group}/{version}"),
        "metadata": {"resourceVersion": objects.version.to_string()}, "items": items,
    });
    said(StatusCode::OK, &list)
}

fn object(
    shared: &Shared,
    method: &str,
    uri: &Uri,
    (plural, name): (&str, &str),
    body: &[u8],
) -> Response {
    let path = uri.path();
    let mut objects = shared.objects();
    let known = objects.by_path.get(path).cloned();
    match (method, known) {
        ("GET", Some(object)) => said(StatusCode::OK, &object),
        ("DELETE", Some(_)) => {
            objects.by_path.remove(path);
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Success"});
            said(StatusCode::OK, &status)
        }
        ("PATCH", known) => {
            let Ok(mut object) = serde_json::from_slice::<Value>(body) else {
                return said(StatusCode::BAD_REQUEST, &Value::Null);
            };
            objects.version += 1;
            let fresh = json!(format!("gauge-{}", objects.version));
            let uid = known.as_ref().map(|known| known["metadata"]["uid"].clone());
            object["metadata"]["uid"] = uid.unwrap_or(fresh);
            object["metadata"]["resourceVersion"] = objects.version.to_string().into();
            object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
            if !uri.query().unwrap_or_default().contains("dryRun=All") {
                objects.by_path.insert(path.to_owned(), object.clone());
            }
            let code = if known.is_some() {
                StatusCode::OK
            } else {
                StatusCode::CREATED
            };
            said(code, &object)
        }
        (_, None) => {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
                "message": format!("{plural} \"{name}\" not found"), "details": {"name": name, "kind": plural},
            });
            said(StatusCode::NOT_FOUND, &status)
        }
        _ => said(StatusCode::METHOD_NOT_ALLOWED, &Value::Null),
    }
}

fn said(code: StatusCode, body: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (code, json, body.to_string()).into_response()
}
