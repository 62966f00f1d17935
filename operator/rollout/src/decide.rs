//! The decision: one step, or what to wait for. Total and pure.

use belay_api::helm_release::{AttemptKind, DeletionPolicy};

use crate::attempt::Cause;
use crate::outside::decide_outside;
use crate::request::{Ruling, rule};
use crate::rest::decide_rest;
use crate::step::{Amendment, Decision, Plan, Step, Target, Wait, Waiting};
use crate::under_way::decide_attempt;
use crate::world::{Desired, Home, World};
use crate::{ChartId, Digest, Ledger, Order, Proven};

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
        // What is refused outright gets no ledger: it would already be a write where none is allowed.
        if let Desired::Rejected(rejection) = &world.desired {
            return wait(Waiting::Rejected(rejection.clone()));
        }
        return if declared.suspend {
            wait(Waiting::Suspended)
        } else {
            Decision::Step(Step::Claim)
        };
    };
    if ledger.owner.uid != declared.identity.uid {
        return inherit(world, ledger).unwrap_or_else(|| wait(Waiting::Claimed));
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
        return Decision::Step(if is_to_be_swept(world) {
            Step::Sweep
        } else {
            Step::Orphan
        });
    };
    if ledger.owner.uid != declared.identity.uid {
        return inherit(world, ledger).unwrap_or(Decision::Step(Step::Orphan));
    }
    if declared.deletion_policy == DeletionPolicy::Orphan {
        return decide_orphan(world, ledger);
    }
    if let Some(attempt) = &ledger.attempt
        && attempt.kind == AttemptKind::Uninstall
    {
        return decide_attempt(world, ledger, attempt);
    }
    // What was never taken over is not ours to remove.
    if ledger.newest == 0 && ledger.attempt.is_none() {
        return Decision::Step(Step::Orphan);
    }
    Decision::Step(Step::Begin(Plan {
        kind: AttemptKind::Uninstall,
        cause: Cause::Deletion,
        revision: world
            .newest()
            .map_or(ledger.newest, |newest| newest.revision),
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
    }))
}

/// Whether the ledger went first, as it does with its namespace: what it held outside of that would stay for ever.
fn is_to_be_swept(world: &World) -> bool {
    let declared = &world.declared;
    declared.deletion_policy == DeletionPolicy::Uninstall
        && world.lost.as_ref().is_some_and(|lost| {
            let ours = lost.owner.uid == declared.identity.uid;
            ours && (lost.newest > 0 || lost.attempt.is_some())
        })
}

/// Two objects cannot have one name at a time: the ledger's owner was this one, under another uid. In another cluster
/// it may as well be that of a second operator's, which has namespaces of its own.
fn inherit(world: &World, ledger: &Ledger) -> Option<Decision> {
    let (before, now) = (&ledger.owner, &world.declared.identity);
    let namesake = world.declared.cluster == Home::Here
        && before.namespace == now.namespace
        && before.name == now.name;
    namesake.then(|| Decision::Step(Step::Amend(Amendment::Inherit { owner: now.clone() })))
}

/// Lets go of a release: helm must not find an operation pending that nobody will end.
fn decide_orphan(world: &World, ledger: &Ledger) -> Decision {
    let pending = ledger.attempt.as_ref().is_some_and(|attempt| {
        world
            .stored(attempt.revision)
            .is_some_and(|stored| stored.status.is_pending())
    });
    Decision::Step(if pending { Step::Settle } else { Step::Orphan })
}

/// The way back to a proven revision.
pub(crate) fn going_back(
    world: &World,
    good: &Proven,
    cause: Cause,
    from: Option<u32>,
    revision: u32,
) -> Decision {
    Decision::Step(Step::Begin(Plan {
        kind: AttemptKind::Revert,
        cause,
        revision,
        digest: good.digest.clone(),
        chart: good.chart.clone(),
        from,
        target: Target::Proven(good.digest.clone()),
        timeout: world.declared.rollback_timeout,
    }))
}

/// The oldest order that can be carried out.
///
/// While an attempt is under way an order speaks of what will be there once the attempt has given way.
pub(crate) fn next_order<'w>(world: &'w World, ledger: &Ledger) -> Option<(&'w Order, Target)> {
    if world.declared.suspend || world.orders.is_empty() {
        return None;
    }
    let given_way = ledger
        .attempt
        .is_some()
        .then(|| ledger.clone().abandoned(world.now));
    let ledger = given_way.as_ref().unwrap_or(ledger);
    world.orders.iter().find_map(
        |order| match rule(order, ledger, &world.storage, world.now) {
            Ruling::Execute(target) => Some((order, target)),
            _ => None,
        },
    )
}

/// The number that the next attempt takes.
pub(crate) fn next_revision(world: &World, ledger: &Ledger) -> u32 {
    1 + world
        .newest()
        .map_or(0, |newest| newest.revision)
        .max(ledger.newest)
}

/// Waits for a change.
pub(crate) fn wait(on: Waiting) -> Decision {
    Decision::Wait(Wait { until: None, on })
}
