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
    /// Whether a part of it can be asked for.
    ranges: bool,
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
    /// So many bytes of what was asked for, then the connection closes.
    Pieces(usize),
}

impl Page {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            fault: None,
            guard: None,
            ranges: false,
        }
    }

    /// Shows this page to whoever sends this `Authorization`, and the other one to everybody else.
    pub fn guarded(self, authorization: &str, otherwise: Page) -> Self {
        Self {
            guard: Some((authorization.to_owned(), Box::new(otherwise))),
            ..self
        }
    }

    /// Gives the rest of itself to whoever asks for it, as RFC 9110 has it.
    pub fn resumable(self) -> Self {
        Self {
            ranges: true,
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

    /// All that was asked for, in order.
    pub fn seen_all(&self) -> Vec<String> {
        let seen = self.state.seen.lock().unwrap();
        seen.iter().map(|request| request.path.clone()).collect()
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
        // A proxy is asked for the whole address.
        let place = path
            .strip_prefix("http://")
            .and_then(|rest| rest.find('/').map(|at| &rest[at..]))
            .unwrap_or(&path);
        let known = self.pages.lock().unwrap().get(place).cloned();
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
        if let Some(from) = rest(&page, &headers) {
            page.status = 206;
            let last = page.body.len() - 1;
            let part = format!("bytes {from}-{last}/{}", page.body.len());
            page.headers.push(("Content-Range".to_owned(), part));
            page.body.drain(..from);
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
        let sent = match page.fault {
            None => page.body.len(),
            Some(Fault::Pieces(bytes)) => page.body.len().min(bytes),
            Some(_) => page.body.len() / 2,
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

/// From where on a page is asked for, if it is, and if it is still the one that was begun.
fn rest(page: &Page, headers: &BTreeMap<String, String>) -> Option<usize> {
    let range = headers.get("range").filter(|_| page.ranges)?;
    let from = range.strip_prefix("bytes=")?.strip_suffix('-')?;
    if let Some(version) = headers.get("if-range") {
        page.headers.iter().find(|(_, value)| value == version)?;
    }
    from.parse().ok().filter(|from| *from < page.body.len())
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
