//! What somebody or something can do to a release at any moment.

use belay_api::rollback_request::Until;
use belay_api::{Duration, HelmReleaseStatus, Reason};
use belay_release::Status;
use belay_rollout::{At, HeldUp, Place};

use crate::ask::Ask;
use crate::cluster::{Cluster, Health, Meddling, Says, Words, Writes, content_of, rejection};
use crate::drive::Turn;
use crate::knob::Knob;

/// One deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The process dies between two steps.
    Crash,
    /// The process dies within the next step, after this many writes.
    Kill(u32),
    /// The answer to a write of the next step is lost, after this many writes.
    LoseAnswer(u32),
    /// So many seconds pass in which nobody looks.
    Pass(u32),
    Edit(&'static str),
    EditInterval,
    /// Somebody sets a field of the spec that changes no manifest.
    Set(Knob),
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
    /// An order like any other.
    Request(Ask),
    DeleteRequest(&'static str),
    /// A GitOps tool makes a request anew, as it was.
    RemakeRequest(&'static str),
    /// Somebody, perhaps who asked, says that a request may be carried out.
    ApproveRequest(&'static str, &'static str),
    /// Somebody takes the admission policies away.
    Unenforce,
    /// A release that the spec depends on is not ready any more, or is again.
    HoldUp,
    /// The releases depend on each other.
    GoInCircles,
    Free,
    Suspend,
    Resume,
    /// Somebody asks by its name for what the spec says.
    Ask,
    /// Once more.
    AskAnew,
    /// Somebody asks by its name for something.
    AskFor(&'static str),
    /// Somebody runs `helm upgrade`, `helm rollback`, `helm uninstall`.
    Helm(&'static str),
    HelmFails(&'static str),
    HelmHangs(&'static str),
    HelmEnds,
    HelmUninstall(bool),
    Degrade,
    Recover,
    /// A chart fares otherwise from here on: an image is pushed, or removed.
    Turn(&'static str, Health),
    /// Checks are answered otherwise from here on.
    Answer(Says),
    /// The same, before it soaks or while it does.
    Say(Says),
    /// Somebody edits an object behind Belay's back.
    Tamper,
    /// Somebody deletes one.
    Lose,
    /// Somebody does something to an object of what runs: the one that all charts have, or its own.
    Meddle(bool, Meddling),
    /// Something keeps the common object from going, or does not any more.
    Keep,
    LetGo,
    /// What becomes of writes to objects from here on.
    Write(Writes),
    /// The chart cannot be told, for good or for so many seconds, or can again.
    Reject(Reason, Option<u32>),
    Accept,
    WipeStatus,
    /// Somebody deletes the ledger.
    LoseLedger,
    /// Somebody backs up the ledger, or restores the backup.
    BackUp,
    Restore,
    /// The `HelmRelease` is made anew under its name, as a restore does; or after it is gone.
    Remake,
    Delete,
}

impl Deed {
    /// Its name without what it is about.
    pub fn kind(self) -> String {
        let told = format!("{self:?}");
        told.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }

    /// The world after it; none where it changes nothing or cannot be.
    pub fn done_to(self, before: &Cluster) -> Option<Cluster> {
        let mut cluster = before.clone();
        cluster.memory.proof.clone_from(&before.memory.proof);
        self.is_done(&mut cluster).then_some(cluster)
    }

    /// Does it, if it changes anything and can be.
    pub fn is_done(self, cluster: &mut Cluster) -> bool {
        if cluster.gone && self != Self::Remake {
            return false;
        }
        match self {
            Self::Crash => cluster.crash(),
            Self::Kill(writes) => {
                cluster.dies_after = Some(writes);
                return matches!(cluster.turn(), Turn::Died(_));
            }
            Self::LoseAnswer(writes) => {
                cluster.goes_unanswered_after = Some(writes);
                cluster.turn();
                return cluster.goes_unanswered_after.take().is_none();
            }
            Self::Pass(seconds) => {
                cluster.now = cluster.now.plus(Duration::seconds(u64::from(seconds)));
            }
            Self::Edit(spec) if cluster.spec == spec => return false,
            Self::Edit(spec) => cluster.edit(spec),
            Self::EditInterval => cluster.edit_interval(),
            Self::Set(knob) => {
                knob.turn(cluster);
                cluster.edit_interval();
            }
            Self::Suspend if cluster.declared.suspend => return false,
            Self::Suspend => cluster.declared.suspend = true,
            Self::Resume if !cluster.declared.suspend => return false,
            Self::Resume => cluster.declared.suspend = false,
            Self::HoldUp if cluster.held_up.is_some() => return false,
            Self::HoldUp => cluster.hold_up(),
            Self::GoInCircles => cluster.held_up = Some(HeldUp::Circle(vec![place(); 2])),
            Self::Free if cluster.held_up.is_none() => return false,
            Self::Free => cluster.free(),
            // More often than once by the same story adds nothing.
            Self::Ask if cluster.declared.retry.is_some() => return false,
            Self::Ask | Self::AskAnew => cluster.ask_by_name(),
            Self::AskFor(spec) => {
                cluster.ids += 1;
                cluster.declared.retry = Some(format!("{spec}#{}", cluster.ids));
            }
            Self::Turn(chart, health) => {
                let hooks = cluster.hooks(chart).to_vec();
                cluster.set_chart(chart, health, &hooks);
            }
            Self::Answer(says) if cluster.says == says || !cluster.soaks() => return false,
            Self::Answer(says) | Self::Say(says) => cluster.says = says,
            Self::Write(writes) => cluster.writes = writes,
            Self::Reject(reason, retry) => {
                let retry = retry.map(|after| cluster.now.plus(seconds(after)));
                cluster.source = Some(rejection(reason));
                if let Some(source) = &mut cluster.source {
                    source.retry_at = retry;
                }
            }
            Self::Accept if cluster.source.is_none() => return false,
            Self::Accept => cluster.source = None,
            Self::WipeStatus => cluster.status = HelmReleaseStatus::default(),
            Self::LoseLedger => {
                cluster.crash();
                cluster.forgetful = true;
                cluster.ledger = None;
            }
            Self::BackUp => cluster.backup.clone_from(&cluster.ledger),
            Self::Restore if cluster.backup.is_none() => return false,
            Self::Restore => {
                cluster.crash();
                cluster.forgetful = true;
                cluster.ledger.clone_from(&cluster.backup);
            }
            Self::Remake if cluster.declared.deleting && !cluster.gone => return false,
            Self::Remake => remake(cluster),
            Self::Delete => {
                cluster.declared.deleting = true;
                // Nothing holds what has no finalizer yet.
                cluster.gone = !cluster.declared.has_finalizer;
            }
            Self::Degrade
            | Self::Recover
            | Self::Tamper
            | Self::Lose
            | Self::Meddle(..)
            | Self::Keep
            | Self::LetGo => return self.happens_to_objects(cluster),
            Self::Helm(_)
            | Self::HelmFails(_)
            | Self::HelmHangs(_)
            | Self::HelmEnds
            | Self::HelmUninstall(_) => return self.runs_helm(cluster),
            _ => return self.is_said(cluster),
        }
        true
    }

    fn happens_to_objects(self, cluster: &mut Cluster) -> bool {
        let web = cluster.objects.get("web");
        match self {
            Self::Degrade
                if cluster
                    .attempt()
                    .is_none_or(|attempt| attempt.at != At::Waiting)
                    && !cluster.soaks() =>
            {
                return false;
            }
            Self::Degrade => cluster.settled = false,
            Self::Recover if cluster.settled || !cluster.soaks() => return false,
            Self::Recover => cluster.settled = true,
            Self::Tamper | Self::Lose if web.is_none() => return false,
            Self::Tamper if web.is_some_and(|web| web.content == "tampered") => return false,
            Self::Tamper => cluster.tamper("web"),
            Self::Lose => cluster.meddle("web", Meddling::Deletes),
            Self::Meddle(own, how) => {
                let current = cluster
                    .ledger
                    .as_ref()
                    .and_then(|ledger| ledger.current.as_ref());
                let name = match current {
                    Some(current) if own => format!("only-{}", content_of(&current.digest)),
                    _ => "web".to_owned(),
                };
                // What another release has taken is its own.
                let live = cluster.objects.get(&name).map(|live| live.content.as_str());
                if live.is_none() || live == Meddling::Takes.content() {
                    return false;
                }
                cluster.meddle(&name, how);
            }
            Self::Keep => return cluster.kept.insert("web".into()),
            _ => return cluster.kept.remove("web"),
        }
        true
    }

    fn runs_helm(self, cluster: &mut Cluster) -> bool {
        let any = |status| {
            cluster
                .storage
                .values()
                .any(|record| record.status == status)
        };
        if cluster.declared.deleting {
            return false;
        }
        if cluster.storage.is_empty() {
            // What somebody removed somebody installs again.
            let ledger = cluster.ledger.as_ref();
            let removed =
                ledger.is_some_and(|ledger| ledger.removed.is_some() && ledger.attempt.is_none());
            if let (Self::Helm(content), true) = (self, removed) {
                cluster.helm(content);
                return true;
            }
            return false;
        }
        let pending = cluster.pending_records() > 0;
        let newest = cluster.storage.values().next_back();
        let follows = newest
            .is_some_and(|record| matches!(record.status, Status::Failed | Status::Superseded));
        let begun = any(Status::Deployed);
        match self {
            // helm itself upgrades what runs, or what failed or went last.
            Self::Helm(_) if !begun && !follows => return false,
            Self::Helm(content) => cluster.helm(content),
            Self::HelmUninstall(keep) if begun => cluster.helm_uninstall(keep),
            // helm itself begins nothing while something is pending.
            Self::HelmFails(_) | Self::HelmHangs(_) if pending || !begun => return false,
            Self::HelmFails(content) => cluster.helm_fails(content),
            Self::HelmHangs(content) => cluster.helm_hangs(content),
            Self::HelmEnds => return cluster.helm_ends(),
            _ => return false,
        }
        true
    }

    /// What people say in requests.
    fn is_said(self, cluster: &mut Cluster) -> bool {
        match self {
            Self::Order => match cluster.orders.len() {
                0 => cluster.order("back"),
                1 => cluster.order("again"),
                _ => return false,
            },
            Self::HoldByHand | Self::DryRun | Self::OrderInTime if !cluster.orders.is_empty() => {
                return false;
            }
            Self::HoldByHand => cluster.order_with("hold", |spec| spec.until = Until::Manual),
            Self::DryRun => cluster.order_with("look", |spec| spec.dry_run = true),
            Self::OrderInTime => {
                let limit = cluster.now.plus(Duration::minutes(2));
                cluster.order_with("soon", |spec| spec.not_after = Some(limit));
            }
            Self::Request(ask) => return ask.is_made(cluster),
            Self::RemakeRequest(name) => {
                let known = cluster.orders.iter().find(|order| order.name == name);
                let Some(spec) = known.map(|order| order.spec.clone()) else {
                    return false;
                };
                cluster.delete_order(name);
                cluster.order_with(name, |made| *made = spec);
            }
            Self::DeleteRequest(name) => {
                if cluster.orders.iter().all(|order| order.name != name) {
                    return false;
                }
                cluster.delete_order(name);
            }
            Self::ApproveRequest(name, by) => {
                if cluster.orders.iter().all(|order| order.name != name) {
                    return false;
                }
                cluster.approve(name, by);
            }
            Self::Approve | Self::Withdraw | Self::DeleteOrder if cluster.orders.is_empty() => {
                return false;
            }
            Self::Approve => {
                let name = cluster.orders[0].name.clone();
                cluster.approve(&name, "bob");
            }
            Self::Withdraw => {
                let name = cluster.orders[0].name.clone();
                cluster.withdraw(&name);
            }
            Self::Unenforce if cluster.words != Words::Checked => return false,
            Self::Unenforce => {
                cluster.words = Words::Unchecked;
                cluster.settle_approvals();
            }
            _ => cluster.orders.clear(),
        }
        true
    }
}

pub fn seconds(count: u32) -> Duration {
    Duration::seconds(u64::from(count))
}

fn place() -> Place {
    Place {
        namespace: "shop".into(),
        name: "web".into(),
    }
}

/// The same name under another uid; its finalizer, its status and its annotations are not restored.
fn remake(cluster: &mut Cluster) {
    cluster.crash();
    // What was let go is there, and a new ledger knows nothing of it.
    cluster.forgetful |= cluster.gone;
    cluster.ids += 1;
    let declared = &mut cluster.declared;
    declared.identity.uid = format!("release-{}", cluster.ids);
    declared.generation = 1;
    declared.deleting = false;
    declared.has_finalizer = false;
    declared.retry = None;
    cluster.status = HelmReleaseStatus::default();
    cluster.gone = false;
}
