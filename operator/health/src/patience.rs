//! How long a fault is borne with before the attempt is given up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::class::FaultClass;
use crate::pod_fault::PodFault;
use crate::pod_fault_reason::PodFaultReason;

/// How much is borne with. All durations are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PatiencePolicy {
    /// Whether attempts are given up before their deadline at all (`failFast.mode`).
    pub enabled: bool,
    /// How long a fault must have lasted before it counts (`failFast.grace`).
    pub grace_ms: u64,
    /// The same for faults that another controller may cure: a missing ConfigMap or Secret, and
    /// pull errors that do not say why. Never shorter than `grace_ms`.
    pub unclear_grace_ms: u64,
    /// Restarts of one container that are borne with in a first install, where what it needs may
    /// still be starting.
    pub crash_restarts_install: u32,
    /// The same in the upgrade of something that worked.
    pub crash_restarts_upgrade: u32,
    /// Faults that never end an attempt early (`failFast.ignore`).
    pub ignore: BTreeSet<PodFaultReason>,
}

impl Default for PatiencePolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            grace_ms: 10_000,
            unclear_grace_ms: 60_000,
            crash_restarts_install: 5,
            crash_restarts_upgrade: 2,
            ignore: BTreeSet::new(),
        }
    }
}

/// What an attempt is doing, as far as it changes what can be expected of new pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Undertaking {
    /// Nothing of the release was there before.
    Install,
    /// Something that worked is being changed.
    Upgrade,
}

/// What is remembered about a fault between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sighting {
    /// When this fault (pod, container and reason) was first seen: milliseconds on the caller's
    /// own clock, the same that `now_ms` is taken from.
    pub first_seen_ms: u64,
    /// Whether the pod was ready at any time in this attempt.
    pub was_ready: bool,
}

/// What to do about a fault now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Patience {
    /// Go on waiting. `until_ms` is when to ask again even if nothing changes; `None` when only a
    /// change or the attempt's own deadline matters.
    Wait {
        /// Milliseconds on the caller's clock.
        until_ms: Option<u64>,
    },
    /// Waiting longer is of no use.
    GiveUp,
}

/// Whether a fault ends the attempt now, later or never.
///
/// Terminal faults count after the grace period, missing configuration and unclear pull errors
/// after the longer one. A container that ends again and again counts by its restarts, sooner in
/// an upgrade than in an install, and not at all if its pod had been ready before. Transient faults
/// are waited for, and so are pods that ended for good: what they mean is for their Job or
/// controller to say.
pub fn patience(
    fault: &PodFault,
    sighting: &Sighting,
    policy: &PatiencePolicy,
    undertaking: Undertaking,
    now_ms: u64,
) -> Patience {
    const FOREVER: Patience = Patience::Wait { until_ms: None };
    if !policy.enabled || policy.ignore.contains(&fault.reason) {
        return FOREVER;
    }
    let after = |grace_ms: u64| {
        let due_ms = sighting.first_seen_ms.saturating_add(grace_ms);
        if now_ms >= due_ms {
            Patience::GiveUp
        } else {
            Patience::Wait {
                until_ms: Some(due_ms),
            }
        }
    };
    match (fault.class, fault.reason) {
        (FaultClass::Transient, _) | (_, PodFaultReason::PodFailed) => FOREVER,
        (FaultClass::Terminal, _) => after(policy.grace_ms),
        (
            FaultClass::Patience,
            PodFaultReason::CrashLoopBackOff
            | PodFaultReason::OOMKilled
            | PodFaultReason::ContainerExited
            | PodFaultReason::RunContainerError,
        ) => {
            let borne = match undertaking {
                Undertaking::Install => policy.crash_restarts_install,
                Undertaking::Upgrade => policy.crash_restarts_upgrade,
            };
            if sighting.was_ready || fault.restarts < borne {
                FOREVER
            } else {
                Patience::GiveUp
            }
        }
        (FaultClass::Patience, _) => after(policy.unclear_grace_ms.max(policy.grace_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Patience = Patience::Wait { until_ms: None };

    fn fault(class: FaultClass, reason: PodFaultReason, restarts: u32) -> PodFault {
        PodFault {
            class,
            reason,
            container: Some("web".to_owned()),
            init: false,
            message: String::new(),
            restarts,
            exit_code: None,
        }
    }

    fn ask(fault: &PodFault, undertaking: Undertaking, now_ms: u64) -> Patience {
        let sighting = Sighting {
            first_seen_ms: 1_000,
            was_ready: false,
        };
        patience(
            fault,
            &sighting,
            &PatiencePolicy::default(),
            undertaking,
            now_ms,
        )
    }

    #[test]
    fn an_image_that_does_not_exist_ends_the_attempt_when_the_grace_is_over_and_not_before() {
        let missing = fault(FaultClass::Terminal, PodFaultReason::ImageNotFound, 0);
        assert_eq!(
            ask(&missing, Undertaking::Upgrade, 10_999),
            Patience::Wait {
                until_ms: Some(11_000)
            }
        );
        assert_eq!(
            ask(&missing, Undertaking::Upgrade, 11_000),
            Patience::GiveUp
        );
    }

    #[test]
    fn a_crash_loop_is_borne_with_longer_in_a_first_install() {
        for restarts in 0..8 {
            let crash = fault(
                FaultClass::Patience,
                PodFaultReason::CrashLoopBackOff,
                restarts,
            );
            let given_up = |undertaking| ask(&crash, undertaking, 1_000) == Patience::GiveUp;
            assert_eq!(given_up(Undertaking::Upgrade), restarts >= 2, "{restarts}");
            assert_eq!(given_up(Undertaking::Install), restarts >= 5, "{restarts}");
        }
    }

    #[test]
    fn a_crash_of_what_was_ready_before_is_left_to_the_deadline() {
        let crash = fault(FaultClass::Patience, PodFaultReason::OOMKilled, 40);
        let sighting = Sighting {
            first_seen_ms: 0,
            was_ready: true,
        };
        let policy = PatiencePolicy::default();
        assert_eq!(
            patience(&crash, &sighting, &policy, Undertaking::Upgrade, u64::MAX),
            WAIT
        );
    }

    #[test]
    fn a_missing_secret_gets_more_time_than_a_missing_image() {
        let missing = fault(FaultClass::Patience, PodFaultReason::MissingConfig, 0);
        assert_eq!(
            ask(&missing, Undertaking::Install, 60_999),
            Patience::Wait {
                until_ms: Some(61_000)
            }
        );
        assert_eq!(
            ask(&missing, Undertaking::Install, 61_000),
            Patience::GiveUp
        );
    }

    #[test]
    fn transient_faults_and_ended_pods_never_end_an_attempt() {
        for fault in [
            fault(
                FaultClass::Transient,
                PodFaultReason::RegistryUnavailable,
                99,
            ),
            fault(FaultClass::Transient, PodFaultReason::Unschedulable, 0),
            fault(FaultClass::Patience, PodFaultReason::PodFailed, 0),
        ] {
            assert_eq!(ask(&fault, Undertaking::Upgrade, u64::MAX), WAIT, "{fault}");
        }
    }

    #[test]
    fn nothing_ends_an_attempt_early_when_told_not_to() {
        let missing = fault(FaultClass::Terminal, PodFaultReason::ImageNotFound, 0);
        let sighting = Sighting {
            first_seen_ms: 0,
            was_ready: false,
        };
        let off = PatiencePolicy {
            enabled: false,
            ..PatiencePolicy::default()
        };
        let ignoring = PatiencePolicy {
            ignore: BTreeSet::from([PodFaultReason::ImageNotFound]),
            ..PatiencePolicy::default()
        };
        for policy in [off, ignoring] {
            assert_eq!(
                patience(&missing, &sighting, &policy, Undertaking::Upgrade, u64::MAX),
                WAIT
            );
        }
    }
}
