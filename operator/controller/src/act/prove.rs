//! The proof: one fresh read of every object.

use belay_health::Verdict;
use belay_rollout::Proof;

use crate::clock;
use crate::error::Error;
use crate::gather;
use crate::session::Session;

/// Reads every object of the attempt anew.
pub(super) async fn prove(session: &mut Session) -> Result<(), Error> {
    let tracked = gather::applied(session, session.ledger()?).await?;
    let verdicts = session.connection.verdicts(&tracked).await?;
    session.world.now = clock::now();
    session.world.progress =
        gather::progress(session).or_else(|| Some(belay_rollout::Progress::default()));
    let seen = session.world.progress.as_ref();
    session.world.proof = Some(Proof {
        not_current: verdicts
            .into_iter()
            .zip(&tracked)
            .map(|((key, verdict), tracked)| {
                // A Job that failed before it went is no success for having gone.
                let failed = seen
                    .filter(|_| tracked.expires)
                    .and_then(|seen| seen.objects.iter().find(|(of, _)| *of == key))
                    .map(|(_, verdict)| verdict.clone())
                    .filter(Verdict::is_failed);
                (key, failed.unwrap_or(verdict))
            })
            .filter(|(_, verdict)| !verdict.is_current())
            .collect(),
    });
    Ok(())
}
