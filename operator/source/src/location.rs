//! URLs: what a repository's and a package's address is, who gets credentials, and how an address is shown.

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::error::Error;
use crate::request::{ClientCertificate, Credentials, HttpRepository, Secret};

/// Stands for one distinct (address, credentials, authorities). Whatever is cached is cached under it, so that nobody
/// gets from the cache what his own credentials would not open.
pub(crate) type Scope = [u8; 32];

/// A repository's address with what opens it.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The base address: no user, no password, its path ending in `/`.
    pub base: Url,
    pub credentials: Option<Credentials>,
    pub ca_bundle: Option<String>,
    pub client_certificate: Option<ClientCertificate>,
    pub scope: Scope,
}

impl Access {
    pub fn new(repository: &HttpRepository) -> Result<Self, Error> {
        Self::at(
            &repository.url,
            repository.credentials.as_ref(),
            repository.ca_bundle.as_deref(),
            repository.client_certificate.as_ref(),
        )
    }

    /// An address that is asked over HTTP, with what opens it.
    pub fn at(
        url: &str,
        credentials: Option<&Credentials>,
        ca_bundle: Option<&str>,
        client_certificate: Option<&ClientCertificate>,
    ) -> Result<Self, Error> {
        let text = url.trim();
        let bad = |detail: &str| Error::BadUrl {
            url: shown_text(text),
            detail: detail.to_owned(),
        };
        let mut base = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        match base.scheme() {
            "http" | "https" => {}
            "oci" => {
                return Err(bad(
                    "an oci:// address is an OCI registry, not a chart repository",
                ));
            }
            other => return Err(bad(&format!("{other}:// is not supported"))),
        }
        if base.host_str().is_none() {
            return Err(bad("it names no host"));
        }
        let from_url = take_user_info(&mut base);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let credentials = credentials.cloned().or(from_url);
        let ca_bundle = ca_bundle.filter(|pem| !pem.trim().is_empty());
        let ca_bundle = ca_bundle.map(str::to_owned);
        let client_certificate = client_certificate.cloned();
        let scope = scope(
            &base,
            credentials.as_ref(),
            ca_bundle.as_deref(),
            client_certificate.as_ref(),
        );
        Ok(Self {
            base,
            credentials,
            ca_bundle,
            client_certificate,
            scope,
        })
    }

    /// Where the index is. A query of the repository's address stays, as with Helm.
    pub fn index(&self) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}index.yaml", self.base.path());
        url.set_path(&path);
        url
    }

    /// Where a Prometheus answers instant queries, with this one. A query of its own address stays.
    pub fn instant_query(&self, query: &str, timeout_seconds: u64) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}api/v1/query", self.base.path());
        url.set_path(&path);
        url.query_pairs_mut()
            .append_pair("query", query)
            .append_pair("timeout", &format!("{timeout_seconds}s"));
        url
    }

    /// Where a package is that the index calls `reference`: an address of its own, or one relative to the
    /// repository's. A relative one inherits the query of the repository's address, as with Helm.
    pub fn package(&self, reference: &str) -> Result<Url, Error> {
        let bad = |detail: String| Error::BadIndex {
            url: shown(&self.index()),
            line: None,
            detail,
        };
        let relative = Url::parse(reference).is_err();
        let mut url = self.base.join(reference).map_err(|error| {
            bad(format!(
                "{:?} is no package URL: {error}",
                shown_text(reference)
            ))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad(format!(
                "a package at {}:// cannot be fetched",
                url.scheme()
            )));
        }
        if relative && url.query().is_none() {
            url.set_query(self.base.query());
        }
        Ok(url)
    }

    /// The credentials for a request to `url`: none unless it goes to the repository's own origin.
    pub fn credentials_for(&self, url: &Url) -> Option<&Credentials> {
        self.credentials.as_ref().filter(|_| self.is_at(url))
    }

    /// Whether an address is of the repository's own origin: scheme, host and port.
    pub fn is_at(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// The same place with other credentials. What is cached stays under the scope of the caller's own.
    pub fn with(&self, credentials: Option<Credentials>) -> Self {
        Self {
            credentials,
            ..self.clone()
        }
    }
}

/// Where the provenance file of a package is: beside it, `.prov` after its name, as Helm has it.
pub(crate) fn provenance_of(package: &Url) -> Url {
    let mut url = package.clone();
    let path = format!("{}.prov", package.path());
    url.set_path(&path);
    url
}

/// The name of the file that an address ends in.
pub(crate) fn file_name(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back());
    decoded(last.unwrap_or_default())
}

/// An address for messages: no user, no password, no query (signed URLs carry their signature there).
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    take_user_info(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

pub(crate) fn shown_text(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => shown(&url),
        // What is no URL may still hold a password: everything between the scheme and an `@` goes.
        Err(_) => match (text.find("://"), text.rfind('@')) {
            (Some(scheme), Some(at)) if at > scheme => {
                format!("{}://{}", &text[..scheme], &text[at + 1..])
            }
            (_, Some(at)) => text[at + 1..].to_owned(),
            _ => text.split('?').next().unwrap_or_default().to_owned(),
        },
    }
}

pub(crate) fn take_user_info(url: &mut Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let credentials = Credentials::Basic {
        username: decoded(url.username()),
        password: Secret::new(decoded(url.password().unwrap_or_default())),
    };
    // Fails only for URLs that cannot have a user in the first place.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(credentials)
}

fn decoded(percent_encoded: &str) -> String {
    // A form parser also turns `+` into a space, which user info does not mean.
    let pair = percent_encoded
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned())
        .unwrap_or_default()
}

pub(crate) fn scope(
    base: &Url,
    credentials: Option<&Credentials>,
    ca_bundle: Option<&str>,
    client_certificate: Option<&ClientCertificate>,
) -> Scope {
    let (kind, user, secret) = match credentials {
        None => ("none", "", ""),
        Some(Credentials::Basic { username, password }) => {
            ("basic", username.as_str(), password.expose())
        }
        Some(Credentials::Bearer(token)) => ("bearer", "", token.expose()),
    };
    let mut hash = Sha256::new();
    for part in [
        base.as_str(),
        kind,
        user,
        secret,
        ca_bundle.unwrap_or_default(),
        client_certificate.map_or("", |identity| &identity.certificate),
        client_certificate.map_or("", |identity| identity.key.expose()),
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn access(url: &str) -> Access {
        Access::new(&repository(url)).unwrap()
    }

    fn repository(url: &str) -> HttpRepository {
        HttpRepository {
            url: url.into(),
            name: "web".into(),
            ..HttpRepository::default()
        }
    }

    #[rstest]
    #[case("https://a.example", "https://a.example/index.yaml")]
    #[case("https://a.example/charts", "https://a.example/charts/index.yaml")]
    #[case("https://a.example/charts/", "https://a.example/charts/index.yaml")]
    #[case(
        "https://a.example/charts?key=1",
        "https://a.example/charts/index.yaml?key=1"
    )]
    fn the_index_is_beside_the_repository(#[case] repository: &str, #[case] index: &str) {
        assert_eq!(access(repository).index().as_str(), index);
    }

    #[rstest]
    #[case("web-1.tgz", "https://a.example/charts/web-1.tgz?key=1")]
    #[case("sub/web-1.tgz", "https://a.example/charts/sub/web-1.tgz?key=1")]
    #[case("../web-1.tgz", "https://a.example/web-1.tgz?key=1")]
    #[case("/web-1.tgz", "https://a.example/web-1.tgz?key=1")]
    #[case("https://b.example/web-1.tgz", "https://b.example/web-1.tgz")]
    fn a_package_is_relative_to_the_repository_or_has_an_address_of_its_own(
        #[case] reference: &str,
        #[case] package: &str,
    ) {
        let access = access("https://a.example/charts?key=1");

        assert_eq!(access.package(reference).unwrap().as_str(), package);
    }

    #[rstest]
    #[case("https://a.example/web.tgz", true)]
    #[case("https://a.example:443/web.tgz", true)]
    #[case("http://a.example/web.tgz", false)]
    #[case("https://a.example:8443/web.tgz", false)]
    #[case("https://a.example.evil.example/web.tgz", false)]
    fn credentials_go_to_the_repository_s_own_origin_alone(#[case] url: &str, #[case] goes: bool) {
        let access = access("https://jane:secret@a.example/charts");

        assert_eq!(
            access.credentials_for(&Url::parse(url).unwrap()).is_some(),
            goes
        );
    }

    #[test]
    fn a_user_and_password_in_the_url_become_credentials_and_are_not_shown() {
        let access = access("https://jane:p%40ss+%3D@a.example/charts?token=t");

        assert_eq!(
            access.credentials,
            Some(Credentials::Basic {
                username: "jane".into(),
                password: Secret::new("p@ss+="),
            })
        );
        assert_eq!(
            shown(&access.index()),
            "https://a.example/charts/index.yaml"
        );
    }

    #[rstest]
    #[case("ftp://a.example")]
    #[case("file:///charts")]
    #[case("oci://a.example/charts")]
    #[case("charts")]
    #[case("https://jane:hunter2@:bad")]
    fn an_address_that_cannot_serve_is_refused_without_its_password(#[case] url: &str) {
        let error = Access::new(&repository(url)).unwrap_err().to_string();

        assert!(error.contains("https://host/path"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[rstest]
    #[case("https://a.example/web-1.0.0.tgz", "web-1.0.0.tgz")]
    #[case("https://a.example/web-1.0.0%2Bb.1.tgz?key=1", "web-1.0.0+b.1.tgz")]
    fn a_provenance_file_is_beside_its_package(#[case] package: &str, #[case] name: &str) {
        let package = Url::parse(package).unwrap();

        assert_eq!(file_name(&package), name);
        let beside = provenance_of(&package);
        assert_eq!(file_name(&beside), format!("{name}.prov"));
        assert_eq!(beside.query(), package.query());
    }

    #[test]
    fn other_credentials_are_another_scope() {
        let plain = access("https://a.example");
        let opened = access("https://jane:x@a.example");

        assert_ne!(plain.scope, opened.scope);
        assert_eq!(plain.scope, access("https://a.example/").scope);
    }
}
