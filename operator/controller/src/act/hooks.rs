//! Hooks: made once for an attempt, resumed by it, judged, cleaned up.

use std::time::Duration;

use belay_api::Reason;
use belay_api::helm_release::FailureClass;
use belay_cluster::hooks::{ATTEMPT, attempt_of, hook_end};
use belay_cluster::{HookEnd, HookObject, HookRun, NotDone, Tracked};
use belay_health::{Verdict, hook_verdict};
use belay_release::{Hook, HookDeletePolicy, HookOutputLogPolicy, Manifest};
use belay_rollout::{At, Failure, HookProgress};
use serde_json::Value;

use super::record::{pending, remaining};
use super::{Halt, claim, evidence, objects};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::gather;
use crate::report;
use crate::session::Session;

/// How long a hook's object of an earlier attempt may take to go.
const GONE_WITHIN: Duration = Duration::from_mins(1);

/// Creates the hook's object, or finds the one that was made for this attempt, then notes it.
pub(super) async fn start(session: &mut Session, index: usize) -> Result<(), Halt> {
    let hook = find(session, index).await?;
    let attempt = session.attempt()?;
    let id = attempt.id.clone();
    let object = objects::hook_object(&hook)?;
    let within = remaining(session.ledger()?, clock::now()).min(GONE_WITHIN);
    let namespace = session.release.target_namespace().to_owned();
    let made = session
        .connection
        .ensure_hook(HookObject {
            object: &object,
            attempt: &id,
            namespace: &namespace,
            replace: hook.deletes(&HookDeletePolicy::BeforeCreation),
            gone_within: within,
        })
        .await;
    let run = match made {
        Ok(run) => run,
        Err(error) if session.world.declared.deleting && claim::namespace_is_going(&error) => {
            return Ok(done(session, index).await?);
        }
        Err(NotDone::Refused(source)) => {
            let message = format!(
                "hook {} {} cannot be created: {source}",
                hook.kind, hook.name
            );
            return Err(failed(session, message)?);
        }
        Err(error) => return Err(error.into()),
    };
    gather::track(session, vec![Tracked::hook(&run)], None);
    let now = clock::now();
    session
        .transition(|ledger| ledger.hook_at(index, HookProgress::Started, now))
        .await?;
    session.world.progress = gather::progress(session);
    Ok(())
}

/// Finds out how a started hook stands; records its result before its object is deleted.
pub(super) async fn end(
    context: &Context,
    session: &mut Session,
    index: usize,
) -> Result<(), Halt> {
    let hook = find(session, index).await?;
    let attempt = session.attempt()?;
    let plan = attempt.hooks.get(index).ok_or(Error::Stale)?.clone();
    let (id, deadline) = (attempt.id.clone(), attempt.deadline);
    let key = plan.object.key();
    let live = session.connection.get(&key).await?;
    let ours = live.filter(|live| attempt_of(live) == Some(id.as_str()));
    if matches!(plan.progress, HookProgress::Succeeded | HookProgress::Done) {
        clean_up(session, &hook, ours.as_ref(), HookDeletePolicy::Succeeded).await?;
        return Ok(done(session, index).await?);
    }
    let verdict = match &ours {
        Some(live) => hook_verdict(live),
        // Gone already, a TTL perhaps: the watch may have seen how it ended.
        None => seen(session, index).unwrap_or(Verdict::Missing),
    };
    match hook_end(&verdict) {
        Some(HookEnd::Succeeded) => {
            if hook
                .output_log_policies
                .contains(&HookOutputLogPolicy::Succeeded)
            {
                let name = format!("{} {}", hook.kind, hook.name);
                let output = evidence::output(session, &key).await;
                report::hook_printed(context, &session.release, &name, &output).await;
            }
            if !hook.deletes(&HookDeletePolicy::Succeeded) {
                return Ok(done(session, index).await?);
            }
            // Hooks after it may need its object: it goes when all of them have run.
            let now = clock::now();
            session
                .transition(|ledger| ledger.hook_at(index, HookProgress::Succeeded, now))
                .await?;
            Ok(())
        }
        Some(HookEnd::Failed { reason, message }) => {
            let message = format!(
                "hook {} {} failed: {reason}: {message}",
                hook.kind, hook.name
            );
            Err(failed(session, message)?)
        }
        Some(HookEnd::Vanished) => {
            let message = format!(
                "hook {} {} was deleted before it said how it ended; its annotation {ATTEMPT} was {id}",
                hook.kind, hook.name
            );
            Err(failed(session, message)?)
        }
        None if clock::now() >= deadline => {
            let message = format!(
                "hook {} {} did not end in time: {verdict}",
                hook.kind, hook.name
            );
            Err(failed(session, message)?)
        }
        None => {
            if let Some(live) = &ours {
                let run = run_of(&plan.object.key(), live, verdict);
                gather::track(session, vec![Tracked::hook(&run)], None);
            }
            session.world.progress = gather::progress(session);
            Ok(())
        }
    }
}

/// Deletes the objects of hooks as their policies say when an attempt fails: those that failed, if it was a hook, and
/// those that succeeded before.
pub(super) async fn clean_up_after(session: &mut Session, failure: &Failure) -> Result<(), Error> {
    let attempt = session.attempt()?;
    let id = attempt.id.clone();
    let plans: Vec<_> = attempt.hooks.iter().cloned().enumerate().collect();
    for (index, plan) in plans.into_iter().rev() {
        let policy = match plan.progress {
            HookProgress::Succeeded => HookDeletePolicy::Succeeded,
            HookProgress::Started
                if matches!(failure.reason, Reason::HookFailed | Reason::TestFailed) =>
            {
                HookDeletePolicy::Failed
            }
            _ => continue,
        };
        let hook = find(session, index).await?;
        if !hook.deletes(&policy) {
            continue;
        }
        let live = session.connection.get(&plan.object.key()).await?;
        let ours = live.filter(|live| attempt_of(live) == Some(id.as_str()));
        clean_up(session, &hook, ours.as_ref(), policy).await?;
    }
    Ok(())
}

fn run_of(key: &belay_health::ObjectKey, live: &Value, verdict: Verdict) -> HookRun {
    HookRun {
        key: key.clone(),
        uid: belay_cluster::object::uid(live)
            .unwrap_or_default()
            .to_owned(),
        resource_version: belay_cluster::object::resource_version(live),
        resumed: true,
        verdict,
    }
}

async fn clean_up(
    session: &Session,
    hook: &Hook,
    live: Option<&Value>,
    policy: HookDeletePolicy,
) -> Result<(), Error> {
    let Some(live) = live.filter(|_| hook.deletes(&policy)) else {
        return Ok(());
    };
    let objects = Manifest::parse(&hook.manifest)?.objects()?;
    let Some(object) = objects.first() else {
        return Ok(());
    };
    let place = session
        .connection
        .place(object, session.release.target_namespace())
        .await?;
    let run = run_of(&place.key, live, Verdict::Current);
    session.connection.clean_up_hook(&run).await?;
    Ok(())
}

async fn done(session: &mut Session, index: usize) -> Result<(), Error> {
    let now = clock::now();
    session
        .transition(|ledger| ledger.hook_at(index, HookProgress::Done, now))
        .await
}

fn seen(session: &Session, index: usize) -> Option<Verdict> {
    let key = session
        .world
        .ledger
        .as_ref()?
        .attempt
        .as_ref()?
        .hooks
        .get(index)?
        .object
        .key();
    let progress = session.world.progress.as_ref()?;
    progress
        .objects
        .iter()
        .find(|(object, _)| object == &key)
        .map(|(_, verdict)| verdict.clone())
}

fn failed(session: &Session, message: String) -> Result<Halt, Error> {
    let attempt = session.attempt()?;
    Ok(Halt::Failed(Box::new(Failure {
        revision: Some(attempt.revision),
        digest: attempt.digest.clone(),
        class: FailureClass::Terminal,
        reason: match attempt.at {
            At::Testing => Reason::TestFailed,
            _ => Reason::HookFailed,
        },
        message,
        at: clock::now(),
        objects: Vec::new(),
        pods: Vec::new(),
        timeline: attempt.timeline.clone(),
    })))
}

/// The hook's manifest, out of the pending record.
async fn find(session: &mut Session, index: usize) -> Result<Hook, Error> {
    let plan = session
        .attempt()?
        .hooks
        .get(index)
        .ok_or(Error::Stale)?
        .clone();
    let record = pending(session).await?;
    record
        .hooks
        .iter()
        .find(|hook| hook.kind == plan.object.kind && hook.name == plan.object.name)
        .cloned()
        .ok_or_else(|| Error::Gone(format!("the hook {} in the record", plan.object)))
}
