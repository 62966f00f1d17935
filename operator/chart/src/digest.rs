//! A fingerprint of a chart's content.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::file::File;

/// SHA-256; prints as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Takes files in any order; the digest does not depend on it.
#[derive(Default)]
pub(crate) struct Builder {
    parts: Vec<[u8; 32]>,
}

impl Builder {
    pub(crate) fn file(&mut self, file: &File) {
        let mut hash = Sha256::new();
        hash.update(b"file\0");
        hash.update((file.name.len() as u64).to_be_bytes());
        hash.update(file.name.as_bytes());
        hash.update(&file.data);
        self.parts.push(hash.finalize().into());
    }

    pub(crate) fn subchart(&mut self, digest: &Digest) {
        let mut hash = Sha256::new();
        hash.update(b"chart\0");
        hash.update(digest.0);
        self.parts.push(hash.finalize().into());
    }

    pub(crate) fn finish(mut self) -> Digest {
        self.parts.sort_unstable();
        let mut hash = Sha256::new();
        for part in &self.parts {
            hash.update(part);
        }
        Digest(hash.finalize().into())
    }
}
