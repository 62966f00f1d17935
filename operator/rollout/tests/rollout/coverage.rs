//! What was seen on the way: how often each step was decided and each deed done, and everything that people were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use belay_api::rollback_request::RequestPhase;
use belay_api::{Condition, Phase, Reason};
use belay_rollout::{Amendment, Step, Wait, Waiting};

use crate::cluster::Cluster;
use crate::deed::Deed;

/// Every kind of step; a new one is noticed by [`kind_of`].
pub const STEPS: [&str; 35] = [
    "AddFinalizer",
    "Adopt",
    "Amend::Abandon",
    "Amend::Heard",
    "Amend::Inherit",
    "Amend::Move",
    "Amend::Remove",
    "Amend::TryAgain",
    "Amend::Unblock",
    "Amend::Unpin",
    "Apply",
    "Ask",
    "Begin",
    "BuryForeign",
    "CheckDrift",
    "Claim",
    "CorrectDrift",
    "Disarm",
    "EndHook",
    "Fail",
    "Finish",
    "Forget",
    "KeepOutside",
    "Orphan",
    "Preview",
    "Prove",
    "Record",
    "Refuse",
    "Remove",
    "Replace",
    "Settle",
    "Soak",
    "StartHook",
    "Sweep",
    "TakeNote",
];

/// What a step is, without what it is about.
pub fn kind_of(step: &Step) -> &'static str {
    match step {
        Step::AddFinalizer => "AddFinalizer",
        Step::Claim => "Claim",
        Step::Adopt { .. } => "Adopt",
        Step::KeepOutside { .. } => "KeepOutside",
        Step::TakeNote { .. } => "TakeNote",
        Step::BuryForeign { .. } => "BuryForeign",
        Step::Begin(_) => "Begin",
        Step::Record => "Record",
        Step::Disarm => "Disarm",
        Step::StartHook { .. } => "StartHook",
        Step::EndHook { .. } => "EndHook",
        Step::Apply => "Apply",
        Step::Replace { .. } => "Replace",
        Step::Prove => "Prove",
        Step::Soak { .. } => "Soak",
        Step::Ask { .. } => "Ask",
        Step::Finish => "Finish",
        Step::Fail { .. } => "Fail",
        Step::Settle => "Settle",
        Step::Remove => "Remove",
        Step::Forget => "Forget",
        Step::Orphan => "Orphan",
        Step::Sweep => "Sweep",
        Step::CheckDrift { .. } => "CheckDrift",
        Step::CorrectDrift { .. } => "CorrectDrift",
        Step::Preview { .. } => "Preview",
        Step::Refuse { .. } => "Refuse",
        Step::Amend(amendment) => match amendment {
            Amendment::Move(_) => "Amend::Move",
            Amendment::Heard { .. } => "Amend::Heard",
            Amendment::Abandon => "Amend::Abandon",
            Amendment::Remove(_) => "Amend::Remove",
            Amendment::Unblock { .. } => "Amend::Unblock",
            Amendment::Inherit { .. } => "Amend::Inherit",
            Amendment::Unpin => "Amend::Unpin",
            Amendment::TryAgain { .. } => "Amend::TryAgain",
        },
    }
}

/// What was seen.
#[derive(Default)]
pub struct Coverage {
    pub stories: usize,
    pub turns: usize,
    pub steps: BTreeMap<&'static str, u64>,
    pub deeds: BTreeMap<String, u64>,
    pub waits: BTreeMap<String, u64>,
    pub reasons: BTreeSet<Reason>,
    pub phases: BTreeSet<String>,
}

impl Coverage {
    /// Takes in what was seen elsewhere.
    pub fn add(&mut self, other: Self) {
        self.stories += other.stories;
        self.turns += other.turns;
        for (kind, count) in other.steps {
            *self.steps.entry(kind).or_default() += count;
        }
        for (mine, others) in [
            (&mut self.deeds, other.deeds),
            (&mut self.waits, other.waits),
        ] {
            for (kind, count) in others {
                *mine.entry(kind).or_default() += count;
            }
        }
        self.reasons.extend(other.reasons);
        self.phases.extend(other.phases);
    }

    /// A step was decided.
    pub fn step(&mut self, step: &Step) {
        *self.steps.entry(kind_of(step)).or_default() += 1;
        if let Step::Fail { failure } = step {
            self.reasons.insert(failure.reason);
        }
        if let Step::Refuse { reason, .. } = step {
            self.reasons.insert(*reason);
        }
    }

    /// A deed was done.
    pub fn deed(&mut self, deed: Deed) {
        *self.deeds.entry(deed.kind()).or_default() += 1;
    }

    /// A wait was reported.
    pub fn wait(&mut self, wait: &Wait) {
        let told = match &wait.on {
            Waiting::Rejected(_) => "Rejected".to_owned(),
            other => format!("{other:?}"),
        };
        let kind = told.split(['(', ' ']).next().unwrap_or_default();
        *self.waits.entry(kind.to_owned()).or_default() += 1;
    }

    /// What people read.
    pub fn told(&mut self, cluster: &Cluster) {
        let status = &cluster.status;
        self.phase(status.phase);
        self.conditions(&status.conditions);
        let failure = status.last_failure.iter().map(|failure| failure.reason);
        let drift = status.drift.iter().flat_map(|drift| &drift.objects);
        let blocked = status.blocked.iter().map(|blocked| blocked.reason);
        let drift = drift.map(|object| object.reason);
        self.reasons.extend(failure.chain(drift).chain(blocked));
        for (uid, record) in &cluster.records {
            self.conditions(&record.conditions);
            let order = cluster.orders.iter().find(|order| &order.uid == uid);
            let phase = order.map_or(record.phase, |order| order.phase);
            self.request(phase);
        }
    }

    fn phase(&mut self, phase: Phase) {
        self.phases.insert(format!("Phase::{phase:?}"));
    }

    fn request(&mut self, phase: RequestPhase) {
        self.phases.insert(format!("RequestPhase::{phase:?}"));
    }

    fn conditions(&mut self, conditions: &[Condition]) {
        self.reasons
            .extend(conditions.iter().map(|condition| condition.reason));
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |counts: Vec<(String, u64)>| {
            let told: Vec<_> = counts
                .into_iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            told.join(", ")
        };
        let steps = self.steps.iter();
        let steps: Vec<_> = steps
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        let all: u64 = self.steps.values().sum();
        let deeds: Vec<_> = self.deeds.clone().into_iter().collect();
        let done: u64 = self.deeds.values().sum();
        writeln!(f, "{all} steps: {}", counted(steps))?;
        writeln!(f, "{done} deeds: {}", counted(deeds))?;
        if !self.waits.is_empty() {
            let waits: Vec<_> = self.waits.clone().into_iter().collect();
            writeln!(f, "waits: {}", counted(waits))?;
        }
        if !self.reasons.is_empty() {
            writeln!(f, "{} reasons told: {:?}", self.reasons.len(), self.reasons)?;
            writeln!(f, "phases told: {:?}", self.phases)?;
        }
        Ok(())
    }
}
