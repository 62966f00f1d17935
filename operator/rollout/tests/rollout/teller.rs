//! A story, and how it is told: the world goes on by itself for some turns, then somebody does something, and so on;
//! then nobody does anything any more.

use std::fmt;

use belay_api::helm_release::AttemptKind;
use belay_api::{HelmReleaseStatus, Timestamp};
use belay_release::Status;
use belay_rollout::{Desired, Wait, next_look};

use crate::cluster::{Cluster, Health, Hook};
use crate::coverage::Coverage;
use crate::deed::Deed;
use crate::drive::Turn;
use crate::healing::{heal, make_way};
use crate::knob::Knob;
use crate::onlooker::Onlooker;
use crate::promises::{check_passage, check_rest, check_status, check_step};

/// The chart that is asked for in the beginning.
pub const FIRST: &str = "apple";
/// More steps than one reconcile takes.
const MAX_STEPS: usize = 200;
/// More steps and waits than any way to rest needs.
const MAX_TURNS: usize = 2_000;
/// After how many failures a way back or a removal that cannot succeed is left to itself.
const TRIES: u32 = 3;

/// A story.
#[derive(Clone, Debug)]
pub struct Story {
    pub charts: Vec<(&'static str, Health, Vec<Hook>)>,
    pub spec: Vec<Knob>,
    pub before: Before,
    /// Each after so many turns in which the world goes on by itself.
    pub deeds: Vec<(u8, Deed)>,
}

/// What is there before the `HelmRelease`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    /// A release that helm made.
    Helm(&'static str),
    /// One that helm began to make.
    Pending(&'static str),
    /// One of another `HelmRelease`.
    Claimed,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tell(")?;
        writeln!(f, "    &[")?;
        for (name, health, hooks) in &self.charts {
            if *health == Health::Good && hooks.is_empty() {
                continue;
            }
            writeln!(f, "        ({name:?}, {health:?}, &{hooks:?}),")?;
        }
        writeln!(f, "    ],")?;
        writeln!(f, "    &{:?},", self.spec)?;
        writeln!(f, "    Before::{:?},", self.before)?;
        writeln!(f, "    &[")?;
        for (turns, deed) in &self.deeds {
            writeln!(f, "        ({turns}, {deed:?}),")?;
        }
        writeln!(f, "    ],")?;
        write!(f, ");")
    }
}

/// Tells a story that was found.
pub fn tell(
    charts: &[(&'static str, Health, &[Hook])],
    spec: &[Knob],
    before: Before,
    deeds: &[(u8, Deed)],
) {
    let charts = charts.iter();
    let charts = charts.map(|(name, health, hooks)| (*name, *health, hooks.to_vec()));
    let story = Story {
        charts: charts.collect(),
        spec: spec.to_vec(),
        before,
        deeds: deeds.to_vec(),
    };
    let mut teller = Teller::begins(&story);
    teller.goes_through(&story);
}

/// Who tells a story.
pub struct Teller {
    pub cluster: Cluster,
    onlooker: Onlooker,
    seen: Coverage,
    /// Steps since the last wait.
    steps: usize,
}

impl Teller {
    /// Tells it to its end; answers with what was seen.
    pub fn tells(story: &Story) -> Coverage {
        let mut teller = Self::begins(story);
        teller.goes_through(story);
        teller.seen.stories = 1;
        teller.seen
    }

    fn begins(story: &Story) -> Self {
        let mut cluster = Cluster::asking_for(FIRST);
        for (name, health, hooks) in &story.charts {
            cluster.set_chart(name, *health, hooks);
        }
        for knob in &story.spec {
            knob.turn(&mut cluster);
        }
        match story.before {
            Before::Nothing => {}
            Before::Helm(chart) => cluster.helm(chart),
            Before::Pending(chart) => cluster.foreign(1, chart, Status::PendingInstall),
            Before::Claimed => {
                cluster.rest();
                cluster.declared.identity.name = "another".into();
                cluster.declared.identity.uid = "another-uid".into();
                cluster.declared.has_finalizer = false;
                cluster.status = HelmReleaseStatus::default();
                cluster.crash();
            }
        }
        Self {
            onlooker: Onlooker::looks_at(&cluster),
            cluster,
            seen: Coverage::default(),
            steps: 0,
        }
    }

    fn goes_through(&mut self, story: &Story) {
        for (turns, deed) in &story.deeds {
            for _ in 0..*turns {
                if !self.goes_on() {
                    break;
                }
            }
            self.does(*deed);
        }
        // Nothing but charts that do not work is in the way.
        make_way(&mut self.cluster);
        self.onlooker.looks_again(&self.cluster);
        self.comes_to_rest(|cluster| {
            cluster.attempt().is_some_and(|attempt| {
                matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall)
                    && attempt.failures >= TRIES
            })
        });
        heal(&mut self.cluster);
        self.comes_to_rest(|_| false);
        self.rests();
    }

    fn does(&mut self, deed: Deed) {
        match deed {
            // Whenever it comes to that.
            Deed::Kill(writes) => {
                self.cluster.dies_after = Some(writes);
                self.seen.deed(deed);
            }
            Deed::LoseAnswer(writes) => {
                self.cluster.goes_unanswered_after = Some(writes);
                self.seen.deed(deed);
            }
            deed => {
                if deed.is_done(&mut self.cluster) {
                    self.seen.deed(deed);
                    self.onlooker.sees(deed, &self.cluster);
                }
            }
        }
    }

    /// One decision, and what comes of it. What is waited for, if anything is.
    fn turns(&mut self) -> Option<Wait> {
        if self.cluster.gone {
            return None;
        }
        self.seen.turns += 1;
        let before = self.cluster.clone();
        self.cluster.memory.proof.clone_from(&before.memory.proof);
        let (step, whole) = match self.cluster.turn() {
            Turn::Waits(wait) => {
                self.steps = 0;
                self.seen.wait(&wait);
                self.seen.told(&self.cluster);
                let world = self.cluster.world();
                let looks = next_look(&world, &wait);
                let at = wait.wakes_at(&world).into_iter().chain(looks).min();
                assert!(
                    at.is_none_or(|at| at > world.now),
                    "it waits for what is over: {wait:?}"
                );
                if !self.cluster.gone {
                    check_status(&self.cluster, &wait);
                }
                return Some(wait);
            }
            Turn::Stepped(step) => (step, true),
            // With that a reconcile ends, too.
            Turn::Died(step) | Turn::Halted(step) => {
                self.steps = 0;
                (step, false)
            }
        };
        self.steps += 1;
        self.seen.step(&step);
        if self.cluster.status.conditions != before.status.conditions {
            self.seen.told(&self.cluster);
        }
        assert!(self.steps < MAX_STEPS, "it goes on and on: {step:?}");
        check_step(&before, &step);
        check_passage(&before, whole.then_some(&step), &self.cluster);
        self.onlooker.follows(&before, &step, &self.cluster);
        None
    }

    /// One turn by itself; whether anything happened.
    fn goes_on(&mut self) -> bool {
        match self.turns() {
            Some(wait) => self.cluster.pass(&wait),
            None => !self.cluster.gone,
        }
    }

    /// Nobody does anything any more.
    fn comes_to_rest(&mut self, is_left: impl Fn(&Cluster) -> bool) {
        for _ in 0..MAX_TURNS {
            let goes_on = match self.turns() {
                None => !self.cluster.gone,
                Some(wait) => !is_left(&self.cluster) && self.cluster.pass(&wait),
            };
            if !goes_on {
                return;
            }
        }
        let attempt = self.cluster.attempt();
        panic!("it does not come to rest: {attempt:#?}");
    }

    /// At rest a second look changes nothing, nor does the death of the process, nor the loss of the status.
    fn rests(&mut self) {
        check_rest(&self.cluster, &[]);
        if self.cluster.gone {
            return;
        }
        let at_rest = self.cluster.clone();
        let mut again = at_rest.clone();
        assert!(matches!(again.turn(), Turn::Waits(_)), "it does not rest");
        assert_same(&at_rest, &again, "a second look");
        again.crash();
        again.status = HelmReleaseStatus::default();
        for _ in 0..MAX_STEPS {
            if let Turn::Waits(_) = again.turn() {
                assert_same(&at_rest, &again, "a new process without a status");
                return;
            }
        }
        panic!("a new process does not come to rest");
    }
}

/// The same but for instants of transitions.
fn assert_same(one: &Cluster, other: &Cluster, what: &str) {
    let plain = |cluster: &Cluster| {
        let mut status = cluster.status.clone();
        // What the spec comes to is told as it was known last.
        if cluster.desired() == Desired::Unknown {
            status.desired = None;
        }
        for condition in &mut status.conditions {
            condition.last_transition_time = Timestamp::default();
        }
        for object in status.drift.iter_mut().flat_map(|drift| &mut drift.objects) {
            object.since = Timestamp::default();
        }
        status
    };
    assert_eq!(plain(one), plain(other), "{what} tells something else");
    assert_eq!(one.ledger, other.ledger, "{what} changes the ledger");
    assert_eq!(one.objects, other.objects, "{what} changes objects");
    let records = |cluster: &Cluster| {
        let records = cluster.storage.iter();
        let records = records.map(|(revision, record)| (*revision, record.status));
        records.collect::<Vec<_>>()
    };
    assert_eq!(records(one), records(other), "{what} changes records");
}
