//! Changes to the ledger that need nothing from the cluster.

use belay_api::Timestamp;

use crate::{Amendment, Ledger};

impl Amendment {
    /// The ledger as the amendment leaves it.
    #[must_use]
    pub fn apply(self, ledger: Ledger, now: Timestamp) -> Ledger {
        match self {
            Self::Move(at) => ledger.moved(at, now),
            Self::Heard { soaking, news } => ledger.heard(soaking, news),
            Self::Abandon => ledger.abandoned(now),
            Self::Remove(removal) => ledger.removed_by_hand(removal, now),
            Self::Unblock { digest, token } => ledger.unblocked(&digest, token.as_deref()),
            Self::Inherit { owner } => Ledger { owner, ..ledger },
            Self::Unpin => ledger.unpinned(),
            Self::TryAgain { at, deadline } => {
                let mut ledger = ledger.moved(at, now);
                if let Some(attempt) = &mut ledger.attempt {
                    attempt.deadline = deadline;
                }
                ledger
            }
        }
    }
}
