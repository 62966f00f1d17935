//! The decision: one step, or what to wait for. Total and pure.

use belay_api::helm_release::{AttemptKind, DeletionPolicy, FailureClass};
use belay_api::{Duration, Reason, Timestamp};
use belay_release::Status;

use crate::attempt::{At, Attempt, Cause, HookProgress, When};
use crate::judge::{Judgement, judge, late_by};
use crate::outside::{decide_outside, foreign_operation};
use crate::request::{Ruling, rule};
use crate::world::{Desired, Rejection, World};
use crate::{ChartId, Digest, Failure, Ledger, Order};

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// One short, idempotent step.
    Step(Step),
    /// Nothing, until something changes or the instant comes.
    Wait(Wait),
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Put Belay's finalizer on the `HelmRelease`.
    AddFinalizer,
    /// Create the ledger.
    Claim,
    /// Take over a release that Helm made: nothing is written to its objects.
    Adopt {
        /// The deployed revision.
        revision: u32,
    },
    /// Keep what somebody's helm did, until the spec changes.
    KeepOutside {
        /// The deployed revision.
        revision: u32,
    },
    /// Mark a dead process's pending record as failed.
    BuryForeign {
        /// The pending revision.
        revision: u32,
    },
    /// Check that the API server would take it, then write the intent into the ledger.
    Begin(Plan),
    /// Create Helm's pending record: the lock, and from here on the only source of the manifest.
    Record,
    /// Create a hook's object.
    StartHook {
        /// Its place among the attempt's hooks.
        index: usize,
    },
    /// Find out how a hook's object stands, once it is not running any more.
    EndHook {
        /// Its place among the attempt's hooks.
        index: usize,
    },
    /// Apply every object of the pending record's manifest, then prune what older ones left.
    Apply,
    /// List every object of the attempt anew.
    Prove,
    /// Record the outcome: deployed, superseded, proven, history pruned.
    Finish,
    /// Collect the evidence, then write the failure into the ledger.
    Fail {
        /// The failure.
        failure: Box<Failure>,
    },
    /// Mark the attempt's record as failed for Helm.
    Settle,
    /// Remove the objects of the release, and find out whether they are gone.
    Remove,
    /// Remove the records of a release whose objects are gone, then the ledger and the finalizer.
    Forget,
    /// Leave everything in place for helm: remove the ledger and the finalizer only.
    Orphan,
    /// Write a change into the ledger that needs nothing from the cluster.
    Amend(Amendment),
    /// Write into a request's status why it is not carried out.
    Refuse {
        /// The request's name.
        request: String,
        /// In one word.
        reason: Reason,
        /// For people.
        message: String,
    },
}

/// A change to the ledger alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Amendment {
    /// The attempt goes on to a stage.
    Move(At),
    /// The attempt is over; what it left stays.
    Abandon,
    /// A failed first install is cleaned up.
    Clear,
    /// A newer record than ours exists: the attempt gives way.
    Yield {
        /// The newer revision.
        to: u32,
    },
    /// A newer record that changes nothing for us.
    TakeNote {
        /// The newer revision.
        of: u32,
    },
    /// A digest may be tried again.
    Unblock {
        /// The digest.
        digest: Digest,
        /// The annotation that asked for it, if one did.
        token: Option<String>,
    },
    /// The pin is lifted.
    Unpin,
    /// A failed revert or removal is tried again until the new deadline.
    TryAgain {
        /// Where it goes on.
        at: At,
        /// Its new deadline.
        deadline: Timestamp,
    },
}

/// An attempt that is to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it does.
    pub kind: AttemptKind,
    /// Who asked for it.
    pub cause: Cause,
    /// The revision that it makes.
    pub revision: u32,
    /// What it rolls out; for a target that only storage knows, not known before it is read.
    pub digest: Digest,
    /// The chart that it rolls out.
    pub chart: ChartId,
    /// The revision that runs.
    pub from: Option<u32>,
    /// Where its manifest comes from.
    pub target: Target,
    /// Its time budget.
    pub timeout: Duration,
}

/// Where the manifest of an attempt comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The spec: it is rendered.
    Spec,
    /// A proven revision, out of the ledger.
    Proven(Digest),
    /// One of Helm's records.
    Stored(u32),
    /// The newest record: a removal.
    Newest,
}

/// Waiting.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// Look again at this instant even if nothing changes.
    pub until: Option<Timestamp>,
    /// What is waited for, or why there is nothing to do.
    pub on: Waiting,
}

/// What is waited for, or why there is nothing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// The declared revision runs and is proven.
    Deployed,
    /// Objects are becoming ready.
    Objects,
    /// A hook is running.
    Hook {
        /// Its place among the attempt's hooks.
        index: usize,
    },
    /// Objects are going.
    Removal,
    /// The declared digest is blocked.
    Blocked,
    /// A pin holds another revision.
    Pinned,
    /// `spec.suspend` is set.
    Suspended,
    /// The input is wrong; the cluster was not touched.
    Rejected(Rejection),
    /// Another `HelmRelease` owns the release.
    Claimed,
    /// Somebody else's operation is pending.
    ForeignOperation {
        /// Its revision.
        revision: u32,
    },
    /// The release was removed by hand.
    ReleaseRemoved,
    /// A revert failed and is tried again.
    RevertFailed,
    /// A removal failed and is tried again.
    RemoveFailed,
    /// A failed revision is left in place.
    LeftInPlace,
    /// What is desired has not been looked at.
    Nothing,
}

/// Decides what to do now.
pub fn decide(world: &World) -> Decision {
    let declared = &world.declared;
    if declared.deleting {
        return decide_deletion(world);
    }
    if !declared.has_finalizer {
        return Decision::Step(Step::AddFinalizer);
    }
    let Some(ledger) = &world.ledger else {
        return if declared.suspend {
            wait(Waiting::Suspended)
        } else {
            Decision::Step(Step::Claim)
        };
    };
    if ledger.owner.uid != declared.identity.uid {
        return wait(Waiting::Claimed);
    }
    if let Some(decision) = decide_outside(world, ledger) {
        return decision;
    }
    match &ledger.attempt {
        Some(attempt) => decide_attempt(world, ledger, attempt),
        None => decide_rest(world, ledger),
    }
}

fn decide_deletion(world: &World) -> Decision {
    let declared = &world.declared;
    if !declared.has_finalizer {
        return wait(Waiting::Nothing);
    }
    let Some(ledger) = &world.ledger else {
        return Decision::Step(Step::Orphan);
    };
    if ledger.owner.uid != declared.identity.uid || declared.deletion_policy == DeletionPolicy::Orphan {
        return Decision::Step(Step::Orphan);
    }
    match &ledger.attempt {
        Some(attempt) if attempt.kind == AttemptKind::Uninstall => {
            decide_attempt(world, ledger, attempt)
        }
        _ => Decision::Step(Step::Begin(Plan {
            kind: AttemptKind::Uninstall,
            cause: Cause::Deletion,
            revision: world.newest().map_or(ledger.newest, |newest| newest.revision),
            digest: ledger
                .current
                .as_ref()
                .map_or_else(|| Digest::named(""), |current| current.digest.clone()),
            chart: ledger
                .current
                .as_ref()
                .map_or_else(ChartId::default, |current| current.chart.clone()),
            from: ledger.current.as_ref().map(|current| current.revision),
            target: Target::Newest,
            timeout: declared.uninstall_timeout,
        })),
    }
}

fn decide_attempt(world: &World, ledger: &Ledger, attempt: &Attempt) -> Decision {
    if let Some(failure) = overtaken(world, ledger, attempt) {
        return Decision::Step(Step::Fail {
            failure: Box::new(failure),
        });
    }
    match &attempt.at {
        At::Preparing => Decision::Step(Step::Record),
        At::PreHooks => decide_hook(world, attempt, When::Before),
        At::Applying => Decision::Step(Step::Apply),
        At::Waiting => decide_waiting(world, attempt),
        At::PostHooks => decide_hook(world, attempt, When::After),
        At::Finishing => Decision::Step(match attempt.kind {
            AttemptKind::Uninstall => Step::Forget,
            _ => Step::Finish,
        }),
        At::Removing => decide_removing(world, attempt),
        At::Failed {
            failure,
            touched,
            retry_at,
        } => decide_failed(world, ledger, attempt, failure, *touched, *retry_at),
    }
}

/// A newer digest, or a request, overtakes an attempt that has not yet come to its end. An apply is
/// never cut, a way back is finished first, and nothing overtakes a deletion.
fn overtaken(world: &World, ledger: &Ledger, attempt: &Attempt) -> Option<Failure> {
    let interruptible = matches!(attempt.at, At::Preparing | At::PreHooks | At::Waiting)
        && matches!(attempt.kind, AttemptKind::Install | AttemptKind::Upgrade);
    if !interruptible {
        return None;
    }
    let by = match (&attempt.cause, world.desired.digest()) {
        (Cause::Spec { .. }, Some(desired)) if desired != &attempt.digest => {
            "a newer spec".to_owned()
        }
        _ => next_order(world, ledger).map(|(order, _)| format!("the request {}", order.name))?,
    };
    Some(Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class: FailureClass::Superseded,
        reason: Reason::Superseded,
        message: format!("revision {} was overtaken by {by}", attempt.revision),
        at: world.now,
        objects: Vec::new(),
        pods: Vec::new(),
        timeline: attempt.timeline.clone(),
    })
}

fn decide_hook(world: &World, attempt: &Attempt, when: When) -> Decision {
    let Some((index, hook)) = attempt.next_hook(when) else {
        // The ledger passes over stages without hooks, so this is only met in a damaged one.
        return Decision::Step(Step::Amend(Amendment::Move(match when {
            When::Before => At::Applying,
            When::After => At::Finishing,
        })));
    };
    match hook.progress {
        HookProgress::Planned => Decision::Step(Step::StartHook { index }),
        HookProgress::Succeeded | HookProgress::Done => Decision::Step(Step::EndHook { index }),
        HookProgress::Started => {
            let key = hook.object.key();
            let over = world.progress.as_ref().is_some_and(|progress| {
                progress.objects.iter().any(|(object, verdict)| {
                    object == &key && (verdict.is_current() || verdict.is_failed())
                })
            });
            if over || world.progress.is_none() || world.now >= attempt.deadline {
                Decision::Step(Step::EndHook { index })
            } else {
                Decision::Wait(Wait {
                    until: Some(attempt.deadline),
                    on: Waiting::Hook { index },
                })
            }
        }
    }
}

fn decide_waiting(world: &World, attempt: &Attempt) -> Decision {
    let Some(progress) = &world.progress else {
        return Decision::Step(Step::Prove);
    };
    if let Some(proof) = &world.proof {
        if proof.not_current.is_empty() {
            return Decision::Step(Step::Amend(Amendment::Move(At::PostHooks)));
        }
        if world.now >= attempt.deadline {
            return Decision::Step(Step::Fail {
                failure: Box::new(late_by(attempt, progress, proof, world.now)),
            });
        }
    }
    match judge(attempt, progress, &world.declared, world.now) {
        // The list found something that the watches do not know yet: their events will come.
        Judgement::Ready if world.proof.is_some() => Decision::Wait(Wait {
            until: Some(attempt.deadline),
            on: Waiting::Objects,
        }),
        Judgement::Ready | Judgement::Late(_) => Decision::Step(Step::Prove),
        Judgement::Lost(failure) => Decision::Step(Step::Fail { failure }),
        Judgement::Open(until) => Decision::Wait(Wait {
            until: Some(until),
            on: Waiting::Objects,
        }),
    }
}

fn decide_removing(world: &World, attempt: &Attempt) -> Decision {
    match &world.proof {
        None => Decision::Step(Step::Remove),
        Some(proof) if proof.not_current.is_empty() => Decision::Step(match attempt.kind {
            AttemptKind::Uninstall => Step::Amend(Amendment::Move(At::PostHooks)),
            _ => Step::Forget,
        }),
        Some(proof) if world.now >= attempt.deadline => {
            let names: Vec<_> = proof
                .not_current
                .iter()
                .take(5)
                .map(|(object, verdict)| format!("{object} ({verdict})"))
                .collect();
            Decision::Step(Step::Fail {
                failure: Box::new(Failure {
                    revision: Some(attempt.revision),
                    digest: attempt.digest.clone(),
                    class: FailureClass::Timeout,
                    reason: Reason::RemoveFailed,
                    message: format!(
                        "still there after {}: {}",
                        attempt.deadline.since(attempt.started_at),
                        names.join(", ")
                    ),
                    at: world.now,
                    objects: Vec::new(),
                    pods: Vec::new(),
                    timeline: attempt.timeline.clone(),
                }),
            })
        }
        Some(_) => Decision::Wait(Wait {
            until: Some(attempt.deadline),
            on: Waiting::Removal,
        }),
    }
}

fn decide_failed(
    world: &World,
    ledger: &Ledger,
    attempt: &Attempt,
    failure: &Failure,
    touched: bool,
    retry_at: Option<Timestamp>,
) -> Decision {
    let amend = |amendment| Decision::Step(Step::Amend(amendment));
    match attempt.kind {
        AttemptKind::Revert => return decide_failed_revert(world, ledger, attempt, retry_at),
        AttemptKind::Uninstall => {
            return match retry_at {
                Some(due) if world.now < due => Decision::Wait(Wait {
                    until: Some(due),
                    on: Waiting::RemoveFailed,
                }),
                _ => amend(Amendment::TryAgain {
                    at: At::Removing,
                    deadline: world.now.plus(world.declared.uninstall_timeout),
                }),
            };
        }
        AttemptKind::Install | AttemptKind::Upgrade | AttemptKind::Rollback => {}
    }
    if world
        .stored(attempt.revision)
        .is_some_and(|stored| stored.status.is_pending())
    {
        return Decision::Step(Step::Settle);
    }
    if !touched || failure.class == FailureClass::Superseded || !world.declared.atomic {
        return amend(Amendment::Abandon);
    }
    if attempt.past_point_of_no_return().is_some() {
        return amend(Amendment::Abandon);
    }
    match ledger.last_good() {
        Some(good) => Decision::Step(Step::Begin(Plan {
            kind: AttemptKind::Revert,
            cause: Cause::Failure,
            revision: next_revision(world, ledger),
            digest: good.digest.clone(),
            chart: good.chart.clone(),
            from: Some(attempt.revision),
            target: Target::Proven(good.digest.clone()),
            timeout: world.declared.rollback_timeout,
        })),
        // Nothing was there before: nothing of it stays. Otherwise what ran before Belay came is
        // not known to be good, and taking it away would be a guess.
        None if attempt.kind == AttemptKind::Install && attempt.from.is_none() => {
            amend(Amendment::TryAgain {
                at: At::Removing,
                deadline: world.now.plus(world.declared.uninstall_timeout),
            })
        }
        None => amend(Amendment::Abandon),
    }
}

/// A way back that failed is tried again, but gives way to a spec that has not failed yet.
fn decide_failed_revert(
    world: &World,
    ledger: &Ledger,
    attempt: &Attempt,
    retry_at: Option<Timestamp>,
) -> Decision {
    let fresh = world
        .desired
        .digest()
        .is_some_and(|digest| ledger.block(digest).is_none() && digest != &attempt.digest);
    if (fresh && ledger.pin.is_none() && !world.declared.suspend) || next_order(world, ledger).is_some() {
        let pending = world
            .stored(attempt.revision)
            .is_some_and(|stored| stored.status.is_pending());
        return Decision::Step(if pending {
            Step::Settle
        } else {
            Step::Amend(Amendment::Abandon)
        });
    }
    match retry_at {
        Some(due) if world.now < due => Decision::Wait(Wait {
            until: Some(due),
            on: Waiting::RevertFailed,
        }),
        _ => Decision::Step(Step::Amend(Amendment::TryAgain {
            at: if world.stored(attempt.revision).is_some() {
                At::PreHooks
            } else {
                At::Preparing
            },
            deadline: world.now.plus(world.declared.rollback_timeout),
        })),
    }
}

fn decide_rest(world: &World, ledger: &Ledger) -> Decision {
    let declared = &world.declared;
    let desired = world.desired.digest();
    if let Some(pin) = &ledger.pin
        && pin.is_lifted(desired, declared.generation, &world.orders, world.now)
    {
        return Decision::Step(Step::Amend(Amendment::Unpin));
    }
    for order in &world.orders {
        if let Ruling::Refuse { reason, message } = rule(order, ledger, &world.storage, world.now) {
            return Decision::Step(Step::Refuse {
                request: order.name.clone(),
                reason,
                message,
            });
        }
    }
    if declared.suspend {
        return wait(Waiting::Suspended);
    }
    if let Some(decision) = decide_unknown_release(world, ledger) {
        return decision;
    }
    if let Some((order, target)) = next_order(world, ledger) {
        return begin_rollback(world, ledger, order, target);
    }
    decide_desired(world, ledger)
}

/// Records that Belay knows nothing of: helm was here first, or the ledger was lost.
fn decide_unknown_release(world: &World, ledger: &Ledger) -> Option<Decision> {
    if ledger.newest == 0 {
        let newest = world.newest()?;
        if newest.status.is_pending() {
            return Some(foreign_operation(world, newest.revision, newest.created));
        }
        let deployed = world
            .storage
            .iter()
            .find(|stored| stored.status == Status::Deployed)?;
        return Some(Decision::Step(Step::Adopt {
            revision: deployed.revision,
        }));
    }
    let removed = ledger.current.is_some() && world.storage.is_empty();
    if removed && !asks_to_retry(world, ledger) {
        return Some(wait(Waiting::ReleaseRemoved));
    }
    None
}

fn decide_desired(world: &World, ledger: &Ledger) -> Decision {
    let declared = &world.declared;
    let (digest, chart) = match &world.desired {
        Desired::Is { digest, chart } => (digest, chart),
        Desired::Rejected(rejection) => {
            return Decision::Wait(Wait {
                until: rejection.retry_at,
                on: Waiting::Rejected(rejection.clone()),
            });
        }
        Desired::Unknown => return wait(Waiting::Nothing),
    };
    if let Some(pin) = &ledger.pin {
        let until = match pin.hold {
            crate::Hold::Time(until) => Some(until),
            _ => None,
        };
        return Decision::Wait(Wait {
            until,
            on: Waiting::Pinned,
        });
    }
    let runs = ledger
        .current
        .as_ref()
        .is_some_and(|current| &current.digest == digest && current.consistent);
    if runs && !world.storage.is_empty() {
        return wait(Waiting::Deployed);
    }
    if let Some(blocked) = ledger.block(digest) {
        let unblock = |token: Option<String>| {
            Decision::Step(Step::Amend(Amendment::Unblock {
                digest: digest.clone(),
                token,
            }))
        };
        if asks_to_retry(world, ledger) {
            return unblock(declared.retry.clone());
        }
        match blocked.retry_at {
            Some(due) if world.now >= due => {}
            retry_at => {
                let failed_runs = ledger
                    .current
                    .as_ref()
                    .is_some_and(|current| !current.consistent);
                return Decision::Wait(Wait {
                    until: retry_at,
                    on: if failed_runs {
                        Waiting::LeftInPlace
                    } else {
                        Waiting::Blocked
                    },
                });
            }
        }
    }
    let something_runs = ledger.current.is_some() && !world.storage.is_empty();
    Decision::Step(Step::Begin(Plan {
        kind: if something_runs {
            AttemptKind::Upgrade
        } else {
            AttemptKind::Install
        },
        cause: Cause::Spec {
            generation: declared.generation,
        },
        revision: next_revision(world, ledger),
        digest: digest.clone(),
        chart: chart.clone(),
        from: ledger
            .current
            .as_ref()
            .map(|current| current.revision)
            .or_else(|| world.newest().map(|newest| newest.revision)),
        target: Target::Spec,
        timeout: declared.timeout,
    }))
}

fn begin_rollback(world: &World, ledger: &Ledger, order: &Order, target: Target) -> Decision {
    let (digest, chart) = match &target {
        Target::Proven(digest) => ledger
            .proven
            .iter()
            .find(|proven| &proven.digest == digest)
            .map_or_else(
                || (digest.clone(), ChartId::default()),
                |proven| (digest.clone(), proven.chart.clone()),
            ),
        Target::Stored(revision) => ledger.known(*revision).map_or_else(
            || (Digest::named(""), ChartId::default()),
            |known| (known.digest.clone(), known.chart.clone()),
        ),
        Target::Spec | Target::Newest => (Digest::named(""), ChartId::default()),
    };
    Decision::Step(Step::Begin(Plan {
        kind: AttemptKind::Rollback,
        cause: Cause::Request {
            name: order.name.clone(),
            uid: order.uid.clone(),
        },
        revision: next_revision(world, ledger),
        digest,
        chart,
        from: ledger.current.as_ref().map(|current| current.revision),
        target,
        timeout: world.declared.rollback_timeout,
    }))
}

/// The oldest order that can be carried out.
fn next_order<'w>(world: &'w World, ledger: &Ledger) -> Option<(&'w Order, Target)> {
    if world.declared.suspend {
        return None;
    }
    world
        .orders
        .iter()
        .find_map(|order| match rule(order, ledger, &world.storage, world.now) {
            Ruling::Execute(target) => Some((order, target)),
            _ => None,
        })
}

/// Whether `belay.dev/retry` names the desired digest and has not been acted upon.
fn asks_to_retry(world: &World, ledger: &Ledger) -> bool {
    match (&world.declared.retry, world.desired.digest()) {
        (Some(token), Some(digest)) => {
            let named = token.split('#').next().unwrap_or_default();
            named == digest.as_str() && ledger.retry_seen.as_ref() != Some(token)
        }
        _ => false,
    }
}

fn next_revision(world: &World, ledger: &Ledger) -> u32 {
    1 + world
        .newest()
        .map_or(0, |newest| newest.revision)
        .max(ledger.newest)
}

fn wait(on: Waiting) -> Decision {
    Decision::Wait(Wait { until: None, on })
}
