//! Taking over what somebody else made.

use belay_health::{ObjectKey, ObjectRef};
use belay_release::Status;
use belay_rollout::{Digest, Hold, Pin, Proven, Running};

use super::{Done, essence, proven_content, tracked};
use crate::cluster::{Cluster, Health, chart_id, content_of, manifest};

impl Cluster {
    pub(super) fn adopt(
        &mut self,
        revision: u32,
        digest: Digest,
        pin: Option<Pin>,
        gone: &[ObjectKey],
        brought: &[ObjectRef],
    ) -> Done {
        let content = self.storage[&revision].content.clone();
        let found: Vec<_> = manifest(&content)
            .into_iter()
            .filter(|name| self.objects.contains_key(name))
            .map(|name| tracked(&name, false))
            .collect();
        let good =
            self.holds_all(&content) && self.health(&content) == Health::Good && self.settled;
        let proven = good.then(|| Proven {
            revision,
            digest: digest.clone(),
            chart: chart_id(&content),
            proven_at: self.now,
            record: essence(&content),
        });
        let running = Running {
            revision,
            digest,
            chart: chart_id(&content),
            since: self.now,
            consistent: true,
        };
        // Of what somebody else left nothing is known: what was looked at before says nothing of it.
        self.memory.looked_at.clear();
        let now = self.now;
        self.transition(|ledger| {
            ledger
                .noticed(brought)
                .adopted(running, proven, found, pin, "by helm", now)
                .pruned(gone)
        })
    }

    pub(super) fn holds_all(&self, content: &str) -> bool {
        manifest(content).iter().all(|name| {
            self.objects
                .get(name)
                .is_some_and(|live| live.content == content)
        })
    }

    pub(super) fn keep(&mut self, revision: u32) -> Done {
        let content = self.storage[&revision].content.clone();
        let ledger = self.ledger.as_ref().unwrap();
        let digest = ledger
            .proven
            .iter()
            .find(|proven| proven_content(proven) == content)
            .map(|proven| proven.digest.clone());
        let desired = self.desired().digest().cloned();
        let asked = desired.clone().filter(|asked| content_of(asked) == content);
        let digest = digest
            .or(asked)
            .unwrap_or_else(|| Digest::named(&format!("m1:{content}")));
        let pin = (desired.as_ref() != Some(&digest)).then(|| Pin {
            request: None,
            hold: Hold::SpecChange,
            digest: digest.clone(),
            asked: desired,
            generation: self.declared.generation,
        });
        let older: Vec<_> = self
            .storage
            .range(..revision)
            .map(|(older, _)| *older)
            .collect();
        for older in older {
            if self.storage[&older].status.is_pending() {
                self.set_status(older, Status::Failed)?;
            }
        }
        // What a half-applied attempt left behind belongs to no revision any more.
        let kept = manifest(&content);
        let gone = self.delete(|tracked| !kept.contains(&tracked.object.name))?;
        let brought = self.brought();
        self.adopt(revision, digest, pin, &gone, &brought)
    }
}
