use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use p256::ecdsa::DerSignature;
use p256::pkcs8::LineEnding;
use rsa::pkcs1v15;
use rsa::rand_core::OsRng;
use rsa::signature::SignatureEncoding as _;
use rstest::rstest;
use sha2::Sha256;

use super::*;

const MESSAGE: &[u8] = b"a message";

/// A public key in PEM, with its signature of the message.
type Made = (String, Vec<u8>);

fn p256() -> Made {
    let key = p256::ecdsa::SigningKey::random(&mut OsRng);
    let signature: DerSignature = key.sign(MESSAGE);
    let public = key.verifying_key().to_public_key_pem(LineEnding::LF);
    (public.unwrap(), signature.as_bytes().to_vec())
}

fn ed25519() -> Made {
    let mut seed = [0; 32];
    rsa::rand_core::RngCore::fill_bytes(&mut OsRng, &mut seed);
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let der = key.verifying_key().to_public_key_der().unwrap();
    let text = STANDARD.encode(der.as_bytes());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
    (pem, key.sign(MESSAGE).to_bytes().to_vec())
}

fn rsa() -> Made {
    let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
    let public = key.to_public_key().to_public_key_pem(LineEnding::LF);
    let signature = pkcs1v15::SigningKey::<Sha256>::new(key).sign(MESSAGE);
    (public.unwrap(), signature.to_vec())
}

fn p384() -> Made {
    use rcgen::SigningKey as _;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    (key.public_key_pem(), key.sign(MESSAGE).unwrap())
}

#[rstest]
#[case::p256(p256())]
#[case::p384(p384())]
#[case::ed25519(ed25519())]
#[case::rsa(rsa())]
fn a_key_knows_its_own_signature_and_no_other(#[case] (pem, signature): Made) {
    let keys = PublicKeys::read([("cosign.pub", pem.as_bytes())]).unwrap();
    let other = p256();
    let others = PublicKeys::read([("other.pub", other.0.as_bytes())]).unwrap();

    let signer = keys.signer(MESSAGE, &signature).unwrap().to_string();
    assert!(signer.starts_with("cosign.pub (SHA-256 "), "{signer}");
    assert!(keys.signer(b"another message", &signature).is_none());
    assert!(keys.signer(MESSAGE, &other.1).is_none());
    assert!(others.signer(MESSAGE, &signature).is_none());
}

#[test]
fn one_of_several_keys_is_enough() {
    let (old, new) = (p256(), p256());
    let keys = [("new.pub", new.0.as_bytes()), ("old.pub", old.0.as_bytes())];
    let keys = PublicKeys::read(keys).unwrap();

    assert!(
        keys.signer(MESSAGE, &old.1)
            .unwrap()
            .to_string()
            .starts_with("old.pub")
    );
    assert!(
        keys.signer(MESSAGE, &new.1)
            .unwrap()
            .to_string()
            .starts_with("new.pub")
    );
}

#[rstest]
#[case("hunter2", "is no public key")]
#[case(
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "is no public key"
)]
#[case(
    "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
    "is a private key"
)]
fn what_is_no_key_is_called_so_without_its_content(#[case] pem: &str, #[case] says: &str) {
    let error = PublicKeys::read([("cosign.pub", pem.as_bytes())]).unwrap_err();

    assert!(error.to_string().contains(says), "{error}");
    assert!(error.to_string().contains("cosign.pub"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn no_key_is_no_proof() {
    assert_eq!(PublicKeys::read([]), Err(BadPublicKey::Empty));
}
