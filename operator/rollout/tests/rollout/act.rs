//! The controller's part: what each step writes, in which order, with the same transitions.

mod beginning;
mod changing;
mod drifting;
mod ending;
mod takeover;

use belay_api::rollback_request::RollbackPlan;
use belay_release::{Essence, Status};
use belay_rollout::{
    At, Attempt, Digest, DigestKey, Failure, Ledger, Look, Proof, Proven, Running, Step, Target,
    Tracked, report,
};

use crate::cluster::{Cluster, chart_id, content_of, object};

/// Why a step did not do what it is for.
#[derive(Debug)]
pub enum Halt {
    /// The process died.
    Died,
    /// Somebody else was faster, or the API server said no for now: everything is read again.
    Stale,
    /// The API server would not take what the spec asks for.
    Rejected,
    /// The attempt failed.
    Failed(Box<Failure>),
}

type Done = Result<(), Halt>;

/// Counts down; whether the end is reached.
fn is_over(left: &mut Option<u32>) -> bool {
    match left {
        Some(0 | 1) => {
            *left = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

impl Cluster {
    /// Counts a write that was done; its answer may never come.
    fn wrote(&mut self) -> Done {
        if is_over(&mut self.dies_after) {
            return Err(Halt::Died);
        }
        if is_over(&mut self.goes_unanswered_after) {
            return Err(Halt::Stale);
        }
        Ok(())
    }

    fn transition(&mut self, change: impl FnOnce(Ledger) -> Ledger) -> Done {
        let ledger = self.ledger.take().ok_or(Halt::Stale)?;
        self.ledger = Some(change(ledger));
        self.wrote()
    }

    fn doing(&self) -> Attempt {
        self.attempt().unwrap().clone()
    }

    pub fn act(&mut self, step: Step) -> Done {
        self.memory.proof = None;
        let now = self.now;
        match step {
            Step::AddFinalizer => {
                self.declared.has_finalizer = true;
                self.wrote()
            }
            Step::Claim => {
                let key = DigestKey::new([7; 32]);
                self.ledger = Some(Ledger::new(self.declared.identity.clone(), key));
                self.wrote()
            }
            Step::Adopt { revision } => {
                let content = self.storage[&revision].content.clone();
                let digest = if content == self.spec {
                    Digest::named(&content)
                } else {
                    Digest::named(&format!("m1:{content}"))
                };
                self.adopt(revision, digest, None, &[], &[])
            }
            Step::KeepOutside { revision } => self.keep(revision),
            Step::TakeNote { of } => {
                let brought = self.brought();
                self.transition(|ledger| ledger.noticed(&brought).heard_of(of))
            }
            Step::BuryForeign { revision } => self.set_status(revision, Status::Failed),
            Step::Begin(plan) => self.begin(plan),
            Step::Record => self.record(),
            Step::Disarm => self.disarm(),
            Step::StartHook { index } => self.start_hook(index),
            Step::EndHook { index } => self.end_hook(index),
            Step::Apply => self.apply(),
            Step::Replace { pods } => {
                for stranded in &pods {
                    self.stranded.remove(&stranded.owner.name);
                    self.wrote()?;
                }
                self.transition(|ledger| ledger.replaced(&pods, now))
            }
            Step::Prove => {
                let mut not_current = self.wanted();
                not_current.retain(|(_, verdict)| !verdict.is_current());
                self.memory.proof = Some(Proof { not_current });
                Ok(())
            }
            Step::Soak { until } => {
                self.deployed()?;
                self.memory.looks.clear();
                self.asked.clear();
                self.bad_answers = 0;
                self.transition(|ledger| ledger.soaking(until, "complete", now))
            }
            Step::Ask { checks } => {
                self.asked.push(now);
                for check in checks {
                    let looks = &mut self.memory.looks;
                    let known = looks.iter().position(|look| look.check == check);
                    let index = known.unwrap_or_else(|| {
                        looks.push(Look::new(check));
                        looks.len() - 1
                    });
                    looks[index].asking = Some(now);
                }
                Ok(())
            }
            Step::Finish => self.finish(),
            Step::Fail { failure } => self.fail(*failure),
            Step::Settle => self.set_status(self.doing().revision, Status::Failed),
            Step::Remove => self.remove(),
            Step::Forget => self.forget(),
            Step::Sweep => self.sweep(),
            Step::Orphan => {
                let owner = self.ledger.as_ref().map(|ledger| &ledger.owner.uid);
                if owner == Some(&self.declared.identity.uid) {
                    self.end_orders();
                    self.ledger = None;
                    self.wrote()?;
                }
                self.let_go()
            }
            Step::Amend(amendment) => self.transition(|ledger| amendment.apply(ledger, now)),
            Step::CheckDrift { scope } => {
                self.compare(&scope);
                Ok(())
            }
            Step::CorrectDrift { corrections } => self.correct(&corrections),
            Step::Preview { request, target } => {
                self.preview(&request, &target);
                self.previews.push((request, target));
                self.wrote()
            }
            Step::Refuse {
                request,
                reason,
                message,
            } => {
                self.refuse(&request, reason, &message);
                self.refusals.push((request, reason));
                self.wrote()
            }
        }
    }

    fn preview(&mut self, name: &str, target: &Target) {
        let content = match target {
            Target::Proven(digest) => content_of(digest).to_owned(),
            Target::Stored(revision) => self.storage[revision].content.clone(),
            Target::Spec | Target::Newest => self.spec.clone(),
        };
        let to = Running {
            revision: 1,
            digest: Digest::named(&content),
            chart: chart_id(&content),
            since: self.now,
            consistent: true,
        };
        let (now, ledger) = (self.now, self.ledger.clone().unwrap());
        let mut orders = self.orders.iter_mut();
        let order = orders.find(|order| order.name == name).unwrap();
        let before = self.records.remove(&order.uid).unwrap_or_default();
        let plan = RollbackPlan::default();
        let status = report::previewed(&before, order, &ledger, &to, plan, 1, now);
        order.phase = status.phase;
        self.records.insert(order.uid.clone(), status);
    }

    pub fn fail(&mut self, failure: Failure) -> Done {
        let touched = self.doing().at != At::Preparing;
        let now = self.now;
        self.memory.prepared = None;
        self.transition(|ledger| ledger.failed(failure, touched, now))
    }

    fn let_go(&mut self) -> Done {
        self.declared.has_finalizer = false;
        self.gone = true;
        self.wrote()
    }

    fn set_status(&mut self, revision: u32, status: Status) -> Done {
        if let Some(record) = self.storage.get_mut(&revision) {
            record.status = status;
            self.wrote()?;
        }
        Ok(())
    }
}

fn tracked(name: &str, created: bool) -> Tracked {
    Tracked {
        object: object(name),
        uid: Some(format!("uid-of-{name}")),
        resource_version: 1,
        print: None,
        wanted: true,
        created,
        expires: false,
    }
}

/// What is kept of a revision with this content.
fn essence(content: &str) -> Essence {
    let mut record = belay_release::Record::new("shop", "web", 1);
    record.manifest = content.to_owned();
    Essence::of(&record).unwrap()
}

/// The content that brings a proven revision back.
pub fn proven_content(proven: &Proven) -> String {
    proven.record.record().unwrap().manifest
}
