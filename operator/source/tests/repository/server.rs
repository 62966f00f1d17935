//! A small HTTP server whose pages a test sets, and which remembers what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What stands at one path.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub fault: Option<Fault>,
    /// Who sends another `Authorization` gets another page.
    guard: Option<(String, Box<Page>)>,
}

/// How an answer goes wrong on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Half of the body, then the connection closes.
    Truncated,
    /// Half of the body, then nothing more.
    Stalled,
    /// Nothing at all.
    Silent,
}

impl Page {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            fault: None,
            guard: None,
        }
    }

    /// Shows this page to whoever sends this `Authorization`, and the other one to everybody else.
    pub fn guarded(self, authorization: &str, otherwise: Page) -> Self {
        Self {
            guard: Some((authorization.to_owned(), Box::new(otherwise))),
            ..self
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::ok("")
        }
    }

    pub fn redirect(to: impl Into<String>) -> Self {
        Self::status(302).header("Location", to)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn fault(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    headers: BTreeMap<String, String>,
    pub status: u16,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

#[derive(Debug)]
pub struct Server {
    scheme: &'static str,
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    pages: Mutex<BTreeMap<String, Page>>,
    seen: Mutex<Vec<Request>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::listen("http", None).await
    }

    pub async fn start_tls(config: rustls::ServerConfig) -> Self {
        Self::listen("https", Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => state.answer(stream).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => state.answer(stream).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self {
            scheme,
            address,
            state,
            task,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn serve(&self, path: &str, page: Page) {
        self.state
            .pages
            .lock()
            .unwrap()
            .insert(path.to_owned(), page);
    }

    pub fn seen(&self, path: &str) -> Vec<Request> {
        let seen = self.state.seen.lock().unwrap();
        seen.iter()
            .filter(|request| request.path == path)
            .cloned()
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Answers one request; `None` when the other side left.
    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        let (path, headers) = head(&mut stream).await?;
        let known = self.pages.lock().unwrap().get(&path).cloned();
        let mut page = known.unwrap_or_else(|| Page::status(404));
        if let Some((wanted, otherwise)) = page.guard.take()
            && headers.get("authorization") != Some(&wanted)
        {
            page = *otherwise;
        }
        for (ours, theirs) in [
            ("ETag", "if-none-match"),
            ("Last-Modified", "if-modified-since"),
        ] {
            let current = page
                .headers
                .iter()
                .find(|(name, _)| name == ours)
                .map(|(_, value)| value);
            if current.is_some() && current == headers.get(theirs) {
                page.status = 304;
                page.body.clear();
            }
        }
        let status = page.status;
        self.seen.lock().unwrap().push(Request {
            path,
            headers,
            status,
        });
        if page.fault == Some(Fault::Silent) {
            return std::future::pending().await;
        }
        let mut lines = vec![
            format!("HTTP/1.1 {} Answer", page.status),
            "Connection: close".to_owned(),
        ];
        lines.extend(
            page.headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines.push(format!("Content-Length: {}", page.body.len()));
        let text = lines.join("\r\n") + "\r\n\r\n";
        let sent = if page.fault.is_some() {
            page.body.len() / 2
        } else {
            page.body.len()
        };
        stream.write_all(text.as_bytes()).await.ok()?;
        stream.write_all(&page.body[..sent]).await.ok()?;
        stream.flush().await.ok()?;
        if page.fault == Some(Fault::Stalled) {
            return std::future::pending().await;
        }
        stream.shutdown().await.ok()
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, BTreeMap<String, String>)> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(text).ok()?;
    let mut lines = text.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Some((path, headers.collect()))
}
