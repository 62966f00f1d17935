//! What is looked at for a release, and what was seen.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use belay_health::{ObjectKey, Verdict, expires_when_finished, hook_verdict, verdict};
use jiff::Timestamp;
use serde_json::Value;

use crate::apply::Applied;
use crate::hooks::HookRun;
use crate::object::{ResourceVersion, is_terminating};

/// A release, as far as watches tell them apart: its storage namespace and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReleaseKey {
    /// The storage namespace.
    pub namespace: String,
    /// The release's name.
    pub name: String,
}

impl fmt::Display for ReleaseKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.namespace, self.name)
    }
}

/// Turns a live object into a verdict; `null` stands for one that is missing.
pub type Judge = Arc<dyn Fn(&Value) -> Verdict + Send + Sync>;

/// How an object is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Follow {
    /// By the one watch of its kind, which selects what Helm's label marks.
    Labelled,
    /// By a watch of its own, by name: `crds/`, which carry no label.
    Named,
    /// By name too; and once it has ended, its deletion says nothing any more.
    Hook,
}

/// One object that is looked at.
#[derive(Clone)]
pub struct Tracked {
    /// The object.
    pub key: ObjectKey,
    /// Its uid: what stands there under another is not ours. `None` while it is not known, before the apply.
    pub uid: Option<String>,
    /// States before this one do not count.
    pub not_before: ResourceVersion,
    /// What the apply's own answer said.
    pub first: Option<Verdict>,
    /// How it is followed.
    pub follow: Follow,
    /// Judges it; by its kind's rules when `None`.
    pub judge: Option<Judge>,
    /// Whether it goes by itself once it has ended, as a Job with a time to live. What it said last stays true then, and
    /// nobody misses it.
    pub expires: bool,
}

impl fmt::Debug for Tracked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tracked")
            .field("key", &self.key)
            .field("uid", &self.uid)
            .field("not_before", &self.not_before)
            .field("first", &self.first)
            .field("follow", &self.follow)
            .finish_non_exhaustive()
    }
}

impl Tracked {
    /// An object that is about to be applied. Tracking it before the apply means that no event between the apply and
    /// the tracking can be missed, which would cost a read.
    pub fn expected(key: ObjectKey) -> Self {
        Self {
            key,
            uid: None,
            not_before: ResourceVersion::default(),
            first: None,
            follow: Follow::Labelled,
            judge: None,
            expires: false,
        }
    }

    /// An object that was applied, with the first verdict that the answer itself gives.
    pub fn applied(applied: &Applied, judge: Option<Judge>) -> Self {
        let first = judge
            .as_ref()
            .map_or_else(|| verdict(&applied.live), |judge| judge(&applied.live));
        Self {
            uid: Some(applied.uid.clone()),
            not_before: applied.resource_version,
            first: Some(first),
            judge,
            expires: expires_when_finished(&applied.live),
            ..Self::expected(applied.key.clone())
        }
    }

    /// A hook's object, judged by what hooks have to do.
    pub fn hook(run: &HookRun) -> Self {
        Self {
            uid: Some(run.uid.clone()),
            not_before: run.resource_version,
            first: Some(run.verdict.clone()),
            follow: Follow::Hook,
            judge: Some(Arc::new(hook_verdict)),
            ..Self::expected(run.key.clone())
        }
    }

    /// What its absence says, when nothing was seen of its end.
    pub(crate) fn absent(&self) -> Verdict {
        // Until it is known to have been there, it has not expired.
        if self.expires && self.uid.is_some() {
            Verdict::Current
        } else {
            Verdict::Missing
        }
    }

    /// Whether what it said when it ended stays true once it is deleted.
    pub(crate) fn outlives_its_deletion(&self) -> bool {
        self.follow == Follow::Hook || self.expires
    }

    pub(crate) fn judge(&self, object: &Value) -> Verdict {
        match &self.judge {
            Some(judge) => judge(object),
            // How it ended is asked before that it goes.
            None if self.expires && is_terminating(object) => hook_verdict(object),
            None => verdict(object),
        }
    }
}

/// Which pods are looked at for a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodScope {
    /// The namespaces of its workloads.
    pub namespaces: BTreeSet<String>,
    /// When the attempt began, on the API server's clock: the creation time of its pending Secret. Pods created before
    /// are not held against it.
    pub since: Timestamp,
}

/// All that is looked at for a release.
#[derive(Debug, Clone, Default)]
pub struct Tracking {
    /// The objects.
    pub objects: Vec<Tracked>,
    /// The pods; none while nothing rolls out.
    pub pods: Option<PodScope>,
    /// A point in the API server's history before the first write whose effects are looked at, for example the
    /// resourceVersion of the pending Secret: a watch that starts there need not list. `None` lists.
    pub from: Option<ResourceVersion>,
}

/// What was seen of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What its state says.
    pub verdict: Verdict,
    /// Which state it was.
    pub resource_version: ResourceVersion,
    /// Which object it was; empty when it is missing.
    pub uid: String,
}
