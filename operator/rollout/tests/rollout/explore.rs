//! Every way that a small world can go: each reachable state is looked at once, each state in which the
//! process could die, and each moment at which somebody could do something.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};

use belay_api::helm_release::{AttemptKind, FailureClass};
use belay_api::rollback_request::{RequestPhase, RollbackRequestStatus, Until};
use belay_api::{ConditionStatus, ConditionType, Duration, Reason, Timestamp};
use belay_release::Status;
use belay_rollout::{
    At, Attempt, Cause, Decision, Hold, Outcome, Reply, Step, Wait, Waiting, decide, report,
};

use crate::act::proven_content;
use crate::cluster::{Cluster, Health, Says, Words, manifest};
use crate::drive::Turn;

/// What somebody or something can do at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Deed {
    /// The process dies between two steps.
    Crash,
    /// The process dies within the next step, after this many writes.
    Kill(u32),
    Edit(&'static str),
    EditInterval,
    Order,
    /// An order that lasts until it is deleted.
    HoldByHand,
    DryRun,
    DeleteOrder,
    /// Somebody other than who asked says that the first request may be carried out, or takes that back.
    Approve,
    Withdraw,
    /// An order that expires.
    OrderInTime,
    /// Somebody takes the admission policies away.
    Unenforce,
    /// A release that the spec depends on is not ready any more, or is again.
    HoldUp,
    Free,
    Suspend,
    Resume,
    /// Somebody asks by its name for what the spec says.
    Ask,
    Helm,
    Degrade,
    Recover,
    /// Checks are answered otherwise from here on.
    Answer(Says),
    /// Somebody edits an object behind Belay's back.
    Tamper,
    /// Somebody deletes one.
    Lose,
    Delete,
}

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
    Deed::Helm,
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
    Deed::Helm,
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
    Deed::Helm,
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
    Deed::Helm,
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
    Deed::Helm,
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
    Deed::Helm,
    Deed::Tamper,
    Deed::Lose,
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
}

impl Search {
    fn from(starts: Vec<Cluster>, deeds: &'static [Deed], left: u32) -> Self {
        let mut search = Self {
            deeds,
            seen: HashMap::new(),
            queue: VecDeque::new(),
            next: Vec::new(),
            told: Vec::new(),
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
            if let Some(cluster) = by_itself(&state.cluster) {
                let (left, story) = (state.left, state.story.clone());
                self.next[index] = Next::State(self.add(State {
                    cluster,
                    left,
                    story,
                }));
            } else {
                check_rest(&state);
            }
            if state.left == 0 || state.cluster.gone {
                continue;
            }
            for deed in self.deeds.iter().copied() {
                if let Some(cluster) = after(deed, &state.cluster) {
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
fn by_itself(cluster: &Cluster) -> Option<Cluster> {
    if cluster.gone {
        return None;
    }
    let before = cluster;
    let mut cluster = cluster.clone();
    cluster.memory.proof.clone_from(&before.memory.proof);
    match cluster.turn() {
        Turn::Waits(wait) => cluster.pass(&wait).then_some(cluster),
        Turn::Stepped(step) => {
            check_step(before, &step);
            check_memory(before, &cluster);
            Some(cluster)
        }
        Turn::Died => Some(cluster),
    }
}

fn after(deed: Deed, before: &Cluster) -> Option<Cluster> {
    let mut cluster = before.clone();
    match deed {
        Deed::Crash => cluster.crash(),
        Deed::Kill(writes) => {
            cluster.dies_after = Some(writes);
            if !matches!(cluster.turn(), Turn::Died) {
                return None;
            }
            check_memory(before, &cluster);
        }
        Deed::Edit(spec) if cluster.spec == spec => return None,
        Deed::Edit(spec) => cluster.edit(spec),
        Deed::EditInterval => cluster.edit_interval(),
        Deed::Order => match cluster.orders.len() {
            0 => cluster.order("back"),
            1 => cluster.order("again"),
            _ => return None,
        },
        Deed::HoldByHand | Deed::DryRun | Deed::OrderInTime if !cluster.orders.is_empty() => {
            return None;
        }
        Deed::HoldByHand => cluster.order_with("hold", |spec| spec.until = Until::Manual),
        Deed::DryRun => cluster.order_with("look", |spec| spec.dry_run = true),
        Deed::OrderInTime => {
            let limit = cluster.now.plus(Duration::minutes(2));
            cluster.order_with("soon", |spec| spec.not_after = Some(limit));
        }
        Deed::Approve | Deed::Withdraw | Deed::DeleteOrder if cluster.orders.is_empty() => {
            return None;
        }
        Deed::Approve => {
            let name = cluster.orders[0].name.clone();
            cluster.approve(&name, "bob");
        }
        Deed::Withdraw => {
            let name = cluster.orders[0].name.clone();
            cluster.withdraw(&name);
        }
        // Before there is a ledger nothing is begun, and a story tells so.
        Deed::Suspend if cluster.declared.suspend || cluster.ledger.is_none() => return None,
        Deed::Suspend => cluster.declared.suspend = true,
        Deed::Resume if !cluster.declared.suspend => return None,
        Deed::Resume => cluster.declared.suspend = false,
        Deed::HoldUp if cluster.held_up.is_some() => return None,
        Deed::HoldUp => cluster.hold_up(),
        Deed::Free if cluster.held_up.is_none() => return None,
        Deed::Free => cluster.free(),
        Deed::Unenforce if cluster.words != Words::Checked => return None,
        Deed::Unenforce => {
            cluster.words = Words::Unchecked;
            cluster.settle_approvals();
        }
        // More often than once by the same story adds nothing.
        Deed::Ask if cluster.declared.retry.is_some() => return None,
        Deed::Ask => cluster.ask_by_name(),
        Deed::DeleteOrder => cluster.orders.clear(),
        Deed::Helm if cluster.declared.deleting || cluster.storage.is_empty() => return None,
        Deed::Helm => cluster.helm("good"),
        Deed::Degrade
            if cluster
                .attempt()
                .is_none_or(|attempt| attempt.at != At::Waiting)
                && !cluster.soaks() =>
        {
            return None;
        }
        Deed::Degrade => cluster.settled = false,
        Deed::Recover if cluster.settled || !cluster.soaks() => return None,
        Deed::Recover => cluster.settled = true,
        Deed::Answer(says) if cluster.says == says || !cluster.soaks() => return None,
        Deed::Answer(says) => cluster.says = says,
        Deed::Tamper | Deed::Lose if !cluster.objects.contains_key("web") => return None,
        Deed::Tamper if cluster.objects["web"].content == "tampered" => return None,
        Deed::Tamper => cluster.tamper("web"),
        Deed::Lose => {
            cluster.objects.remove("web");
        }
        Deed::Delete => {
            cluster.declared.deleting = true;
            // Nothing holds what has no finalizer yet.
            cluster.gone = !cluster.declared.has_finalizer;
        }
    }
    Some(cluster)
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

/// What must hold of every step before it is done.
fn check_step(cluster: &Cluster, step: &Step) {
    if *step == Step::Finish {
        let attempt = cluster.attempt().unwrap();
        let soaks = cluster.declared.soak.duration.0 > 0
            && matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade);
        let soaked = match &attempt.at {
            At::Soaking(soaking) => soaking.until <= cluster.now,
            _ => false,
        };
        assert!(
            soaked || !soaks,
            "something counts as good before it soaked"
        );
        check_answers(cluster, attempt);
    }
    if let Step::Fail { failure } = step
        && failure.reason == Reason::CheckFailed
    {
        let threshold = cluster.declared.soak.checks[0].failure_threshold;
        assert!(
            cluster.bad_answers >= threshold as usize,
            "a check fails without as many bad answers as it takes"
        );
    }
    let Step::Begin(plan) = step else { return };
    let new = matches!(
        plan.cause,
        Cause::Spec { .. } | Cause::Request { .. } | Cause::OutsideChange
    );
    assert!(
        !(new && cluster.declared.suspend),
        "something new begins although it is suspended"
    );
    if let Cause::Request { uid, .. } = &plan.cause
        && cluster.words != Words::NotNeeded
    {
        let order = cluster.orders.iter().find(|order| &order.uid == uid);
        let order = order.unwrap();
        assert!(
            cluster.words == Words::Checked && order.approved_by.as_deref() == Some("bob"),
            "a request is carried out without a second person's word: {order:?}"
        );
        let late = order
            .spec
            .not_after
            .is_some_and(|limit| limit < cluster.now);
        assert!(!late, "a request is carried out after its time: {order:?}");
    }
    let ledger = cluster.ledger.as_ref().unwrap();
    if !matches!(plan.cause, Cause::Spec { .. }) {
        return;
    }
    assert!(
        cluster.held_up.is_none(),
        "something begins before its time"
    );
    if let Some(block) = ledger.block(&plan.digest) {
        let due = block.retry_at.is_some_and(|due| due <= cluster.now);
        assert!(
            due && block.class == FailureClass::Transient,
            "a blocked digest is tried unasked: {block:?}"
        );
    }
    let desired = cluster.desired();
    if let Some(order) = cluster.orders.iter().find(|order| order.spec.dry_run) {
        let executed = ledger.executed.iter().any(|known| known.uid == order.uid);
        assert!(!executed, "a dry run is carried out");
    }
    let lifted = ledger.pin.as_ref().is_none_or(|pin| {
        let generation = cluster.declared.generation;
        pin.is_lifted(desired.digest(), generation, &cluster.orders, cluster.now)
    });
    assert!(lifted, "an attempt passes a pin: {:?}", ledger.pin);
}

/// Nothing counts as good on a bad answer, unless no other comes.
fn check_answers(cluster: &Cluster, attempt: &Attempt) {
    let At::Soaking(soaking) = &attempt.at else {
        return;
    };
    for answered in &soaking.answered {
        let look = cluster
            .memory
            .looks
            .iter()
            .find(|look| look.check == answered.check);
        let last = look.and_then(|look| look.last.as_ref());
        let is_silent = last.is_some_and(|last| matches!(last.reply, Reply::None { .. }));
        assert!(
            answered.bad.is_empty() || is_silent,
            "something counts as good on a bad answer: {answered:?}"
        );
    }
}

/// What must hold between a state and the one after it.
fn check_memory(before: &Cluster, after: &Cluster) {
    let (Some(old), Some(new)) = (&before.ledger, &after.ledger) else {
        return;
    };
    assert!(
        new.proven.len() >= old.proven.len(),
        "a proven revision was lost"
    );
    if let Some(good) = old.last_good() {
        let kept = new.proven.iter().any(|proven| proven.digest == good.digest);
        assert!(kept, "last good {} was lost", good.digest);
    }
    for proven in &new.proven {
        let content = &proven_content(proven);
        let good = after.health(content) == Health::Good;
        assert!(good, "{content} counts as proven");
    }
}

/// What must hold where nothing happens by itself any more.
fn check_rest(state: &State) {
    let cluster = &state.cluster;
    if cluster.gone {
        assert!(
            cluster.storage.is_empty() && cluster.ledger.is_none(),
            "something outlives its release"
        );
        return;
    }
    let world = cluster.world();
    let Decision::Wait(wait) = decide(&world) else {
        panic!("a step is left to do at rest");
    };
    let seen = || {
        format!(
            "waits on {:?}; asked {}; holds {:?}; current {:?}; storage {:?}; after {:#?}",
            wait.on,
            cluster.spec,
            cluster
                .objects
                .iter()
                .map(|(name, live)| (name, &live.content))
                .collect::<Vec<_>>(),
            cluster.current(),
            cluster
                .storage
                .iter()
                .map(|(number, record)| (number, record.status))
                .collect::<Vec<_>>(),
            state.story
        )
    };
    assert_eq!(cluster.attempt(), None, "{}", seen());
    assert_eq!(cluster.pending_records(), 0, "{}", seen());
    let ledger = cluster.ledger.as_ref().unwrap();
    let running = ledger
        .executed
        .iter()
        .any(|executed| executed.outcome == Outcome::Running);
    assert!(!running, "a request is left running: {}", seen());
    let waits = cluster.orders.iter().any(|order| {
        let before = RollbackRequestStatus::default();
        let told = report::request_status(&before, order, Some(ledger), 1, cluster.now);
        let awaited =
            told.phase == RequestPhase::AwaitingApproval && order.spec.not_after.is_none();
        let waits = awaited || cluster.declared.suspend;
        !order.phase.is_final() && !told.phase.is_final() && !waits
    });
    assert!(!waits, "a request is left without an answer: {}", seen());
    let deployed = cluster
        .storage
        .values()
        .filter(|record| record.status == Status::Deployed)
        .count();
    match &ledger.current {
        None => assert!(cluster.objects.is_empty(), "{}", seen()),
        // Nothing was ever seen to work, so there is nothing to go back to; the status says so.
        Some(current) if !current.consistent => {
            assert!(ledger.proven.is_empty(), "{}", seen());
            assert!(
                !matches!(wait.on, Waiting::Deployed | Waiting::Blocked),
                "{}",
                seen()
            );
        }
        Some(current) => {
            let content = current.digest.as_str().rsplit(':').next().unwrap();
            let mut held = cluster.objects.clone();
            // Of objects that somebody's helm did not know, the next apply takes care.
            held.retain(|name, _| {
                ledger
                    .inventory
                    .iter()
                    .all(|tracked| tracked.wanted || &tracked.object.name != name)
            });
            let whole = held
                .keys()
                .cloned()
                .collect::<std::collections::BTreeSet<_>>()
                == manifest(content)
                && held.values().all(|live| live.content == content);
            assert!(current.consistent && whole, "{}", seen());
            assert_eq!(deployed, 1, "{}", seen());
            let left_over = held.len() != cluster.objects.len();
            assert!(
                !left_over
                    || ledger.pin.is_some()
                    || matches!(wait.on, Waiting::Deployed | Waiting::Suspended),
                "{}",
                seen()
            );
        }
    }
    check_status(cluster, &wait);
}

/// What the status says at rest agrees with the cluster, by kstatus' rules.
fn check_status(cluster: &Cluster, wait: &Wait) {
    let status = belay_rollout::report::status(&cluster.status, &cluster.world(), wait);
    let find = |type_| {
        let found = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == type_);
        found.map(|condition| condition.status)
    };
    let ready = find(ConditionType::Ready).unwrap();
    assert_eq!(ready == ConditionStatus::True, wait.on == Waiting::Deployed);
    assert_eq!(
        ready == ConditionStatus::False,
        find(ConditionType::Stalled).is_some() || find(ConditionType::Reconciling).is_some()
    );
    let goes_on = matches!(wait.on, Waiting::Dependencies(_));
    assert_eq!(
        find(ConditionType::Reconciling).is_some(),
        goes_on,
        "{:?}",
        wait.on
    );
    let whole = cluster.current().map(|(_, _, consistent)| consistent);
    assert_eq!(
        find(ConditionType::Consistent).map(|status| status == ConditionStatus::True),
        whole
    );
    let serves = cluster.ledger.as_ref().unwrap().runs_good();
    assert_eq!(
        find(ConditionType::Available) == Some(ConditionStatus::True),
        serves
    );
}

/// A state without what decides nothing: names, texts, and how late it is.
fn fingerprint(cluster: &Cluster, left: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    let ahead = |at: Timestamp| at.0.saturating_sub(cluster.now.0).max(0);
    (left, &cluster.spec, cluster.gone, cluster.settled).hash(&mut hasher);
    (
        cluster.sticky,
        &cluster.stranded,
        cluster.words,
        cluster.held_up.is_some(),
        cluster.declared.suspend,
        cluster.says,
    )
        .hash(&mut hasher);
    (cluster.declared.deleting, cluster.declared.has_finalizer).hash(&mut hasher);
    (
        cluster.memory.watching,
        cluster.memory.proof.is_some(),
        &cluster.memory.prepared,
    )
        .hash(&mut hasher);
    for (name, live) in &cluster.objects {
        let faulty = cluster.health(&live.content) == Health::NoImage;
        let age = cluster.now.since(live.applied).0.min(15_000);
        (name, &live.content, faulty.then_some(age)).hash(&mut hasher);
    }
    for (revision, record) in &cluster.storage {
        (revision, record.status.as_str(), &record.content).hash(&mut hasher);
        (cluster
            .attempt()
            .is_some_and(|attempt| attempt.id == record.attempt))
        .hash(&mut hasher);
    }
    for order in &cluster.orders {
        let approved = order.approved_by.is_some();
        (
            &order.uid,
            order.phase,
            approved,
            order.spec.not_after.map(ahead),
        )
            .hash(&mut hasher);
    }
    let asked = cluster.declared.retry.as_ref();
    let heard = cluster
        .ledger
        .as_ref()
        .and_then(|ledger| ledger.retry_seen.as_ref());
    (asked.is_some(), asked == heard).hash(&mut hasher);
    cluster.full_look_due().map(ahead).hash(&mut hasher);
    for (name, live) in &cluster.memory.looked_at {
        (name, live.as_ref().map(|live| &live.content)).hash(&mut hasher);
    }
    if let Some(checked) = &cluster.memory.checked {
        let since = cluster.now.since(checked.at).0.min(60_000);
        (checked.revision, checked.calm, since).hash(&mut hasher);
        for finding in &checked.findings {
            (&finding.object, finding.refused.is_some()).hash(&mut hasher);
        }
    }
    let Some(ledger) = &cluster.ledger else {
        return hasher.finish();
    };
    for corrected in &ledger.corrected {
        (&corrected.object, corrected.within_window(cluster.now)).hash(&mut hasher);
    }
    (ledger.newest, ledger.halted).hash(&mut hasher);
    if let Some(current) = &ledger.current {
        (current.revision, &current.digest, current.consistent).hash(&mut hasher);
    }
    if let Some(attempt) = &ledger.attempt {
        let cause = std::mem::discriminant(&attempt.cause);
        (
            attempt.kind as u8,
            cause,
            attempt.revision,
            &attempt.digest,
            attempt.from,
        )
            .hash(&mut hasher);
        (attempt.stage(), ahead(attempt.deadline), attempt.failures).hash(&mut hasher);
        if let At::Soaking(soaking) = &attempt.at {
            let unsteady = soaking
                .unsteady_since
                .map(|since| cluster.now.since(since).0);
            let age = |at: Timestamp| cluster.now.since(at).0;
            (ahead(soaking.until), age(soaking.since), unsteady).hash(&mut hasher);
            for answered in &soaking.answered {
                answered.bad.len().hash(&mut hasher);
                answered
                    .bad
                    .last()
                    .map(|last| age(last.at))
                    .hash(&mut hasher);
            }
            for look in &cluster.memory.looks {
                look.asking.map(age).hash(&mut hasher);
                let last = look.last.as_ref();
                let last = last.map(|last| (age(last.at), std::mem::discriminant(&last.reply)));
                last.hash(&mut hasher);
            }
        }
        if let At::Failed {
            failure,
            touched,
            retry_at,
        } = &attempt.at
        {
            (failure.class, touched, retry_at.map(ahead)).hash(&mut hasher);
        }
    }
    for proven in &ledger.proven {
        (proven.revision, &proven.digest).hash(&mut hasher);
    }
    for blocked in &ledger.blocked {
        let due = blocked.retry_at.map(ahead);
        (&blocked.digest, blocked.class, blocked.failures, due).hash(&mut hasher);
    }
    if let Some(pin) = &ledger.pin {
        let same = pin.generation == cluster.declared.generation;
        (
            &pin.digest,
            &pin.asked,
            &pin.request,
            matches!(pin.hold, Hold::Manual),
            same,
        )
            .hash(&mut hasher);
    }
    for executed in &ledger.executed {
        (&executed.uid, std::mem::discriminant(&executed.outcome)).hash(&mut hasher);
    }
    for tracked in &ledger.inventory {
        (
            &tracked.object.name,
            tracked.wanted,
            tracked.created,
            tracked.uid.is_some(),
        )
            .hash(&mut hasher);
    }
    for known in &ledger.known {
        known.revision.hash(&mut hasher);
    }
    hasher.finish()
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
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
    println!("{} states explored", small.next.len());
    assert!(small.next.len() > 1000);
}

/// How many things happen beside what happens by itself; more for a longer look than tests take.
fn deeds() -> u32 {
    option_env!("BELAY_EXPLORE_DEEDS")
        .and_then(|deeds| deeds.parse().ok())
        .unwrap_or(3)
}
