use std::sync::LazyLock;

use belay_harness::Publisher;
use pgp::composed::{ArmorOptions, KeyType, SecretKeyParamsBuilder, SignedSecretKey};
use pgp::composed::{EncryptionCaps, SubkeyParamsBuilder};
use pgp::packet::{SignatureConfig, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{Password, Tag};
use rsa::rand_core::OsRng;
use rstest::rstest;

use super::*;

/// Keys of RSA take a while to make, and one serves all tests.
static JANE: LazyLock<Publisher> =
    LazyLock::new(|| Publisher::new("Jane <jane@example.org>").unwrap());

/// A key that is quickly made; `subkey` says whether a subkey signs in its place.
fn key(user: &str, subkey: bool) -> SignedSecretKey {
    let mut parameters = SecretKeyParamsBuilder::default();
    parameters
        .key_type(KeyType::Ed25519Legacy)
        .can_certify(true)
        .can_sign(!subkey)
        .primary_user_id(user.to_owned());
    if subkey {
        let mut signing = SubkeyParamsBuilder::default();
        signing
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .can_encrypt(EncryptionCaps::None);
        parameters.subkey(signing.build().unwrap());
    }
    parameters.build().unwrap().generate(OsRng).unwrap()
}

fn keyring(key: &SignedSecretKey) -> Keyring {
    let public = key.to_public_key().to_bytes().unwrap();
    Keyring::read([("ring", public.as_slice())]).unwrap()
}

fn signed(key: &SignedSecretKey, text: &str) -> CleartextSignedMessage {
    CleartextSignedMessage::sign(OsRng, text, &key.primary_key, &Password::empty()).unwrap()
}

fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn of_a_private_key_in_one_s_own_keyring_the_public_part_counts() {
    let jane = key("Jane", false);
    let private = jane.to_bytes().unwrap();
    let text = signed(&jane, "text\n");

    let own = Keyring::read_own("secring.gpg", &private).unwrap();
    let refused = Keyring::read([("secring.gpg", private.as_slice())]).unwrap_err();

    assert_eq!(
        own.signer(&text, now()).unwrap().user.as_deref(),
        Some("Jane")
    );
    assert!(matches!(refused, BadKeyring::Private { .. }), "{refused}");
}

#[test]
fn keys_are_read_binary_armored_and_several_in_a_row() {
    let binary = std::fs::read(JANE.keyring()).unwrap();
    let armored = JANE.armored().unwrap();
    let other = key("Joe", false).to_public_key();
    let other = other.to_armored_string(ArmorOptions::default()).unwrap();
    let two = format!("# ours\n{armored}\n{other}");

    for content in [&binary, armored.as_bytes(), two.as_bytes()] {
        let keyring = Keyring::read([("ring", content)]).unwrap();

        assert!(
            keyring.to_string().contains(&JANE.fingerprint()),
            "{keyring}"
        );
        assert!(keyring.to_string().contains("Jane"), "{keyring}");
    }
    let both = Keyring::read([("ring", two.as_bytes())]).unwrap();
    assert!(both.to_string().contains("Joe"), "{both}");
    assert_ne!(both, Keyring::read([("ring", &*binary)]).unwrap());
}

#[rstest]
#[case(b"no keyring".as_slice(), "is no PGP keyring")]
#[case(
    b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nhunter2\n",
    "is no PGP keyring"
)]
#[case(b"\0\0\0\x20\x01\x01\0\0KBXf", "keybox")]
#[case(b"", "is no PGP keyring: empty input")]
fn what_is_no_keyring_says_how_to_write_one(#[case] content: &[u8], #[case] says: &str) {
    let error = Keyring::read([("ring", content)]).unwrap_err().to_string();

    assert!(error.contains(says), "{error}");
    assert!(error.contains("gpg --export"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_private_key_is_refused() {
    let secret = JANE.secret().unwrap();

    let error = Keyring::read([("ring", secret.as_slice())]).unwrap_err();

    assert_eq!(
        error,
        BadKeyring::Private {
            file: "ring".into()
        }
    );
}

#[test]
fn a_signature_by_one_of_the_keys_is_known_and_no_other() {
    let (jane, joe) = (key("Jane", false), key("Joe", false));

    let signer = keyring(&jane)
        .signer(&signed(&jane, "text"), now())
        .unwrap();
    let stranger = keyring(&jane)
        .signer(&signed(&joe, "text"), now())
        .unwrap_err();

    assert_eq!(signer.user.as_deref(), Some("Jane"));
    assert!(stranger.contains("not among them"), "{stranger}");
    let fingerprint = joe.fingerprint().to_string().to_uppercase();
    assert!(stranger.contains(&fingerprint), "{stranger}");
}

#[test]
fn a_changed_text_is_told_from_a_stranger_s() {
    let jane = key("Jane", false);
    let text = signed(&jane, "one").to_armored_string(ArmorOptions::default());
    let changed = text.unwrap().replace("\none\n", "\ntwo\n");
    let (changed, _) = CleartextSignedMessage::from_string(&changed).unwrap();

    let doubt = keyring(&jane).signer(&changed, now()).unwrap_err();

    assert!(doubt.contains("does not fit the text"), "{doubt}");
}

#[test]
fn a_subkey_signs_if_it_is_bound_and_bound_back() {
    let mut jane = key("Jane", true);
    let password = Password::empty();
    let sign = |jane: &SignedSecretKey| {
        CleartextSignedMessage::sign(OsRng, "text", &jane.secret_subkeys[0].key, &password).unwrap()
    };
    assert!(keyring(&jane).signer(&sign(&jane), now()).is_ok());
    // The primary key said of itself that it does not sign.
    assert!(
        keyring(&jane)
            .signer(&signed(&jane, "text"), now())
            .is_err()
    );

    // Somebody else's subkey, taken over with its binding.
    let joe = key("Joe", true);
    jane.secret_subkeys = joe.secret_subkeys.clone();
    let doubt = keyring(&jane).signer(&sign(&joe), now()).unwrap_err();
    assert!(!doubt.is_empty());
}

/// Given a key that says of itself how long it lasts.
#[test]
fn an_expired_key_proves_nothing_any_more() {
    let mut jane = key("Jane", false);
    let lasts = Duration::from_hours(1);
    let lasting = |jane: &SignedSecretKey| {
        let mut says =
            SignatureConfig::from_key(OsRng, &jane.primary_key, SignatureType::CertPositive)
                .unwrap();
        says.hashed_subpackets = [
            SubpacketData::SignatureCreationTime(Timestamp::now()),
            SubpacketData::IssuerFingerprint(jane.fingerprint()),
            SubpacketData::KeyExpirationTime(lasts.try_into().unwrap()),
        ]
        .map(|data| Subpacket::regular(data).unwrap())
        .into();
        let public = jane.primary_key.public_key();
        let user = &jane.details.users[0].id;
        says.sign_certification(
            &jane.primary_key,
            public,
            &Password::empty(),
            Tag::UserId,
            user,
        )
        .unwrap()
    };
    jane.details.users[0].signatures = vec![lasting(&jane)];
    let message = signed(&jane, "text");

    assert!(keyring(&jane).signer(&message, now()).is_ok());
    let doubt = keyring(&jane)
        .signer(&message, now() + 2 * lasts)
        .unwrap_err();
    assert!(doubt.contains("has expired"), "{doubt}");
}

#[test]
fn a_revoked_key_proves_nothing_any_more() {
    let mut jane = key("Jane", false);
    let message = signed(&jane, "text");
    let mut says =
        SignatureConfig::from_key(OsRng, &jane.primary_key, SignatureType::KeyRevocation).unwrap();
    says.hashed_subpackets = [
        SubpacketData::SignatureCreationTime(Timestamp::now()),
        SubpacketData::IssuerFingerprint(jane.fingerprint()),
    ]
    .map(|data| Subpacket::regular(data).unwrap())
    .into();
    let revocation = says
        .sign_key(
            &jane.primary_key,
            &Password::empty(),
            jane.primary_key.public_key(),
        )
        .unwrap();
    jane.details.revocation_signatures.push(revocation);

    let doubt = keyring(&jane).signer(&message, now()).unwrap_err();

    assert!(doubt.contains("is revoked"), "{doubt}");
}

/// Given a revocation that somebody else put to the key.
#[test]
fn nobody_revokes_another_s_key() {
    let (mut jane, joe) = (key("Jane", false), key("Joe", false));
    let message = signed(&jane, "text");
    let mut says =
        SignatureConfig::from_key(OsRng, &joe.primary_key, SignatureType::KeyRevocation).unwrap();
    says.hashed_subpackets = [SubpacketData::SignatureCreationTime(Timestamp::now())]
        .map(|data| Subpacket::regular(data).unwrap())
        .into();
    let revocation = says
        .sign_key(
            &joe.primary_key,
            &Password::empty(),
            jane.primary_key.public_key(),
        )
        .unwrap();
    jane.details.revocation_signatures.push(revocation);

    assert!(keyring(&jane).signer(&message, now()).is_ok());
}

#[test]
fn a_hash_that_can_be_forged_proves_nothing() {
    // Only for keys of RSA can such a signature still be made.
    let mut parameters = SecretKeyParamsBuilder::default();
    parameters
        .key_type(KeyType::Rsa(2048))
        .can_certify(true)
        .can_sign(true)
        .primary_user_id("Jane".to_owned());
    let jane = parameters.build().unwrap().generate(OsRng).unwrap();
    let mut says =
        SignatureConfig::from_key(OsRng, &jane.primary_key, SignatureType::Text).unwrap();
    says.hash_alg = HashAlgorithm::Sha1;
    says.hashed_subpackets = [
        SubpacketData::SignatureCreationTime(Timestamp::now()),
        SubpacketData::IssuerFingerprint(jane.fingerprint()),
    ]
    .map(|data| Subpacket::regular(data).unwrap())
    .into();
    let message =
        CleartextSignedMessage::new("text", says, &jane.primary_key, &Password::empty()).unwrap();

    let doubt = keyring(&jane).signer(&message, now()).unwrap_err();

    assert!(doubt.contains("proves nothing"), "{doubt}");
}
