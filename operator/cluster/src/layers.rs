//! The stack between a call and the wire: permits, time limits, the claim, the observer and the fault plan; and
//! the thin layer that makes one shared stack speak for an account.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::error::{BoxError, Transport};
use crate::faults::{FaultPlan, Injection};
use crate::permits::{Lane, Permits};
use crate::request::RequestInfo;

/// The body of an answer: whole for calls, open for watches.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;

/// A type-erased stack that can be cloned for every call.
pub(crate) type Stack = BoxCloneSyncService<Request<Body>, Response<AnswerBody>, BoxError>;

/// Told about every request once it ends, for metrics.
pub trait RequestObserver: Send + Sync {
    /// `status` is `None` when no answer came; `elapsed` counts from getting a permit to the last byte, for watches
    /// to the first.
    fn observed(&self, request: &RequestInfo, status: Option<u16>, elapsed: Duration);
}

/// The right to write, asked before every write. Holding a claim is one way to have it.
pub trait WriteGate: Send + Sync {
    /// How long we may still write, or `None` when we may not. A write's time limit is never longer.
    fn remaining(&self) -> Option<Duration>;
}

/// What a request carries along besides its bytes.
#[derive(Clone, Default)]
pub(crate) struct CallContext {
    pub lane: Lane,
    pub limit: Option<Duration>,
    pub gate: Option<Arc<dyn WriteGate>>,
    pub account: Option<HeaderValue>,
}

impl fmt::Debug for CallContext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CallContext")
            .field("lane", &self.lane)
            .field("limit", &self.limit)
            .field("gated", &self.gate.is_some())
            .field("account", &self.account)
            .finish()
    }
}

impl CallContext {
    /// Puts the account's header and the rest onto a request.
    pub(crate) fn stamp<B>(&self, request: &mut Request<B>) {
        if let Some(account) = &self.account {
            request
                .headers_mut()
                .insert("impersonate-user", account.clone());
        }
        request.extensions_mut().insert(self.clone());
    }
}

/// Stamps every request of a [`kube::Client`] with a context.
#[derive(Clone)]
pub(crate) struct Stamped {
    pub context: CallContext,
    pub inner: Stack,
}

impl Service<Request<Body>> for Stamped {
    type Response = Response<AnswerBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        self.context.stamp(&mut request);
        Box::pin(self.inner.clone().oneshot(request))
    }
}

/// Permits, time limits, the gate, the observer and the fault plan around the bare stack.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub inner: Stack,
    pub permits: Permits,
    pub limit: Duration,
    pub observer: Option<Arc<dyn RequestObserver>>,
    pub faults: Option<Arc<dyn FaultPlan>>,
}

impl Service<Request<Body>> for Guarded {
    type Response = Response<AnswerBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let stack = self.clone();
        Box::pin(async move { stack.run(request).await.map_err(BoxError::from) })
    }
}

impl Guarded {
    async fn run(self, mut request: Request<Body>) -> Result<Response<AnswerBody>, Transport> {
        let info = RequestInfo::of(request.method(), request.uri());
        let context = request
            .extensions_mut()
            .remove::<CallContext>()
            .unwrap_or_default();
        let mut limit = context.limit.unwrap_or(self.limit);
        let permit = tokio::time::timeout(limit, self.permits.acquire(context.lane))
            .await
            .map_err(|_| Transport::Congested(limit))?;
        // Asked after the wait for a permit: what is left of the claim is what counts.
        if let Some(gate) = context.gate.as_ref().filter(|_| info.is_write()) {
            limit = gate.remaining().ok_or(Transport::ClaimLost)?.min(limit);
        }
        let started = Instant::now();
        let outcome = tokio::time::timeout(limit, self.exchange(&info, request))
            .await
            .unwrap_or(Err(Transport::TimedOut(limit)));
        let status = outcome.as_ref().ok().map(|answer| answer.status().as_u16());
        if let Some(observer) = &self.observer {
            observer.observed(&info, status, started.elapsed());
        }
        match status {
            Some(429) => permit.throttled(),
            Some(status) if status < 500 => permit.succeeded(),
            _ => {}
        }
        outcome
    }

    async fn exchange(
        &self,
        info: &RequestInfo,
        request: Request<Body>,
    ) -> Result<Response<AnswerBody>, Transport> {
        let injection = self
            .faults
            .as_ref()
            .map_or(Injection::Pass, |plan| plan.before(info));
        match injection {
            Injection::Pass => self.send(info, request).await,
            Injection::Answer {
                status,
                retry_after,
            } => Ok(injected(status, retry_after)),
            Injection::AnswerAfter { status } => {
                self.send(info, request).await?;
                Ok(injected(status, None))
            }
            Injection::Unreachable => Err(Transport::Connect("injected".into())),
            Injection::Lose => {
                self.send(info, request).await?;
                Err(Transport::Lost("injected".into()))
            }
            Injection::Delay(time) => {
                tokio::time::sleep(time).await;
                self.send(info, request).await
            }
            // Ends with the time limit around it.
            Injection::Stall => {
                self.send(info, request).await?;
                std::future::pending().await
            }
        }
    }

    async fn send(
        &self,
        info: &RequestInfo,
        request: Request<Body>,
    ) -> Result<Response<AnswerBody>, Transport> {
        let answer = self.inner.clone().oneshot(request).await.map_err(broken)?;
        let status = answer.status();
        // A refusal is short, and so is read whole, whatever was asked for.
        let answer = if info.streaming && status.is_success() {
            answer
        } else {
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.map_err(Transport::Lost)?.to_bytes();
            Response::from_parts(parts, whole(bytes))
        };
        if let Some(plan) = &self.faults {
            plan.after(info, status.as_u16());
        }
        Ok(answer)
    }
}

fn broken(error: BoxError) -> Transport {
    let unsent = error
        .downcast_ref::<hyper_util::client::legacy::Error>()
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    // A token that cannot be read or refreshed stops a request before it is sent.
    if unsent || error.is::<kube::client::AuthError>() || error.is::<kube::Error>() {
        Transport::Connect(error)
    } else {
        Transport::Lost(error)
    }
}

pub(crate) fn whole(bytes: Bytes) -> AnswerBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn injected(status: u16, retry_after: Option<u64>) -> Response<AnswerBody> {
    let mut answer = Response::new(whole(Bytes::from_static(b"injected")));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = retry_after {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// The `Retry-After` header in its form of seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Plan(Injection);

    impl FaultPlan for Plan {
        fn before(&self, _: &RequestInfo) -> Injection {
            self.0
        }
    }

    #[derive(Default)]
    struct Seen(Mutex<Vec<(String, Option<u16>)>>);

    impl RequestObserver for Seen {
        fn observed(&self, request: &RequestInfo, status: Option<u16>, _: Duration) {
            self.0.lock().unwrap().push((request.describe(), status));
        }
    }

    struct Gate(Option<Duration>);

    impl WriteGate for Gate {
        fn remaining(&self) -> Option<Duration> {
            self.0
        }
    }

    fn stack(injection: Injection) -> (Guarded, Arc<AtomicUsize>, Arc<Seen>) {
        let arrived = Arc::new(AtomicUsize::new(0));
        let counter = arrived.clone();
        let server = tower::service_fn(move |_: Request<Body>| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, BoxError>(Response::new(whole(Bytes::from_static(b"{}")))) }
        });
        let seen = Arc::new(Seen::default());
        let guarded = Guarded {
            inner: Stack::new(server),
            permits: Permits::new(4),
            limit: Duration::from_millis(20),
            observer: Some(seen.clone()),
            faults: Some(Arc::new(Plan(injection))),
        };
        (guarded, arrived, seen)
    }

    fn post() -> Request<Body> {
        Request::post("/api/v1/namespaces/a/secrets")
            .body(Body::empty())
            .unwrap()
    }

    #[tokio::test]
    async fn a_stalled_answer_ends_with_the_time_limit_and_may_have_arrived() {
        let (stack, arrived, seen) = stack(Injection::Stall);
        let error = stack.run(post()).await.unwrap_err();
        assert!(error.may_have_arrived(), "{error}");
        assert_eq!(arrived.load(Ordering::SeqCst), 1);
        assert_eq!(
            *seen.0.lock().unwrap(),
            vec![("create secrets in a".to_owned(), None)]
        );
    }

    #[tokio::test]
    async fn a_429_halves_the_pool() {
        let (stack, arrived, _) = stack(Injection::Answer {
            status: 429,
            retry_after: Some(2),
        });
        let permits = stack.permits.clone();
        let answer = stack.run(post()).await.unwrap();
        assert_eq!(retry_after(answer.headers()), Some(Duration::from_secs(2)));
        assert_eq!(
            (
                arrived.load(Ordering::SeqCst),
                permits.limit(),
                permits.in_use()
            ),
            (0, 2, 0)
        );
    }

    #[tokio::test]
    async fn without_the_claim_no_write_leaves_and_reads_do() {
        let (stack, arrived, _) = stack(Injection::Pass);
        let gate: Arc<dyn WriteGate> = Arc::new(Gate(None));
        let context = CallContext {
            gate: Some(gate),
            ..CallContext::default()
        };
        let mut write = post();
        context.stamp(&mut write);
        assert!(matches!(
            stack.clone().run(write).await,
            Err(Transport::ClaimLost)
        ));
        let mut read = Request::get("/api/v1/namespaces/a/secrets")
            .body(Body::empty())
            .unwrap();
        context.stamp(&mut read);
        assert!(stack.run(read).await.is_ok());
        assert_eq!(arrived.load(Ordering::SeqCst), 1);
    }
}
