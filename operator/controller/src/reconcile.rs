//! One reconcile, read aloud: gather, decide, act, report.

use std::sync::Arc;
use std::time::Duration;

use belay_api::helm_release::Stage;
use belay_api::{Duration as Span, HelmRelease, Timestamp};
use belay_rollout::{Backoff, Decision, Place, Step, Wait, Waiting, decide, next_look};
use kube::ResourceExt;
use kube::runtime::controller::Action;

use crate::act::{self, Halt};
use crate::context::Context;
use crate::error::Error;
use crate::memory::Remembered;
use crate::session::Session;
use crate::{clock, gather, report, unreachable};

/// The first wait after an error.
const FIRST_BACKOFF: Span = Span(500);
/// The longest wait after an error.
const LONGEST_BACKOFF: Span = Span::minutes(1);
/// From which error in a row on the status tells of it.
const ERRORS_TOLD: u32 = 4;
/// More steps than any decision needs before it waits: a bound against a loop that makes no progress.
const MAX_STEPS: usize = 200;

/// Reconciles one release, on a task of its own: the controller polls all reconciles on one.
pub(crate) async fn reconcile(
    release: Arc<HelmRelease>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    // Each change of a release comes by here, also those that are no news for itself.
    context.dependents.saw(&release);
    let Some(turn) = context.turns.take(context.lane(&release)).await else {
        return Ok(Action::await_change());
    };
    // It may have waited for long.
    let release = context.cached_release(&release).unwrap_or(release);
    tokio::spawn(async move {
        let _turn = turn;
        let uid = release.uid().unwrap_or_default();
        let outcome = run(&release, &context).await;
        match outcome {
            Ok(action) => Ok(action),
            Err(Error::Stale) => {
                let mut remembered = context.memory.recall(&uid).unwrap_or_default();
                remembered.stale = true;
                context.memory.keep(&uid, remembered);
                Ok(Action::requeue(FIRST_BACKOFF.as_std()))
            }
            Err(Error::Kubeconfig { message, .. }) if unreachable::is_left(&release, &context) => {
                Ok(
                    match unreachable::leave(&context, &release, &message).await {
                        Ok(()) => gone(&context, &release).await,
                        Err(error) => after_error(&release, &context, &error).await,
                    },
                )
            }
            Err(error) => Ok(after_error(&release, &context, &error).await),
        }
    })
    .await?
}

/// What is done with errors that a reconcile could not even begin to handle.
pub(crate) fn error_policy(_: Arc<HelmRelease>, error: &Error, _: Arc<Context>) -> Action {
    tracing::error!(%error, "reconcile ended unexpectedly");
    Action::requeue(LONGEST_BACKOFF.as_std())
}

async fn run(release: &Arc<HelmRelease>, context: &Context) -> Result<Action, Error> {
    let uid = release.uid().unwrap_or_default();
    let remembered = context.memory.recall(&uid);
    if let Some(remembered) = &remembered
        && older(release, remembered.written)
    {
        // Our own last write is on its way; its event comes.
        return Ok(Action::await_change());
    }
    let cluster = context.cluster_of(release).await?;
    let session = match remembered {
        // What was remembered of another cluster says nothing of this one.
        Some(remembered) if !remembered.stale && remembered.epoch == cluster.epoch => {
            Box::pin(gather::from_memory(
                context,
                Arc::clone(release),
                cluster,
                remembered,
            ))
            .await?
        }
        other => match Box::pin(gather::fresh(context, release, other)).await? {
            Some(session) => session,
            None => return Ok(gone(context, release).await),
        },
    };
    let mut session = session;
    context.memory.own(
        session.key.clone(),
        &release.namespace().unwrap_or_default(),
        &release.name_any(),
        &uid,
    );
    let Some(wait) = Box::pin(work(context, &mut session)).await? else {
        return Ok(gone(context, release).await);
    };
    let written = report::report(context, &session, &wait).await?;
    keep(context, &session, written, 0);
    Ok(next(&session, &wait))
}

/// Decides and acts until there is something to wait for. `None`: the release is gone.
async fn work(context: &Context, session: &mut Session) -> Result<Option<Wait>, Error> {
    let mut shown = stage(session);
    for _ in 0..MAX_STEPS {
        let step = match decide(&session.world) {
            Decision::Wait(wait) => return Ok(Some(wait)),
            Decision::Step(step) => step,
        };
        // A question changes nothing.
        let only_asks = matches!(step, Step::Ask { .. });
        if !session.fresh && !only_asks {
            // What cannot be undone is not begun on what is only remembered.
            let remembered = remember(session, 0, 0);
            match Box::pin(gather::fresh(context, &session.release, Some(remembered))).await? {
                Some(fresh) => *session = fresh,
                None => return Ok(None),
            }
            continue;
        }
        tracing::debug!(release = %session.key.release, ?step, "step");
        let name = step_name(&step);
        let done = act::act(context, session, step).await;
        context.metrics.step(name, done.is_ok());
        match done {
            Ok(()) => {}
            Err(Halt::Failed(failure)) => match act::fail(session, *failure).await {
                Ok(()) => {}
                Err(Halt::Error(error)) => return Err(stop(context, session, error)),
                Err(_) => return Err(Error::Stale),
            },
            Err(Halt::Rejected(rejection)) => {
                reject(session, rejection);
                continue;
            }
            Err(Halt::Error(error)) => return Err(stop(context, session, error)),
        }
        if session.world.declared.deleting && !session.world.declared.has_finalizer {
            return Ok(None);
        }
        if !only_asks {
            context.metrics.transition(session);
        }
        let proof = session.world.proof.take();
        gather::refresh(context, session).await?;
        session.world.proof = proof;
        let now_at = stage(session);
        if now_at != shown && matters(now_at.as_ref()) {
            shown = now_at;
            let wait = Wait {
                until: None,
                on: Waiting::Objects,
            };
            let written = report::report(context, session, &wait).await?;
            keep(context, session, written, 0);
        }
    }
    Err(Error::Gone(format!(
        "the release {} made {MAX_STEPS} steps without coming to rest",
        session.key.release
    )))
}

/// Keeps what is known when a step has to be given up for now.
fn stop(context: &Context, session: &Session, error: Error) -> Error {
    if !matches!(error, Error::Stale) {
        let uid = session.release.uid().unwrap_or_default();
        let errors = context.memory.recall(&uid).map_or(0, |known| known.errors);
        keep(context, session, None, errors);
    }
    error
}

/// The spec turned out to come to nothing while it was prepared; the cluster was not touched.
fn reject(session: &mut Session, rejection: belay_rollout::Rejection) {
    if let Some(resolved) = &session.resolved {
        let mut resolved = (**resolved).clone();
        resolved.outcome = Err(rejection.clone());
        session.resolved = Some(Arc::new(resolved));
    }
    session.world.desired = belay_rollout::Desired::Rejected(rejection);
}

fn remember(session: &Session, written: u64, errors: u32) -> Remembered {
    Remembered {
        ledger: session.world.ledger.clone().zip(session.stamp.clone()),
        lost: session.world.lost.clone(),
        storage: session.world.storage.clone(),
        resolved: session.resolved.clone(),
        readiness: session.readiness.clone(),
        record: session.record.clone(),
        epoch: session.cluster.epoch,
        examined: session.examined.clone(),
        drift: session.drift.clone(),
        written,
        errors,
        stale: session.world.ledger.is_none(),
    }
}

fn keep(context: &Context, session: &Session, written: Option<u64>, errors: u32) {
    let uid = session.release.uid().unwrap_or_default();
    let before = context
        .memory
        .recall(&uid)
        .map_or(0, |remembered| remembered.written);
    let own = version(&session.release).unwrap_or(0);
    let written = written.unwrap_or(0).max(before).max(own);
    context
        .memory
        .keep(&uid, remember(session, written, errors));
}

async fn gone(context: &Context, release: &HelmRelease) -> Action {
    let uid = release.uid().unwrap_or_default();
    if let Ok(cluster) = context.cluster_of(release).await {
        let key = gather::watch_key(&gather::storage_key(release));
        cluster.watches.untrack(&key);
        cluster.watches.guard(&key, &[]);
    }
    context.clusters.forget(&uid).await;
    context.checks.forget(&uid);
    context.memory.forget(&uid);
    context.dependents.gone(&Place::of(release));
    context.references.forget(
        &release.namespace().unwrap_or_default(),
        &release.name_any(),
    );
    context.metrics.forget(release);
    Action::await_change()
}

async fn after_error(release: &HelmRelease, context: &Context, error: &Error) -> Action {
    let uid = release.uid().unwrap_or_default();
    let mut remembered = context.memory.recall(&uid).unwrap_or_default();
    remembered.errors += 1;
    // Whatever was half done is found out from the cluster.
    remembered.stale = true;
    let doubled = Backoff::new(FIRST_BACKOFF, LONGEST_BACKOFF).after(remembered.errors);
    let wait = error
        .retry_after()
        .unwrap_or(doubled.as_std())
        .clamp(FIRST_BACKOFF.as_std(), LONGEST_BACKOFF.as_std());
    context.metrics.error(error.category());
    tracing::warn!(
        namespace = release.namespace().unwrap_or_default(),
        name = release.name_any(),
        errors = remembered.errors,
        retry_in = ?wait,
        %error,
        "reconcile failed"
    );
    // One that passes is not worth a line in the status.
    let lasts = remembered.errors >= ERRORS_TOLD && remembered.errors.is_power_of_two();
    if lasts || matches!(error, Error::Kubeconfig { .. }) {
        match report::trouble(context, release, error).await {
            Ok(written) => remembered.written = written.unwrap_or(0).max(remembered.written),
            Err(error) => tracing::warn!(%error, "the trouble cannot be told in the status"),
        }
    }
    context.memory.keep(&uid, remembered);
    Action::requeue(wait)
}

/// When to look again: at the decision's instant, or when the spec is due to be looked at.
fn next(session: &Session, wait: &Wait) -> Action {
    let now = clock::now();
    let due = session
        .resolved
        .as_ref()
        .map(|resolved| resolved.due(&session.release));
    let under_way = session
        .world
        .ledger
        .as_ref()
        .is_some_and(|ledger| ledger.attempt.is_some());
    let due = due.filter(|_| !under_way);
    let look = next_look(&session.world, wait);
    match wait
        .wakes_at(&session.world)
        .into_iter()
        .chain(due)
        .chain(look)
        .min()
    {
        Some(at) => Action::requeue(until(at, now)),
        None => Action::await_change(),
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    at.since(now).as_std().max(Duration::from_millis(20))
}

fn older(release: &HelmRelease, written: u64) -> bool {
    version(release).is_some_and(|version| version < written)
}

pub(crate) fn version(release: &HelmRelease) -> Option<u64> {
    release.metadata.resource_version.as_ref()?.parse().ok()
}

fn stage(session: &Session) -> Option<(String, Stage)> {
    let attempt = session.world.ledger.as_ref()?.attempt.as_ref()?;
    Some((attempt.id.clone(), attempt.stage()))
}

/// Stages that are worth a write of the status: those in which somebody may look for a while. One that failed is followed
/// at once by what comes of it, which tells of the failure, too.
fn matters(stage: Option<&(String, Stage)>) -> bool {
    matches!(
        stage,
        Some((_, Stage::Preparing | Stage::PreHooks | Stage::Removing))
    )
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::AddFinalizer => "add-finalizer",
        Step::Claim => "claim",
        Step::Adopt { .. } => "adopt",
        Step::KeepOutside { .. } => "keep-outside",
        Step::TakeNote { .. } => "take-note",
        Step::BuryForeign { .. } => "bury-foreign",
        Step::Begin(_) => "begin",
        Step::Record => "record",
        Step::Disarm => "disarm",
        Step::StartHook { .. } => "start-hook",
        Step::EndHook { .. } => "end-hook",
        Step::Apply => "apply",
        Step::Replace { .. } => "replace",
        Step::Prove => "prove",
        Step::Soak { .. } => "soak",
        Step::Ask { .. } => "ask",
        Step::Finish => "finish",
        Step::Fail { .. } => "fail",
        Step::Settle => "settle",
        Step::Remove => "remove",
        Step::Forget => "forget",
        Step::Orphan => "orphan",
        Step::Sweep => "sweep",
        Step::Amend(_) => "amend",
        Step::CheckDrift { .. } => "check-drift",
        Step::CorrectDrift { .. } => "correct-drift",
        Step::Preview { .. } => "preview",
        Step::Refuse { .. } => "refuse",
    }
}
