//! GET under limits: size, time, redirects, and credentials for one origin alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};
use tokio::sync::Semaphore;
use url::Url;

use crate::destinations::{Forbidden, GuardedDns};
use crate::error::Error;
use crate::location::{Access, shown};
use crate::recent::Recent;
use crate::request::Credentials;
use crate::settings::Settings;

/// What a server said that lets it answer "not changed" next time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// An answer of a server.
#[derive(Debug)]
pub(crate) enum Answer {
    Body(Received),
    NotModified,
    /// A registry says by which ways it may be entered: its `WWW-Authenticate` headers. Only ever from the origin
    /// that was asked, never from where it redirects to.
    Challenged(Vec<String>),
}

/// A body with what its head said.
#[derive(Debug)]
pub(crate) struct Received {
    pub bytes: Bytes,
    pub validators: Validators,
    /// The `Link` header: where a list goes on.
    pub link: Option<String>,
}

/// What is being fetched; it decides the limit and whether compression on the way is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// `index.yaml`, compressed on the way if the server can.
    Index,
    /// A `.tgz`, whose own gzip some servers declare as content encoding: undoing that would change the digest.
    Package,
    /// A registry's manifest. Its bytes are named by their digest, so they are taken as they are.
    Manifest,
    /// A page of a registry's list of tags.
    Tags,
    /// The answer of a registry's token service.
    Token,
    /// A `.tgz` in a registry.
    Blob,
}

/// The media type of a manifest, by the OCI image specification.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Most bytes of a registry's own answers: the OCI distribution specification asks for 4 MiB of manifests.
const REGISTRY_BYTES: u64 = 4 * 1024 * 1024;

impl Document {
    /// Whether a refusal may say which credentials are wanted.
    fn is_challenged(self) -> bool {
        matches!(self, Self::Manifest | Self::Tags | Self::Blob)
    }

    /// Whether the bytes are taken as they come.
    fn is_verbatim(self) -> bool {
        matches!(self, Self::Package | Self::Manifest | Self::Blob)
    }
}

/// Connections to servers, shared by everything that trusts the same authorities.
#[derive(Debug)]
pub(crate) struct Http {
    settings: Settings,
    clients: Mutex<Recent<Option<String>, Clients>>,
    transfers: Semaphore,
}

#[derive(Clone, Debug)]
struct Clients {
    decoding: Client,
    verbatim: Client,
}

/// Distinct sets of authorities for which connections are kept.
const CLIENTS: u64 = 32;

impl Http {
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            clients: Mutex::new(Recent::new(CLIENTS)),
            transfers: Semaphore::new(settings.transfers.max(1)),
        }
    }

    /// Most bytes of a package.
    pub fn package_bytes(&self) -> u64 {
        self.settings.package_bytes
    }

    /// Fetches a document. `known` are the validators of the version that the caller holds.
    pub async fn get(
        &self,
        access: &Access,
        url: Url,
        document: Document,
        known: &Validators,
    ) -> Result<Answer, Error> {
        let client = self.client(access, document)?;
        let limit = match document {
            Document::Index => self.settings.index_bytes,
            Document::Package | Document::Blob => self.settings.package_bytes,
            Document::Manifest | Document::Tags | Document::Token => REGISTRY_BYTES,
        };
        // The semaphore is never closed, so waiting for a permit does not fail.
        let _permit = self.transfers.acquire().await;
        let address = shown(&url);
        let transfer = async {
            let answer = self.follow(&client, access, url, document, known).await?;
            if answer.status() == StatusCode::NOT_MODIFIED {
                return Ok(Answer::NotModified);
            }
            if answer.status() == StatusCode::UNAUTHORIZED {
                return Ok(Answer::Challenged(challenges(answer.headers())));
            }
            let validators = validators(answer.headers());
            let link = text(answer.headers(), &LINK);
            Ok(Answer::Body(Received {
                bytes: read(answer, limit).await?,
                validators,
                link,
            }))
        };
        // One limit over all redirects together.
        tokio::time::timeout(self.settings.request_time, transfer)
            .await
            .unwrap_or_else(|_| {
                Err(Error::Unreachable {
                    url: address,
                    detail: format!(
                        "no complete answer in {} s",
                        self.settings.request_time.as_secs()
                    ),
                    retry_after: None,
                    source: None,
                })
            })
    }

    async fn follow(
        &self,
        client: &Client,
        access: &Access,
        start: Url,
        document: Document,
        known: &Validators,
    ) -> Result<Response, Error> {
        let mut url = start.clone();
        for _ in 0..=self.settings.redirects {
            self.settings.destinations.check(&url)?;
            let credentials = access.credentials_for(&url);
            let mut request = client.get(url.clone());
            if document.is_verbatim() {
                request = request.header(ACCEPT_ENCODING, "identity");
            }
            if document == Document::Manifest {
                request = request.header(ACCEPT, MANIFEST);
            }
            if let Some(etag) = &known.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(time) = &known.last_modified {
                request = request.header(IF_MODIFIED_SINCE, time);
            }
            request = match credentials {
                None => request,
                Some(Credentials::Basic { username, password }) => {
                    request.basic_auth(username, Some(password.expose()))
                }
                Some(Credentials::Bearer(token)) => request.bearer_auth(token.expose()),
            };
            let answer = request
                .send()
                .await
                .map_err(|error| unreachable(&url, error))?;
            if answer.status() == StatusCode::UNAUTHORIZED
                && document.is_challenged()
                && access.is_at(&url)
                && answer.headers().contains_key(WWW_AUTHENTICATE)
            {
                return Ok(answer);
            }
            if !is_redirect(answer.status()) {
                return accepted(&url, answer, credentials.is_some(), document);
            }
            url = target(&url, &answer)?;
        }
        Err(Error::BadRedirect {
            url: shown(&start),
            detail: format!("more than {} redirects", self.settings.redirects),
        })
    }

    fn client(&self, access: &Access, document: Document) -> Result<Client, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let found = clients.get(&access.ca_bundle).cloned();
        let pair = if let Some(pair) = found {
            pair
        } else {
            let pair = Clients {
                decoding: self.build(access, true)?,
                verbatim: self.build(access, false)?,
            };
            clients.insert(access.ca_bundle.clone(), pair.clone(), 1);
            pair
        };
        Ok(if document.is_verbatim() {
            pair.verbatim
        } else {
            pair.decoding
        })
    }

    fn build(&self, access: &Access, decode: bool) -> Result<Client, Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(Error::NoTls);
        }
        let bad = |source| Error::BadCertificates {
            url: shown(&access.base),
            source: Arc::new(source),
        };
        let mut builder = Client::builder()
            .user_agent(concat!("belay/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.settings.connect_time)
            .read_timeout(self.settings.stall_time)
            .redirect(redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(2)
            .gzip(decode)
            .dns_resolver(Arc::new(GuardedDns(self.settings.destinations.clone())));
        if !self.settings.proxy_from_environment {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &access.ca_bundle {
            let authorities = Certificate::from_pem_bundle(pem.as_bytes()).map_err(bad)?;
            builder = builder.tls_certs_merge(authorities);
        }
        builder.build().map_err(bad)
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn target(from: &Url, answer: &Response) -> Result<Url, Error> {
    let bad = |detail: &str| Error::BadRedirect {
        url: shown(from),
        detail: detail.to_owned(),
    };
    let to = answer
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| from.join(location).ok())
        .ok_or_else(|| bad("it names no address to go to"))?;
    match (from.scheme(), to.scheme()) {
        ("https", "http") => Err(bad("it leaves https for http")),
        (_, "http" | "https") => Ok(to),
        _ => Err(bad("it leaves http and https")),
    }
}

/// The answer when its status is a success, the error that the status means otherwise.
fn accepted(
    url: &Url,
    answer: Response,
    sent: bool,
    document: Document,
) -> Result<Response, Error> {
    let status = answer.status();
    let code = status.as_u16();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(answer);
    }
    let url = shown(url);
    Err(match code {
        404 | 410 if document == Document::Index => Error::RepositoryNotFound { url, status: code },
        404 | 410 if matches!(document, Document::Manifest | Document::Tags) => {
            Error::NotInRegistry { url, status: code }
        }
        404 | 410 => Error::PackageNotFound { url, status: code },
        401 | 403 | 407 => Error::Unauthorized {
            url,
            status: code,
            sent,
        },
        408 | 425 | 429 | 500..=599 => Error::Unreachable {
            url,
            detail: format!("HTTP {status}"),
            retry_after: retry_after(answer.headers()),
            source: None,
        },
        _ => Error::Refused { url, status: code },
    })
}

/// The seconds of a `Retry-After`. Its other form, a date, would have to be compared with a clock that may differ
/// from the server's, and is left to the caller's own backoff.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, &RETRY_AFTER)?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn validators(headers: &HeaderMap) -> Validators {
    Validators {
        etag: text(headers, &ETAG),
        last_modified: text(headers, &LAST_MODIFIED),
    }
}

fn challenges(headers: &HeaderMap) -> Vec<String> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    let texts = challenges.filter_map(|challenge| challenge.to_str().ok());
    texts.map(str::to_owned).collect()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn read(mut answer: Response, limit: u64) -> Result<Bytes, Error> {
    let url = answer.url().clone();
    let too_large = || Error::TooLarge {
        url: shown(&url),
        limit,
    };
    let announced = answer.content_length().unwrap_or(0);
    if announced > limit {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced as usize);
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unreachable(&url, error))?
    {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn unreachable(url: &Url, error: reqwest::Error) -> Error {
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
