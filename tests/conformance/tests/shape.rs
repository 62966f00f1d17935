//! What chance makes: passwords, keys and certificates. Both sides make their own, and both must be of the same shape.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use belay_conformance::{Case, Oracle, assert_all, ours};
use der::{Decode as _, Encode as _};
use x509_cert::Certificate;

#[test]
fn what_can_be_said_of_chance_is_the_same() {
    let facts = [
        r#"regexMatch "^[0-9a-zA-Z]{12}$" (randAlphaNum 12)"#,
        r#"regexMatch "^[a-zA-Z]{12}$" (randAlpha 12)"#,
        r#"regexMatch "^[0-9]{12}$" (randNumeric 12)"#,
        r#"regexMatch "^[ -~]{40}$" (randAscii 40)"#,
        r"list (randAlphaNum 0) (randAlpha 0) (randNumeric 0) (randAscii 0) | toJson",
        r"randBytes 20 | b64dec | len",
        r"randBytes 0",
        r#"regexMatch "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$" uuidv4"#,
        r#"shuffle "hello" | splitList "" | sortAlpha | join """#,
        r"randInt 3 4",
        r#"regexMatch "^\\$2a\\$10\\$[./0-9A-Za-z]{53}$" (bcrypt "p")"#,
        r#"regexMatch "^u:\\$2a\\$10\\$[./0-9A-Za-z]{53}$" (htpasswd "u" "p")"#,
        r#"htpasswd "u:v" "p""#,
        r#"encryptAES "key" "some text" | b64dec | len"#,
        r#"encryptAES "key" "sixteen letters." | b64dec | len"#,
        r#"encryptAES "key" "" | quote"#,
        r#"encryptAES "key" "some text" | decryptAES "key""#,
        r#"decryptAES "key" "vGGgd7JsYsaPmx1E+EqGgBbDUnpK1Ts+PHLVPSfRs7w=""#,
        r#"decryptAES "key" "aGk=""#,
        r#"decryptAES "key" "%""#,
        r#"derivePassword 1 "long" "password" "user" "example.com""#,
        r#"derivePassword 2 "maximum" "password" "user" "example.com""#,
        r#"derivePassword 3 "pin" "é" "" "x""#,
        r#"derivePassword 1 "none" "p" "u" "s""#,
        r#"eq (now | date "2006") (now | htmlDate | trunc 4)"#,
        r"ago (now)",
        r"typeOf now",
        r#"regexMatch "^1[0-9]{9}$" (unixEpoch now)"#,
        r#"keys (dict "b" 1 "a" 2) | sortAlpha | join ",""#,
        r#"values (dict "b" 1 "a" 2) | toStrings | sortAlpha | join ",""#,
        r#"genPrivateKey "rsa" | splitList "\n" | first"#,
        r#"genPrivateKey "dsa" | splitList "\n" | first"#,
        r#"genPrivateKey "ecdsa" | splitList "\n" | first"#,
        r#"genPrivateKey "ecdsa" | splitList "\n" | len"#,
        r#"genPrivateKey "ed25519" | splitList "\n" | first"#,
        r#"genPrivateKey "ed25519" | len"#,
        r#"genPrivateKey "other""#,
        r#"(genCA "a" 1).Key | splitList "\n" | first"#,
        r#"(genCA "a" 1).Nothing"#,
        r#"genCAWithKey "a" 1 "no key""#,
        r#"genSelfSignedCert "a" (list "1.2.3.4.5") nil 1"#,
        r#"genSelfSignedCert "a" (list 1) nil 1"#,
        r#"genSelfSignedCert "a" nil (list 1) 1"#,
        r#"buildCustomCert "%" "%""#,
        r#"buildCustomCert "YQ==" "YQ==""#,
        r#"typeOf (genCA "a" 1)"#,
    ];
    assert_all(
        facts.into_iter().map(|fact| {
            Case::template(&format!("x: {{{{ print ({fact}) | toJson }}}}\n")).unwrap()
        }),
    );
}

#[test]
fn certificates_hold_the_same_fields_and_extensions() {
    for made in [
        r#"genCA "an authority" 365"#,
        r#"genCA "" 0"#,
        r#"genCAWithKey "ca" 10 (genPrivateKey "ecdsa")"#,
        r#"genCAWithKey "ca" 10 (genPrivateKey "ed25519")"#,
        r#"genSelfSignedCert "é" (list "10.0.0.1" "::1") (list "a.example" "*.b.example") 30"#,
        r#"genSelfSignedCert "x" nil nil -1"#,
        r#"genSelfSignedCertWithKey "x" (list) (list "a") 3650 (genPrivateKey "ecdsa")"#,
        r#"genSignedCert "srv" (list "10.0.0.1") (list "a.example") 5 (genCA "ca" 10)"#,
        r#"genSignedCertWithKey "srv" nil (list "a.example") 5 (genCAWithKey "ca" 10 (genPrivateKey "ed25519")) (genPrivateKey "ecdsa")"#,
        r#"$ca := genCA "b" 3 }}{{ buildCustomCert (b64enc $ca.Cert) (b64enc $ca.Key)"#,
    ] {
        let text = match made.split_once(" }}{{ ") {
            Some((before, last)) => format!("{{{{- {before} }}}}\n{{{{- $c := {last} }}}}"),
            None => format!("{{{{- $c := {made} }}}}"),
        };
        let case = Case::template(&format!(
            "{text}\nc: {{{{ b64enc $c.Cert }}}}\nk: {{{{ b64enc $c.Key }}}}\n"
        ))
        .unwrap();

        let theirs = Oracle::get().unwrap().template(&case).unwrap();
        let own = ours::template(&case).unwrap();

        assert_eq!((&own.error, &theirs.error), (&None, &None), "{made}");
        assert_eq!(shape(&own.stdout), shape(&theirs.stdout), "{made}");
    }
}

/// All that chance does not decide: of serial numbers, keys, signatures and key identifiers only the form.
fn shape(manifest: &str) -> Vec<String> {
    let parsed = belay_yaml::parse(manifest.as_bytes()).unwrap();
    let pem = |key: &str| {
        let encoded = parsed.get(key).and_then(belay_yaml::Value::as_str).unwrap();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    };
    let (cert, key) = (pem("c"), pem("k"));
    let body: String = cert.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).unwrap();
    let certificate = Certificate::from_der(&der).unwrap();
    let about = &certificate.tbs_certificate;
    // 128 bits of chance, and a zero before them where the first one is set.
    assert!(about.serial_number.as_bytes().len() <= 17);
    let validity = &about.validity;
    let seconds = validity.not_after.to_unix_duration().as_secs_f64()
        - validity.not_before.to_unix_duration().as_secs_f64();
    let mut shape = vec![
        format!("{:?} {:?}", cert.lines().next(), cert.lines().last()),
        format!("{:?} {:?}", key.lines().next(), key.lines().last()),
        format!("{:?}", about.version),
        format!("{:?}", about.signature),
        format!("{:?}", about.issuer.to_der().unwrap()),
        format!("{:?}", about.subject.to_der().unwrap()),
        format!("{seconds} s"),
        format!("{:?}", about.subject_public_key_info.algorithm),
        format!("{:?}", certificate.signature_algorithm),
    ];
    for extension in about.extensions.iter().flatten() {
        let value = extension.extn_value.as_bytes();
        let value = match extension.extn_id.to_string().as_str() {
            // Hashes of keys.
            "2.5.29.14" | "2.5.29.35" => format!("{} bytes", value.len()),
            _ => format!("{value:?}"),
        };
        shape.push(format!(
            "{} {} {value}",
            extension.extn_id, extension.critical
        ));
    }
    shape
}
