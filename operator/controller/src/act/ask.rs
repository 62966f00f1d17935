//! Sending the questions of checks on their way. Nothing is written, and nobody waits for the answers.

use belay_rollout::CheckId;

use crate::checks::Question;
use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// Asks what these checks ask. One that an edit has taken away meanwhile is passed over.
pub(super) fn ask(context: &Context, session: &Session, checks: &[CheckId]) -> Result<(), Error> {
    let attempt = &session.attempt()?.id;
    let release = &session.release;
    let asked = release.spec.soak.checks.iter();
    for check in asked.filter(|check| checks.contains(&CheckId::of(check))) {
        context.checks.ask(Question {
            release,
            attempt,
            check,
            reader: context.reading_for(release)?,
            account: context.account_of(release).unwrap_or("default"),
        });
    }
    Ok(())
}
