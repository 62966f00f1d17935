//! HTTP/2 connections to one API server, filled one after another.
//!
//! An API server lets 100 requests share a connection and keeps the next one waiting, and a watch is a request that
//! lasts minutes. So there are several connections, each opened when those before it are full.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::error::BoxError;
use crate::layers::AnswerBody;

/// Requests on one connection: less than the API server's own limit of 100, which closing ones still count towards.
const SHARED_BY: usize = 80;
/// The most connections; beyond that, requests wait for each other.
const CONNECTIONS: usize = 32;
/// How many bytes of one answer may be under way unread.
const UNREAD_BY_ANSWER: u32 = 256 * 1024;
/// How many of all answers on one connection: as many as its requests may leave unread together. With less, one watch
/// that nobody reads for a moment stops every answer beside it, and whoever waits for such an answer before reading
/// on waits for ever.
const UNREAD_BY_CONNECTION: u32 = UNREAD_BY_ANSWER * 100;

type Http = Client<HttpsConnector<HttpConnector>, Body>;

/// The bare way to the API server: no account, no limits.
#[derive(Clone)]
pub(crate) struct Connections {
    all: Arc<[(Http, Arc<Semaphore>)]>,
}

impl Connections {
    /// Opens nothing yet.
    pub fn new(config: &kube::Config) -> Result<Self, BoxError> {
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
        // HTTP/2 where the server offers it: its pings notice a dead peer, which HTTP/1 has no limit for.
        let connector = builder.enable_all_versions().wrap_connector(tcp);
        let one = || {
            hyper_util::client::legacy::Builder::new(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_mins(1))
                .http2_keep_alive_interval(Duration::from_secs(15))
                .http2_keep_alive_timeout(Duration::from_secs(10))
                .http2_initial_stream_window_size(UNREAD_BY_ANSWER)
                .http2_initial_connection_window_size(UNREAD_BY_CONNECTION)
                .build(connector.clone())
        };
        let all = (0..CONNECTIONS).map(|_| (one(), Arc::new(Semaphore::new(SHARED_BY))));
        Ok(Self { all: all.collect() })
    }

    /// The first connection with room, and the room on it.
    fn choose(&self) -> Option<(Http, Option<OwnedSemaphorePermit>)> {
        let free = self.all.iter().find_map(|(http, room)| {
            let room = room.clone().try_acquire_owned().ok()?;
            Some((http.clone(), Some(room)))
        });
        free.or_else(|| self.all.last().map(|(http, _)| (http.clone(), None)))
    }
}

impl Service<Request<Body>> for Connections {
    type Response = Response<AnswerBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let chosen = self.choose();
        Box::pin(async move {
            let (http, room) = chosen.ok_or("there are no connections")?;
            let answer = http.request(request).await?;
            // The room is taken until the answer's last byte is read or the answer is dropped.
            Ok(answer.map(|body| {
                body.map_frame(move |frame| {
                    let _taken = &room;
                    frame
                })
                .map_err(BoxError::from)
                .boxed_unsync()
            }))
        })
    }
}
