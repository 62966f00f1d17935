//! The identity of what a release asks for.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Names chart content, final values and every option that changes the manifest: `v1:` and
/// 64 hexadecimal digits, or `v2:` where rendered objects are changed afterwards. Two releases of the same content have different digests, since each
/// ledger has a key of its own: values may hold secrets, and a digest is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(String);

/// The key of a release's digests: 32 random bytes, kept in its ledger.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DigestKey([u8; 32]);

/// Text that is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ledger's digest key is not 64 hexadecimal digits; restore the ledger or delete it to adopt the release anew"
)]
pub struct NotADigestKey;

/// What a digest is made from.
#[derive(Clone, Copy, Debug)]
pub struct DigestInput<'a> {
    /// SHA-256 of the chart's content, hexadecimal.
    pub chart: &'a str,
    /// The user's values, merged; objects are ordered by key, so equal values are equal text.
    pub values: &'a serde_json::Value,
    /// The release's name.
    pub release_name: &'a str,
    /// Namespace of its objects.
    pub namespace: &'a str,
    /// What is done to the rendered objects, if anything is; objects are ordered by key.
    pub post_render: Option<&'a serde_json::Value>,
}

impl Digest {
    /// The digest of `input` under `key`.
    pub fn of(key: &DigestKey, input: &DigestInput<'_>) -> Self {
        let mut text = String::new();
        for part in [input.chart, input.release_name, input.namespace] {
            // Lengths keep neighbours apart: ("ab","c") is not ("a","bc").
            let _ = write!(text, "{}:{part};", part.len());
        }
        let _ = write!(text, "{}", input.values);
        // What is asked for in the same way as before is the same as before.
        let Some(post_render) = input.post_render else {
            return Self::keyed("v1", key, &text);
        };
        let _ = write!(text, ";{post_render}");
        Self::keyed("v2", key, &text)
    }

    /// The digest of a revision that Helm made: all that is known of it is its manifest.
    pub fn of_manifest(key: &DigestKey, manifest: &str) -> Self {
        Self::keyed("m1", key, manifest)
    }

    /// Reads a digest back, as people name it in annotations and requests.
    pub fn named(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The digest's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn keyed(version: &str, key: &DigestKey, text: &str) -> Self {
        let mut hash = [0_u8; 32];
        if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&key.0) {
            mac.update(text.as_bytes());
            hash.copy_from_slice(&mac.finalize().into_bytes());
        }
        Self(format!("{version}:{}", hex(&hash)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DigestKey {
    /// The key made of these random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(…)")
    }
}

impl FromStr for DigestKey {
    type Err = NotADigestKey;

    fn from_str(text: &str) -> Result<Self, NotADigestKey> {
        let mut bytes = [0_u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotADigestKey);
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16)
                .map_err(|_| NotADigestKey)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for DigestKey {
    type Error = NotADigestKey;

    fn try_from(text: String) -> Result<Self, NotADigestKey> {
        text.parse()
    }
}

impl From<DigestKey> for String {
    fn from(key: DigestKey) -> Self {
        hex(&key.0)
    }
}

/// SHA-256 of a request's spec: an order that is given again word for word is the same order.
pub(crate) fn spec_hash(spec: &impl Serialize) -> String {
    let text = serde_json::to_vec(spec).unwrap_or_default();
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn digest(key: u8, chart: &str, values: &serde_json::Value) -> Digest {
        Digest::of(
            &DigestKey::new([key; 32]),
            &DigestInput {
                chart,
                values,
                release_name: "web",
                namespace: "shop",
                post_render: None,
            },
        )
    }

    #[test]
    fn what_is_done_after_rendering_is_part_of_it() {
        let after = |post_render: Option<&serde_json::Value>| {
            let input = DigestInput {
                chart: "c",
                values: &json!({}),
                release_name: "web",
                namespace: "shop",
                post_render,
            };
            Digest::of(&DigestKey::new([1; 32]), &input)
        };
        let (one, two) = (json!({"labels": {"a": "1"}}), json!({"labels": {"a": "2"}}));
        assert_eq!(after(None), digest(1, "c", &json!({})));
        assert_eq!(after(Some(&one)), after(Some(&one.clone())));
        assert_ne!(after(Some(&one)), after(Some(&two)));
        assert!(after(Some(&one)).as_str().starts_with("v2:"));
    }

    #[test]
    fn equal_content_is_equal_and_anything_else_is_not() {
        let one = digest(1, "c", &json!({"a": 1, "b": 2}));
        assert_eq!(one, digest(1, "c", &json!({"b": 2, "a": 1})));
        assert_ne!(one, digest(1, "d", &json!({"a": 1, "b": 2})));
        assert_ne!(one, digest(1, "c", &json!({"a": 1, "b": 3})));
        assert!(one.as_str().starts_with("v1:"));
    }

    #[test]
    fn a_digest_tells_nothing_without_its_key() {
        assert_ne!(digest(1, "c", &json!({})), digest(2, "c", &json!({})));
    }

    #[test]
    fn a_key_survives_the_ledger_and_is_not_shown() {
        let key = DigestKey::new([7; 32]);
        let text = String::from(key.clone());
        assert_eq!(text.parse::<DigestKey>(), Ok(key.clone()));
        assert_eq!("07".parse::<DigestKey>(), Err(NotADigestKey));
        assert!(!format!("{key:?}").contains("07"));
    }
}
