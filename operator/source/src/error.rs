//! Why a chart could not be had.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use belay_chart::semver;

/// Why a chart could not be had. Each text says what to do about it; none holds a credential or a URL's query.
///
/// Cloneable, because one fetch answers everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The address of a repository or a Prometheus cannot be used.
    #[error("the URL {url:?} cannot be used: {detail}; write it as https://host/path")]
    BadUrl {
        /// The address, without user, password and query.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The chart's address in a registry cannot be used.
    #[error("the registry URL {url:?} cannot be used: {detail}; write it as oci://host/path/chart")]
    BadOciUrl {
        /// The address, without user and password.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The version asked for is no range.
    #[error(
        "{range:?} is neither a version nor a range of versions; examples: 6.1.0, ~6.1, >=6.0.0 <7.0.0"
    )]
    BadRange {
        /// The range as it was written.
        range: String,
        /// Where it stops making sense.
        #[source]
        source: semver::SemverError,
    },
    /// The repository's own certificate authorities cannot be read, or TLS cannot be set up with them.
    #[error(
        "the CA certificates for {url} cannot be used; they must be PEM blocks of X.509 certificates"
    )]
    BadCertificates {
        /// The repository.
        url: String,
        /// What the TLS library says.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The client certificate or its key cannot be used.
    #[error(
        "the client certificate for {url} cannot be used; it and its key must be PEM, and the key fit the certificate"
    )]
    BadClientCertificate {
        /// The repository.
        url: String,
        /// What the TLS library says.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// TLS has no cryptography to work with: the program did not install any.
    #[error(
        "this program installed no TLS cryptography provider before fetching; that is a defect of the program"
    )]
    NoTls,
    /// Nothing is at the repository's address.
    #[error(
        "there is no chart repository at {url}: HTTP {status} for its index.yaml; check the URL"
    )]
    RepositoryNotFound {
        /// The repository.
        url: String,
        /// 404 or 410.
        status: u16,
    },
    /// The repository has no chart of that name.
    #[error("the repository {url} has no chart named {name:?}{}", nearest(near))]
    ChartNotFound {
        /// The repository.
        url: String,
        /// The chart asked for.
        name: String,
        /// Names that look alike, best first, at most five.
        near: Vec<String>,
    },
    /// The chart has no version in the range.
    #[error(
        "no version of chart {name:?} in {url} matches {range:?}{}",
        nearest(near)
    )]
    VersionNotFound {
        /// The repository.
        url: String,
        /// The chart.
        name: String,
        /// The range asked for; `*` when none was.
        range: String,
        /// The nearest versions that exist, at most five.
        near: Vec<String>,
    },
    /// Nothing is at the chart's address in a registry.
    #[error(
        "the registry has nothing at {url}: HTTP {status}; check the address (registries also answer so for what the credentials do not open)"
    )]
    NotInRegistry {
        /// What was asked for.
        url: String,
        /// 404 or 410.
        status: u16,
    },
    /// What a registry holds there is no chart.
    #[error("{url} holds {found}, not a Helm chart; check the address")]
    NotAChart {
        /// What was asked for.
        url: String,
        /// What it is instead: a media type, or what is missing.
        found: String,
    },
    /// A registry's answer cannot be read.
    #[error("the answer of {url} is not what a registry answers: {detail}; check the address")]
    BadAnswer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An index or a manifest names a package that is not there.
    #[error(
        "{url} is what the index or manifest names, but HTTP {status} is what it gives; publish the package again"
    )]
    PackageNotFound {
        /// The package.
        url: String,
        /// 404 or 410.
        status: u16,
    },
    /// The server wants other credentials.
    #[error("{url} refuses access with HTTP {status}{}", credentials_hint(*sent))]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// 401, 403 or 407.
        status: u16,
        /// Whether credentials went along with the request.
        sent: bool,
    },
    /// The server answered with a status that no later try will change.
    #[error("{url} answers HTTP {status}, which no retry will change; check the URL")]
    Refused {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server cannot be reached, or not now: network, time limit, cut transfer, HTTP 408, 425, 429 or 5xx.
    #[error("{url} cannot be reached at the moment: {detail}; it will be tried again")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        detail: String,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
        /// The network's own words.
        #[source]
        source: Option<Arc<reqwest::Error>>,
    },
    /// A redirect that is not followed: too many, to another scheme, or to no address at all.
    #[error(
        "{url} redirects, and that is not followed: {detail}; use the final address in the URL"
    )]
    BadRedirect {
        /// What was asked for.
        url: String,
        /// Why it is not followed.
        detail: String,
    },
    /// An address that is not asked, whoever names it.
    #[error(
        "{url} is at {address}, {why}: nothing is fetched from there, unless who runs the operator allows it with --allow-source-addresses"
    )]
    ForbiddenAddress {
        /// What was asked for, or redirected to.
        url: String,
        /// Its address.
        address: IpAddr,
        /// What is there.
        why: &'static str,
    },
    /// More bytes than the limit.
    #[error("{url} is larger than the limit of {limit} bytes; publish a smaller index or chart")]
    TooLarge {
        /// What was fetched.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// What stands at `index.yaml` is no index.
    #[error("the index of the repository {url} cannot be used{}: {detail}", at_line(*line))]
    BadIndex {
        /// The index.
        url: String,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong there.
        detail: String,
    },
    /// The bytes are not those that the index, the manifest or the spec names by their digest.
    #[error(
        "{url} is not what its digest names: SHA-256 {actual} instead of {expected}; \
         publish it under a new version or rebuild the index"
    )]
    DigestMismatch {
        /// The package.
        url: String,
        /// The digest that was named.
        expected: String,
        /// The digest of the bytes that came.
        actual: String,
    },
    /// The chart's origin is not proven, and proof is asked for.
    #[error("{origin} is not verified: {detail}; tried {tried}")]
    Unverified {
        /// The chart, as it was asked for.
        origin: String,
        /// What is missing or does not hold.
        detail: String,
        /// The keys of which one has to have signed, by name and fingerprint.
        tried: String,
    },
    /// What answers is no Prometheus.
    #[error("{url} does not answer as a Prometheus does: {detail}; check the URL")]
    NotPrometheus {
        /// What was asked for.
        url: String,
        /// What it answers instead.
        detail: String,
    },
    /// A Prometheus refuses the query, or what it answers is nothing to compare with.
    #[error("the query cannot be used: {detail}; {url} was asked")]
    BadQuery {
        /// What was asked.
        url: String,
        /// What is wrong with the query.
        detail: String,
    },
    /// The bytes are no chart.
    #[error("the chart from {origin} cannot be used: {source}")]
    BadPackage {
        /// Where the bytes are from.
        origin: String,
        /// What the chart loader says, with file and line where there is one.
        #[source]
        source: Arc<belay_chart::ChartError>,
    },
    /// Reading the chart ended without an answer: the loader was stopped, or it crashed.
    #[error("reading {origin} was broken off; it will be tried again")]
    Interrupted {
        /// What was read.
        origin: String,
    },
}

/// The kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The request itself is wrong: URL, address, range or certificates. A changed spec cures it.
    BadRequest,
    /// Repository, chart, version or package do not exist.
    NotFound,
    /// Network, time or load. Time cures it.
    Unreachable,
    /// Credentials are missing or wrong.
    Unauthorized,
    /// Over a size limit.
    TooLarge,
    /// `index.yaml`, or a registry's answer, cannot be read.
    BadIndex,
    /// The bytes are not those that a digest names.
    DigestMismatch,
    /// The package is no chart.
    BadPackage,
    /// The proof of origin is missing or does not hold.
    Unverified,
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::BadUrl { .. }
            | Self::BadOciUrl { .. }
            | Self::BadRange { .. }
            | Self::BadCertificates { .. }
            | Self::BadClientCertificate { .. }
            | Self::ForbiddenAddress { .. }
            | Self::BadQuery { .. }
            | Self::NoTls => Kind::BadRequest,
            Self::RepositoryNotFound { .. }
            | Self::ChartNotFound { .. }
            | Self::VersionNotFound { .. }
            | Self::PackageNotFound { .. }
            | Self::NotInRegistry { .. }
            | Self::Refused { .. }
            | Self::BadRedirect { .. }
            | Self::NotPrometheus { .. } => Kind::NotFound,
            Self::Unreachable { .. } | Self::Interrupted { .. } => Kind::Unreachable,
            Self::Unauthorized { .. } => Kind::Unauthorized,
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::BadIndex { .. } | Self::BadAnswer { .. } => Kind::BadIndex,
            Self::DigestMismatch { .. } => Kind::DigestMismatch,
            Self::BadPackage { .. } | Self::NotAChart { .. } => Kind::BadPackage,
            Self::Unverified { .. } => Kind::Unverified,
        }
    }

    /// Whether time alone may cure it. Everything else waits for a changed spec, Secret or repository.
    pub fn is_transient(&self) -> bool {
        self.kind() == Kind::Unreachable
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Kind {
    /// The kind as one word in Kubernetes' reason style, for metrics and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::NotFound => "NotFound",
            Self::Unreachable => "Unreachable",
            Self::Unauthorized => "Unauthorized",
            Self::TooLarge => "TooLarge",
            Self::BadIndex => "BadIndex",
            Self::DigestMismatch => "DigestMismatch",
            Self::BadPackage => "BadPackage",
            Self::Unverified => "Unverified",
        }
    }
}

fn nearest(near: &[String]) -> String {
    if near.is_empty() {
        String::new()
    } else {
        format!("; nearest: {}", near.join(", "))
    }
}

fn credentials_hint(sent: bool) -> &'static str {
    if sent {
        "; check the user, password or token in secretRef"
    } else {
        ", and no credentials were sent; name them in secretRef (some servers answer so for what does not exist)"
    }
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" (line {line})"))
        .unwrap_or_default()
}
