//! A cluster in memory: one `HelmRelease`, its requests, its ledger, Helm's storage and its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use belay_api::helm_release::{
    AttemptKind, Check, DeletionPolicy, DriftDetection, DriftMode, FailFast, OutsideChanges,
    PrometheusQuery, Soak, ThresholdRange,
};
use belay_api::rollback_request::{RequestPhase, RollbackRequestStatus};
use belay_api::{Duration, HelmReleaseStatus, Reason, Timestamp};
use belay_health::{ObjectRef, PodFaultReason};
use belay_release::Status;
use belay_rollout::{
    At, Attempt, ChartId, Checked, Declared, Digest, HeldUp, HookPlan, HookProgress, Ledger, Look,
    Order, Owner, Proof, Rejection, Reply, Sample, Target, When,
};

/// How the objects of a chart fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They become ready, after a while.
    Good,
    /// Their image does not exist.
    NoImage,
    /// Something else is wrong with their pods.
    Faulty(PodFaultReason),
    /// They say of themselves that they failed.
    Fails,
    /// A quota keeps their pods away.
    NoQuota,
    /// They never say anything.
    Silent,
    /// The API server refuses the second of them.
    Refused,
    /// The API server refuses all of them when asked beforehand.
    Unacceptable,
}

/// What a check's question gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    Good,
    Bad,
    /// No answer.
    Nothing,
}

/// What becomes of writes to objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Taken,
    /// A foreign webhook refuses every one.
    Refused,
    /// Nothing may change: what is there is deleted and made anew, as a Job with another template.
    Anew,
    /// The API server answers no write for the moment.
    Unanswered,
}

/// What somebody makes of an object behind Belay's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// Fields are edited.
    Edits,
    /// Fields are edited that cannot be changed back.
    Fixes,
    /// Another release takes it.
    Takes,
    /// It cannot be compared any more.
    Hides,
    /// It is deleted.
    Deletes,
}

impl Meddling {
    /// What the object holds then.
    pub fn content(self) -> Option<&'static str> {
        match self {
            Self::Edits => Some("tampered"),
            Self::Fixes => Some("fixed"),
            Self::Takes => Some("taken"),
            Self::Hides => Some("hidden"),
            Self::Deletes => None,
        }
    }
}

/// How a hook ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Well,
    Badly,
    Never,
}

/// Whether requests need a second person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Words {
    NotNeeded,
    /// They do, and the API server sees to it that words are true.
    Checked,
    /// They do, and nobody checks them.
    Unchecked,
}

#[derive(Clone, Copy, Debug)]
pub struct Hook {
    pub when: When,
    pub irreversible: bool,
    pub ends: Ends,
}

/// What a spec can ask for.
#[derive(Clone, Debug)]
pub struct Chart {
    pub health: Health,
    pub hooks: Vec<Hook>,
}

/// One of Helm's records.
#[derive(Clone, Debug)]
pub struct Record {
    pub status: Status,
    pub created: Timestamp,
    pub content: String,
    pub attempt: String,
}

/// An object as the API server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    pub content: String,
    pub created: Timestamp,
    pub applied: Timestamp,
}

/// What a process knows and loses with its life.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub watching: bool,
    /// Errors in a row.
    pub errors: u32,
    pub proof: Option<Proof>,
    /// What the questions of checks came to.
    pub looks: Vec<Look>,
    pub prepared: Option<String>,
    pub refused: Option<String>,
    /// What the looks at the objects of what runs came to.
    pub checked: Option<Checked>,
    /// The ledger as it last was, if it has gone since.
    pub lost: Option<Box<Ledger>>,
    /// The states of objects that were looked at, whatever came of it; the watches tell of others.
    pub looked_at: BTreeMap<String, Option<Live>>,
}

#[derive(Clone, Debug)]
pub struct Cluster {
    pub now: Timestamp,
    pub declared: Declared,
    pub status: HelmReleaseStatus,
    pub gone: bool,
    pub spec: String,
    pub source: Option<Rejection>,
    pub charts: Arc<BTreeMap<String, Chart>>,
    pub orders: Vec<Order>,
    /// The status of each request, by its uid.
    pub records: BTreeMap<String, RollbackRequestStatus>,
    /// What a release that the spec depends on holds up.
    pub held_up: Option<HeldUp>,
    pub words: Words,
    pub refusals: Vec<(String, Reason)>,
    pub previews: Vec<(String, Target)>,
    pub ledger: Option<Ledger>,
    pub storage: BTreeMap<u32, Record>,
    pub objects: BTreeMap<String, Live>,
    /// Whether what was applied has had the time that it needs.
    pub settled: bool,
    /// What checks are answered now.
    pub says: Says,
    /// When checks were asked while the newest revision soaked.
    pub asked: Vec<Timestamp>,
    /// How many bad answers were given meanwhile.
    pub bad_answers: usize,
    /// Objects that something keeps from going.
    pub kept: BTreeSet<String>,
    /// Objects that somebody edited or deleted since they were last applied.
    pub meddled: BTreeSet<String>,
    /// A backup of the ledger.
    pub backup: Option<Ledger>,
    /// Whether the ledger was lost once, or an older one was restored: what lies about may be unknown to it.
    pub forgetful: bool,
    /// Whether broken pods stay when their template changes, as those of a `StatefulSet` do.
    pub sticky: bool,
    /// Objects with broken pods of an older template.
    pub stranded: BTreeSet<String>,
    /// What becomes of writes to objects.
    pub writes: Writes,
    /// Objects of hooks, by name: the attempt that made them.
    pub hook_objects: BTreeMap<String, String>,
    pub hook_runs: Vec<(String, String)>,
    pub max_history: usize,
    pub memory: Memory,
    pub ids: u32,
    pub attempts: Vec<(AttemptKind, String)>,
    /// Objects that were put right, in order.
    pub corrections: Vec<String>,
    /// After how many writes the process dies.
    pub dies_after: Option<u32>,
    /// After how many writes an answer is lost.
    pub goes_unanswered_after: Option<u32>,
}

pub const MINUTE: i64 = 60_000;

impl Cluster {
    /// A `HelmRelease` that asks for `spec`, just applied.
    pub fn asking_for(spec: &str) -> Self {
        Self {
            now: Timestamp(1_700_000_000_000),
            declared: Declared {
                identity: Owner {
                    namespace: "shop".into(),
                    name: "web".into(),
                    uid: "release-uid".into(),
                },
                generation: 1,
                deleting: false,
                has_finalizer: false,
                cluster: belay_rollout::Home::Here,
                foreign_patience: Duration::minutes(5),
                suspend: false,
                atomic: true,
                timeout: Duration::minutes(5),
                rollback_timeout: Duration::minutes(5),
                uninstall_timeout: Duration::minutes(5),
                deletion_policy: DeletionPolicy::Uninstall,
                outside_changes: OutsideChanges::Adopt,
                fail_fast: FailFast::default(),
                soak: Soak::default(),
                drift: DriftDetection {
                    mode: DriftMode::Disabled,
                    ignore: Vec::new(),
                },
                interval: Duration::minutes(10),
                retry: None,
            },
            status: HelmReleaseStatus::default(),
            gone: false,
            spec: spec.into(),
            source: None,
            charts: Arc::default(),
            orders: Vec::new(),
            records: BTreeMap::new(),
            held_up: None,
            words: Words::NotNeeded,
            refusals: Vec::new(),
            previews: Vec::new(),
            ledger: None,
            storage: BTreeMap::new(),
            objects: BTreeMap::new(),
            settled: true,
            says: Says::Good,
            asked: Vec::new(),
            bad_answers: 0,
            kept: BTreeSet::new(),
            meddled: BTreeSet::new(),
            backup: None,
            forgetful: false,
            sticky: false,
            stranded: BTreeSet::new(),
            writes: Writes::Taken,
            hook_objects: BTreeMap::new(),
            hook_runs: Vec::new(),
            max_history: 10,
            memory: Memory::default(),
            ids: 0,
            attempts: Vec::new(),
            corrections: Vec::new(),
            dies_after: None,
            goes_unanswered_after: None,
        }
    }

    /// The chart `name` is not like the others.
    pub fn with(mut self, name: &str, health: Health) -> Self {
        self.set_chart(name, health, &[]);
        self
    }

    /// The chart `name` has hooks.
    pub fn with_hooks(mut self, name: &str, health: Health, hooks: &[Hook]) -> Self {
        self.set_chart(name, health, hooks);
        self
    }

    pub fn set_chart(&mut self, name: &str, health: Health, hooks: &[Hook]) {
        let chart = Chart {
            health,
            hooks: hooks.to_vec(),
        };
        Arc::make_mut(&mut self.charts).insert(name.into(), chart);
    }

    pub fn health(&self, content: &str) -> Health {
        self.charts
            .get(content)
            .map_or(Health::Good, |chart| chart.health)
    }

    pub fn hooks(&self, content: &str) -> &[Hook] {
        self.charts.get(content).map_or(&[], |chart| &chart.hooks)
    }

    /// What becomes ready is watched for so many minutes before it counts as good.
    pub fn that_soaks(mut self, minutes: u64) -> Self {
        self.declared.soak.duration = Duration::minutes(minutes);
        self
    }

    /// A check is asked meanwhile, every so many seconds, and fails after so many bad answers in a row.
    pub fn that_checks(mut self, seconds: u64, failure_threshold: u32) -> Self {
        self.declared.soak.checks.push(Check {
            name: "errors".into(),
            prometheus: PrometheusQuery {
                url: "http://jane:hunter2@prometheus:9090".into(),
                query: "sum(rate(errors[1m]))".into(),
                secret_ref: None,
                ca_secret_ref: None,
                cert_secret_ref: None,
            },
            threshold_range: ThresholdRange {
                min: None,
                max: Some(0.05),
            },
            interval: Duration::seconds(seconds),
            failure_threshold,
        });
        self
    }

    /// Questions that are on their way come to their end. Whether there were any.
    pub fn answer(&mut self) -> bool {
        let samples = match self.says {
            Says::Good => Some(0.01),
            Says::Bad => Some(0.31),
            Says::Nothing => None,
        };
        let samples: Vec<_> = samples
            .map(|number| Sample {
                series: String::new(),
                number,
            })
            .into_iter()
            .collect();
        let (now, mut any) = (self.now, false);
        let asked = self.memory.looks.iter_mut();
        for look in asked.filter(|look| look.asking.is_some()) {
            any = true;
            let mut checks = self.declared.soak.checks.iter();
            let Some(check) = checks.find(|check| check.name == look.check.name) else {
                look.asking = None;
                continue;
            };
            let reply = Reply::to(check, &samples);
            self.bad_answers += usize::from(matches!(reply, Reply::Bad { .. }));
            look.settle(now, reply);
        }
        any
    }

    pub fn soaks(&self) -> bool {
        self.attempt()
            .is_some_and(|attempt| matches!(attempt.at, At::Soaking(_)))
    }

    pub fn phase_of(&self, name: &str) -> RequestPhase {
        self.orders
            .iter()
            .find(|order| order.name == name)
            .unwrap()
            .phase
    }

    pub fn put(&mut self, name: &str, content: &str) {
        let broken = self
            .objects
            .get(name)
            .is_some_and(|live| self.fault_of(&live.content).is_some());
        if self.sticky && broken && self.fault_of(content).is_none() {
            self.stranded.insert(name.into());
        }
        self.meddled.remove(name);
        let live = Live {
            content: content.into(),
            created: self.objects.get(name).map_or(self.now, |live| live.created),
            applied: self.now,
        };
        self.objects.insert(name.into(), live);
    }

    pub fn attempt(&self) -> Option<&Attempt> {
        self.ledger.as_ref()?.attempt.as_ref()
    }

    pub fn current(&self) -> Option<(u32, String, bool)> {
        let current = self.ledger.as_ref()?.current.as_ref()?;
        Some((
            current.revision,
            current.digest.to_string(),
            current.consistent,
        ))
    }

    /// Digests of the proven revisions, newest first.
    pub fn proven(&self) -> Vec<String> {
        let ledger = self.ledger.as_ref().unwrap();
        ledger
            .proven
            .iter()
            .map(|proven| proven.digest.to_string())
            .collect()
    }

    pub fn is_blocked(&self, digest: &str) -> bool {
        self.ledger
            .as_ref()
            .is_some_and(|ledger| ledger.block(&Digest::named(digest)).is_some())
    }

    /// How often the spec's `digest` was rolled out because the spec asked for it.
    pub fn tries(&self, digest: &str) -> usize {
        self.attempts
            .iter()
            .filter(|(kind, tried)| {
                matches!(kind, AttemptKind::Install | AttemptKind::Upgrade) && tried == digest
            })
            .count()
    }

    /// Whether the cluster holds the manifest of `content`, all of it and nothing else.
    pub fn holds(&self, content: &str) -> bool {
        self.objects.keys().cloned().collect::<BTreeSet<_>>() == manifest(content)
            && self.objects.values().all(|live| live.content == content)
    }

    /// Whether nobody ran `helm uninstall`.
    pub fn storage_is_there(&self) -> bool {
        let newest = self.storage.values().next_back();
        newest.is_some_and(|record| record.status != Status::Uninstalled)
    }

    pub fn pending_records(&self) -> usize {
        self.storage
            .values()
            .filter(|record| record.status.is_pending())
            .count()
    }

    /// Objects that somebody edits or deletes are told.
    pub fn that_tells_drift(mut self) -> Self {
        self.declared.drift.mode = DriftMode::Warn;
        self
    }

    /// Objects that somebody edits or deletes are put right.
    pub fn that_corrects_drift(mut self) -> Self {
        self.declared.drift.mode = DriftMode::Enabled;
        self
    }

    /// The hooks that an attempt with `content` runs.
    pub fn hook_plan(&self, content: &str, kind: AttemptKind) -> Vec<HookPlan> {
        let hooks = self.hooks(content).iter().enumerate();
        // Going back has hooks of its own; these charts have none.
        hooks
            .filter(|_| kind != AttemptKind::Revert && kind != AttemptKind::Rollback)
            .filter(|(_, hook)| kind != AttemptKind::Uninstall || hook.when != When::Test)
            .map(|(index, hook)| HookPlan {
                object: ObjectRef::new(
                    "batch/v1",
                    "Job",
                    Some("shop"),
                    &format!("hook-{content}-{index}"),
                ),
                when: hook.when,
                irreversible: hook.irreversible,
                progress: HookProgress::Planned,
            })
            .collect()
    }
}

/// The objects of a chart: one that all have, and one of its own. One whose name begins with `guarded` has a webhook of
/// its own, too.
pub fn manifest(content: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["web".to_owned(), format!("only-{content}")]);
    if content.starts_with("guarded") {
        names.insert(format!("zz-guard-of-{content}"));
    }
    names
}

/// What a digest of these charts names.
pub fn content_of(digest: &Digest) -> &str {
    digest.as_str().rsplit(':').next().unwrap_or_default()
}

/// What the object of a hook is named after, and its place among the hooks.
pub fn hook_of(name: &str) -> (&str, usize) {
    let (chart, index) = name.rsplit_once('-').unwrap();
    (chart.strip_prefix("hook-").unwrap(), index.parse().unwrap())
}

/// An object of a chart; the own one of a chart that is named after a job is one.
pub fn object(name: &str) -> ObjectRef {
    if name.starts_with("zz-guard-of-") {
        let api = "admissionregistration.k8s.io/v1";
        return ObjectRef::new(api, "ValidatingWebhookConfiguration", None, name);
    }
    if name.starts_with("only-job") {
        return ObjectRef::new("batch/v1", "Job", Some("shop"), name);
    }
    ObjectRef::new("apps/v1", "Deployment", Some("shop"), name)
}

pub fn chart_id(content: &str) -> ChartId {
    ChartId {
        name: "web".into(),
        version: content.into(),
        app_version: String::new(),
    }
}

pub fn rejection(reason: Reason) -> Rejection {
    Rejection {
        reason,
        message: "the chart cannot be used".into(),
        retry_at: None,
    }
}
