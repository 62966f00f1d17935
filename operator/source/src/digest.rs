//! SHA-256 of a package's bytes.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// SHA-256 of a package's bytes, as indexes give it. Shown as 64 lower-case hexadecimal digits.
///
/// Two packages of the same files differ in it; [`belay_chart::Chart::content_digest`] is the chart's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageDigest([u8; 32]);

/// The text is no SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits, with or without sha256: before them")]
pub struct BadDigest;

impl PackageDigest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for PackageDigest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(BadDigest);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, BadDigest> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(BadDigest)
}

impl fmt::Display for PackageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PackageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        write!(f, "{self}")
    }
}

/// The first half of a scope as hexadecimal digits, for file names.
pub(crate) fn short_hex(scope: &[u8; 32]) -> String {
    scope[..16].iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_read_as_indexes_write_it() {
        assert_eq!(EMPTY.parse(), Ok(PackageDigest::of(b"")));
        assert_eq!(
            format!("sha256:{EMPTY}").parse(),
            Ok(PackageDigest::of(b""))
        );
        assert_eq!(EMPTY.to_uppercase().parse(), Ok(PackageDigest::of(b"")));
        assert_eq!(PackageDigest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY[1..].parse::<PackageDigest>(), Err(BadDigest));
        assert_eq!(
            EMPTY.replace('e', "é").parse::<PackageDigest>(),
            Err(BadDigest)
        );
    }
}
