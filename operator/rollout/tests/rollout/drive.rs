//! Drives a cluster: step by step, until it waits, or until nothing happens by itself any more.

use belay_api::helm_release::{AttemptKind, Stage};
use belay_rollout::{At, Decision, Step, Wait, Waiting, decide, next_look, report};

use crate::act::Halt;
use crate::cluster::{Cluster, Health, Memory, Writes};

/// More steps than any way to a wait needs.
const MAX_STEPS: usize = 60;
/// More waits than any way to rest needs.
const MAX_WAITS: usize = 120;

/// What one turn came to.
#[derive(Debug)]
pub enum Turn {
    Stepped(Step),
    Died(Step),
    /// It is not known whether it was done, or it could not be.
    Halted(Step),
    Waits(Wait),
}

impl Cluster {
    /// One decision, and what it asks for.
    pub fn turn(&mut self) -> Turn {
        // A source that is looked at again, and found as it was, is looked at once more later.
        if let Some(source) = &mut self.source
            && source.retry_at.is_some_and(|due| due <= self.now)
        {
            source.retry_at = Some(self.now.plus(belay_api::Duration::minutes(1)));
        }
        let world = self.world();
        // From here on the watches have begun to look.
        if let Some(drift) = &world.drift {
            self.memory.checked = Some(drift.checked.clone());
        }
        let step = match decide(&world) {
            Decision::Wait(wait) => {
                self.report(&wait);
                self.memory.errors = 0;
                // What was found is old by the time that somebody wakes up.
                self.memory.proof = None;
                return Turn::Waits(wait);
            }
            Decision::Step(step) => step,
        };
        let shown = self
            .attempt()
            .map(|attempt| (attempt.id.clone(), attempt.stage()));
        let done = match self.act(step.clone()) {
            Err(Halt::Failed(failure)) => self.fail(*failure),
            done => done,
        };
        match done {
            Ok(()) => {}
            Err(Halt::Died) => {
                self.memory = Memory::default();
                return Turn::Died(step);
            }
            Err(Halt::Rejected) => self.memory.refused = Some(self.spec.clone()),
            Err(Halt::Stale | Halt::Failed(_)) => {
                // What the spec came to is known on.
                let refused = self.memory.refused.take();
                self.memory = Memory {
                    refused,
                    errors: self.memory.errors,
                    ..Memory::default()
                };
                self.memory.errors += 1;
                let errors = self.memory.errors;
                if errors >= 4 && errors.is_power_of_two() {
                    let (generation, why) = (self.declared.generation, "the API server is gone");
                    self.status = report::troubled(&self.status, why, generation, self.now);
                }
                // An error is followed by a pause.
                self.now = self.now.plus(belay_api::Duration::seconds(30));
                return Turn::Halted(step);
            }
        }
        let stage = self
            .attempt()
            .map(|attempt| (attempt.id.clone(), attempt.stage()));
        if stage != shown
            && let Some((_, Stage::Preparing | Stage::PreHooks | Stage::Removing)) = stage
        {
            self.report(&Wait {
                until: None,
                on: Waiting::Objects,
            });
        }
        Turn::Stepped(step)
    }

    /// What the controller writes of it: the status, and that of each request that is not over.
    pub fn report(&mut self, wait: &Wait) {
        let world = self.world();
        self.status = report::status(&self.status, &world, wait);
        for order in &mut self.orders {
            if !order.phase.is_final() {
                let before = self.records.remove(&order.uid).unwrap_or_default();
                let ledger = world.ledger.as_ref();
                let status = report::request_status(&before, order, ledger, 1, world.now);
                order.phase = status.phase;
                self.records.insert(order.uid.clone(), status);
            }
        }
    }

    /// Steps until there is something to wait for, or nothing left.
    pub fn run(&mut self) -> Wait {
        let mut steps = Vec::new();
        for _ in 0..MAX_STEPS {
            match self.turn() {
                Turn::Waits(wait) => return wait,
                Turn::Stepped(step) => steps.push(step),
                Turn::Died(_) | Turn::Halted(_) => {}
            }
            if self.gone {
                return Wait {
                    until: None,
                    on: Waiting::Nothing,
                };
            }
        }
        panic!(
            "no rest after {MAX_STEPS} steps, the last of them {:#?}",
            steps.last()
        );
    }

    /// What happens by itself while a wait lasts: objects become ready, or time passes.
    pub fn pass(&mut self, wait: &Wait) -> bool {
        if self.answer() {
            return true;
        }
        let ready = self
            .objects
            .values()
            .all(|live| self.health(&live.content) == Health::Good);
        if wait.on == Waiting::Objects && ready && !self.settled {
            self.settled = true;
            return true;
        }
        // A look at what nobody has touched finds nothing, time and again.
        let look = next_look(&self.world(), wait).filter(|at| self.full_look_due() != Some(*at));
        match wait.wakes_at(&self.world()).into_iter().chain(look).min() {
            Some(at) => {
                self.now = self.now.max(at);
                true
            }
            None => false,
        }
    }

    /// Lets steps be done and time pass until nothing happens by itself any more.
    pub fn rest(&mut self) -> Waiting {
        for _ in 0..MAX_WAITS {
            let wait = self.run();
            if self.gone || !self.pass(&wait) {
                return wait.on;
            }
        }
        panic!("no rest after {MAX_WAITS} waits: {:#?}", self.attempt());
    }

    /// Goes back, and fails to so often: nothing can be changed from there on, as a foreign webhook refuses it all.
    pub fn fails_to_go_back(&mut self, times: u32) {
        self.until(|cluster| {
            cluster
                .attempt()
                .is_some_and(|attempt| attempt.kind == AttemptKind::Revert)
        });
        self.writes = Writes::Refused;
        self.until(|cluster| {
            cluster
                .attempt()
                .is_some_and(|attempt| attempt.failures == times)
        });
    }

    /// Steps and lets time pass until `reached` says so.
    pub fn until(&mut self, reached: impl Fn(&Self) -> bool) {
        for _ in 0..MAX_STEPS * MAX_WAITS {
            if reached(self) {
                return;
            }
            if let Turn::Waits(wait) = self.turn() {
                assert!(
                    self.pass(&wait),
                    "came to rest on {:?} before that",
                    wait.on
                );
            }
        }
        panic!("never reached: {:#?}", self.attempt());
    }

    /// Runs until an attempt is so far.
    pub fn until_at(&mut self, at: &At) {
        self.until(|cluster| cluster.attempt().is_some_and(|attempt| &attempt.at == at));
    }

    /// Rolls out `spec` and comes to rest.
    pub fn roll_out(&mut self, spec: &str) -> Waiting {
        self.edit(spec);
        self.rest()
    }

    /// The process dies and another takes its place.
    pub fn crash(&mut self) {
        self.memory = Memory::default();
    }
}
