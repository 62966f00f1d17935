//! The proof: one fresh read of every object.

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
    session.world.proof = Some(Proof {
        not_current: verdicts
            .into_iter()
            .filter(|(_, verdict)| !verdict.is_current())
            .collect(),
    });
    Ok(())
}
