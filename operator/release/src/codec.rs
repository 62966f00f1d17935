//! How a record lies in a Secret: base64 of gzip of JSON. The Kubernetes API encodes once more.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::error::Error;
use crate::record::Record;

/// What fits into a Secret, in bytes of its decoded data: the API server's limit. It counts the base64 text that
/// [`encode`] gives.
pub const STORED_LIMIT: usize = 1024 * 1024;

/// The largest record that is read, in bytes of JSON. Gzip can hide a thousandfold of its own size.
pub const DECODED_LIMIT: usize = 64 * 1024 * 1024;

const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// What to store under [`SECRET_DATA_KEY`](crate::SECRET_DATA_KEY). The same record gives the same bytes.
///
/// # Errors
/// [`Error::TooLarge`] before anything is written to a cluster, with the sizes.
pub fn encode(record: &Record) -> Result<Vec<u8>, Error> {
    let json = record.to_json()?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let packed = gzip
        .write_all(&json)
        .and_then(|()| gzip.finish())
        .map_err(|source| Error::NotGzip { source })?;
    let stored = STANDARD.encode(packed).into_bytes();
    if stored.len() > STORED_LIMIT {
        return Err(Error::TooLarge {
            name: record.name.clone(),
            bytes: stored.len(),
            limit: STORED_LIMIT,
        });
    }
    Ok(stored)
}

/// Reads what [`encode`], or Helm, stored. Records from before Helm compressed them are read too.
///
/// # Errors
/// [`Error::NotBase64`], [`Error::NotGzip`], [`Error::NotARecord`], and [`Error::Bomb`] for what expands to more than
/// [`DECODED_LIMIT`].
pub fn decode(stored: &[u8]) -> Result<Record, Error> {
    decode_within(stored, DECODED_LIMIT)
}

/// As [`decode`], reading at most `limit` bytes of JSON.
///
/// # Errors
/// As [`decode`].
pub fn decode_within(stored: &[u8], limit: usize) -> Result<Record, Error> {
    let packed = STANDARD
        .decode(stored.trim_ascii())
        .map_err(|source| Error::NotBase64 { source })?;
    if !packed.starts_with(&GZIP) {
        if packed.len() > limit {
            return Err(Error::Bomb { limit });
        }
        return Record::from_json(&packed);
    }
    let mut json = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(packed.as_slice())
        .take(most)
        .read_to_end(&mut json)
        .map_err(|source| Error::NotGzip { source })?;
    if json.len() > limit {
        return Err(Error::Bomb { limit });
    }
    Record::from_json(&json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut record = Record::new("web", "shop", 3);
        record.manifest = "---\n# Source: web/templates/a.yaml\nkind: ConfigMap\n".to_owned();
        record
    }

    #[test]
    fn what_is_stored_is_read_back_and_the_same_record_gives_the_same_bytes() {
        let stored = encode(&record()).unwrap();
        assert_eq!(stored, encode(&record()).unwrap());
        assert_eq!(decode(&stored).unwrap(), record());
    }

    #[test]
    fn a_record_from_before_compression_is_read() {
        let stored = STANDARD.encode(record().to_json().unwrap());
        assert_eq!(decode(stored.as_bytes()).unwrap(), record());
    }

    #[test]
    fn a_record_that_explodes_is_not_read_to_its_end() {
        let mut bomb = record();
        bomb.manifest = " ".repeat(3 * 1024 * 1024);
        let stored = encode(&bomb).unwrap();
        assert!(stored.len() < 10_000);
        let error = decode_within(&stored, 1024 * 1024).unwrap_err();
        assert!(matches!(error, Error::Bomb { limit: 1_048_576 }), "{error}");
    }

    #[test]
    fn a_release_too_large_for_a_secret_says_so_before_any_write() {
        let mut large = record();
        // A pseudo-random text, which gzip cannot shrink much.
        let mut state = 1_u64;
        large.manifest = (0..2_000_000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
            })
            .collect();
        let error = encode(&large).unwrap_err();
        assert!(
            matches!(&error, Error::TooLarge { bytes, limit: STORED_LIMIT, .. } if *bytes > STORED_LIMIT),
            "{error}"
        );
    }

    #[test]
    fn damage_is_told_by_its_kind() {
        assert!(matches!(decode(b"%%%"), Err(Error::NotBase64 { .. })));
        let cut = STANDARD.encode(&GZIP[..]);
        assert!(matches!(decode(cut.as_bytes()), Err(Error::NotGzip { .. })));
        let text = STANDARD.encode("not json");
        assert!(matches!(
            decode(text.as_bytes()),
            Err(Error::NotARecord { field: ".", .. })
        ));
    }
}
