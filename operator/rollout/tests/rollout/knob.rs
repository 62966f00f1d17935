//! Fields of the spec that change no manifest.

use belay_api::Duration;
use belay_api::helm_release::{DeletionPolicy, DriftMode, FailFastMode, OutsideChanges};

use crate::cluster::{Cluster, Words};

/// A field of the spec that changes no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    Atomic(bool),
    Outside(OutsideChanges),
    Deletion(DeletionPolicy),
    /// In minutes.
    Soak(u64),
    /// After how many bad answers the check fails; none: there is no check.
    Checks(Option<u32>),
    FailFast(FailFastMode),
    /// Whether a missing image is not held against a revision before its timeout.
    Ignore(bool),
    Drift(DriftMode),
    /// In minutes.
    Timeout(u64),
    History(usize),
    Words(Words),
    /// Whether broken pods stay when their template changes.
    Sticky(bool),
}

impl Knob {
    /// Sets it.
    pub fn turn(self, cluster: &mut Cluster) {
        let declared = &mut cluster.declared;
        match self {
            Self::Atomic(atomic) => declared.atomic = atomic,
            Self::Outside(outside) => declared.outside_changes = outside,
            Self::Deletion(policy) => declared.deletion_policy = policy,
            Self::Soak(minutes) => declared.soak.duration = Duration::minutes(minutes),
            Self::Checks(threshold) => {
                declared.soak.checks.clear();
                if let Some(threshold) = threshold {
                    *cluster = cluster.clone().that_checks(20, threshold);
                }
            }
            Self::FailFast(mode) => declared.fail_fast.mode = mode,
            Self::Ignore(ignored) => {
                let image = ignored.then(|| "ImageNotFound".to_owned());
                declared.fail_fast.ignore = image.into_iter().collect();
            }
            Self::Drift(mode) => declared.drift.mode = mode,
            Self::Timeout(minutes) => {
                let timeout = Duration::minutes(minutes);
                declared.timeout = timeout;
                declared.rollback_timeout = timeout;
                declared.uninstall_timeout = timeout;
            }
            Self::History(kept) => cluster.max_history = kept,
            Self::Words(words) => {
                cluster.words = words;
                cluster.settle_approvals();
            }
            Self::Sticky(sticky) => cluster.sticky = sticky,
        }
    }
}
