//! A chart repository over HTTP, as small as a repository can be and still real:
//! packages and index are made by the real helm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Error, Publisher, Result, Tools};

/// What a repository does instead of answering well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answers everything with this HTTP status.
    Status(u16),
    /// Answers well, this much later.
    Slow(Duration),
    /// Sends half of each file and ends the answer there.
    Truncated,
    /// The same, but who asks for the rest of a file gets it whole.
    BrokenOff,
    /// Sends each file with its last byte changed.
    Damaged,
}

impl Fault {
    /// Does to a file what this fault does to files.
    pub(crate) fn spoil(self, content: &mut Vec<u8>) {
        match self {
            Self::Truncated | Self::BrokenOff => content.truncate(content.len() / 2),
            Self::Damaged => {
                if let Some(last) = content.last_mut() {
                    *last ^= 0xff;
                }
            }
            Self::Status(_) | Self::Slow(_) => {}
        }
    }
}

/// A chart repository on the loopback interface. It ends when dropped.
pub struct HttpRepo {
    tools: Tools,
    folder: TempDir,
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    folder: PathBuf,
    state: Mutex<Behaviour>,
}

#[derive(Default)]
struct Behaviour {
    fault: Option<Fault>,
    credentials: Option<String>,
    requests: BTreeMap<String, u64>,
    bytes: u64,
}

impl HttpRepo {
    /// An empty repository with an empty index.
    ///
    /// # Errors
    /// If no port or folder can be had or helm cannot write the index.
    pub async fn start(tools: &Tools) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(Error::io("making a folder for charts"))?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(Error::io("serving a chart repository"))?;
        let address = listener
            .local_addr()
            .map_err(Error::io("serving a chart repository"))?;
        let shared = Arc::new(Shared {
            folder: folder.path().to_path_buf(),
            state: Mutex::default(),
        });
        let routes = axum::Router::new()
            .fallback(serve)
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, routes).await;
        });
        let repo = Self {
            tools: tools.clone(),
            folder,
            url: format!("http://{address}"),
            shared,
            server,
        };
        repo.index().await?;
        Ok(repo)
    }

    /// The repository's address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Packages the chart in `folder` as `version` with the real helm and adds it to
    /// the index; the version in its Chart.yaml does not matter.
    ///
    /// # Errors
    /// What helm complains about.
    pub async fn publish(&self, folder: &Path, version: &str) -> Result<()> {
        let (chart, into) = (
            folder.display().to_string(),
            self.folder.path().display().to_string(),
        );
        let package = [
            "package",
            &chart,
            "--version",
            version,
            "--destination",
            &into,
        ];
        self.tools.helm(&package).await?.ok()?;
        self.index().await
    }

    /// Publishes a chart as [`HttpRepo::publish`] does, signed by a publisher: the provenance file lies beside it.
    ///
    /// # Errors
    /// What helm complains about.
    pub async fn publish_signed(
        &self,
        folder: &Path,
        version: &str,
        publisher: &Publisher,
    ) -> Result<()> {
        let into = self.folder.path();
        publisher
            .package(&self.tools, folder, version, into)
            .await?;
        self.index().await
    }

    /// The folder that is served.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file as it is beside the packages, for example a broken one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        std::fs::write(self.folder.path().join(name), content)
            .map_err(Error::io(format!("writing {name}")))
    }

    /// Makes the repository misbehave until [`HttpRepo::heal`].
    pub fn fail(&self, fault: Fault) {
        self.state().fault = Some(fault);
    }

    /// Ends a fault.
    pub fn heal(&self) {
        self.state().fault = None;
    }

    /// Answers 401 from now on to whoever does not send this user and password.
    pub fn require(&self, user: &str, password: &str) {
        self.state().credentials = Some(format!(
            "Basic {}",
            STANDARD.encode(format!("{user}:{password}"))
        ));
    }

    /// How often a path was asked for, for example `/index.yaml`; faults count too.
    pub fn requests(&self, path: &str) -> u64 {
        self.state().requests.get(path).copied().unwrap_or(0)
    }

    /// How many bytes of files were sent.
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    /// How many requests there were at all.
    pub fn all_requests(&self) -> u64 {
        self.state().requests.values().sum()
    }

    async fn index(&self) -> Result<()> {
        let folder = self.folder.path().display().to_string();
        self.tools
            .helm(&["repo", "index", &folder, "--url", &self.url])
            .await?
            .ok()?;
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Behaviour> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HttpRepo {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let (fault, allowed) = {
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state.requests.entry(uri.path().to_owned()).or_default() += 1;
        let sent = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        (
            state.fault,
            state.credentials.is_none() || state.credentials.as_deref() == sent,
        )
    };
    if !allowed {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match fault {
        Some(Fault::Status(code)) => {
            return StatusCode::from_u16(code)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                .into_response();
        }
        Some(Fault::Slow(by)) => tokio::time::sleep(by).await,
        Some(Fault::Truncated | Fault::BrokenOff | Fault::Damaged) | None => {}
    }
    let name = uri.path().trim_start_matches('/');
    if name.contains("..") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match tokio::fs::read(shared.folder.join(name)).await {
        Ok(mut content) => {
            let etag = format!("\"{}\"", crate::cosign::digest(&content));
            if headers
                .get("if-none-match")
                .is_some_and(|known| *known == etag)
            {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            if let Some(fault) = fault {
                fault.spoil(&mut content);
            }
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.bytes += content.len() as u64;
            ([("etag", etag)], content).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
