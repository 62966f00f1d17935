//! A body, under a limit, and the rest of one that broke off.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, LAST_MODIFIED};
use reqwest::{Response, StatusCode};
use url::Url;

use super::text;
use crate::destinations::Forbidden;
use crate::error::Error;
use crate::location::shown;

/// How often a transfer that broke off is gone on with. Each time has to bring something new.
pub(super) const CONTINUATIONS: usize = 4;

/// What has come of a body.
pub(super) struct Transfer {
    body: BytesMut,
    limit: u64,
    address: Url,
}

/// How a look at a body ended.
pub(super) enum Ended {
    Whole(Bytes),
    /// It broke off with this error.
    Cut(Error),
}

/// Where to go on, and in what.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    /// Bytes that are there already.
    pub from: u64,
    /// What the server called the version of which they are, for `If-Range`; none where the address names the content.
    pub of: Option<String>,
}

impl Transfer {
    pub fn new(limit: u64, address: Url) -> Self {
        Self {
            body: BytesMut::new(),
            limit,
            address,
        }
    }

    /// Bytes that have come.
    pub fn len(&self) -> u64 {
        self.body.len() as u64
    }

    /// Takes in an answer, from its beginning or from where the one before broke off.
    pub async fn take(&mut self, mut answer: Response) -> Result<Ended, Error> {
        if !self.continues(&answer) {
            self.body.clear();
        }
        let announced = answer.content_length().unwrap_or(0);
        if self.len() + announced > self.limit {
            return Err(self.too_large());
        }
        self.body.reserve(announced as usize);
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(Ended::Whole(std::mem::take(&mut self.body).freeze())),
                Ok(Some(chunk)) => {
                    if self.len() + chunk.len() as u64 > self.limit {
                        return Err(self.too_large());
                    }
                    self.body.extend_from_slice(&chunk);
                }
                Err(error) => return Ok(Ended::Cut(unreachable(&self.address, error))),
            }
        }
    }

    /// Whether an answer begins where the last one ended (RFC 9110, 14.4).
    fn continues(&self, answer: &Response) -> bool {
        let range = text(answer.headers(), &CONTENT_RANGE).unwrap_or_default();
        answer.status() == StatusCode::PARTIAL_CONTENT
            && range.starts_with(&format!("bytes {}-", self.len()))
    }

    fn too_large(&self) -> Error {
        Error::TooLarge {
            url: shown(&self.address),
            limit: self.limit,
        }
    }
}

/// What the server says of a version that lets it be gone on with: only what names its very bytes (RFC 9110, 13.1.5).
pub(super) fn version(headers: &HeaderMap) -> Option<String> {
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    text(headers, &ETAG)
        .filter(|etag| !etag.starts_with("W/"))
        .or_else(|| text(headers, &LAST_MODIFIED))
}

pub(super) fn unreachable(url: &Url, error: reqwest::Error) -> Error {
    if let Some(forbidden) = Forbidden::behind(&error) {
        return forbidden.at(url);
    }
    let error = error.without_url();
    let detail = if error.is_timeout() {
        "the time limit passed".to_owned()
    } else if error.is_connect() {
        format!("no connection ({})", root_cause(&error))
    } else if error.is_body() || error.is_decode() {
        format!("the transfer broke off ({})", root_cause(&error))
    } else {
        root_cause(&error)
    };
    Error::Unreachable {
        url: shown(url),
        detail,
        retry_after: None,
        source: Some(Arc::new(error)),
    }
}

/// The innermost error's text: the outer layers only say that a request failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
