//! Every way that a small world can go: each reachable state is looked at once, each state in which the
//! process could die, and each moment at which somebody could do something.

use std::collections::{HashMap, VecDeque};

use belay_rollout::decide;

use crate::cluster::{Cluster, Health, Says, Words};
use crate::coverage::Coverage;
use crate::deed::Deed;
use crate::drive::Turn;
use crate::fingerprint::fingerprint;
use crate::promises::{check_passage, check_proven, check_rest, check_step};

/// What happens to any release.
const COMMON: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Kill(3),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Edit("crowded"),
    Deed::EditInterval,
    Deed::Order,
    Deed::DeleteOrder,
    Deed::Helm("good"),
    Deed::Degrade,
    Deed::Delete,
];

/// What people ask for.
const REQUESTS: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Order,
    Deed::HoldByHand,
    Deed::DryRun,
    Deed::DeleteOrder,
    Deed::Ask,
    Deed::Helm("good"),
    Deed::Delete,
];

/// What happens to a release some of whose revisions bring a webhook that refuses what is not theirs.
const GUARDED: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Kill(3),
    Deed::Edit("good"),
    Deed::Edit("guarded"),
    Deed::Edit("guarded-bad"),
    Deed::Order,
    Deed::Degrade,
    Deed::Suspend,
    Deed::Resume,
    Deed::Delete,
];

/// What happens to a release that soaks.
const SOAK: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Kill(3),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Order,
    Deed::Helm("good"),
    Deed::Degrade,
    Deed::Recover,
    Deed::Delete,
];

/// What happens to a release that is checked while it soaks.
const CHECKS: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Edit("good"),
    Deed::Order,
    Deed::Degrade,
    Deed::Recover,
    Deed::Answer(Says::Good),
    Deed::Answer(Says::Bad),
    Deed::Answer(Says::Nothing),
    Deed::Delete,
];

/// What happens to a release whose requests need a second person's word.
const APPROVALS: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Edit("bad"),
    Deed::Order,
    Deed::OrderInTime,
    Deed::DryRun,
    Deed::Approve,
    Deed::Withdraw,
    Deed::Unenforce,
    Deed::DeleteOrder,
    Deed::Delete,
];

/// What happens to a release that depends on another.
const DEPENDENCIES: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Edit("crowded"),
    Deed::HoldUp,
    Deed::Free,
    Deed::Order,
    Deed::Ask,
    Deed::Helm("good"),
    Deed::Delete,
];

/// What happens to a release that is suspended now and then.
const SUSPENSIONS: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Suspend,
    Deed::Resume,
    Deed::Order,
    Deed::Helm("good"),
    Deed::Degrade,
    Deed::Delete,
];

/// What happens to a release whose objects are put right.
const DRIFT: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Kill(3),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Order,
    Deed::Helm("good"),
    Deed::Tamper,
    Deed::Lose,
    Deed::Delete,
];

/// What happens to a release that people run helm on.
const BY_HAND: &[Deed] = &[
    Deed::Crash,
    Deed::Kill(1),
    Deed::Kill(2),
    Deed::Edit("good"),
    Deed::Edit("bad"),
    Deed::Order,
    Deed::Ask,
    Deed::Helm("good"),
    Deed::Helm("other"),
    Deed::HelmFails("worse"),
    Deed::HelmUninstall(true),
    Deed::HelmUninstall(false),
    Deed::Delete,
];

/// More states than three deeds lead to.
const MAX_STATES: usize = 150_000;

/// What follows a state by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Another state.
    State(usize),
    /// Nothing: it is at rest.
    Rest,
}

struct State {
    cluster: Cluster,
    left: u32,
    /// What was done to get here, and when.
    story: Vec<String>,
}

struct Search {
    deeds: &'static [Deed],
    seen: HashMap<u64, usize>,
    queue: VecDeque<(usize, State)>,
    next: Vec<Next>,
    /// What each state looks like, for people.
    told: Vec<String>,
    coverage: Coverage,
}

impl Search {
    fn from(starts: Vec<Cluster>, deeds: &'static [Deed], left: u32) -> Self {
        let mut search = Self {
            deeds,
            seen: HashMap::new(),
            queue: VecDeque::new(),
            next: Vec::new(),
            told: Vec::new(),
            coverage: Coverage::default(),
        };
        for cluster in starts {
            search.add(State {
                cluster,
                left,
                story: Vec::new(),
            });
        }
        search
    }

    fn add(&mut self, state: State) -> usize {
        let print = fingerprint(&state.cluster, state.left);
        if let Some(index) = self.seen.get(&print) {
            return *index;
        }
        let index = self.next.len();
        self.seen.insert(print, index);
        self.next.push(Next::Rest);
        self.told.push(
            state
                .cluster
                .attempt()
                .map_or_else(String::new, |attempt| format!("{:?}", attempt.stage())),
        );
        self.queue.push_back((index, state));
        index
    }

    fn run(&mut self) {
        while let Some((index, state)) = self.queue.pop_front() {
            assert!(
                self.next.len() < MAX_STATES,
                "the world does not end: something goes on and on"
            );
            if let Some(cluster) = by_itself(&state.cluster, &mut self.coverage) {
                let (left, story) = (state.left, state.story.clone());
                self.next[index] = Next::State(self.add(State {
                    cluster,
                    left,
                    story,
                }));
            } else {
                check_rest(&state.cluster, &state.story);
            }
            if state.left == 0 || state.cluster.gone {
                continue;
            }
            for deed in self.deeds.iter().copied() {
                if let Some(cluster) = deed.done_to(&state.cluster) {
                    self.coverage.deed(deed);
                    if matches!(deed, Deed::Kill(_)) {
                        check_passage(&state.cluster, None, &cluster);
                    }
                    let left = state.left - 1;
                    let mut story = state.story.clone();
                    story.push(format!("{deed:?} when it {}", tell(&state.cluster)));
                    self.add(State {
                        cluster,
                        left,
                        story,
                    });
                }
            }
        }
        self.check_that_all_come_to_rest();
    }

    /// Says what was seen.
    fn tell(&self) {
        println!("{} states explored\n{}", self.next.len(), self.coverage);
        assert!(self.next.len() > 1000);
    }

    /// By itself each state goes to one other or rests: it rests in the end if no circle is met.
    fn check_that_all_come_to_rest(&self) {
        let mut rests = vec![false; self.next.len()];
        for start in 0..self.next.len() {
            let mut path = vec![start];
            let mut at = start;
            while let Next::State(next) = self.next[at] {
                if rests[at] {
                    break;
                }
                assert!(
                    path.len() <= self.next.len(),
                    "a state goes in circles: {:#?}",
                    path[path.len() - 20..]
                        .iter()
                        .map(|state| &self.told[*state])
                        .collect::<Vec<_>>()
                );
                path.push(next);
                at = next;
            }
            for state in path {
                rests[state] = true;
            }
        }
    }
}

/// What happens without anybody's doing; nothing at rest.
fn by_itself(cluster: &Cluster, coverage: &mut Coverage) -> Option<Cluster> {
    if cluster.gone {
        return None;
    }
    let before = cluster;
    let mut cluster = cluster.clone();
    cluster.memory.proof.clone_from(&before.memory.proof);
    match cluster.turn() {
        Turn::Waits(wait) => cluster.pass(&wait).then_some(cluster),
        Turn::Stepped(step) => {
            coverage.step(&step);
            check_step(before, &step);
            check_passage(before, Some(&step), &cluster);
            check_proven(&cluster);
            Some(cluster)
        }
        Turn::Died(_) | Turn::Halted(_) => Some(cluster),
    }
}

fn tell(cluster: &Cluster) -> String {
    let attempt = cluster
        .attempt()
        .map(|attempt| (attempt.kind, attempt.digest.as_str(), attempt.stage()));
    format!(
        "asked {}, at {}, attempt {attempt:?}, current {:?}, decides {:?}",
        cluster.spec,
        cluster.now.0,
        cluster.current(),
        decide(&cluster.world())
    )
}

fn empty() -> Cluster {
    Cluster::asking_for("good")
        .with("bad", Health::NoImage)
        .with("crowded", Health::NoQuota)
}

#[test]
fn every_state_of_a_small_world_keeps_the_promises_and_comes_to_rest() {
    // Given a release that is not installed yet, and one that has two proven revisions.
    let mut two_proven = empty();
    two_proven.rest();
    two_proven.set_chart("better", Health::Good, &[]);
    two_proven.roll_out("better");
    let mut bad_first = empty();
    bad_first.edit("bad");
    // And one whose objects wait for broken pods of older templates.
    let mut sticky = empty();
    sticky.sticky = true;
    // When any three things happen at any moments.
    let mut small = Search::from(
        vec![empty(), bad_first, two_proven, sticky],
        COMMON,
        deeds(),
    );
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_with_webhooks_keeps_the_promises_and_comes_to_rest() {
    // Given a release that is not installed yet, one that has two proven revisions, and one whose failed revisions stay.
    let fresh = || Cluster::asking_for("good").with("guarded-bad", Health::NoImage);
    let mut two_proven = fresh();
    two_proven.rest();
    two_proven.roll_out("guarded");
    let mut lenient = fresh();
    lenient.declared.atomic = false;
    // When any three things happen at any moments.
    let mut small = Search::from(vec![fresh(), two_proven, lenient], GUARDED, deeds());
    small.run();
    // Then no check has failed on the way: no webhook of another revision ever stands in the way for good.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_with_requests_keeps_the_promises_and_comes_to_rest() {
    // Given a release that has two proven revisions.
    let mut two_proven = empty();
    two_proven.rest();
    two_proven.set_chart("better", Health::Good, &[]);
    two_proven.roll_out("better");
    // When people order, hold, look, and ask by name, any three times at any moments.
    let mut small = Search::from(vec![two_proven], REQUESTS, deeds());
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_with_approvals_keeps_the_promises_and_comes_to_rest() {
    // Given a release that has two proven revisions and wants a second person's word.
    let mut two_proven = empty();
    two_proven.words = Words::Checked;
    two_proven.rest();
    two_proven.set_chart("better", Health::Good, &[]);
    two_proven.roll_out("better");
    // When people order, approve, take back, and undo the policies, any three times at any moments.
    let mut small = Search::from(vec![two_proven], APPROVALS, deeds());
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_with_dependencies_keeps_the_promises_and_comes_to_rest() {
    // Given a release that is not installed yet, and one that runs, both of which depend on another.
    let mut held_up = empty();
    held_up.hold_up();
    let mut running = empty();
    running.rest();
    running.set_chart("better", Health::Good, &[]);
    running.edit("better");
    running.until(|cluster| cluster.attempt().is_some());
    // When any three things happen at any moments.
    let mut small = Search::from(vec![held_up, running], DEPENDENCIES, deeds());
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_with_suspensions_keeps_the_promises_and_comes_to_rest() {
    // Given a release in the middle of an upgrade, and one whose upgrade soaks.
    let upgrading = |mut cluster: Cluster| {
        cluster.rest();
        cluster.set_chart("better", Health::Good, &[]);
        cluster.edit("better");
        cluster.until(|cluster| cluster.attempt().is_some());
        cluster
    };
    let soaking = upgrading(empty().that_soaks(1));
    // When any three things happen at any moments.
    let mut small = Search::from(vec![upgrading(empty()), soaking], SUSPENSIONS, deeds());
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_that_soaks_keeps_the_promises_and_comes_to_rest() {
    // Given a release that is not installed yet, and one that runs, both with a soak.
    let mut running = empty().that_soaks(1);
    running.rest();
    running.set_chart("better", Health::Good, &[]);
    running.edit("better");
    running.until(Cluster::soaks);
    // When any three things happen at any moments.
    let mut small = Search::from(vec![empty().that_soaks(1), running], SOAK, deeds());
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_that_is_checked_keeps_the_promises_and_comes_to_rest() {
    // Given a release that is not installed yet, one that runs, and one that is badly answered from the beginning on,
    // all of them checked while they soak.
    let checked = || empty().that_soaks(1).that_checks(20, 2);
    let soaking = |says: Says| {
        let mut running = checked();
        running.rest();
        running.set_chart("better", Health::Good, &[]);
        running.edit("better");
        running.until(Cluster::soaks);
        running.says = says;
        running
    };
    // When any three things happen at any moments: answers go bad, well, or away.
    let mut small = Search::from(
        vec![checked(), soaking(Says::Good), soaking(Says::Bad)],
        CHECKS,
        deeds(),
    );
    small.run();
    // Then no check has failed on the way.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_that_drifts_keeps_the_promises_and_comes_to_rest() {
    // Given a release that is not installed yet, and one that has two proven revisions.
    let mut two_proven = empty().that_corrects_drift();
    two_proven.rest();
    two_proven.set_chart("better", Health::Good, &[]);
    two_proven.roll_out("better");
    // When any three things happen at any moments, edits and deletions of an object among them.
    let mut small = Search::from(
        vec![empty().that_corrects_drift(), two_proven],
        DRIFT,
        deeds(),
    );
    small.run();
    // Then no check has failed on the way: at rest the cluster holds one revision's manifest, whoever touched it.
    small.tell();
}

#[test]
fn every_state_of_a_small_world_with_helm_by_hand_keeps_the_promises_and_comes_to_rest() {
    // Given a release in the middle of an upgrade, one whose failed revisions stay, and one that was removed by hand.
    let mut upgrading = empty();
    upgrading.rest();
    upgrading.set_chart("better", Health::Good, &[]);
    let mut lenient = upgrading.clone();
    lenient.declared.atomic = false;
    let mut removed = upgrading.clone();
    removed.roll_out("better");
    removed.helm_uninstall(true);
    removed.rest();
    upgrading.edit("better");
    upgrading.until(|cluster| cluster.attempt().is_some());
    // When people upgrade, fail, uninstall and ask for it again, any three times at any moments.
    let mut small = Search::from(vec![upgrading, lenient, removed], BY_HAND, deeds());
    small.run();
    // Then no check has failed on the way: nothing that helm brought is lost sight of.
    small.tell();
}

/// How many things happen beside what happens by itself; more for a longer look than tests take.
fn deeds() -> u32 {
    option_env!("BELAY_EXPLORE_DEEDS")
        .and_then(|deeds| deeds.parse().ok())
        .unwrap_or(3)
}
