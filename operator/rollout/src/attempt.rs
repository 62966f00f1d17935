//! An attempt: one try to bring the cluster from one revision to another.

use std::fmt;

use belay_api::Timestamp;
use belay_api::helm_release::{AttemptKind, Moment, Stage};
use belay_health::ObjectRef;
use serde::{Deserialize, Serialize};

use crate::check::Answered;
use crate::{ChartId, Digest, Failure, Hold, Order, Pin};

/// How many moments of an attempt are kept for the evidence.
const MAX_TIMELINE: usize = 24;

/// One try, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Random name; marks hooks and the record, so that a restart knows its own.
    pub id: String,
    /// What it does.
    pub kind: AttemptKind,
    /// Who asked for it.
    pub cause: Cause,
    /// Helm's number of the revision that it makes; for a removal the newest one.
    pub revision: u32,
    /// What it rolls out.
    pub digest: Digest,
    /// The chart that it rolls out.
    pub chart: ChartId,
    /// The revision that ran before it.
    pub from: Option<u32>,
    /// How far it is.
    pub at: At,
    /// When it began.
    pub started_at: Timestamp,
    /// When it is lost.
    pub deadline: Timestamp,
    /// Its hooks, in the order in which they run.
    pub hooks: Vec<HookPlan>,
    /// What happened, oldest first.
    pub timeline: Vec<Moment>,
    /// How often it failed in a row; only reverts and removals try again.
    pub failures: u32,
}

/// Who asked for an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The spec, at this generation.
    Spec {
        /// The generation.
        generation: i64,
        /// What is new about it.
        #[serde(default)]
        news: News,
    },
    /// A `RollbackRequest`.
    Request {
        /// Its name.
        name: String,
        /// Its uid.
        uid: String,
        /// What the spec asked for when the rollback began: what the hold is against.
        asked: Option<Digest>,
        /// The spec's generation then.
        generation: i64,
    },
    /// The failure of the attempt before.
    Failure,
    /// Somebody's helm, which is not to stand.
    OutsideChange,
    /// The `HelmRelease` is being deleted.
    Deletion,
}

/// What is new about what a spec asks for, against what was tried for it before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// The spec itself.
    #[default]
    Spec,
    /// The chart: the source has another one for the same spec.
    Chart {
        /// The name and version of the one before.
        before: String,
    },
    /// What the spec names, the chart's version apart: values, or other content under the same version.
    Content,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec {
                generation,
                news: News::Spec,
            } => write!(f, "generation {generation} of the spec"),
            Self::Spec {
                news: News::Chart { before },
                ..
            } => write!(f, "the source has this chart now, where it had {before}"),
            Self::Spec {
                news: News::Content,
                ..
            } => f.write_str("what the spec names has changed, the spec has not"),
            Self::Request { name, .. } => write!(f, "the request {name}"),
            Self::Failure => f.write_str("the attempt before failed"),
            Self::OutsideChange => f.write_str("helm was run by hand"),
            Self::Deletion => f.write_str("the HelmRelease is being deleted"),
        }
    }
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum At {
    /// The intent is on record; nothing has been written to the cluster yet.
    Preparing,
    /// What another revision brought that may refuse the objects is undone before anything else.
    Disarming,
    /// Hooks before the change are running.
    PreHooks,
    /// Objects are being applied.
    Applying,
    /// Objects are becoming ready.
    Waiting,
    /// Hooks after the change are running.
    PostHooks,
    /// The chart's tests are running.
    Testing,
    /// The outcome is being recorded.
    Finishing,
    /// Helm's record says `deployed`; what was rolled out is watched before it counts as good.
    Soaking(Soaking),
    /// It failed, and what follows from that is being done.
    Failed {
        /// The failure.
        failure: Box<Failure>,
        /// Whether objects of the cluster may have been changed.
        touched: bool,
        /// When it is tried again; only for reverts and removals.
        retry_at: Option<Timestamp>,
    },
    /// Objects are being removed.
    Removing,
}

/// How a revision that soaks fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soaking {
    /// Since when it is watched.
    #[serde(default)]
    pub since: Timestamp,
    /// When it counts as good.
    pub until: Timestamp,
    /// Since when something of it is not ready.
    pub unsteady_since: Option<Timestamp>,
    /// What its checks have answered; those that never did are not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<Answered>,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum When {
    /// Before objects change.
    Before,
    /// After objects have become ready, or have gone.
    After,
    /// After those: it is a test.
    Test,
}

/// A hook of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookPlan {
    /// The object that it creates.
    pub object: ObjectRef,
    /// When it runs.
    pub when: When,
    /// Whether there is no automatic way back once it ran.
    pub irreversible: bool,
    /// How far it is.
    pub progress: HookProgress,
}

/// How far a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HookProgress {
    /// Its turn has not come.
    Planned,
    /// It is created, or about to be.
    Started,
    /// It succeeded; its deletion policy may not have been carried out yet.
    Succeeded,
    /// It succeeded and was cleaned up.
    Done,
}

impl Attempt {
    /// Whether it brings back what was there before.
    pub fn goes_back(&self) -> bool {
        matches!(self.kind, AttemptKind::Rollback | AttemptKind::Revert)
    }

    /// How far it is, as the status names it.
    pub fn stage(&self) -> Stage {
        match self.at {
            At::Preparing => Stage::Preparing,
            At::Disarming => Stage::Disarming,
            At::PreHooks => Stage::PreHooks,
            At::Applying => Stage::Applying,
            At::Waiting => Stage::Waiting,
            At::PostHooks => Stage::PostHooks,
            At::Testing => Stage::Testing,
            At::Finishing => Stage::Finishing,
            At::Soaking(_) => Stage::Soaking,
            At::Failed { .. } => Stage::Failed,
            At::Removing => Stage::Removing,
        }
    }

    /// The next hook of `when` to run, or else to clean up, with its place in [`Attempt::hooks`].
    ///
    /// What `hook-succeeded` deletes goes only when all of them have run, the last one first: an account or a
    /// ConfigMap among the hooks is there for the ones after it. So does Helm (`execHook` in its `pkg/action/hooks.go`).
    pub fn next_hook(&self, when: When) -> Option<(usize, &HookPlan)> {
        let hooks = || {
            let all = self.hooks.iter().enumerate();
            all.filter(move |(_, hook)| hook.when == when)
        };
        let unfinished = |hook: &HookPlan| {
            matches!(hook.progress, HookProgress::Planned | HookProgress::Started)
        };
        hooks()
            .find(|(_, hook)| unfinished(hook))
            .or_else(|| hooks().rfind(|(_, hook)| hook.progress == HookProgress::Succeeded))
    }

    /// The irreversible hook that already ran, if there is one.
    pub fn past_point_of_no_return(&self) -> Option<&HookPlan> {
        self.hooks.iter().find(|hook| {
            hook.irreversible
                && matches!(hook.progress, HookProgress::Succeeded | HookProgress::Done)
        })
    }

    /// How many tests it runs.
    pub fn tests(&self) -> usize {
        let tests = self.hooks.iter().filter(|hook| hook.when == When::Test);
        tests.count()
    }

    /// The hold that a request brings with its success; none when the spec asks for what was brought back.
    pub fn pin(&self, orders: &[Order]) -> Option<Pin> {
        let Cause::Request {
            name,
            uid,
            asked,
            generation,
        } = &self.cause
        else {
            return None;
        };
        if asked.as_ref() == Some(&self.digest) {
            return None;
        }
        Some(Pin {
            request: Some(name.clone()),
            hold: orders
                .iter()
                .find(|order| &order.uid == uid)
                .map_or(Hold::SpecChange, Order::hold),
            digest: self.digest.clone(),
            asked: asked.clone(),
            generation: *generation,
        })
    }

    /// The same attempt at `at`; stages that have nothing to do are passed over.
    #[must_use]
    pub fn moved(mut self, at: At, now: Timestamp) -> Self {
        self.at = at;
        loop {
            let next = match self.at {
                At::PreHooks if self.next_hook(When::Before).is_none() => match self.kind {
                    AttemptKind::Uninstall => At::Removing,
                    _ => At::Applying,
                },
                At::PostHooks if self.next_hook(When::After).is_none() => At::Testing,
                At::Testing if self.next_hook(When::Test).is_none() => At::Finishing,
                _ => break,
            };
            self.at = next;
        }
        let what = match &self.at {
            At::Failed { failure, .. } => failure.message.clone(),
            _ => format!("{:?}", self.stage()),
        };
        self.note(now, what);
        self
    }

    /// Adds a moment to the timeline; the oldest but the first go when it is full.
    pub fn note(&mut self, at: Timestamp, what: impl Into<String>) {
        if self.timeline.len() >= MAX_TIMELINE {
            self.timeline.remove(1);
        }
        self.timeline.push(Moment {
            at,
            what: what.into(),
        });
    }
}
