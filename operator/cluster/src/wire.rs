//! One call to the API server: built, sent, and its answer read, with the status code kept. Reads get three short
//! tries; a write is sent once and its answer judged.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use url::form_urlencoded::byte_serialize;

use crate::client::Connection;
use crate::error::{Error, Refusal, Transport, Written};
use crate::layers::{AnswerBody, retry_after};
use crate::request::RequestInfo;

/// Metadata alone, for objects of any kind.
pub(crate) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// Metadata alone, for lists.
pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

const READ_TRIES: u32 = 3;
const READ_PAUSE: Duration = Duration::from_millis(100);
/// The longest that a read waits because the API server asks it to.
const READ_PAUSE_MOST: Duration = Duration::from_secs(2);

/// A call under construction.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    query: String,
    accept: &'static str,
    content_type: Option<&'static str>,
    body: Bytes,
}

impl Call {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            query: String::new(),
            accept: "application/json",
            content_type: None,
            body: Bytes::new(),
        }
    }

    pub fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: String) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn put(path: String) -> Self {
        Self::new(Method::PUT, path)
    }

    pub fn patch(path: String) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub fn query(mut self, key: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(key);
        self.query.push('=');
        self.query.extend(byte_serialize(value.as_bytes()));
        self
    }

    pub fn query_if(self, condition: bool, key: &str, value: &str) -> Self {
        if condition {
            self.query(key, value)
        } else {
            self
        }
    }

    pub fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Result<Self, Error> {
        self.typed_json("application/json", body)
    }

    pub fn typed_json<T: Serialize + ?Sized>(
        mut self,
        content_type: &'static str,
        body: &T,
    ) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|source| Error::Encode {
            what: self.path.clone(),
            source,
        })?;
        self.content_type = Some(content_type);
        self.body = bytes.into();
        Ok(self)
    }

    fn request(&self) -> Result<(Request<Body>, RequestInfo), Error> {
        let uri = if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        };
        let mut builder = Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .header(header::ACCEPT, self.accept);
        if let Some(content_type) = self.content_type {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        let request = builder
            .body(Body::from(self.body.clone()))
            .map_err(|error| Error::Malformed {
                what: self.path.clone(),
                why: format!("cannot stand in a request: {error}"),
            })?;
        let info = RequestInfo::of(request.method(), request.uri());
        Ok((request, info))
    }

    /// Sends once. A refusal is an error; so is a broken exchange.
    async fn open(
        &self,
        connection: &Connection,
    ) -> Result<(StatusCode, AnswerBody, RequestInfo), Error> {
        let (mut request, info) = self.request()?;
        connection.context.stamp(&mut request);
        let answer = connection
            .stack()
            .oneshot(request)
            .await
            .map_err(|error| transport(&info, error))?;
        let (parts, body) = answer.into_parts();
        if parts.status.is_success() {
            return Ok((parts.status, body, info));
        }
        let bytes = body
            .collect()
            .await
            .map_err(|error| transport(&info, error))?
            .to_bytes();
        Err(Refusal::read(
            info.describe(),
            parts.status,
            retry_after(&parts.headers),
            &bytes,
        )
        .into())
    }

    async fn once<T: DeserializeOwned>(
        &self,
        connection: &Connection,
    ) -> Result<(StatusCode, T), Error> {
        let (status, body, info) = self.open(connection).await?;
        let bytes = body
            .collect()
            .await
            .map_err(|error| transport(&info, error))?
            .to_bytes();
        let value = serde_json::from_slice(&bytes).map_err(|source| Error::Decode {
            what: format!("the answer to {}", info.describe()),
            source,
        })?;
        Ok((status, value))
    }

    /// Reads, with up to three tries.
    pub async fn read<T: DeserializeOwned>(&self, connection: &Connection) -> Result<T, Error> {
        let mut tries = 1;
        loop {
            match self.once(connection).await {
                Ok((_, value)) => return Ok(value),
                Err(error) if tries < READ_TRIES && error.is_transient() => {
                    pause(tries, &error).await;
                }
                Err(error) => return Err(error),
            }
            tries += 1;
        }
    }

    /// Reads what may be absent.
    pub async fn read_opt<T: DeserializeOwned>(
        &self,
        connection: &Connection,
    ) -> Result<Option<T>, Error> {
        match self.read(connection).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is(crate::error::RefusalKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads plain text, with up to three tries.
    pub async fn read_text(&self, connection: &Connection) -> Result<String, Error> {
        let mut tries = 1;
        loop {
            let outcome = match self.open(connection).await {
                Ok((_, body, info)) => body
                    .collect()
                    .await
                    .map_err(|error| transport(&info, error)),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(body) => return Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
                Err(error) if tries < READ_TRIES && error.is_transient() => {
                    pause(tries, &error).await;
                }
                Err(error) => return Err(error),
            }
            tries += 1;
        }
    }

    /// Writes, once.
    pub async fn write<T: DeserializeOwned>(
        &self,
        connection: &Connection,
    ) -> Written<(StatusCode, T)> {
        Ok(self.once(connection).await?)
    }

    /// Opens an endless answer.
    pub async fn stream(&self, connection: &Connection) -> Result<AnswerBody, Error> {
        Ok(self.open(connection).await?.1)
    }
}

async fn pause(tries: u32, error: &Error) {
    let asked = error
        .refusal()
        .and_then(|refusal| refusal.retry_after)
        .unwrap_or_default();
    tokio::time::sleep(asked.clamp(READ_PAUSE * tries, READ_PAUSE_MOST)).await;
}

fn transport(info: &RequestInfo, error: crate::error::BoxError) -> Error {
    let source = match error.downcast::<Transport>() {
        Ok(transport) => *transport,
        Err(error) => Transport::Lost(error),
    };
    Error::Transport {
        call: info.describe(),
        source,
    }
}
