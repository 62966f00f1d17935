//! What gathering sees of the cluster.

use belay_api::helm_release::{AttemptKind, DriftMode};
use belay_api::{Reason, Timestamp};
use belay_health::{
    FaultClass, ObjectKey, ObjectRef, PodFault, PodFaultReason, ProgressReason, Verdict,
};
use belay_rollout::{
    At, Checked, Desired, Digest, Drift, HookProgress, Progress, SightedFault, SourceLook, Stored,
    StrandedPod, World,
};

use crate::cluster::{
    Cluster, Ends, Health, chart_id, content_of, hook_of, manifest, object, rejection,
};

impl Cluster {
    /// What the next decision looks at.
    pub fn world(&self) -> World {
        World {
            now: self.now,
            declared: self.declared.clone(),
            desired: self.desired(),
            held_up: self.held_up.clone(),
            source: match &self.source {
                Some(rejection) => SourceLook::Failed {
                    reason: rejection.reason,
                    message: rejection.message.clone(),
                },
                None => SourceLook::Found {
                    chart: chart_id(&self.spec),
                    origin: "https://charts.example.org".into(),
                },
            },
            orders: self.orders.clone(),
            ledger: self.ledger.clone(),
            lost: self.memory.lost.clone(),
            storage: self
                .storage
                .iter()
                .rev()
                .map(|(revision, record)| Stored {
                    revision: *revision,
                    status: record.status,
                    created: record.created,
                })
                .collect(),
            progress: self.progress(),
            proof: self.memory.proof.clone(),
            looks: if self.soaks() {
                self.memory.looks.clone()
            } else {
                Vec::new()
            },
            drift: self.drift(),
        }
    }

    /// What is known of drift: what the watches see that is neither what was applied nor looked at, and what the looks
    /// came to.
    fn drift(&self) -> Option<Drift> {
        let ledger = self.ledger.as_ref()?;
        let current = ledger.current.as_ref()?;
        if ledger.attempt.is_some()
            || self.declared.deleting
            || self.declared.drift.mode == DriftMode::Disabled
        {
            return None;
        }
        let runs = content_of(&current.digest);
        let suspects = manifest(runs).into_iter().filter(|name| {
            let live = self.objects.get(name);
            match self.memory.looked_at.get(name) {
                Some(seen) => seen.as_ref() != live,
                None => live.is_none_or(|live| live.content != runs),
            }
        });
        let checked = self.memory.checked.clone();
        Some(Drift {
            suspects: suspects.map(|name| object(&name).key()).collect(),
            checked: checked
                .filter(|checked| checked.revision == current.revision)
                .unwrap_or_else(|| Checked::begun(current.revision, Vec::new(), self.now)),
        })
    }

    /// What a full look at the objects of what runs is due, if nothing else happens.
    pub fn full_look_due(&self) -> Option<Timestamp> {
        let drift = self.drift()?;
        Some(drift.checked.all_at.plus(self.declared.interval))
    }

    pub fn desired(&self) -> Desired {
        let Some(ledger) = &self.ledger else {
            return Desired::Unknown;
        };
        let going_back = ledger.attempt.as_ref().is_some_and(|attempt| {
            matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall)
                && !matches!(attempt.at, At::Failed { .. })
        });
        if going_back || self.declared.deleting || ledger.owner.uid != self.declared.identity.uid {
            return Desired::Unknown;
        }
        if let Some(rejection) = &self.source {
            return Desired::Rejected(rejection.clone());
        }
        if self.memory.refused.as_ref() == Some(&self.spec) {
            return Desired::Rejected(rejection(Reason::ManifestRejected));
        }
        Desired::Is {
            digest: Digest::named(&self.spec),
            chart: chart_id(&self.spec),
        }
    }

    /// What the watches know of what the attempt waits for.
    fn progress(&self) -> Option<Progress> {
        let ledger = self.ledger.as_ref()?;
        let attempt = ledger.attempt.as_ref()?;
        let waits = match attempt.at {
            At::Waiting | At::Soaking(_) => true,
            At::PreHooks | At::PostHooks | At::Testing | At::Applying | At::Removing => {
                self.memory.watching
            }
            _ => false,
        };
        if !waits {
            return None;
        }
        let hooks = attempt
            .hooks
            .iter()
            .filter(|hook| hook.progress == HookProgress::Started)
            .map(|hook| (hook.object.key(), self.hook_verdict(&hook.object.name)));
        let objects = self.wanted().into_iter().chain(hooks).collect();
        Some(Progress {
            objects,
            faults: self.faults(),
            stranded: self
                .stranded
                .iter()
                .filter(|name| self.objects.contains_key(*name))
                .map(|name| StrandedPod {
                    pod: ObjectRef::new("v1", "Pod", Some("shop"), &format!("{name}-0")).key(),
                    uid: format!("{name}-uid"),
                    owner: object(name).key(),
                    fault: fault(PodFaultReason::ImageNotFound),
                })
                .collect(),
        })
    }

    /// The verdicts of all that the ledger wants.
    pub fn wanted(&self) -> Vec<(ObjectKey, Verdict)> {
        let ledger = self.ledger.as_ref().unwrap();
        let wanted = ledger.inventory.iter().filter(|tracked| tracked.wanted);
        wanted
            .map(|tracked| (tracked.object.key(), self.verdict(&tracked.object.name)))
            .collect()
    }

    fn verdict(&self, name: &str) -> Verdict {
        let Some(live) = self.objects.get(name) else {
            return Verdict::Missing;
        };
        if self.stranded.contains(name) {
            return Verdict::Progressing {
                reason: ProgressReason::Replicas,
                message: "0 of 1 replicas updated".into(),
            };
        }
        let reason = match self.health(&live.content) {
            Health::Good if self.settled => return Verdict::Current,
            Health::NoQuota => ProgressReason::QuotaExceeded,
            Health::Fails => {
                return Verdict::Failed {
                    class: belay_health::FailureClass::Terminal,
                    reason: "ProgressDeadlineExceeded".into(),
                    message: "it says so itself".into(),
                };
            }
            _ => ProgressReason::Replicas,
        };
        Verdict::Progressing {
            reason,
            message: "0 of 1 updated replicas available".into(),
        }
    }

    fn hook_verdict(&self, name: &str) -> Verdict {
        let (chart, index) = hook_of(name);
        match self.hooks(chart)[index].ends {
            Ends::Well => Verdict::Current,
            Ends::Badly => Verdict::Failed {
                class: belay_health::FailureClass::Terminal,
                reason: "BackoffLimitExceeded".into(),
                message: "the job failed".into(),
            },
            Ends::Never => Verdict::Progressing {
                reason: ProgressReason::JobRunning,
                message: "running".into(),
            },
        }
    }

    fn faults(&self) -> Vec<SightedFault> {
        let broken = self
            .objects
            .iter()
            .find_map(|(name, live)| Some((name, live, self.fault_of(&live.content)?)));
        broken
            .map(|(name, live, fault)| SightedFault {
                namespace: "shop".into(),
                pod: format!("{name}-7f4c-x2"),
                owner: object(name).key(),
                fault,
                first_seen: live.applied,
                was_ready: false,
            })
            .into_iter()
            .collect()
    }

    /// What is wrong with the pods of objects with this content.
    pub fn fault_of(&self, content: &str) -> Option<PodFault> {
        match self.health(content) {
            Health::NoImage => Some(fault(PodFaultReason::ImageNotFound)),
            Health::Faulty(reason) => Some(fault(reason)),
            _ => None,
        }
    }
}

fn fault(reason: PodFaultReason) -> PodFault {
    PodFault {
        class: match reason {
            PodFaultReason::InvalidImageName
            | PodFaultReason::ErrImageNeverPull
            | PodFaultReason::ImageNotFound
            | PodFaultReason::ImagePullDenied
            | PodFaultReason::SignatureValidationFailed
            | PodFaultReason::CreateContainerConfigError => FaultClass::Terminal,
            PodFaultReason::RegistryUnavailable
            | PodFaultReason::Unschedulable
            | PodFaultReason::Evicted
            | PodFaultReason::NodeRejected => FaultClass::Transient,
            _ => FaultClass::Patience,
        },
        reason,
        container: Some("main".into()),
        init: false,
        message: match reason {
            PodFaultReason::ImageNotFound => "no such image".into(),
            _ => "it does not work".into(),
        },
        // As often as an upgrade does not bear with any more, and an install does.
        restarts: match reason {
            PodFaultReason::CrashLoopBackOff | PodFaultReason::OOMKilled => 4,
            _ => 0,
        },
        exit_code: None,
    }
}
