//! GET under limits: size, time, redirects, and credentials for one origin alone.

mod clients;
mod transfer;

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, LAST_MODIFIED, LINK, LOCATION, RANGE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Response, StatusCode};
use tokio::sync::Semaphore;
use url::Url;

use crate::error::Error;
use crate::location::{Access, shown};
use crate::request::Credentials;
use crate::settings::Settings;

use clients::Pool;
use transfer::{CONTINUATIONS, Ended, Rest, Transfer, unreachable};

/// What a server said that lets it answer "not changed" next time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            etag: text(headers, &ETAG),
            last_modified: text(headers, &LAST_MODIFIED),
        }
    }
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
    /// A provenance file beside a package.
    Provenance,
    /// What a registry holds as a proof of origin: a provenance file, or a signature of cosign's.
    Proof,
    /// A registry's list of what refers to a manifest.
    Referrers,
    /// What a Prometheus answers to a query.
    Query,
}

/// The media type of a manifest, by the OCI image specification.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a list of manifests, by the same specification.
pub(crate) const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Most bytes of a registry's own answers: the OCI distribution specification asks for 4 MiB of manifests.
const REGISTRY_BYTES: u64 = 4 * 1024 * 1024;
/// Most bytes of an answer to a query: about ten thousand series.
pub(crate) const QUERY_BYTES: u64 = 1024 * 1024;
/// Most bytes of a proof of origin: the chart's metadata with a signature, or a bundle with certificates.
const PROOF_BYTES: u64 = 256 * 1024;

impl Document {
    /// Whether a refusal may say which credentials are wanted.
    fn is_challenged(self) -> bool {
        match self {
            Self::Manifest | Self::Tags | Self::Blob | Self::Proof | Self::Referrers => true,
            Self::Index | Self::Package | Self::Token | Self::Provenance | Self::Query => false,
        }
    }

    /// Whether the bytes are taken as they come.
    fn is_verbatim(self) -> bool {
        match self {
            Self::Package | Self::Manifest | Self::Blob | Self::Proof => true,
            Self::Index
            | Self::Tags
            | Self::Token
            | Self::Provenance
            | Self::Referrers
            | Self::Query => false,
        }
    }

    /// Whether the address names the content, so that the rest of a transfer is the rest of the same.
    fn is_named_by_content(self) -> bool {
        matches!(self, Self::Blob)
    }

    /// The one media type that is asked for.
    fn media_type(self) -> Option<&'static str> {
        match self {
            Self::Manifest => Some(MANIFEST),
            Self::Referrers => Some(IMAGE_INDEX),
            _ => None,
        }
    }
}

/// Gets documents.
#[derive(Debug)]
pub(crate) struct Http {
    settings: Settings,
    clients: Pool,
    transfers: Semaphore,
}

impl Http {
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            clients: Pool::new(),
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
        // The semaphore is never closed, so waiting for a permit does not fail.
        let _permit = self.transfers.acquire().await;
        let address = shown(&url);
        let transfer = self.transfer(access, url, document, known);
        // One limit over all redirects and continuations together.
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

    /// Transfers a document, and goes on where a transfer broke off if the server knows how.
    async fn transfer(
        &self,
        access: &Access,
        url: Url,
        document: Document,
        known: &Validators,
    ) -> Result<Answer, Error> {
        let question = |rest| Question {
            access,
            document,
            known,
            rest,
        };
        let answer = self.follow(url.clone(), &question(None)).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::NotModified);
        }
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Ok(Answer::Challenged(challenges(answer.headers())));
        }
        let link = text(answer.headers(), &LINK);
        let mut validators = Validators::of(answer.headers());
        let mut version = transfer::version(answer.headers());
        let mut transfer = Transfer::new(self.limit(document), answer.url().clone());
        let mut ended = transfer.take(answer).await?;
        for _ in 0..CONTINUATIONS {
            let resumable = document.is_named_by_content()
                || document == Document::Package && version.is_some();
            let from = transfer.len();
            if from == 0 || !resumable || matches!(ended, Ended::Whole(_)) {
                break;
            }
            let of = version.clone();
            let rest = question(Some(Rest { from, of }));
            // Whatever comes instead of the rest, the cut is what is told.
            let Ok(answer) = self.follow(url.clone(), &rest).await else {
                break;
            };
            match answer.status() {
                StatusCode::PARTIAL_CONTENT => {}
                // All of it once more, and perhaps of a newer version.
                StatusCode::OK => {
                    validators = Validators::of(answer.headers());
                    version = transfer::version(answer.headers());
                }
                _ => break,
            }
            ended = transfer.take(answer).await?;
            if transfer.len() <= from && matches!(ended, Ended::Cut(_)) {
                break;
            }
        }
        match ended {
            Ended::Whole(bytes) => Ok(Answer::Body(Received {
                bytes,
                validators,
                link,
            })),
            Ended::Cut(error) => Err(error),
        }
    }

    fn limit(&self, document: Document) -> u64 {
        match document {
            Document::Index => self.settings.index_bytes,
            Document::Package | Document::Blob => self.settings.package_bytes,
            Document::Manifest | Document::Tags | Document::Token | Document::Referrers => {
                REGISTRY_BYTES
            }
            Document::Provenance | Document::Proof => PROOF_BYTES,
            Document::Query => QUERY_BYTES,
        }
    }

    async fn follow(&self, start: Url, question: &Question<'_>) -> Result<Response, Error> {
        let Question {
            access,
            document,
            known,
            rest,
        } = question;
        let document = *document;
        let mut url = start.clone();
        for _ in 0..=self.settings.redirects {
            self.settings.destinations.check(&url)?;
            let credentials = access.credentials_for(&url);
            let verbatim = document.is_verbatim();
            let client = self
                .clients
                .client(&self.settings, access, &url, verbatim)?;
            let mut request = client.get(url.clone());
            if verbatim {
                request = request.header(ACCEPT_ENCODING, "identity");
            }
            if let Some(media_type) = document.media_type() {
                request = request.header(ACCEPT, media_type);
            }
            if let Some(Rest { from, of }) = rest {
                request = request.header(RANGE, format!("bytes={from}-"));
                if let Some(version) = of {
                    request = request.header(IF_RANGE, version);
                }
            } else {
                if let Some(etag) = &known.etag {
                    request = request.header(IF_NONE_MATCH, etag);
                }
                if let Some(time) = &known.last_modified {
                    request = request.header(IF_MODIFIED_SINCE, time);
                }
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
}

/// What is asked of a server.
struct Question<'q> {
    access: &'q Access,
    document: Document,
    known: &'q Validators,
    rest: Option<Rest>,
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
    // What is wrong with a query stands in the body.
    if document == Document::Query && matches!(code, 400 | 422) {
        return Ok(answer);
    }
    let url = shown(url);
    Err(match code {
        404 | 410 if document == Document::Query => Error::NotPrometheus {
            url,
            detail: format!("HTTP {status}"),
        },
        404 | 410 if document == Document::Index => Error::RepositoryNotFound { url, status: code },
        404 | 410
            if matches!(
                document,
                Document::Manifest | Document::Tags | Document::Referrers
            ) =>
        {
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

/// No server is left alone for longer than this.
const PATIENCE: Duration = Duration::from_mins(5);

/// The seconds of a `Retry-After`, as many as are granted. Its other form, a date, would have to be compared with a clock that may differ
/// from the server's, and is left to the caller's own backoff.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, &RETRY_AFTER)?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(PATIENCE))
}

fn challenges(headers: &HeaderMap) -> Vec<String> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    let texts = challenges.filter_map(|challenge| challenge.to_str().ok());
    texts.map(str::to_owned).collect()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
