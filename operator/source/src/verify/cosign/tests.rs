use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::rand_core::OsRng;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn key() -> (SigningKey, PublicKeys) {
    let key = SigningKey::random(&mut OsRng);
    let pem = key
        .verifying_key()
        .to_public_key_pem(LineEnding::LF)
        .unwrap();
    let keys = PublicKeys::read([("cosign.pub", pem.as_bytes())]).unwrap();
    (key, keys)
}

fn manifest() -> PackageDigest {
    PackageDigest::of(b"manifest")
}

fn signature(key: &SigningKey, message: &[u8]) -> String {
    let signature: DerSignature = key.sign(message);
    STANDARD.encode(signature.as_bytes())
}

fn payload(key: &SigningKey, kind: &str, digest: &str) -> Evidence {
    let payload = json!({"critical": {
        "identity": {"docker-reference": ""}, "image": {"docker-manifest-digest": digest}, "type": kind,
    }, "optional": null})
    .to_string();
    Evidence::Payload {
        signature: signature(key, payload.as_bytes()),
        bytes: payload.into(),
    }
}

fn bundle(key: &SigningKey, kind: &str, statement: &Value) -> Evidence {
    let statement = statement.to_string();
    let signed = pre_authentication(kind, statement.as_bytes());
    let bundle = json!({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {
        "payload": STANDARD.encode(&statement), "payloadType": kind,
        "signatures": [{"sig": signature(key, &signed)}],
    }});
    Evidence::Bundle(bundle.to_string().into())
}

fn statement(kind: &str, digest: &str) -> Value {
    json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": kind,
           "subject": [{"digest": {"sha256": digest}}], "predicate": {}})
}

#[test]
fn a_signature_for_the_manifest_is_taken_in_both_formats() {
    let (signing, keys) = key();
    let digest = manifest().to_string();
    let both = [
        payload(&signing, KIND, &format!("sha256:{digest}")),
        bundle(&signing, STATEMENT, &statement(SIGNED, &digest)),
    ];
    for evidence in both {
        let signer = evidence.judge(&keys, manifest()).unwrap();

        assert!(signer.starts_with("cosign.pub"), "{signer}");
        let stranger = evidence.judge(&key().1, manifest()).unwrap_err();
        assert!(stranger.contains("by none of them"), "{stranger}");
        let other = PackageDigest::of(b"another manifest");
        let elsewhere = evidence.judge(&keys, other).unwrap_err();
        assert!(elsewhere.contains("another manifest"), "{elsewhere}");
    }
}

/// What DSSE's own specification gives as its example.
#[test]
fn what_is_signed_is_encoded_as_dsse_says() {
    let encoded = pre_authentication("http://example.com/HelloWorld", b"hello world");

    assert_eq!(
        encoded,
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}

#[test]
fn a_signature_for_something_else_than_use_is_not_taken() {
    let (signing, keys) = key();
    let digest = manifest().to_string();
    let kind = "atomic container signature";
    let built = "https://slsa.dev/provenance/v1";
    let evidence = [
        (payload(&signing, kind, &format!("sha256:{digest}")), kind),
        (
            bundle(&signing, STATEMENT, &statement(built, &digest)),
            built,
        ),
        (
            bundle(&signing, "text/plain", &statement(SIGNED, &digest)),
            "text/plain",
        ),
    ];
    for (evidence, named) in evidence {
        let doubt = evidence.judge(&keys, manifest()).unwrap_err();

        assert!(doubt.contains(named), "{doubt}");
    }
}

#[rstest]
#[case(Evidence::Payload { bytes: "{}".into(), signature: "***".into() }, "no base64")]
#[case(Evidence::Bundle("<html>".into()), "cannot be read")]
#[case(Evidence::Bundle(r#"{"messageSignature": {}}"#.into()), "no DSSE envelope")]
#[case(Evidence::Bundle(r#"{"dsseEnvelope": {"payload": "e30=", "payloadType": "x"}}"#.into()), "by none of them")]
fn what_is_no_signature_says_what_it_is(#[case] evidence: Evidence, #[case] says: &str) {
    let doubt = evidence.judge(&key().1, manifest()).unwrap_err();

    assert!(doubt.contains(says), "{doubt}");
}
