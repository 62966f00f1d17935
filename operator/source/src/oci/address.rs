//! A chart's address in a registry, and the addresses of the registry's API that follow from it.

use std::fmt;

use url::Url;

use crate::digest::PackageDigest;
use crate::error::Error;
use crate::location::{Access, scope, shown_text, take_user_info};
use crate::request::OciChart;

/// Docker Hub's registry has another name than people write.
const DOCKER_HUB: [&str; 2] = ["docker.io", "index.docker.io"];
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// A repository in a registry.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// As people write it: `registry.example.org:5000`.
    host: String,
    /// `charts/web`.
    pub repository: String,
    /// What opens it; its base is the repository within the API, `https://HOST/v2/REPOSITORY/`.
    pub access: Access,
    pub plain_http: bool,
}

impl Address {
    pub fn new(chart: &OciChart) -> Result<Self, Error> {
        let text = chart.url.trim();
        let bad = |detail: &str| Error::BadOciUrl {
            url: shown_text(text),
            detail: detail.to_owned(),
        };
        let rest = text
            .strip_prefix("oci://")
            .ok_or_else(|| bad("it does not begin with oci://"))?;
        let scheme = if chart.plain_http { "http" } else { "https" };
        let mut url =
            Url::parse(&format!("{scheme}://{rest}")).map_err(|error| bad(&error.to_string()))?;
        if take_user_info(&mut url).is_some() {
            return Err(bad("user and password belong into a Secret"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a query or a fragment"));
        }
        let (host, repository) = rest
            .trim_end_matches('/')
            .split_once('/')
            .ok_or_else(|| bad("it names a registry and no chart in it"))?;
        if repository.contains(['@', ':']) {
            return Err(bad(
                "it ends in a tag or a digest, which have fields of their own",
            ));
        }
        if !is_repository(repository) {
            return Err(bad(
                "the part after the host has other characters than a-z, 0-9, '.', '_', '-' and '/'",
            ));
        }
        if DOCKER_HUB.contains(&host) {
            url.set_host(Some(DOCKER_HUB_API))
                .map_err(|error| bad(&error.to_string()))?;
        }
        url.set_path(&format!("/v2/{repository}/"));
        let credentials = chart.credentials.clone();
        let ca_bundle = chart.ca_bundle.clone().filter(|pem| !pem.trim().is_empty());
        let client_certificate = chart.client_certificate.clone();
        let scope = scope(
            &url,
            credentials.as_ref(),
            ca_bundle.as_deref(),
            client_certificate.as_ref(),
        );
        Ok(Self {
            host: host.to_owned(),
            repository: repository.to_owned(),
            access: Access {
                base: url,
                credentials,
                ca_bundle,
                client_certificate,
                scope,
            },
            plain_http: chart.plain_http,
        })
    }

    /// The last part of the address, which is the chart's name as `helm push` has it.
    pub fn name(&self) -> &str {
        self.repository
            .rsplit('/')
            .next()
            .unwrap_or(&self.repository)
    }

    /// What the chart is in, for messages.
    pub fn registry(&self) -> String {
        let parent = self.repository.rsplit_once('/').map(|(parent, _)| parent);
        match parent {
            Some(parent) => format!("oci://{}/{parent}", self.host),
            None => format!("oci://{}", self.host),
        }
    }

    /// The first page of the list of tags.
    pub fn tags(&self) -> Result<Url, Error> {
        self.within(&format!("tags/list?n={}", super::tags::PAGE))
    }

    pub fn manifest(&self, reference: &str) -> Result<Url, Error> {
        self.within(&format!("manifests/{reference}"))
    }

    pub fn blob(&self, digest: PackageDigest) -> Result<Url, Error> {
        self.within(&format!("blobs/sha256:{digest}"))
    }

    /// What refers to a manifest, by the OCI distribution specification 1.1.
    pub fn referrers(&self, digest: PackageDigest) -> Result<Url, Error> {
        self.within(&format!("referrers/sha256:{digest}"))
    }

    fn within(&self, reference: &str) -> Result<Url, Error> {
        self.access
            .base
            .join(reference)
            .map_err(|error| Error::BadOciUrl {
                url: self.to_string(),
                detail: format!("{reference}: {error}"),
            })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.repository)
    }
}

/// A repository's name by the OCI distribution specification, its separators taken as single ones of the set.
fn is_repository(name: &str) -> bool {
    name.split('/').all(|part| {
        let bytes = part.as_bytes();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.first().is_some_and(|byte| plain(*byte))
            && bytes.last().is_some_and(|byte| plain(*byte))
            && bytes
                .iter()
                .all(|byte| plain(*byte) || matches!(byte, b'.' | b'_' | b'-'))
    })
}

/// An address as a command line has it: `oci://HOST/PATH`, with `:TAG`, `@sha256:DIGEST` or both after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The address without them.
    pub url: String,
    /// The version that the tag says, if there is one: `+` where the tag has `_`.
    pub version: Option<String>,
    /// The digest as it is written, if there is one.
    pub digest: Option<String>,
}

/// Takes tag and digest off an `oci://` address; `None` for what is none.
pub fn split_reference(text: &str) -> Option<Reference> {
    let rest = text.strip_prefix("oci://")?;
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.to_owned())),
        None => (rest, None),
    };
    let path = rest.find('/').unwrap_or(rest.len());
    let (rest, version) = match rest[path..].rfind(':') {
        Some(at) => (
            &rest[..path + at],
            Some(rest[path + at + 1..].replace('_', "+")),
        ),
        None => (rest, None),
    };
    Some(Reference {
        url: format!("oci://{rest}"),
        version,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn chart(url: &str) -> OciChart {
        OciChart {
            url: url.into(),
            ..OciChart::default()
        }
    }

    #[rstest]
    #[case("oci://a.example/web", "https://a.example/v2/web/manifests/1.0.0")]
    #[case(
        "oci://a.example:5000/charts/web/",
        "https://a.example:5000/v2/charts/web/manifests/1.0.0"
    )]
    #[case(
        "oci://docker.io/jane/web",
        "https://registry-1.docker.io/v2/jane/web/manifests/1.0.0"
    )]
    fn a_manifest_is_within_the_registrys_api(#[case] url: &str, #[case] manifest: &str) {
        let address = Address::new(&chart(url)).unwrap();

        assert_eq!(address.manifest("1.0.0").unwrap().as_str(), manifest);
    }

    #[test]
    fn plain_http_is_spoken_only_when_asked_for() {
        let mut plain = chart("oci://a.example/web");
        plain.plain_http = true;

        let address = Address::new(&plain).unwrap();

        assert_eq!(address.access.base.as_str(), "http://a.example/v2/web/");
    }

    #[rstest]
    #[case("https://a.example/web")]
    #[case("oci://a.example")]
    #[case("oci://a.example/Web")]
    #[case("oci://a.example/web:1.0.0")]
    #[case("oci://a.example/web@sha256:00")]
    #[case("oci://a.example/charts//web")]
    #[case("oci://a.example/../web")]
    #[case("oci://jane:hunter2@a.example/web")]
    #[case("oci://a.example/web?token=hunter2")]
    fn an_address_that_cannot_serve_is_refused_without_its_password(#[case] url: &str) {
        let error = Address::new(&chart(url)).unwrap_err().to_string();

        assert!(error.contains("oci://host/path/chart"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[rstest]
    #[case("oci://a.example:5000/web", "oci://a.example:5000/web", None, None)]
    #[case(
        "oci://a.example:5000/web:1.0.0_build",
        "oci://a.example:5000/web",
        Some("1.0.0+build"),
        None
    )]
    #[case(
        "oci://a.example/web@sha256:00",
        "oci://a.example/web",
        None,
        Some("sha256:00")
    )]
    #[case(
        "oci://a.example/web:1.0.0@sha256:00",
        "oci://a.example/web",
        Some("1.0.0"),
        Some("sha256:00")
    )]
    fn tag_and_digest_come_off_an_address(
        #[case] text: &str,
        #[case] url: &str,
        #[case] version: Option<&str>,
        #[case] digest: Option<&str>,
    ) {
        let reference = split_reference(text).unwrap();

        assert_eq!(reference.url, url);
        assert_eq!(reference.version.as_deref(), version);
        assert_eq!(reference.digest.as_deref(), digest);
    }
}
