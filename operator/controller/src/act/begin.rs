//! The intent: what is to be rolled out is known, checked by the API server and fits its storage,
//! before the first write that it causes.

use std::sync::Arc;

use belay_api::helm_release::{AfterHooks, AttemptKind};
use belay_api::{Reason, Timestamp};
use belay_chart::Release;
use belay_release::{Info, Record, Status};
use belay_rollout::{
    Approval, At, Attempt, Cause, ChartId, Digest, Executed, Outcome, Plan, Running, Target,
};
use serde_json::value::to_raw_value;

use super::objects::{self, Runs};
use super::preflight::{Untried, preflight};
use super::requests;
use super::size::{fits_the_ledger, fitted};
use super::stored::{self, Found};
use super::{Halt, outside};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::gather::{self, origins};
use crate::render::Rendering;
use crate::report;
use crate::session::Session;

/// Begins an attempt.
pub(super) async fn begin(
    context: &Context,
    session: &mut Session,
    mut plan: Plan,
) -> Result<(), Halt> {
    if let Cause::Request { uid, .. } = &plan.cause {
        let order = session.world.orders.iter().find(|order| &order.uid == uid);
        gather::confirm_approval(session, order.ok_or(Error::Stale)?).await?;
    }
    if matches!(plan.cause, Cause::Spec { .. }) {
        gather::confirm_dependencies(session).await?;
    }
    let id = clock::attempt_id();
    if plan.kind == AttemptKind::Uninstall {
        return begin_removal(session, plan, id).await;
    }
    let mut untried = Vec::new();
    let mut record = match &plan.target {
        Target::Spec => {
            let rendering = render(context, session, plan.kind, plan.revision).await?;
            let record = record_of(session, &rendering, plan.kind, plan.revision, &id)?;
            untried = preflight(session, &record, &rendering, plan.kind).await?;
            record
        }
        Target::Proven(digest) => {
            let proven = session.ledger()?.proven(digest).ok_or_else(|| {
                Error::Gone(format!("the proven revision {digest} is not in the ledger"))
            })?;
            let mut record = proven.record.record().map_err(Error::from)?;
            renew(session, &mut record, plan.kind, plan.revision, &id);
            record
        }
        Target::Stored(revision) => {
            let revision = *revision;
            let mut record = match stored::find(session, revision).await? {
                Found::Whole(stored) => stored.record,
                Found::Gone => {
                    let what = format!("revision {revision} is not in Helm's storage");
                    return Err(Error::Gone(what).into());
                }
                Found::Damaged(why) => {
                    return Ok(refuse_damaged(session, &plan, revision, &why).await?);
                }
            };
            plan.chart = chart_id(&record);
            if plan.digest == Digest::named("") {
                plan.digest = Digest::of_manifest(&session.ledger()?.key, &record.manifest);
            }
            renew(session, &mut record, plan.kind, plan.revision, &id);
            record
        }
        Target::Newest => return Err(Error::Stale.into()),
    };
    record.info.description = describe(plan.kind, &id);
    let record = fitted(record)?;
    let now = clock::now();
    if !matches!(plan.target, Target::Proven(_)) {
        fits_the_ledger(session, &record, &plan, now)?;
    }
    let executed = executed(session, &plan, now)?;
    let mut attempt = attempt(&plan, id, now).moved(At::Preparing, now);
    for Untried { object, why } in &untried {
        attempt.note(now, format!("{object} is applied untried: {why}"));
    }
    let brought = outside::brought(session).await?;
    session
        .transition(|ledger| ledger.noticed(&brought).begun(attempt, executed))
        .await?;
    session.record = Some(Arc::new(record));
    report::untried(context, &session.release, &untried).await;
    Ok(())
}

/// What a request names cannot be read: it is told so, and nothing is begun.
async fn refuse_damaged(
    session: &mut Session,
    plan: &Plan,
    revision: u32,
    why: &str,
) -> Result<(), Error> {
    stored::note_damage(session, revision, why).await?;
    let Cause::Request { name, .. } = &plan.cause else {
        return Err(Error::Gone(format!("revision {revision}: {why}")));
    };
    let message = format!("revision {revision} cannot be brought back: {why}");
    requests::refuse(session, name, Reason::RevisionNotFound, &message).await
}

/// A removal has no record of its own: its hooks are those of the newest one.
async fn begin_removal(session: &mut Session, plan: Plan, id: String) -> Result<(), Halt> {
    let record = match stored::find_whole(session, plan.revision).await? {
        Some(record) => Some(record),
        // Somebody took or broke it: what is known to have worked has its hooks, too.
        None => session
            .ledger()?
            .last_good()
            .map(|good| good.record.record())
            .transpose()?
            .map(|good| Record {
                version: plan.revision,
                ..good
            }),
    };
    let now = clock::now();
    let mut attempt = attempt(&plan, id, now);
    if let Some(record) = &record {
        let disabled = session.release.spec.uninstall.disable_hooks
            // They ran when somebody's helm removed it.
            || session.ledger()?.removed.is_some()
            || session
                .world
                .storage
                .iter()
                .all(|stored| stored.status.is_pending());
        let runs = Runs {
            hooks: !disabled,
            tests: false,
            after_hooks: AfterHooks::Revert,
        };
        attempt.hooks = objects::hook_plan(&session.connection, record, plan.kind, runs).await?;
    }
    let attempt = attempt.moved(At::PreHooks, now);
    let brought = outside::brought(session).await?;
    session
        .transition(|ledger| ledger.noticed(&brought).begun(attempt, None))
        .await?;
    session.record = record.map(Arc::new);
    Ok(())
}

fn attempt(plan: &Plan, id: String, now: Timestamp) -> Attempt {
    Attempt {
        id,
        kind: plan.kind,
        cause: plan.cause.clone(),
        revision: plan.revision,
        digest: plan.digest.clone(),
        chart: plan.chart.clone(),
        from: plan.from,
        at: At::Preparing,
        started_at: now,
        deadline: now.plus(plan.timeout),
        hooks: Vec::new(),
        timeline: Vec::new(),
        failures: 0,
    }
}

fn executed(session: &Session, plan: &Plan, now: Timestamp) -> Result<Option<Executed>, Error> {
    let Cause::Request { uid, .. } = &plan.cause else {
        return Ok(None);
    };
    let ledger = session.ledger()?;
    let Some(order) = session.world.orders.iter().find(|order| &order.uid == uid) else {
        return Err(Error::Stale);
    };
    let revision = match &plan.target {
        Target::Stored(revision) => *revision,
        _ => ledger
            .proven(&plan.digest)
            .map_or(plan.revision, |proven| proven.revision),
    };
    Ok(Some(Executed {
        name: order.name.clone(),
        uid: order.uid.clone(),
        spec_hash: order.spec_hash(),
        started_at: now,
        from: ledger.current.clone(),
        to: Running {
            revision,
            digest: plan.digest.clone(),
            chart: plan.chart.clone(),
            since: now,
            consistent: true,
        },
        new_revision: plan.revision,
        outcome: Outcome::Running,
        approved_by: match &order.approval {
            Approval::Given { by } => Some(by.clone()),
            _ => None,
        },
    }))
}

/// Renders what the spec asks for.
pub(super) async fn render(
    context: &Context,
    session: &Session,
    kind: AttemptKind,
    revision: u32,
) -> Result<Rendering, Halt> {
    let resolved = session.resolved.clone().ok_or(Error::Stale)?;
    let ready = match &resolved.outcome {
        Ok(ready) => ready,
        Err(rejection) => return Err(Halt::Rejected(rejection.clone())),
    };
    let release = Release {
        name: session.key.release.clone(),
        namespace: session.release.target_namespace().to_owned(),
        revision: i64::from(revision),
        is_upgrade: kind != AttemptKind::Install,
    };
    let rendered = context.renders.render(&session.connection, ready, release);
    match rendered.await? {
        Ok(rendering) => Ok(rendering),
        Err(mut rejection) => {
            if rejection.reason == Reason::SchemaViolation {
                let name = ready.chart.name();
                let text = rejection.message.as_str();
                rejection.message = origins(context, session, name, text).await?;
            }
            Err(Halt::Rejected(rejection))
        }
    }
}

/// The pending record of a rendering.
pub(super) fn record_of(
    session: &Session,
    rendering: &Rendering,
    kind: AttemptKind,
    revision: u32,
    id: &str,
) -> Result<Record, Error> {
    let resolved = session.resolved.as_ref().ok_or(Error::Stale)?;
    let ready = resolved.outcome.as_ref().map_err(|_| Error::Stale)?;
    let values = belay_yaml::to_serde(&belay_yaml::Value::Map((*ready.values).clone()));
    let mut record = Record::new(
        &session.key.release,
        session.release.target_namespace(),
        revision,
    );
    record.chart = to_raw_value(&rendering.chart).ok();
    record.config = to_raw_value(&values).ok();
    record.manifest = rendering.rendered.manifest.to_text();
    record.hooks.clone_from(&rendering.rendered.hooks);
    record.info.notes.clone_from(&rendering.notes);
    renew(session, &mut record, kind, revision, id);
    Ok(record)
}

/// The record as a new, pending revision.
pub(super) fn renew(
    session: &Session,
    record: &mut Record,
    kind: AttemptKind,
    revision: u32,
    id: &str,
) {
    let now = clock::now();
    let first = session
        .world
        .ledger
        .as_ref()
        .and_then(|ledger| ledger.known.last())
        .map_or(now, |known| known.at);
    record.version = revision;
    record.apply_method = Some(belay_release::APPLY_METHOD_SERVER_SIDE.to_owned());
    record.info = Info {
        first_deployed: Some(first.to_string()),
        last_deployed: Some(now.to_string()),
        description: describe(kind, id),
        status: match kind {
            AttemptKind::Install => Status::PendingInstall,
            AttemptKind::Rollback | AttemptKind::Revert => Status::PendingRollback,
            AttemptKind::Upgrade | AttemptKind::Uninstall => Status::PendingUpgrade,
        },
        notes: std::mem::take(&mut record.info.notes),
        ..Info::default()
    };
}

/// The pending record's description names the attempt, so that a restart knows its own record.
pub(super) fn describe(kind: AttemptKind, id: &str) -> String {
    format!("{kind:?} by Belay, attempt {id}")
}

/// Names and versions of a record's chart.
pub(super) fn chart_id(record: &Record) -> ChartId {
    let summary = record.chart_summary();
    ChartId {
        name: summary.name,
        version: summary.version,
        app_version: summary.app_version,
    }
}
