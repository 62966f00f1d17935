//! A place for tests to disturb the exchange with the API server: every answer that a network, a proxy or a busy
//! API server can give, at any call, between the real code and the real server.

use std::time::Duration;

use crate::request::RequestInfo;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injection {
    /// Nothing: it goes through.
    Pass,
    /// It is answered with this status code and never reaches the API server.
    Answer {
        /// The HTTP status code, for example 409, 429 or 500.
        status: u16,
        /// The `Retry-After` header, in seconds.
        retry_after: Option<u64>,
    },
    /// It is carried out, and the answer is replaced by this status code.
    AnswerAfter {
        /// The HTTP status code, for example 504.
        status: u16,
    },
    /// The connection breaks before it is sent.
    Unreachable,
    /// It is carried out, and the connection breaks before the answer.
    Lose,
    /// It is held back this long, then goes through.
    Delay(Duration),
    /// It is carried out and never answered.
    Stall,
}

/// Decides the fate of requests. Shared by all connections of one [`crate::ConnectOptions`].
pub trait FaultPlan: Send + Sync {
    /// Called for every request before it is sent.
    fn before(&self, request: &RequestInfo) -> Injection;

    /// Called for every request that the API server really answered, with its status code.
    fn after(&self, _request: &RequestInfo, _status: u16) {}
}
