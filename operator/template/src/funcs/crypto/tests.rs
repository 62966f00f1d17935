use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::key::decode_pem;
use crate::funcs::check::{fails, gives, render};

fn certificates(text: &str) -> Vec<CertificateDer<'static>> {
    let rendered = render(text).expect("renders");
    let parts = rendered.split('@');
    parts
        .map(|pem| CertificateDer::from(decode_pem(pem.as_bytes()).expect("PEM").1))
        .collect()
}

/// Whether a TLS client that trusts `authority` talks to a server with this certificate and name, one minute after
/// it was made.
fn trusted(
    authority: &CertificateDer<'static>,
    server: &CertificateDer<'_>,
    name: &'static str,
) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let name = ServerName::try_from(name).expect("a name");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_714_979_349));
    let verdict =
        verifier
            .build()
            .expect("verifier")
            .verify_server_cert(server, &[], &name, &[], now);
    verdict.is_ok()
}

#[test]
fn a_tls_client_accepts_what_an_authority_signed() {
    let text = r#"{{ $ca := genCA "ca" 10 }}{{ $c := genSignedCert "srv" (list "10.0.0.1") (list "a.example") 5 $ca }}{{ $ca.Cert }}@{{ $c.Cert }}"#;
    let made = certificates(text);
    assert!(trusted(&made[0], &made[1], "a.example"));
    assert!(trusted(&made[0], &made[1], "10.0.0.1"));
    assert!(!trusted(&made[0], &made[1], "b.example"));
}

#[test]
fn given_keys_of_every_kind_sign() {
    for kind in ["ecdsa", "ed25519"] {
        let text = format!(
            r#"{{{{ $k := genPrivateKey "{kind}" }}}}{{{{ $ca := genCAWithKey "ca" 10 $k }}}}{{{{ $c := genSignedCertWithKey "" nil (list "a.example") 5 $ca (genPrivateKey "ecdsa") }}}}{{{{ $ca.Cert }}}}@{{{{ $c.Cert }}}}"#
        );
        let made = certificates(&text);
        assert!(trusted(&made[0], &made[1], "a.example"), "{kind}");
    }
}

#[test]
fn certificates_keep_their_key() {
    gives(&[
        (
            r#"{{ $k := genPrivateKey "ecdsa" }}{{ $c := genSelfSignedCertWithKey "a" nil nil 1 $k }}{{ eq $c.Key $k }}{{ typeOf $c }}{{ kindOf $c }}"#,
            "truesprig.certificatestruct",
        ),
        (
            r#"{{ $c := genSelfSignedCertWithKey "a" nil nil 1 (genPrivateKey "ed25519") }}{{ $b := buildCustomCert (b64enc $c.Cert) (b64enc $c.Key) }}{{ eq $b.Cert $c.Cert }}"#,
            "true",
        ),
    ]);
}

#[test]
fn foreign_keys_and_addresses_are_refused() {
    fails(&[
        (
            r#"{{ genSelfSignedCertWithKey "c" (list 1) nil 1 (genPrivateKey "ecdsa") }}"#,
            "genSelfSignedCertWithKey: error parsing ip: 1 is not a string",
        ),
        (
            r#"{{ genSelfSignedCertWithKey "c" (list "x") nil 1 (genPrivateKey "ecdsa") }}"#,
            "genSelfSignedCertWithKey: error parsing ip: x",
        ),
        (
            r#"{{ genSelfSignedCertWithKey "c" nil (list 5) 1 (genPrivateKey "ecdsa") }}"#,
            "genSelfSignedCertWithKey: error processing alternate dns name: 5 is not a string",
        ),
        (
            r#"{{ genCAWithKey "c" 1 "x" }}"#,
            "genCAWithKey: parsing private key: no PEM data in input",
        ),
        (
            r#"{{ buildCustomCert "*" "" }}"#,
            "buildCustomCert: unable to decode base64 certificate",
        ),
        (
            r#"{{ buildCustomCert "YQ==" "" }}"#,
            "buildCustomCert: unable to decode certificate",
        ),
    ]);
}

#[test]
fn passwords_are_derived_and_hashed() {
    gives(&[
        (
            r#"{{ derivePassword 1 "long" "password" "user" "example.com" }}"#,
            "ZedaFaxcZaso9*",
        ),
        (
            r#"{{ derivePassword 1 "maximum" "password" "user" "example.com" }}"#,
            "pf4zS1LjCg&LjhsZ7T2~",
        ),
        (
            r#"{{ derivePassword 1 "medium" "password" "user" "example.com" }}"#,
            "ZedJuz8$",
        ),
        (
            r#"{{ derivePassword 1 "short" "password" "user" "example.com" }}"#,
            "Zed5",
        ),
        (
            r#"{{ derivePassword 1 "basic" "password" "user" "example.com" }}"#,
            "pIS54PLs",
        ),
        (
            r#"{{ derivePassword 1 "pin" "password" "user" "example.com" }}"#,
            "6685",
        ),
        (r#"{{ htpasswd "a:b" "c" }}"#, "invalid username: a:b"),
        (
            r#"{{ derivePassword 1 "foo" "" "" "" }}"#,
            "cannot find password template foo",
        ),
        (r#"{{ hasPrefix "$2a$10$" (bcrypt "x") }}"#, "true"),
        (
            r#"{{ bcrypt (repeat 73 "a") }}"#,
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes",
        ),
    ]);
    let hash = render(r#"{{ bcrypt "secret" }}"#).expect("renders");
    assert!(bcrypt::verify("secret", &hash).expect("a hash"));
    assert!(!bcrypt::verify("other", &hash).expect("a hash"));
}

#[test]
fn what_aes_encrypts_it_decrypts() {
    gives(&[
        (
            r#"{{ encryptAES "k" "a secret" | decryptAES "k" }}"#,
            "a secret",
        ),
        (r#"{{ encryptAES "k" "" }}{{ decryptAES "k" "" }}"#, ""),
        (r#"{{ encryptAES "k" (repeat 16 "x") | len }}"#, "64"),
        (
            r#"{{ decryptAES "secretkey" "30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=" }}"#,
            "plaintext",
        ),
    ]);
    fails(&[
        (
            r#"{{ decryptAES "k" "YQ==" }}"#,
            "decryptAES: runtime error: slice bounds out of range [:16] with capacity 3",
        ),
        (
            r#"{{ decryptAES "k" "AAAAAAAAAAAAAAAAAAAAAAA=" }}"#,
            "decryptAES: crypto/cipher: input not full blocks",
        ),
    ]);
}
