//! PGP keys by which packages may be signed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pgp::composed::{CleartextSignedMessage, PublicOrSecret, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureType};
use pgp::types::{KeyDetails, Timestamp};
use sha2::{Digest as _, Sha256};

/// The public keys by which a package may be signed.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<[Certificate]>,
    /// Tells one set of keys from another.
    id: [u8; 32],
}

/// Why a keyring cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyring {
    /// It is no keyring.
    #[error(
        "its key {file} is no PGP keyring: {detail}; write one with gpg --export NAME, armored or not"
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// It holds a private key, which nobody but the publisher should have.
    #[error(
        "its key {file} holds a private PGP key; keep that away from the cluster and put in what gpg --export NAME writes"
    )]
    Private {
        /// The file.
        file: String,
    },
    /// There are no keys at all.
    #[error("it has no PGP key; put in what gpg --export NAME writes")]
    Empty,
}

/// Who signed, by name and fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    pub fingerprint: String,
    pub user: Option<String>,
}

/// A key with what its own signatures say of it.
struct Certificate {
    key: SignedPublicKey,
    signer: Signer,
    use_: Use,
}

/// Which of a certificate's keys may sign.
enum Use {
    Revoked,
    Keys(Vec<Usable>),
}

/// A key that may sign.
struct Usable {
    which: Which,
    from: Timestamp,
    until: Option<SystemTime>,
}

enum Which {
    Primary,
    Subkey(usize),
}

/// What becomes of a private key in a keyring.
#[derive(Clone, Copy)]
enum Private {
    Refused,
    PublicParts,
}

/// Hashes that still tell two texts apart.
const STRONG: [HashAlgorithm; 6] = [
    HashAlgorithm::Sha224,
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
    HashAlgorithm::Sha3_256,
    HashAlgorithm::Sha3_512,
];

impl Keyring {
    /// Reads keyrings, each with the name of its file: public keys as `gpg --export` writes them, armored or binary.
    ///
    /// # Errors
    /// When one of them is no keyring or holds a private key, or when there is no key at all.
    pub fn read<'f>(
        files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
    ) -> Result<Self, BadKeyring> {
        Self::of(files, Private::Refused)
    }

    /// Reads one's own keyring on one's own machine: of private keys in it, which helm takes as well, the public
    /// parts count.
    ///
    /// # Errors
    /// When it is no keyring or holds no key.
    pub fn read_own(file: &str, content: &[u8]) -> Result<Self, BadKeyring> {
        Self::of([(file, content)], Private::PublicParts)
    }

    fn of<'f>(
        files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
        private: Private,
    ) -> Result<Self, BadKeyring> {
        let mut keys = Vec::new();
        let mut id = Sha256::new();
        for (file, content) in files {
            for key in read(file, content, private)? {
                let certificate = Certificate::new(key);
                id.update(certificate.signer.fingerprint.as_bytes());
                keys.push(certificate);
            }
            id.update((content.len() as u64).to_be_bytes());
            id.update(content);
        }
        if keys.is_empty() {
            return Err(BadKeyring::Empty);
        }
        Ok(Self {
            keys: keys.into(),
            id: id.finalize().into(),
        })
    }

    /// Who signed a text; what is wrong with its signatures otherwise. A key's time is `now`'s, as with Helm.
    pub(crate) fn signer(
        &self,
        message: &CleartextSignedMessage,
        now: SystemTime,
    ) -> Result<Signer, String> {
        let text = message.signed_text();
        let mut doubts = Vec::new();
        for signature in message.signatures() {
            match self.signed(signature, text.as_bytes(), now) {
                Ok(signer) => return Ok(signer),
                Err(doubt) => doubts.push(doubt),
            }
        }
        if doubts.is_empty() {
            return Err("it has no signature".to_owned());
        }
        doubts.dedup();
        Err(doubts.join("; "))
    }

    fn signed(
        &self,
        signature: &Signature,
        text: &[u8],
        now: SystemTime,
    ) -> Result<Signer, String> {
        let strong = signature
            .hash_alg()
            .is_some_and(|hash| STRONG.contains(&hash));
        let of_text = matches!(
            signature.typ(),
            Some(SignatureType::Text | SignatureType::Binary)
        );
        if !strong || !of_text {
            return Err("its signature is of a kind that proves nothing any more".to_owned());
        }
        for certificate in &*self.keys {
            let signer = &certificate.signer;
            let keys = match &certificate.use_ {
                Use::Keys(keys) => keys,
                Use::Revoked if names(signature, &certificate.key) => {
                    return Err(format!("its signature is by {signer}, which is revoked"));
                }
                Use::Revoked => continue,
            };
            for usable in keys {
                let genuine = match usable.which {
                    Which::Primary => signature.verify(&certificate.key.primary_key, text),
                    Which::Subkey(index) => {
                        signature.verify(&certificate.key.public_subkeys[index].key, text)
                    }
                };
                if genuine.is_ok() {
                    return timely(signature, usable, now)
                        .map(|()| signer.clone())
                        .map_err(|doubt| format!("its signature is by {signer}, {doubt}"));
                }
            }
            if names(signature, &certificate.key) {
                return Err(format!(
                    "its signature names {signer} and does not fit the text: one of the two was changed"
                ));
            }
        }
        Err(match issuer(signature) {
            Some(issuer) => {
                format!("its signature is by the key {issuer}, which is not among them")
            }
            None => "its signature is by none of them".to_owned(),
        })
    }
}

/// Whether key and signature are in their time.
fn timely(signature: &Signature, usable: &Usable, now: SystemTime) -> Result<(), &'static str> {
    let Some(made) = signature.created() else {
        return Err("and does not say when it was made");
    };
    if made < usable.from {
        return Err("and older than the key");
    }
    if usable.until.is_some_and(|until| until <= now) {
        return Err("which has expired");
    }
    let lasts = signature.signature_expiration_time();
    if lasts.is_some_and(|lasts| end(made, lasts.into()).is_some_and(|end| end <= now)) {
        return Err("and has expired");
    }
    Ok(())
}

/// Zero means for ever (RFC 9580, 5.2.3.13).
fn end(from: Timestamp, lasts: Duration) -> Option<SystemTime> {
    (!lasts.is_zero()).then(|| SystemTime::from(from) + lasts)
}

/// Whether a signature says that it is by a certificate or one of its keys.
fn names(signature: &Signature, key: &SignedPublicKey) -> bool {
    let ids = signature.issuer_key_id();
    let fingerprints = signature.issuer_fingerprint();
    let named = |details: &dyn KeyDetails| {
        ids.iter().any(|id| **id == details.legacy_key_id())
            || fingerprints
                .iter()
                .any(|fingerprint| **fingerprint == details.fingerprint())
    };
    named(&key.primary_key) || key.public_subkeys.iter().any(|subkey| named(&subkey.key))
}

fn issuer(signature: &Signature) -> Option<String> {
    let fingerprint = signature.issuer_fingerprint();
    let fingerprint = fingerprint.first().map(ToString::to_string);
    let id = signature.issuer_key_id();
    fingerprint
        .or_else(|| id.first().map(ToString::to_string))
        .map(|text| text.to_uppercase())
}

impl Certificate {
    fn new(key: SignedPublicKey) -> Self {
        let user = key.details.users.first();
        let user = user.and_then(|user| user.id.as_str().map(str::to_owned));
        Self {
            signer: Signer {
                fingerprint: key.fingerprint().to_string().to_uppercase(),
                user,
            },
            use_: use_of(&key),
            key,
        }
    }
}

/// What a key's own signatures allow it. Those that do not hold are passed over, as anybody may add them.
fn use_of(key: &SignedPublicKey) -> Use {
    let primary = &key.primary_key;
    let details = &key.details;
    let revoked = details
        .revocation_signatures
        .iter()
        .any(|signature| signature.verify_key(primary).is_ok());
    if revoked {
        return Use::Revoked;
    }
    let direct = details
        .direct_signatures
        .iter()
        .filter(|signature| signature.verify_key(primary).is_ok());
    let by_user = details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(|signature| {
            let tag = pgp::types::Tag::UserId;
            signature.is_certification()
                && signature
                    .verify_certification(primary, tag, &user.id)
                    .is_ok()
        })
    });
    let mut keys = Vec::new();
    let newest = direct.chain(by_user).max_by_key(|sig| sig.created());
    let lifetime = |signature: &Signature, from: Timestamp| {
        let lasts = signature.key_expiration_time()?;
        end(from, lasts.into())
    };
    let Some(newest) = newest else {
        return Use::Keys(keys);
    };
    let until = lifetime(newest, primary.created_at());
    // Keys older than flags may do everything.
    let flags = newest.key_flags();
    if flags.sign() || flags == KeyFlags::default() {
        keys.push(Usable {
            which: Which::Primary,
            from: primary.created_at(),
            until,
        });
    }
    for (index, subkey) in key.public_subkeys.iter().enumerate() {
        let held = |signature: &&Signature| {
            signature
                .verify_subkey_binding(primary, &subkey.key)
                .is_ok()
        };
        let of = |kind| move |signature: &&Signature| signature.typ() == Some(kind);
        let signatures = || subkey.signatures.iter();
        if signatures()
            .filter(of(SignatureType::SubkeyRevocation))
            .any(|signature| held(&signature))
        {
            continue;
        }
        let binding = signatures()
            .filter(of(SignatureType::SubkeyBinding))
            .filter(held)
            .max_by_key(|signature| signature.created());
        let Some(binding) = binding.filter(|binding| binding.key_flags().sign()) else {
            continue;
        };
        // The subkey says itself that it belongs here: nobody adopts another's key.
        let agreed = binding.embedded_signature().is_some_and(|back| {
            back.verify_primary_key_binding(&subkey.key, primary)
                .is_ok()
        });
        if agreed {
            let own = lifetime(binding, subkey.key.created_at());
            keys.push(Usable {
                which: Which::Subkey(index),
                from: subkey.key.created_at(),
                until: own.into_iter().chain(until).min(),
            });
        }
    }
    Use::Keys(keys)
}

fn read(file: &str, content: &[u8], private: Private) -> Result<Vec<SignedPublicKey>, BadKeyring> {
    let unreadable = |detail: String| BadKeyring::Unreadable {
        file: file.to_owned(),
        detail,
    };
    // The magic of a keybox, by GnuPG's kbx/keybox-blob.c.
    if content.get(8..12) == Some(b"KBXf") {
        return Err(unreadable("it is a keybox of GnuPG".to_owned()));
    }
    let mut found = Vec::new();
    for block in blocks(content) {
        let (keys, _) = PublicOrSecret::from_reader_many(block)
            .map_err(|error| unreadable(error.to_string()))?;
        for key in keys {
            let key = key.map_err(|error| unreadable(error.to_string()))?;
            match (key, private) {
                (PublicOrSecret::Public(key), _) => found.push(key),
                (PublicOrSecret::Secret(key), Private::PublicParts) => {
                    found.push(key.to_public_key());
                }
                (PublicOrSecret::Secret(_), Private::Refused) => {
                    return Err(BadKeyring::Private {
                        file: file.to_owned(),
                    });
                }
            }
        }
    }
    if found.is_empty() {
        return Err(unreadable("it holds no key".to_owned()));
    }
    Ok(found)
}

/// The armored blocks of a text, or all of a binary keyring.
fn blocks(content: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PGP ";
    let mut starts: Vec<_> = content
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, window)| *window == BEGIN)
        .map(|(at, _)| at)
        .collect();
    if starts.is_empty() {
        return vec![content];
    }
    starts.push(content.len());
    starts
        .windows(2)
        .map(|pair| &content[pair[0]..pair[1]])
        .collect()
}

impl PartialEq for Keyring {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Keyring {}

/// The keys by fingerprint and name.
impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signers: Vec<_> = self.keys.iter().map(|key| key.signer.to_string()).collect();
        write!(f, "the PGP keys {}", signers.join(", "))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({self})")
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{} ({user})", self.fingerprint),
            None => f.write_str(&self.fingerprint),
        }
    }
}

#[cfg(test)]
mod tests;
