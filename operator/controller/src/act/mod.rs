//! Act: one step, short, idempotent, safe to repeat. What a step changes in the ledger is a pure
//! transition of `belay-rollout`; here it is only stored.

mod adopt;
mod apply;
mod ask;
mod begin;
mod claim;
mod compare;
mod correct;
mod disarm;
mod evidence;
mod finish;
mod hooks;
pub(crate) mod objects;
mod outside;
pub(crate) mod preflight;
mod preview;
mod prove;
mod record;
mod remove;
mod replace;
mod requests;
mod secrets;
mod size;
mod stored;
pub(crate) mod surroundings;
mod way_back;

use belay_rollout::{At, Failure, Rejection, Step};

use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// Why a step did not do what it is for.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It is not known, or may go better later.
    Error(Error),
    /// The spec comes to nothing; the cluster was not touched.
    Rejected(Rejection),
    /// The attempt failed.
    Failed(Box<Failure>),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Does one step.
pub(crate) async fn act(context: &Context, session: &mut Session, step: Step) -> Result<(), Halt> {
    session.world.proof = None;
    match step {
        Step::AddFinalizer => Ok(claim::add_finalizer(session).await?),
        Step::Claim => claim::claim(session).await,
        Step::Adopt { revision } => adopt::adopt(context, session, revision).await,
        Step::KeepOutside { revision } => outside::keep(context, session, revision).await,
        Step::TakeNote { of } => Ok(outside::take_note(session, of).await?),
        Step::BuryForeign { revision } => Ok(outside::bury(session, revision).await?),
        Step::Begin(plan) => begin::begin(context, session, plan).await,
        Step::Record => record::record(context, session).await,
        Step::Disarm => disarm::disarm(session).await,
        Step::StartHook { index } => hooks::start(session, index).await,
        Step::EndHook { index } => hooks::end(context, session, index).await,
        Step::Apply => apply::apply(session).await,
        Step::Replace { pods } => Ok(replace::replace(session, &pods).await?),
        Step::Prove => Ok(prove::prove(session).await?),
        Step::Soak { until } => finish::soak(session, until).await,
        Step::Ask { checks } => Ok(ask::ask(context, session, &checks)?),
        Step::Finish => finish::finish(session).await,
        Step::Fail { failure } => fail(session, *failure).await,
        Step::Settle => Ok(finish::settle(session).await?),
        Step::Remove => Ok(remove::remove(session).await?),
        Step::Forget => Ok(remove::forget(session).await?),
        Step::Orphan => Ok(claim::release(session).await?),
        Step::Sweep => Ok(remove::sweep(session).await?),
        Step::Amend(amendment) => {
            let now = session.world.now;
            Ok(session
                .transition(|ledger| amendment.apply(ledger, now))
                .await?)
        }
        Step::CheckDrift { scope } => Ok(compare::compare(context, session, &scope).await?),
        Step::CorrectDrift { corrections } => {
            Ok(correct::correct(context, session, corrections).await?)
        }
        Step::Preview { request, target } => {
            Ok(preview::preview(session, &request, &target).await?)
        }
        Step::Refuse {
            request,
            reason,
            message,
        } => Ok(requests::refuse(session, &request, reason, &message).await?),
    }
}

/// Writes a failure with its evidence into the ledger; its digest is blocked by the same write.
pub(crate) async fn fail(session: &mut Session, failure: Failure) -> Result<(), Halt> {
    let touched = !matches!(session.attempt()?.at, At::Preparing);
    let failure = evidence::collect(session, failure).await;
    // Only now: what a failed hook said is part of the evidence.
    hooks::clean_up_after(session, &failure).await?;
    let now = session.world.now;
    session
        .transition(|ledger| ledger.failed(failure, touched, now))
        .await?;
    session.record = None;
    Ok(())
}
