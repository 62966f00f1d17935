//! A server in front of a real one: it counts what is asked and sent, and plays the faults that the real one never has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Error, Fault, Result};

/// Passes requests on to a server that speaks plain HTTP on the loopback interface. It ends when dropped.
pub struct Front {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    behind: String,
    client: reqwest::Client,
    state: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    faults: BTreeMap<String, Fault>,
    requests: BTreeMap<String, u64>,
    bytes: u64,
}

impl Front {
    pub(crate) async fn start(behind: &str) -> Result<Self> {
        let doing = || Error::io("serving in front of a registry");
        // Any provider will do: nothing in here speaks TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Tools(error.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(doing())?;
        let address = listener.local_addr().map_err(doing())?.to_string();
        let shared = Arc::new(Shared {
            behind: behind.to_owned(),
            client,
            state: Mutex::default(),
        });
        let routes = axum::Router::new()
            .fallback(pass)
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where a chart of this name is: `oci://HOST:PORT/charts/NAME`.
    pub fn url(&self, chart: &str) -> String {
        format!("oci://{}/charts/{chart}", self.address)
    }

    /// Makes requests whose path holds `part` (all of them if it is empty) go wrong until [`Front::heal`].
    pub fn fail(&self, part: &str, fault: Fault) {
        self.state().faults.insert(part.to_owned(), fault);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// How many requests there were whose path holds `part`; faults count too.
    pub fn requests(&self, part: &str) -> u64 {
        let state = self.state();
        let counted = state.requests.iter();
        counted
            .filter(|(path, _)| path.contains(part))
            .map(|(_, count)| count)
            .sum()
    }

    /// How many bytes of bodies were sent.
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let lock = || shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    let fault = {
        let mut state = lock();
        *state.requests.entry(uri.path().to_owned()).or_default() += 1;
        let faults = state.faults.iter();
        faults
            .filter(|(part, _)| uri.path().contains(part.as_str()))
            .map(|(_, fault)| *fault)
            .rfind(|fault| *fault != Fault::BrokenOff || !headers.contains_key(header::RANGE))
    };
    match fault {
        Some(Fault::Status(code)) => {
            return StatusCode::from_u16(code)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                .into_response();
        }
        Some(Fault::Slow(by)) => tokio::time::sleep(by).await,
        Some(Fault::Truncated | Fault::BrokenOff | Fault::Damaged) | None => {}
    }
    let Some((status, mut answered, mut body)) = ask(&shared, &uri, headers).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let whole = body.len();
    if let Some(fault) = fault {
        fault.spoil(&mut body);
    }
    lock().bytes += body.len() as u64;
    answered.remove(header::TRANSFER_ENCODING);
    let mut answer = if body.len() < whole {
        // The head promises all of it, and the connection ends early.
        answered.insert(header::CONTENT_LENGTH, whole.into());
        let cut = futures::stream::once(async {
            // The half is on its way before: who sends it looks for the rest first.
            tokio::task::yield_now().await;
            Err(std::io::Error::other("the connection is cut"))
        });
        let half = futures::stream::once(async { Ok(body) });
        Response::new(Body::from_stream(half.chain(cut)))
    } else {
        Response::new(Body::from(body))
    };
    *answer.status_mut() = status;
    *answer.headers_mut() = answered;
    answer
}

/// Asks the server behind as it was asked itself, its own name included.
async fn ask(
    shared: &Shared,
    uri: &Uri,
    headers: HeaderMap,
) -> Option<(StatusCode, HeaderMap, Vec<u8>)> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("http://{}{path}", shared.behind);
    let answer = shared.client.get(url).headers(headers).send().await.ok()?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.ok()?;
    Some((status, headers, body.to_vec()))
}
