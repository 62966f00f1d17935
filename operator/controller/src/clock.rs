//! The edge to time and chance: the only place in the operator that reads either.

use std::time::{SystemTime, UNIX_EPOCH};

use belay_api::Timestamp;
use belay_rollout::DigestKey;
use rand::Rng;

/// The present instant.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A name for an attempt: short enough to be read out, long enough not to come again.
pub(crate) fn attempt_id() -> String {
    const LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    let mut random = rand::rng();
    (0..10)
        .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
        .collect()
}

/// A key for a new ledger.
pub(crate) fn digest_key() -> DigestKey {
    DigestKey::new(rand::rng().random())
}
