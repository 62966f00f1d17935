//! Names that no other test uses, on a cluster that may live longer than one run.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// `label` and a suffix that no other call gives, in this process or another: usable
/// as the name of a namespace or user.
pub fn unique(label: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let run = u64::from(std::process::id()).rotate_left(20) ^ now.as_micros() as u64;
    format!("{label}-{:07x}{count:x}", run & 0x0fff_ffff)
}
