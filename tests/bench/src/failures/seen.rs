//! What was seen of one release that fails.

use belay_api::helm_release::AttemptKind;
use belay_api::{ConditionType, HelmRelease, Reason};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;

use super::INSTANCE;
use super::case::Ends;

/// `failFast.grace` where the spec says nothing.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// What somebody else may still put right has so long.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// So many restarts end an upgrade.
const RESTARTS: i32 = 2;

/// What a watch brought.
pub(super) enum News {
    Pod(Box<Pod>),
    Job(Box<Job>),
    Release(Box<HelmRelease>),
}

impl News {
    /// The release that it is of.
    pub(super) fn release(&self) -> Option<String> {
        match self {
            Self::Pod(pod) => pod.labels().get(INSTANCE).cloned(),
            Self::Job(job) => job.labels().get(INSTANCE).cloned(),
            Self::Release(release) => release.metadata.name.clone(),
        }
    }
}

/// When something was first seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The upgrade was asked for.
    pub(super) asked: Option<Timestamp>,
    /// Something was wrong.
    first: Option<Timestamp>,
    /// A container had restarted so often as ends it.
    restarted: Option<Timestamp>,
    /// A Job had failed, of which a pod that did is only the first sign.
    ended: Option<Timestamp>,
    /// When the attempt is over in any case.
    deadline: Option<Timestamp>,
    /// The failure on record, by the operator's clock.
    pub(super) recorded: Option<Timestamp>,
    /// The attempt that goes back.
    pub(super) begun: Option<Timestamp>,
    /// Back, and at rest.
    pub(super) back: Option<Timestamp>,
    /// What the status says of it.
    pub(super) reason: Option<String>,
}

impl Seen {
    /// What the times are counted from: what was seen first, or what was asked for where nothing is seen.
    pub(super) fn sign(&self, ends: Ends) -> Option<Timestamp> {
        match ends {
            Ends::BeforeItBegins => self.asked,
            Ends::WithItsTime => self.first.or(self.asked),
            _ => self.first,
        }
    }

    /// When the attempt had to end.
    pub(super) fn due(&self, ends: Ends) -> Option<Timestamp> {
        match ends {
            Ends::AtOnce => self.ended.or(self.first),
            Ends::WithTheGrace => self.first.map(|first| first + GRACE),
            Ends::WithTheMinute => self.first.map(|first| first + MINUTE),
            Ends::WithRestarts => self.restarted,
            Ends::WithItsTime => self.deadline,
            Ends::BeforeItBegins => self.asked,
        }
    }

    pub(super) fn take(&mut self, news: &News, now: Timestamp) {
        let Some(asked) = self.asked else { return };
        match news {
            News::Pod(pod) => self.take_pod(pod, asked, now),
            News::Job(job) => {
                let conditions = job
                    .status
                    .as_ref()
                    .and_then(|status| status.conditions.as_ref());
                let failed = conditions.is_some_and(|conditions| {
                    conditions
                        .iter()
                        .any(|condition| condition.type_ == "Failed" && condition.status == "True")
                });
                if failed {
                    self.ended.get_or_insert(now);
                }
            }
            News::Release(release) => self.take_release(release, asked, now),
        }
    }

    fn take_pod(&mut self, pod: &Pod, asked: Timestamp, now: Timestamp) {
        // To the second: the pods before are older than the upgrades by more.
        let new = pod
            .creation_timestamp()
            .is_some_and(|created| created.0 >= asked - SignedDuration::from_secs(1));
        let Some(status) = pod.status.as_ref().filter(|_| new) else {
            return;
        };
        let containers = || {
            let init = status.init_container_statuses.iter().flatten();
            init.chain(status.container_statuses.iter().flatten())
        };
        let unplaced = status
            .conditions
            .iter()
            .flatten()
            .any(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
        if unplaced || containers().any(is_wrong) {
            self.first.get_or_insert(now);
        }
        if containers().any(|container| container.restart_count >= RESTARTS) {
            self.restarted.get_or_insert(now);
        }
    }

    fn take_release(&mut self, release: &HelmRelease, asked: Timestamp, now: Timestamp) {
        let Some(status) = &release.status else {
            return;
        };
        let at = |at: belay_api::Timestamp| Timestamp::from_millisecond(at.0).ok();
        match &status.attempt {
            Some(attempt) if attempt.kind == AttemptKind::Revert => {
                self.begun.get_or_insert(now);
            }
            Some(attempt) => self.deadline = at(attempt.deadline),
            None => {}
        }
        if let Some(failure) = &status.last_failure
            && let Some(at) = at(failure.at).filter(|at| *at >= asked)
        {
            self.recorded.get_or_insert(at);
            self.reason = Some(format!("{:?}", failure.reason));
        }
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == ConditionType::Ready);
        let Some(ready) = ready else { return };
        let current = Some(ready.observed_generation) == release.metadata.generation;
        let over = matches!(
            ready.reason,
            Reason::RevisionBlocked | Reason::RetryScheduled | Reason::ManifestRejected
        );
        if current && over && status.attempt.is_none() {
            self.back.get_or_insert(now);
            self.recorded.get_or_insert(now);
            if self.reason.is_none() {
                self.reason = Some(format!("{:?}", ready.reason));
            }
        }
    }
}

/// Whether a container shows that something is wrong.
fn is_wrong(container: &ContainerStatus) -> bool {
    let Some(state) = &container.state else {
        return false;
    };
    let waiting = state
        .waiting
        .as_ref()
        .and_then(|waiting| waiting.reason.as_deref());
    let waits =
        waiting.is_some_and(|reason| !matches!(reason, "ContainerCreating" | "PodInitializing"));
    let ended = state
        .terminated
        .as_ref()
        .is_some_and(|ended| ended.exit_code != 0);
    waits || ended || container.restart_count > 0
}
