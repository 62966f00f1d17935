//! Drift: objects that somebody edited or deleted while no attempt is under way.

use belay_api::helm_release::{DriftIgnoreRule, DriftMode};
use belay_api::{Duration, Timestamp};
use belay_health::{Difference, ObjectKey};

use crate::ledger::Corrected;
use crate::outside::is_overtaken;
use crate::step::{Decision, Step, Wait, Waiting};
use crate::{Backoff, Ledger, World};

/// How often within [`WINDOW`] the same place of an object is put right. Whoever changes it once more is left alone.
pub const MAX_CORRECTIONS: usize = 3;
/// How long a correction counts.
pub const WINDOW: Duration = Duration::minutes(60);
/// How many places are remembered as put right; within [`WINDOW`] no more are.
pub const MAX_CORRECTED: usize = 512;

/// The longest pause between two looks at what changes again and again without being drift.
const LONGEST_PAUSE: Duration = Duration::minutes(1);
/// The pauses after looks that found nothing new.
const PAUSES: Backoff = Backoff::new(Duration(250), LONGEST_PAUSE);

/// What is known of drift while nothing is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Objects that the watches saw in another state than the last look or the last apply left.
    pub suspects: Vec<ObjectKey>,
    /// What was found.
    pub checked: Checked,
}

/// What the looks at a revision's objects came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The revision.
    pub revision: u32,
    /// What was left out.
    pub ignore: Vec<DriftIgnoreRule>,
    /// When something was compared last.
    pub at: Timestamp,
    /// When everything was; or when the watches began to look, which miss nothing from there on.
    pub all_at: Timestamp,
    /// How many looks in a row, at what the watches saw, found nothing new.
    pub calm: u32,
    /// The objects that differ, in the order of their keys.
    pub findings: Vec<Finding>,
}

/// An object that differs from its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub object: ObjectKey,
    /// How.
    pub deviation: Deviation,
    /// When that was first seen.
    pub since: Timestamp,
    /// The API server's words when it refused to put the object right.
    pub refused: Option<String>,
}

/// How an object differs from its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// It is not there.
    Missing,
    /// Somebody edited it.
    Edited {
        /// Where, as far as it is told.
        differences: Vec<Difference>,
        /// In how many places besides.
        omitted: u32,
    },
    /// It differs in what cannot change any more.
    Immutable {
        /// The API server's words.
        message: String,
    },
    /// It carries the marks of another release, or none.
    NotOurs {
        /// The other release.
        owner: Option<String>,
    },
    /// It cannot be compared.
    Unknown {
        /// Why.
        message: String,
    },
}

/// What is to be compared with its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every object.
    All,
    /// These.
    Objects(Vec<ObjectKey>),
}

/// An object that is to be put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The object.
    pub object: ObjectKey,
    /// Where, with what was found there; the empty path for an object that is missing.
    pub places: Vec<(String, String)>,
    /// Where it is left as it is: somebody changes that again and again.
    pub leave: Vec<String>,
}

impl Checked {
    /// Nothing was compared yet: the watches tell what differs from what was left.
    pub fn begun(revision: u32, ignore: Vec<DriftIgnoreRule>, now: Timestamp) -> Self {
        Self {
            revision,
            ignore,
            at: now,
            all_at: now,
            calm: 0,
            findings: Vec::new(),
        }
    }

    /// Everything is to be compared: what is known is of another time, or by other rules.
    #[must_use]
    pub fn overdue(mut self) -> Self {
        self.all_at = Timestamp::default();
        self
    }

    /// A look is over; `found` are the objects in its scope that differ.
    #[must_use]
    pub fn looked(mut self, scope: &Scope, found: Vec<Finding>, now: Timestamp) -> Self {
        let in_scope = |object: &ObjectKey| match scope {
            Scope::All => true,
            Scope::Objects(objects) => objects.contains(object),
        };
        let (old, mut findings): (Vec<_>, Vec<_>) = std::mem::take(&mut self.findings)
            .into_iter()
            .partition(|finding| in_scope(&finding.object));
        let mut news = false;
        for mut finding in found {
            match old.iter().find(|known| known.object == finding.object) {
                Some(known) if known.deviation == finding.deviation => {
                    finding.since = known.since;
                    // What was refused is tried once more with each full look.
                    if *scope != Scope::All {
                        finding.refused.clone_from(&known.refused);
                    }
                }
                _ => news = true,
            }
            findings.push(finding);
        }
        news |= old.iter().any(|known| {
            findings
                .iter()
                .all(|finding| finding.object != known.object)
        });
        findings.sort_by(|a, b| a.object.cmp(&b.object));
        self.findings = findings;
        let rested = now.since(self.at) > LONGEST_PAUSE;
        self.calm = if news || rested || *scope == Scope::All {
            0
        } else {
            self.calm.saturating_add(1)
        };
        self.at = now;
        if *scope == Scope::All {
            self.all_at = now;
        }
        self
    }

    /// Objects were put right, or the API server refused that.
    #[must_use]
    pub fn corrected(mut self, done: &[ObjectKey], refused: &[(ObjectKey, String)]) -> Self {
        self.findings
            .retain(|finding| !done.contains(&finding.object));
        for finding in &mut self.findings {
            if let Some((_, words)) = refused.iter().find(|(key, _)| *key == finding.object) {
                finding.refused = Some(words.clone());
            }
        }
        self
    }

    /// The instant from which on what the watches see is looked at: what changes without end and is no drift is
    /// looked at ever less often.
    fn next_look(&self) -> Timestamp {
        if self.calm == 0 {
            return self.at;
        }
        self.at.plus(PAUSES.after(self.calm))
    }
}

impl Finding {
    /// Whether the object is known to differ.
    pub fn differs(&self) -> bool {
        !matches!(self.deviation, Deviation::Unknown { .. })
    }

    /// Where it can be put right, with what was found there.
    pub(crate) fn places(&self) -> Vec<(String, String)> {
        match &self.deviation {
            Deviation::Missing => vec![(String::new(), "nothing".to_owned())],
            Deviation::Edited { differences, .. } => differences
                .iter()
                .map(|difference| (difference.path.clone(), difference.live.clone()))
                .collect(),
            Deviation::Immutable { .. } | Deviation::NotOurs { .. } | Deviation::Unknown { .. } => {
                Vec::new()
            }
        }
    }

    /// What is to be done about it; nothing if it cannot be helped.
    fn correction(&self, corrected: &[Corrected], now: Timestamp) -> Option<Correction> {
        if self.refused.is_some() {
            return None;
        }
        let (leave, places): (Vec<_>, Vec<_>) = self
            .places()
            .into_iter()
            .partition(|(path, _)| is_contested(corrected, &self.object, path, now));
        (!places.is_empty()).then(|| Correction {
            object: self.object.clone(),
            places,
            leave: leave.into_iter().map(|(path, _)| path).collect(),
        })
    }
}

/// Whether a place was put right so often within the hour that somebody else means it.
pub(crate) fn is_contested(
    corrected: &[Corrected],
    object: &ObjectKey,
    path: &str,
    now: Timestamp,
) -> bool {
    corrected
        .iter()
        .find(|known| known.object == *object && known.path == path)
        .is_some_and(|known| known.within_window(now) >= MAX_CORRECTIONS)
}

/// Whether the objects of what runs are compared with its manifest while the release waits like this.
///
/// What an attempt left half done, and what was removed by hand, is not what anybody asked for. What somebody's helm made
/// and nobody has taken in yet is another revision, and no drift.
pub(crate) fn is_looked_at(world: &World, ledger: &Ledger, on: &Waiting) -> bool {
    let settled = matches!(
        on,
        Waiting::Deployed
            | Waiting::Blocked
            | Waiting::Pinned
            | Waiting::Suspended
            | Waiting::Rejected(_)
            | Waiting::Dependencies(_)
    );
    settled
        && world.declared.drift.mode != DriftMode::Disabled
        && ledger.attempt.is_none()
        && !is_overtaken(world, ledger)
        && ledger
            .current
            .as_ref()
            .is_some_and(|current| current.consistent)
}

/// What is done about drift by a release that has nothing else to do.
pub(crate) fn decide_drift(world: &World, ledger: &Ledger, wait: Wait) -> Decision {
    let Some(drift) = &world.drift else {
        return Decision::Wait(wait);
    };
    if !is_looked_at(world, ledger, &wait.on) {
        return Decision::Wait(wait);
    }
    let all_due = drift.checked.all_at.plus(world.declared.interval);
    if world.now >= all_due {
        return Decision::Step(Step::CheckDrift { scope: Scope::All });
    }
    let look_due = drift.checked.next_look();
    if !drift.suspects.is_empty() && world.now >= look_due {
        return Decision::Step(Step::CheckDrift {
            scope: Scope::Objects(drift.suspects.clone()),
        });
    }
    // A release that is suspended is looked at, and nothing is begun.
    if world.declared.drift.mode == DriftMode::Enabled && !world.declared.suspend {
        let corrections = corrections(drift, ledger, world.now);
        if !corrections.is_empty() {
            return Decision::Step(Step::CorrectDrift { corrections });
        }
    }
    Decision::Wait(wait)
}

/// When a release that waits like this looks at its objects again by itself. No part of the wait: whoever reads a status
/// is told of what is still to come, and a look at what nobody touched is not.
pub fn next_look(world: &World, wait: &Wait) -> Option<Timestamp> {
    let (drift, ledger) = (world.drift.as_ref()?, world.ledger.as_ref()?);
    if !is_looked_at(world, ledger, &wait.on) {
        return None;
    }
    let all_due = drift.checked.all_at.plus(world.declared.interval);
    let look = (!drift.suspects.is_empty()).then(|| drift.checked.next_look());
    Some(look.map_or(all_due, |look| look.min(all_due)))
}

/// What can be put right, as far as there is room to remember it.
fn corrections(drift: &Drift, ledger: &Ledger, now: Timestamp) -> Vec<Correction> {
    let counted = ledger
        .corrected
        .iter()
        .filter(|known| known.within_window(now) > 0);
    let mut room = MAX_CORRECTED.saturating_sub(counted.count());
    let found = drift.checked.findings.iter();
    found
        .filter_map(|finding| finding.correction(&ledger.corrected, now))
        .take_while(|correction| {
            let fits = correction.places.len() <= room;
            room = room.saturating_sub(correction.places.len());
            fits
        })
        .collect()
}

#[cfg(test)]
#[path = "drift/tests.rs"]
mod tests;
