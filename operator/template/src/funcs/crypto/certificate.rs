//! X.509 certificates with the fields and extensions that sprig's have.

use std::any::Any as StdAny;
use std::net::IpAddr;
use std::time::Duration;

use der::asn1::{
    BitString, GeneralizedTime, Ia5String, ObjectIdentifier, OctetString, SetOfVec, UtcTime,
};
use der::flagset::FlagSet;
use der::oid::AssociatedOid;
use der::{Any, Decode as _, Encode, Tag};
use sha2::{Digest as _, Sha256};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate as X509, TbsCertificate, Version};

use super::key::{PrivateKey, decode_pem, pem};
use crate::call::Host;
use crate::error::FuncError;
use crate::fmt;
use crate::value::{List, Member, Object, Value};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// A certificate and its private key, both in PEM.
#[derive(Debug, Clone, Default)]
pub(super) struct Certificate {
    pub(super) cert: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        super::CERTIFICATE
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        let found = self
            .fields()
            .into_iter()
            .find(|(field, _)| field.as_bytes() == name);
        found.map(|(_, value)| Member::Field(value))
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Cert", Value::str(&self.cert[..])),
            ("Key", Value::str(&self.key[..])),
        ]
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// Who signs somebody else's certificate.
pub(super) struct Signer {
    certificate: X509,
    key: PrivateKey,
}

impl Certificate {
    /// This certificate as an authority.
    pub(super) fn signer(&self) -> Result<Signer, FuncError> {
        let certificate = decode_pem(&self.cert)
            .ok_or_else(|| FuncError::new("unable to decode certificate"))
            .and_then(|(_, der)| {
                X509::from_der(&der).map_err(|error| {
                    FuncError::new(format!(
                        "error parsing certificate: decodedSignerCert.Bytes: {error}"
                    ))
                })
            })?;
        let key = PrivateKey::from_pem(&self.key)
            .map_err(|error| FuncError::new(format!("error parsing private key: {error}")))?;
        Ok(Signer { certificate, key })
    }
}

/// Checks that a PEM text holds a certificate.
pub(super) fn parse(text: &[u8]) -> Result<(), FuncError> {
    let (_, der) =
        decode_pem(text).ok_or_else(|| FuncError::new("unable to decode certificate"))?;
    X509::from_der(&der).map(|_| ()).map_err(|error| {
        FuncError::new(format!(
            "error parsing certificate: decodedCert.Bytes: {error}"
        ))
    })
}

/// The IP addresses of a list of strings.
pub(super) fn addresses(list: &List) -> Result<Vec<IpAddr>, FuncError> {
    let address = |value: &Value| {
        let Value::Str(text) = value else {
            return Err(not_a_string("error parsing ip", value));
        };
        let text = text.to_text();
        let parsed = text.parse::<IpAddr>().map(|address| address.to_canonical());
        parsed.map_err(|_| FuncError::new(format!("error parsing ip: {text}")))
    };
    list.iter().map(address).collect()
}

/// The names of a list of strings.
pub(super) fn dns_names(list: &List) -> Result<Vec<String>, FuncError> {
    let name = |value: &Value| match value {
        Value::Str(text) => Ok(text.to_text().into_owned()),
        _ => Err(not_a_string("error processing alternate dns name", value)),
    };
    list.iter().map(name).collect()
}

fn not_a_string(what: &str, value: &Value) -> FuncError {
    let shown = fmt::display(value);
    FuncError::new(format!(
        "{what}: {} is not a string",
        String::from_utf8_lossy(&shown)
    ))
}

/// What a new certificate is to say.
pub(super) struct Request {
    pub(super) common_name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) names: Vec<String>,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    /// Seconds since 1970.
    pub(super) not_after: i64,
    pub(super) is_authority: bool,
}

impl Request {
    /// Makes the certificate for `key`, signed by itself when there is no signer.
    pub(super) fn sign(
        &self,
        host: &mut dyn Host,
        key: &PrivateKey,
        signer: Option<&Signer>,
    ) -> Result<Certificate, FuncError> {
        let failed = |error: String| FuncError::new(format!("error creating certificate: {error}"));
        let public = key.public().map_err(failed)?;
        let signing_key = signer.map_or(key, |signer| &signer.key);
        if let Some(signer) = signer {
            let own = signer.key.public().map_err(failed)?;
            if own != signer.certificate.tbs_certificate.subject_public_key_info {
                return Err(failed(
                    "x509: provided PrivateKey doesn't match parent's PublicKey".to_owned(),
                ));
            }
        }
        let mut serial = [0; 16];
        host.random(&mut serial);
        let tbs = self
            .to_be_signed(&serial, public, signing_key, signer)
            .map_err(|error| failed(error.to_string()))?;
        let message = tbs.to_der().map_err(|error| failed(error.to_string()))?;
        let signature = signing_key.sign(&message).map_err(failed)?;
        let build = || -> der::Result<Vec<u8>> {
            let certificate = X509 {
                tbs_certificate: tbs,
                signature_algorithm: signing_key.algorithm(),
                signature: BitString::from_bytes(&signature)?,
            };
            certificate.to_der()
        };
        let der = build().map_err(|error| failed(error.to_string()))?;
        let key = key
            .to_pem()
            .map_err(|error| FuncError::new(format!("error pem-encoding key: {error}")))?;
        Ok(Certificate {
            cert: pem("CERTIFICATE", &der).into_bytes(),
            key: key.into_bytes(),
        })
    }

    fn to_be_signed(
        &self,
        serial: &[u8],
        public: SubjectPublicKeyInfoOwned,
        signing_key: &PrivateKey,
        signer: Option<&Signer>,
    ) -> der::Result<TbsCertificate> {
        let subject = common_name(&self.common_name)?;
        let issuer = signer.map_or_else(
            || subject.clone(),
            |s| s.certificate.tbs_certificate.subject.clone(),
        );
        let authority_key = match signer {
            Some(signer) if issuer != subject => subject_key(&signer.certificate),
            _ => None,
        };
        let extensions = self.extensions(&public, authority_key)?;
        Ok(TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(serial)?,
            signature: signing_key.algorithm(),
            issuer,
            validity: Validity {
                not_before: time(self.not_before)?,
                not_after: time(self.not_after)?,
            },
            subject,
            subject_public_key_info: public,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(extensions),
        })
    }

    fn extensions(
        &self,
        public: &SubjectPublicKeyInfoOwned,
        authority_key: Option<SubjectKeyIdentifier>,
    ) -> der::Result<Vec<Extension>> {
        let mut usage: FlagSet<KeyUsages> =
            KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
        if self.is_authority {
            usage |= KeyUsages::KeyCertSign;
        }
        let mut all = vec![
            extension(&KeyUsage(usage), true)?,
            extension(&ExtendedKeyUsage(vec![SERVER_AUTH, CLIENT_AUTH]), false)?,
            extension(
                &BasicConstraints {
                    ca: self.is_authority,
                    path_len_constraint: None,
                },
                true,
            )?,
        ];
        if self.is_authority {
            // RFC 7093: the left 160 bits of the key's SHA-256, as Go makes it since 1.25.
            let digest = Sha256::digest(public.subject_public_key.raw_bytes());
            all.push(extension(
                &SubjectKeyIdentifier(OctetString::new(&digest[..20])?),
                false,
            )?);
        }
        if let Some(SubjectKeyIdentifier(id)) = authority_key {
            let authority = AuthorityKeyIdentifier {
                key_identifier: Some(id),
                authority_cert_issuer: None,
                authority_cert_serial_number: None,
            };
            all.push(extension(&authority, false)?);
        }
        let mut names = Vec::new();
        for name in &self.names {
            names.push(GeneralName::DnsName(Ia5String::new(name)?));
        }
        for address in &self.addresses {
            let bytes = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            names.push(GeneralName::IpAddress(OctetString::new(bytes)?));
        }
        if !names.is_empty() {
            // A certificate without a subject is known by its alternative names alone.
            all.push(extension(
                &SubjectAltName(names),
                self.common_name.is_empty(),
            )?);
        }
        Ok(all)
    }
}

fn extension<T: AssociatedOid + Encode>(content: &T, critical: bool) -> der::Result<Extension> {
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value: OctetString::new(content.to_der()?)?,
    })
}

fn subject_key(certificate: &X509) -> Option<SubjectKeyIdentifier> {
    let found = certificate.tbs_certificate.get::<SubjectKeyIdentifier>();
    found.ok().flatten().map(|(_, id)| id)
}

/// An empty name is no name at all.
fn common_name(name: &str) -> der::Result<Name> {
    if name.is_empty() {
        return Ok(RdnSequence(Vec::new()));
    }
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if name.bytes().all(printable) {
        Tag::PrintableString
    } else {
        Tag::Utf8String
    };
    let value = AttributeTypeAndValue {
        oid: COMMON_NAME,
        value: Any::new(tag, name.as_bytes())?,
    };
    let mut set = SetOfVec::new();
    set.insert(value)?;
    Ok(RdnSequence(vec![RelativeDistinguishedName::from(set)]))
}

/// Two digits for the year while they suffice.
fn time(seconds: i64) -> der::Result<Time> {
    let since_epoch = Duration::from_secs(seconds.max(0).unsigned_abs());
    match UtcTime::from_unix_duration(since_epoch) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => GeneralizedTime::from_unix_duration(since_epoch).map(Time::GeneralTime),
    }
}
