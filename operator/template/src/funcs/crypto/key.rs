//! Private keys: making them, and the PEM forms that Go reads and writes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::{BitString, ObjectIdentifier, OctetString, Uint};
use der::{Decode as _, Encode as _, Sequence};
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
};
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::rand_core::{CryptoRng, Error as RngError, RngCore};
use sha2::{Digest as _, Sha256};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::call::Host;

const RSA_BITS: usize = 4096;
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SHA256_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA256_ECDSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The host's randomness in the shape that key generators ask for.
pub(super) struct HostRng<'h>(pub(super) &'h mut dyn Host);

impl RngCore for HostRng<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut drawn = [0; 4];
        self.0.random(&mut drawn);
        u32::from_le_bytes(drawn)
    }

    fn next_u64(&mut self) -> u64 {
        let mut drawn = [0; 8];
        self.0.random(&mut drawn);
        u64::from_le_bytes(drawn)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        self.0.random(buffer);
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), RngError> {
        self.0.random(buffer);
        Ok(())
    }
}

impl CryptoRng for HostRng<'_> {}

/// A private key of a kind that can sign certificates, or one that Go can read but not sign with.
pub(super) enum PrivateKey {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ecdsa(Box<p256::SecretKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Dsa,
}

/// SEC 1's form of an elliptic curve key, with the curve's name, which OpenSSL needs.
#[derive(Sequence)]
struct EcKey {
    version: u8,
    private_key: OctetString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    curve: ObjectIdentifier,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    public_key: BitString,
}

/// OpenSSL's form of a DSA key.
#[derive(Sequence)]
struct DsaKey {
    version: u8,
    p: Uint,
    q: Uint,
    g: Uint,
    y: Uint,
    x: Uint,
}

/// Sprig's `genPrivateKey`: a key in PEM, or a text about why there is none.
pub(super) fn generate_pem(host: &mut dyn Host, kind: &str) -> String {
    let mut rng = HostRng(host);
    let pem = match kind {
        "" | "rsa" => PrivateKey::rsa(&mut rng, RSA_BITS).and_then(|key| key.to_pem()),
        "dsa" => dsa_pem(&mut rng),
        "ecdsa" => PrivateKey::Ecdsa(Box::new(p256::SecretKey::random(&mut rng))).to_pem(),
        "ed25519" => {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            PrivateKey::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed))).to_pem()
        }
        _ => return format!("Unknown type {kind}"),
    };
    pem.unwrap_or_else(|error| format!("failed to generate private key: {error}"))
}

fn dsa_pem(rng: &mut HostRng<'_>) -> Result<String, String> {
    let components = dsa::Components::generate(rng, dsa::KeySize::DSA_2048_256);
    let key = dsa::SigningKey::generate(rng, components);
    let number = |number: &dsa::BigUint| Uint::new(&number.to_bytes_be());
    let public = key.verifying_key();
    let components = public.components();
    let encode = || -> der::Result<Vec<u8>> {
        let key = DsaKey {
            version: 0,
            p: number(components.p())?,
            q: number(components.q())?,
            g: number(components.g())?,
            y: number(public.y())?,
            x: number(key.x())?,
        };
        key.to_der()
    };
    encode()
        .map(|der| pem("DSA PRIVATE KEY", &der))
        .map_err(|error| error.to_string())
}

impl PrivateKey {
    pub(super) fn rsa(rng: &mut HostRng<'_>, bits: usize) -> Result<Self, String> {
        let key = rsa::RsaPrivateKey::new(rng, bits).map_err(|error| error.to_string())?;
        Ok(Self::Rsa(Box::new(key)))
    }

    /// Reads a key from the first PEM block. The error is in Go's words as far as they do not depend on the block's
    /// inside.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let (label, der) = decode_pem(text).ok_or("no PEM data in input")?;
        let Some(kind) = label.strip_suffix("PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {label}"));
        };
        match kind {
            "" => {
                Self::from_pkcs8(&der).map_err(|error| format!("decoding PEM as PKCS#8: {error}"))
            }
            "RSA " => rsa::RsaPrivateKey::from_pkcs1_der(&der)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            "EC " => p256::SecretKey::from_sec1_der(&der)
                .map(|key| Self::Ecdsa(Box::new(key)))
                .map_err(|error| format!("parsing EC private key from PEM: {error}")),
            "DSA " => DsaKey::from_der(&der)
                .map(|_| Self::Dsa)
                .map_err(|error| format!("parsing DSA private key from PEM: {error}")),
            _ if kind.ends_with(' ') => {
                Err(format!("invalid private key type {}", kind.trim_end()))
            }
            _ => Err(format!("no private key data in PEM block of type {label}")),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, String> {
        if let Ok(key) = rsa::RsaPrivateKey::from_pkcs8_der(der) {
            return Ok(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Ok(Self::Ecdsa(Box::new(key)));
        }
        match ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            Ok(key) => Ok(Self::Ed25519(Box::new(key))),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The key as Go writes it.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        let wrong = |error: &dyn std::fmt::Display| error.to_string();
        match self {
            Self::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| wrong(&error))?;
                Ok(pem("RSA PRIVATE KEY", der.as_bytes()))
            }
            Self::Ecdsa(key) => {
                let der = ec_der(key).map_err(|error| wrong(&error))?;
                Ok(pem("EC PRIVATE KEY", &der))
            }
            Self::Ed25519(key) => {
                // Without the public key: OpenSSL 3.0 does not read the newer form that has it.
                let bytes = KeypairBytes {
                    secret_key: key.to_bytes(),
                    public_key: None,
                };
                let der = bytes.to_pkcs8_der().map_err(|error| wrong(&error))?;
                Ok(pem("PRIVATE KEY", der.as_bytes()))
            }
            Self::Dsa => Err("x509: unknown key type while marshaling PKCS#8".to_owned()),
        }
    }

    /// The public half, as certificates carry it.
    pub(super) fn public(&self) -> Result<SubjectPublicKeyInfoOwned, String> {
        let der = match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der(),
            Self::Ecdsa(key) => key.public_key().to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
            Self::Dsa => {
                return Err(
                    "x509: certificate private key does not implement crypto.Signer".to_owned(),
                );
            }
        };
        let der = der.map_err(|error| error.to_string())?;
        SubjectPublicKeyInfoOwned::from_der(der.as_bytes()).map_err(|error| error.to_string())
    }

    /// How certificates name what [`PrivateKey::sign`] does.
    pub(super) fn algorithm(&self) -> AlgorithmIdentifierOwned {
        let (oid, parameters) = match self {
            Self::Rsa(_) => (SHA256_RSA, Some(der::Any::null())),
            Self::Ecdsa(_) => (SHA256_ECDSA, None),
            Self::Ed25519(_) | Self::Dsa => (ED25519, None),
        };
        AlgorithmIdentifierOwned { oid, parameters }
    }

    /// Signs the message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => {
                let scheme = rsa::Pkcs1v15Sign::new::<Sha256>();
                key.sign(scheme, &Sha256::digest(message))
                    .map_err(|error| error.to_string())
            }
            Self::Ecdsa(key) => {
                let key = p256::ecdsa::SigningKey::from(&**key);
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                Ok(signature.as_bytes().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).to_vec()),
            Self::Dsa => {
                Err("x509: certificate private key does not implement crypto.Signer".to_owned())
            }
        }
    }
}

fn ec_der(key: &p256::SecretKey) -> der::Result<Vec<u8>> {
    use p256::elliptic_curve::sec1::ToEncodedPoint as _;

    let public = key.public_key().to_encoded_point(false);
    let key = EcKey {
        version: 1,
        private_key: OctetString::new(key.to_bytes().to_vec())?,
        curve: P256,
        public_key: BitString::from_bytes(public.as_bytes())?,
    };
    key.to_der()
}

/// A PEM block with lines of 64 characters.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines = (0..encoded.len()).step_by(64);
    let lines = lines.map(|at| &encoded[at..encoded.len().min(at + 64)]);
    let body: Vec<&str> = lines.collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        body.join("\n")
    )
}

/// The label and the bytes of the first PEM block; what stands around it does not matter.
pub(super) fn decode_pem(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(text);
    let mut rest = &*text;
    loop {
        let start = rest.find("-----BEGIN ")?;
        rest = &rest[start + 11..];
        let Some((label, after)) = rest.split_once("-----") else {
            continue;
        };
        let Some((body, _)) = after.split_once(&format!("-----END {label}-----")) else {
            continue;
        };
        // Headers such as `Proc-Type: …` end with an empty line.
        let body = if body.contains(':') {
            body.split_once("\n\n").map_or("", |(_, b)| b)
        } else {
            body
        };
        let digits: String = body.split_ascii_whitespace().collect();
        if let Ok(der) = STANDARD.decode(digits) {
            return Some((label.to_owned(), der));
        }
    }
}
