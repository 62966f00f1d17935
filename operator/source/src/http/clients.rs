//! Connections, shared by everything that trusts the same authorities and shows the same certificate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, redirect};
use url::Url;

use crate::destinations::GuardedDns;
use crate::error::Error;
use crate::location::{Access, shown};
use crate::recent::Recent;
use crate::request::ClientCertificate;
use crate::settings::Settings;

/// What connections are told apart by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Tls {
    ca_bundle: Option<String>,
    /// Certificate and key.
    identity: Option<(String, String)>,
}

#[derive(Clone, Debug)]
struct Clients {
    decoding: Client,
    verbatim: Client,
}

pub(super) struct Pool(Mutex<Recent<Tls, Clients>>);

/// Distinct sets of authorities and certificates for which connections are kept.
const CLIENTS: u64 = 32;

impl Pool {
    pub fn new() -> Self {
        Self(Mutex::new(Recent::new(CLIENTS)))
    }

    /// Connections for a request to `url`. The certificate goes where the credentials go: to the repository's own
    /// origin and nowhere else.
    pub fn client(
        &self,
        settings: &Settings,
        access: &Access,
        url: &Url,
        verbatim: bool,
    ) -> Result<Client, Error> {
        let identity = access.client_certificate.as_ref();
        let identity = identity.filter(|_| access.is_at(url));
        let tls = Tls::of(access, identity);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = if let Some(pair) = known.get(&tls) {
            pair.clone()
        } else {
            let pair = Clients {
                decoding: build(settings, access, identity, true)?,
                verbatim: build(settings, access, identity, false)?,
            };
            known.insert(tls, pair.clone(), 1);
            pair
        };
        Ok(if verbatim {
            pair.verbatim
        } else {
            pair.decoding
        })
    }
}

impl Tls {
    fn of(access: &Access, identity: Option<&ClientCertificate>) -> Self {
        Self {
            ca_bundle: access.ca_bundle.clone(),
            identity: identity.map(|identity| {
                let key = identity.key.expose().to_owned();
                (identity.certificate.clone(), key)
            }),
        }
    }
}

/// Says nothing: there are keys in it.
impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

fn build(
    settings: &Settings,
    access: &Access,
    identity: Option<&ClientCertificate>,
    decode: bool,
) -> Result<Client, Error> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::NoTls);
    }
    let bad = |source| Error::BadCertificates {
        url: shown(&access.base),
        source: Arc::new(source),
    };
    let mut builder = Client::builder()
        .user_agent(concat!("belay/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_time)
        .read_timeout(settings.stall_time)
        .redirect(redirect::Policy::none())
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(2)
        .gzip(decode)
        .dns_resolver(Arc::new(GuardedDns(settings.destinations.clone())));
    if !settings.proxy_from_environment {
        builder = builder.no_proxy();
    }
    if let Some(pem) = &access.ca_bundle {
        let authorities = Certificate::from_pem_bundle(pem.as_bytes()).map_err(bad)?;
        builder = builder.tls_certs_merge(authorities);
    }
    if let Some(ClientCertificate { certificate, key }) = identity {
        let pem = format!("{certificate}\n{}", key.expose());
        let identity =
            Identity::from_pem(pem.as_bytes()).map_err(|source| Error::BadClientCertificate {
                url: shown(&access.base),
                source: Arc::new(source),
            })?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(bad)
}
