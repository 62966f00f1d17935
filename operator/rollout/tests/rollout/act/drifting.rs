//! What is found of drift, and what is done about it.

use belay_health::Difference;
use belay_rollout::{Correction, Deviation, Finding, Scope};

use super::{Done, tracked};
use crate::cluster::{Cluster, Meddling, Writes, content_of, manifest, object};

impl Cluster {
    pub(super) fn runs(&self) -> String {
        let current = self.ledger.as_ref().unwrap().current.as_ref().unwrap();
        content_of(&current.digest).to_owned()
    }

    pub(super) fn compare(&mut self, scope: &Scope) {
        let runs = self.runs();
        let mut found = Vec::new();
        for name in manifest(&runs) {
            let key = object(&name).key();
            if matches!(scope, Scope::Objects(objects) if !objects.contains(&key)) {
                continue;
            }
            let live = self.objects.get(&name).cloned();
            let deviation = match &live {
                None => Some(Deviation::Missing),
                Some(live) if live.content == runs => None,
                Some(live) if Meddling::Fixes.content() == Some(&live.content) => {
                    Some(Deviation::Immutable {
                        message: "field is immutable".into(),
                    })
                }
                Some(live) if Meddling::Takes.content() == Some(&live.content) => {
                    Some(Deviation::NotOurs {
                        owner: Some("shop/other".into()),
                    })
                }
                Some(live) if Meddling::Hides.content() == Some(&live.content) => {
                    Some(Deviation::Unknown {
                        message: "the API server does not know its kind".into(),
                    })
                }
                Some(live) => Some(Deviation::Edited {
                    differences: vec![Difference {
                        path: "/spec".into(),
                        live: live.content.clone(),
                        wanted: runs.clone(),
                    }],
                    omitted: 0,
                }),
            };
            self.memory.looked_at.insert(name, live);
            found.extend(deviation.map(|deviation| Finding {
                object: key,
                deviation,
                since: self.now,
                refused: None,
            }));
        }
        let known = self.world().drift.unwrap().checked;
        self.memory.checked = Some(known.looked(scope, found, self.now));
    }

    pub(super) fn correct(&mut self, corrections: &[Correction]) -> Done {
        let (runs, now) = (self.runs(), self.now);
        self.transition(|ledger| ledger.correcting(corrections, now))?;
        let mut applied = Vec::new();
        let mut refused = Vec::new();
        for correction in corrections {
            let key = correction.object.clone();
            if self.writes != Writes::Taken || self.is_taken(&key.name) {
                refused.push((key, "a webhook says no".to_owned()));
                continue;
            }
            self.put(&key.name, &runs);
            self.memory.looked_at.remove(&key.name);
            self.wrote()?;
            self.corrections.push(key.name.clone());
            applied.push(tracked(&key.name, false));
        }
        let keys: Vec<_> = refused.iter().map(|(key, _)| key.clone()).collect();
        self.transition(|ledger| ledger.put_right(&applied, &keys, now))?;
        let done: Vec<_> = applied.iter().map(|tracked| tracked.object.key()).collect();
        let known = self.memory.checked.take();
        self.memory.checked = known.map(|known| known.corrected(&done, &refused));
        Ok(())
    }
}
