//! A cluster in memory: one `HelmRelease`, its requests, its ledger, Helm's storage and its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use belay_api::helm_release::{
    AttemptKind, Check, DeletionPolicy, DriftDetection, DriftMode, FailFast, OutsideChanges,
    PrometheusQuery, Soak, ThresholdRange,
};
use belay_api::rollback_request::{RequestPhase, RollbackRequestSpec, RollbackTarget, Until};
use belay_api::{Duration, HelmReleaseStatus, Reason, Timestamp};
use belay_health::{
    FaultClass, ObjectKey, ObjectRef, PodFault, PodFaultReason, ProgressReason, Verdict,
};
use belay_release::Status;
use belay_rollout::{
    Approval, At, Attempt, ChartId, Checked, Declared, Desired, Digest, Drift, Enforcement, HeldUp,
    HookPlan, HookProgress, Ledger, Look, Order, Owner, Place, Progress, Proof, Rejection, Reply,
    Sample, SightedFault, SourceLook, Stored, StrandedPod, Target, Unready, When, World,
};

/// How the objects of a chart fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They become ready, after a while.
    Good,
    /// Their image does not exist.
    NoImage,
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
    pub proof: Option<Proof>,
    /// What the questions of checks came to.
    pub looks: Vec<Look>,
    pub prepared: Option<String>,
    pub refused: Option<String>,
    /// What the looks at the objects of what runs came to.
    pub checked: Option<Checked>,
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

    /// Somebody edits the spec so that it asks for `spec`.
    pub fn edit(&mut self, spec: &str) {
        self.spec = spec.into();
        self.declared.generation += 1;
    }

    /// Somebody edits what changes no manifest.
    pub fn edit_interval(&mut self) {
        self.declared.generation += 1;
    }

    /// Somebody asks by its name for what the spec says.
    pub fn ask_by_name(&mut self) {
        self.ids += 1;
        self.declared.retry = Some(format!("{}#{}", self.spec, self.ids));
    }

    /// Somebody orders a rollback to the previous proven revision.
    pub fn order(&mut self, name: &str) {
        self.order_with(name, |_| {});
    }

    pub fn order_with(&mut self, name: &str, change: impl FnOnce(&mut RollbackRequestSpec)) {
        let mut spec = RollbackRequestSpec {
            release_ref: belay_api::helm_release::NameRef { name: "web".into() },
            target: RollbackTarget::default(),
            expected_current: None,
            reason: String::new(),
            requested_by: "jane".into(),
            until: Until::SpecChange,
            hold_until: None,
            not_after: None,
            dry_run: false,
        };
        change(&mut spec);
        self.ids += 1;
        self.orders.push(Order {
            name: name.into(),
            uid: format!("request-{}", self.ids),
            spec,
            phase: RequestPhase::Pending,
            created: self.now,
            approved_by: None,
            approval: Approval::NotNeeded,
        });
        self.settle_approvals();
    }

    /// Somebody says that a request may be carried out.
    pub fn approve(&mut self, name: &str, by: &str) {
        self.say(name, Some(by.into()));
    }

    /// Whoever approved takes it back.
    pub fn withdraw(&mut self, name: &str) {
        self.say(name, None);
    }

    fn say(&mut self, name: &str, by: Option<String>) {
        let mut orders = self.orders.iter_mut();
        let order = orders.find(|order| order.name == name).unwrap();
        order.approved_by = by;
        self.settle_approvals();
    }

    /// What gathering finds out of each request.
    pub fn settle_approvals(&mut self) {
        let enforcement = match self.words {
            Words::NotNeeded | Words::Checked => Enforcement::Enforced,
            Words::Unchecked => Enforcement::Missing {
                why: "no policy".into(),
            },
        };
        for order in &mut self.orders {
            order.approval = if self.words != Words::NotNeeded && !order.spec.dry_run {
                let asked = &order.spec.requested_by;
                Approval::of(&enforcement, asked, order.approved_by.as_deref())
            } else {
                Approval::NotNeeded
            };
        }
    }

    pub fn delete_order(&mut self, name: &str) {
        self.orders.retain(|order| order.name != name);
    }

    pub fn phase_of(&self, name: &str) -> RequestPhase {
        self.orders
            .iter()
            .find(|order| order.name == name)
            .unwrap()
            .phase
    }

    /// Somebody runs `helm upgrade` or `helm rollback`: a new revision with `content`.
    pub fn helm(&mut self, content: &str) {
        let newest = self.storage.keys().max().copied().unwrap_or(0);
        let old = self
            .storage
            .get(&newest)
            .map(|record| record.content.clone());
        for record in self.storage.values_mut() {
            if record.status == Status::Deployed {
                record.status = Status::Superseded;
            }
        }
        self.foreign(newest + 1, content, Status::Deployed);
        if let Some(old) = old {
            for name in manifest(&old) {
                self.objects.remove(&name);
            }
        }
        for name in manifest(content) {
            self.put(&name, content);
        }
        self.settled = true;
    }

    /// A record that somebody's helm wrote.
    pub fn foreign(&mut self, revision: u32, content: &str, status: Status) {
        let record = Record {
            status,
            created: self.now,
            content: content.into(),
            attempt: "somebody's helm".into(),
        };
        self.storage.insert(revision, record);
    }

    /// Somebody runs `helm uninstall`, with or without `--keep-history`.
    pub fn helm_uninstall(&mut self, keep_history: bool) {
        self.objects.clear();
        match self.storage.last_entry() {
            Some(mut newest) if keep_history => newest.get_mut().status = Status::Uninstalled,
            _ => self.storage.clear(),
        }
    }

    pub fn put(&mut self, name: &str, content: &str) {
        let broken = self
            .objects
            .get(name)
            .is_some_and(|live| self.health(&live.content) == Health::NoImage);
        if self.sticky && broken && self.health(content) != Health::NoImage {
            self.stranded.insert(name.into());
        }
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

    pub fn pending_records(&self) -> usize {
        self.storage
            .values()
            .filter(|record| record.status.is_pending())
            .count()
    }

    /// What the next decision looks at.
    pub fn world(&self) -> World {
        World {
            now: self.now,
            declared: self.declared.clone(),
            desired: self.desired(),
            held_up: self.held_up.clone(),
            source: match &self.source {
                Some(rejection) => SourceLook::Failed {
                    reason: rejection.reason,
                    message: rejection.message.clone(),
                },
                None => SourceLook::Found {
                    chart: chart_id(&self.spec),
                    origin: "https://charts.example.org".into(),
                },
            },
            orders: self.orders.clone(),
            ledger: self.ledger.clone(),
            storage: self
                .storage
                .iter()
                .rev()
                .map(|(revision, record)| Stored {
                    revision: *revision,
                    status: record.status,
                    created: record.created,
                })
                .collect(),
            progress: self.progress(),
            proof: self.memory.proof.clone(),
            looks: if self.soaks() {
                self.memory.looks.clone()
            } else {
                Vec::new()
            },
            drift: self.drift(),
        }
    }

    /// A release that the spec depends on is not ready any more.
    pub fn hold_up(&mut self) {
        let place = Place {
            namespace: "shop".into(),
            name: "db".into(),
        };
        let why = "is not Ready".into();
        self.held_up = Some(HeldUp::Unready(vec![Unready { place, why }]));
    }

    /// It is again.
    pub fn free(&mut self) {
        self.held_up = None;
    }

    /// What is known of drift: what the watches see that is neither what was applied nor looked at, and what the looks
    /// came to.
    fn drift(&self) -> Option<Drift> {
        let ledger = self.ledger.as_ref()?;
        let current = ledger.current.as_ref()?;
        if ledger.attempt.is_some()
            || self.declared.deleting
            || self.declared.drift.mode == DriftMode::Disabled
        {
            return None;
        }
        let runs = content_of(&current.digest);
        let suspects = manifest(runs).into_iter().filter(|name| {
            let live = self.objects.get(name);
            match self.memory.looked_at.get(name) {
                Some(seen) => seen.as_ref() != live,
                None => live.is_none_or(|live| live.content != runs),
            }
        });
        let checked = self.memory.checked.clone();
        Some(Drift {
            suspects: suspects.map(|name| object(&name).key()).collect(),
            checked: checked
                .filter(|checked| checked.revision == current.revision)
                .unwrap_or_else(|| Checked::begun(current.revision, Vec::new(), self.now)),
        })
    }

    /// What a full look at the objects of what runs is due, if nothing else happens.
    pub fn full_look_due(&self) -> Option<Timestamp> {
        let drift = self.drift()?;
        Some(drift.checked.all_at.plus(self.declared.interval))
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

    /// Somebody edits an object behind Belay's back.
    pub fn tamper(&mut self, name: &str) {
        let live = Live {
            content: "tampered".into(),
            created: self.now,
            applied: self.now,
        };
        self.objects.insert(name.into(), live);
    }

    pub fn desired(&self) -> Desired {
        let Some(ledger) = &self.ledger else {
            return Desired::Unknown;
        };
        let going_back = ledger.attempt.as_ref().is_some_and(|attempt| {
            matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall)
                && !matches!(attempt.at, At::Failed { .. })
        });
        if going_back || self.declared.deleting || ledger.owner.uid != self.declared.identity.uid {
            return Desired::Unknown;
        }
        if let Some(rejection) = &self.source {
            return Desired::Rejected(rejection.clone());
        }
        if self.memory.refused.as_ref() == Some(&self.spec) {
            return Desired::Rejected(rejection(Reason::ManifestRejected));
        }
        Desired::Is {
            digest: Digest::named(&self.spec),
            chart: chart_id(&self.spec),
        }
    }

    /// What the watches know of what the attempt waits for.
    fn progress(&self) -> Option<Progress> {
        let ledger = self.ledger.as_ref()?;
        let attempt = ledger.attempt.as_ref()?;
        let waits = match attempt.at {
            At::Waiting | At::Soaking(_) => true,
            At::PreHooks | At::PostHooks | At::Testing | At::Applying | At::Removing => {
                self.memory.watching
            }
            _ => false,
        };
        if !waits {
            return None;
        }
        let hooks = attempt
            .hooks
            .iter()
            .filter(|hook| hook.progress == HookProgress::Started)
            .map(|hook| {
                (
                    hook.object.key(),
                    self.hook_verdict(&hook.object.name, attempt),
                )
            });
        let objects = self.wanted().into_iter().chain(hooks).collect();
        Some(Progress {
            objects,
            faults: self.faults(),
            stranded: self
                .stranded
                .iter()
                .filter(|name| self.objects.contains_key(*name))
                .map(|name| StrandedPod {
                    pod: ObjectRef::new("v1", "Pod", Some("shop"), &format!("{name}-0")).key(),
                    uid: format!("{name}-uid"),
                    owner: object(name).key(),
                    fault: no_image(),
                })
                .collect(),
        })
    }

    /// The verdicts of all that the ledger wants.
    pub fn wanted(&self) -> Vec<(ObjectKey, Verdict)> {
        let ledger = self.ledger.as_ref().unwrap();
        let wanted = ledger.inventory.iter().filter(|tracked| tracked.wanted);
        wanted
            .map(|tracked| (tracked.object.key(), self.verdict(&tracked.object.name)))
            .collect()
    }

    fn verdict(&self, name: &str) -> Verdict {
        let Some(live) = self.objects.get(name) else {
            return Verdict::Missing;
        };
        if self.stranded.contains(name) {
            return Verdict::Progressing {
                reason: ProgressReason::Replicas,
                message: "0 of 1 replicas updated".into(),
            };
        }
        let reason = match self.health(&live.content) {
            Health::Good if self.settled => return Verdict::Current,
            Health::NoQuota => ProgressReason::QuotaExceeded,
            _ => ProgressReason::Replicas,
        };
        Verdict::Progressing {
            reason,
            message: "0 of 1 updated replicas available".into(),
        }
    }

    pub fn hook_verdict(&self, name: &str, attempt: &Attempt) -> Verdict {
        let record = &self.storage[&attempt.revision];
        let index: usize = name.rsplit('-').next().unwrap().parse().unwrap();
        match self.hooks(&record.content)[index].ends {
            Ends::Well => Verdict::Current,
            Ends::Badly => Verdict::Failed {
                class: belay_health::FailureClass::Terminal,
                reason: "BackoffLimitExceeded".into(),
                message: "the job failed".into(),
            },
            Ends::Never => Verdict::Progressing {
                reason: ProgressReason::JobRunning,
                message: "running".into(),
            },
        }
    }

    fn faults(&self) -> Vec<SightedFault> {
        let broken = self
            .objects
            .iter()
            .find(|(_, live)| self.health(&live.content) == Health::NoImage);
        broken
            .map(|(name, live)| SightedFault {
                namespace: "shop".into(),
                pod: format!("{name}-7f4c-x2"),
                owner: object(name).key(),
                fault: no_image(),
                first_seen: live.applied,
                was_ready: false,
            })
            .into_iter()
            .collect()
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

fn no_image() -> PodFault {
    PodFault {
        class: FaultClass::Terminal,
        reason: PodFaultReason::ImageNotFound,
        container: Some("main".into()),
        init: false,
        message: "no such image".into(),
        restarts: 0,
        exit_code: None,
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

pub fn object(name: &str) -> ObjectRef {
    if name.starts_with("zz-guard-of-") {
        let api = "admissionregistration.k8s.io/v1";
        return ObjectRef::new(api, "ValidatingWebhookConfiguration", None, name);
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
