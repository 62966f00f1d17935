//! Public keys by which manifests in registries may be signed.

use std::fmt;
use std::sync::Arc;

use der::Decode as _;
use der::asn1::ObjectIdentifier;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::digest::PackageDigest;

/// The keys of which one has to have signed, as `cosign generate-key-pair` writes them to `cosign.pub`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeys(Arc<[PublicKey]>);

/// Why public keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPublicKey {
    /// It is no public key.
    #[error(
        "its key {file} is no public key: {detail}; cosign generate-key-pair writes one to cosign.pub"
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It is a private key, which nobody but the publisher should have.
    #[error(
        "its key {file} is a private key; keep that away from the cluster and put in cosign.pub"
    )]
    Private {
        /// The file.
        file: String,
    },
    /// It is a key of a kind that cosign does not sign with.
    #[error(
        "its key {file} is of a kind that is not known; known are ECDSA over P-256 and P-384, Ed25519, and RSA of 2048 to 8192 bits"
    )]
    Unknown {
        /// The file.
        file: String,
    },
    /// There are no keys at all.
    #[error("it has no key that ends in .pub")]
    Empty,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    file: String,
    kind: Kind,
    /// The key as its kind has it, without what says which kind that is.
    bits: Vec<u8>,
    fingerprint: PackageDigest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

// RFC 5480, RFC 8410 and RFC 8017.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

impl Kind {
    /// The signatures that cosign makes with such a key: SHA-256 always, and SHA-384 with P-384 in its newer bundles.
    fn algorithms(self) -> Vec<&'static dyn VerificationAlgorithm> {
        match self {
            Self::P256 => vec![&signature::ECDSA_P256_SHA256_ASN1],
            Self::P384 => vec![
                &signature::ECDSA_P384_SHA256_ASN1,
                &signature::ECDSA_P384_SHA384_ASN1,
            ],
            Self::Ed25519 => vec![&signature::ED25519],
            Self::Rsa => vec![&signature::RSA_PKCS1_2048_8192_SHA256],
        }
    }
}

impl PublicKeys {
    /// Reads keys, each with the name of its file: PEM blocks `PUBLIC KEY`, as cosign writes them.
    ///
    /// # Errors
    /// When one of them cannot be used, or when there is none.
    pub fn read<'f>(
        files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
    ) -> Result<Self, BadPublicKey> {
        let keys: Result<Vec<_>, _> = files
            .into_iter()
            .map(|(file, pem)| PublicKey::read(file, pem))
            .collect();
        let keys = keys?;
        if keys.is_empty() {
            return Err(BadPublicKey::Empty);
        }
        Ok(Self(keys.into()))
    }

    /// The key that signed a message, if one of them did.
    pub(crate) fn signer(&self, message: &[u8], signature: &[u8]) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.signed(message, signature))
    }
}

impl PublicKey {
    fn read(file: &str, pem: &[u8]) -> Result<Self, BadPublicKey> {
        let unreadable = |detail: String| BadPublicKey::Unreadable {
            file: file.to_owned(),
            detail,
        };
        if String::from_utf8_lossy(pem).contains("PRIVATE KEY-----") {
            return Err(BadPublicKey::Private {
                file: file.to_owned(),
            });
        }
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem)
            .map_err(|error| unreadable(format!("no PEM block PUBLIC KEY ({error})")))?;
        let read = SubjectPublicKeyInfoRef::from_der(&info)
            .map_err(|error| unreadable(error.to_string()))?;
        let algorithm = &read.algorithm;
        let curve = || algorithm.parameters_oid().ok();
        let kind = match algorithm.oid {
            EC if curve() == Some(P256) => Some(Kind::P256),
            EC if curve() == Some(P384) => Some(Kind::P384),
            ED25519 => Some(Kind::Ed25519),
            RSA => Some(Kind::Rsa),
            _ => None,
        };
        let bits = read
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| unreadable("its bits are no bytes".to_owned()))?;
        Ok(Self {
            file: file.to_owned(),
            kind: kind.ok_or_else(|| BadPublicKey::Unknown {
                file: file.to_owned(),
            })?,
            bits: bits.to_vec(),
            fingerprint: PackageDigest::of(&info),
        })
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.kind.algorithms().into_iter().any(|algorithm| {
            UnparsedPublicKey::new(algorithm, &self.bits)
                .verify(message, signature)
                .is_ok()
        })
    }
}

/// File and SHA-256 of the key's DER.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SHA-256 {})", self.file, self.fingerprint)
    }
}

/// The keys by file and fingerprint.
impl fmt::Display for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "the cosign keys {}", keys.join(", "))
    }
}

impl fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKeys({self})")
    }
}

#[cfg(test)]
mod tests;
