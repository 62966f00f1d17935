//! The cluster's certificate authority and what it signs.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Error, Result};

/// Signs servers' and users' certificates. Its key lies in the cluster's folder, so
/// that every test process can make users.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The authority's own certificate, in PEM.
    pub(crate) certificate: String,
}

/// A certificate and its key, both in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    /// Writes `NAME.crt` and `NAME.key` into `folder`.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> Result<()> {
        write(&folder.join(format!("{name}.crt")), &self.certificate)?;
        write(&folder.join(format!("{name}.key")), &self.key)
    }

    /// TLS for a server that is known by it.
    pub(crate) fn server_config(&self) -> Result<ServerConfig> {
        let unusable = |error: &dyn std::fmt::Display| Error::Unreadable {
            what: "a certificate of the harness".to_owned(),
            detail: error.to_string(),
        };
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|error| unusable(&error))?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| unusable(&error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![certificate], key)
            })
            .map_err(|error| unusable(&error))
    }
}

impl Authority {
    /// A new authority, written into `folder` as `ca.crt` and `ca.key`.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        let key = KeyPair::generate()?;
        let params = authority_params();
        let certificate = params.self_signed(&key)?.pem();
        Pair {
            certificate: certificate.clone(),
            key: key.serialize_pem(),
        }
        .write(folder, "ca")?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// The authority that [`Authority::create`] wrote into `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let certificate = read(&folder.join("ca.crt"))?;
        let key = KeyPair::from_pem(&read(&folder.join("ca.key"))?)?;
        Ok(Self {
            issuer: Issuer::new(authority_params(), key),
            certificate,
        })
    }

    /// A certificate for servers on the loopback interface.
    pub(crate) fn server(&self) -> Result<Pair> {
        let api_server = ["10.0.0.1", "localhost", "kubernetes.default.svc"];
        self.server_named(&api_server.map(str::to_owned))
    }

    /// A certificate for a server on the loopback interface that is asked by other names, too.
    pub(crate) fn server_named(&self, names: &[String]) -> Result<Pair> {
        let all = [&["127.0.0.1".to_owned()], names].concat();
        let mut params = CertificateParams::new(all)?;
        params.distinguished_name = name("belay-test-server", None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// A certificate by which the API server knows a user and the user's group.
    pub(crate) fn user(&self, user: &str, group: Option<&str>) -> Result<Pair> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = name(user, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Result<Pair> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Pair {
            certificate,
            key: key.serialize_pem(),
        })
    }
}

/// A key for service account tokens: `service-accounts.key` and `.pub` in `folder`.
pub(crate) fn service_account_key(folder: &Path) -> Result<()> {
    let key = KeyPair::generate()?;
    write(&folder.join("service-accounts.key"), &key.serialize_pem())?;
    write(&folder.join("service-accounts.pub"), &key.public_key_pem())
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("belay-test-authority", None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

fn name(common: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(Error::io(format!("writing {}", path.display())))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}
