//! The end of an attempt: its outcome, or the end of the release.

use belay_api::helm_release::{AttemptKind, FaultyObject};
use belay_health::Verdict;
use belay_release::Status;
use belay_rollout::{At, Ledger, Proof, Proven, WayBack, report};

use super::{Done, essence};
use crate::cluster::{Cluster, Health, Writes, chart_id, content_of};

impl Cluster {
    pub(super) fn deployed(&mut self) -> Done {
        let attempt = self.doing();
        self.set_status(attempt.revision, Status::Deployed)?;
        let others: Vec<_> = self
            .storage
            .iter()
            .filter(|(revision, record)| {
                **revision != attempt.revision && record.status == Status::Deployed
            })
            .map(|(revision, _)| *revision)
            .collect();
        for revision in others {
            self.set_status(revision, Status::Superseded)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Done {
        let attempt = self.doing();
        let now = self.now;
        if !matches!(attempt.at, At::Soaking(_)) {
            self.deployed()?;
        }
        let content = self.storage[&attempt.revision].content.clone();
        let proven = Proven {
            revision: attempt.revision,
            digest: attempt.digest.clone(),
            chart: chart_id(&content),
            proven_at: now,
            record: essence(&content),
        };
        let pin = attempt.pin(&self.orders);
        let checks = report::soaked(&self.world());
        let charts = self.charts.clone();
        let anew = self.writes == Writes::Anew;
        let look_back = |previous: &Proven| {
            let chart = charts.get(content_of(&previous.digest));
            // What does not work any more is not taken any more.
            let refused = chart.is_some_and(|chart| chart.health != Health::Good);
            let refused = refused.then(|| FaultyObject {
                object: "Deployment shop/web".into(),
                message: "denied".into(),
            });
            let recreated = anew.then(|| "Deployment shop/web".to_owned());
            WayBack {
                revision: previous.revision,
                digest: previous.digest.clone(),
                refused: refused.into_iter().collect(),
                recreated: recreated.into_iter().collect(),
                checked_at: now,
            }
        };
        self.transition(|ledger| {
            let finished = ledger.finished(proven, pin, "complete", now);
            let way_back = finished.proven.get(1).map(look_back);
            finished.looked_back(way_back).checked(checks)
        })?;
        let kept: Vec<_> = self
            .ledger
            .as_ref()
            .unwrap()
            .proven
            .iter()
            .map(|p| p.revision)
            .collect();
        let surplus: Vec<_> = self
            .storage
            .keys()
            .rev()
            .skip(self.max_history)
            .copied()
            .collect();
        for revision in surplus {
            if !kept.contains(&revision) {
                self.storage.remove(&revision);
                self.wrote()?;
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self) -> Done {
        let all = self.doing().kind == AttemptKind::Uninstall;
        let keys = self.delete(|tracked| all || tracked.created || tracked.uid.is_none())?;
        let not_current = keys
            .into_iter()
            .filter(|key| self.objects.contains_key(&key.name) && !self.is_taken(&key.name))
            .map(|key| (key, Verdict::Terminating))
            .collect();
        self.memory.proof = Some(Proof { not_current });
        Ok(())
    }

    pub(super) fn sweep(&mut self) -> Done {
        let lost = self.memory.lost.clone().unwrap();
        for tracked in &lost.inventory {
            let name = &tracked.object.name;
            if !self.is_taken(name) && self.objects.remove(name).is_some() {
                self.wrote()?;
            }
        }
        self.end_orders();
        self.let_go()
    }

    pub(super) fn forget(&mut self) -> Done {
        let kind = self.doing().kind;
        while self.storage.pop_first().is_some() {
            self.wrote()?;
        }
        if kind == AttemptKind::Uninstall {
            self.end_orders();
            self.ledger = None;
            self.wrote()?;
            self.let_go()
        } else {
            self.transition(Ledger::cleared)
        }
    }
}
