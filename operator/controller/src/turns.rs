//! How many reconciles run at once, and whose turn is next.
//!
//! kube's controller could bound them too, but takes those that wait for their turn in no order: of a thousand releases
//! some would wait for all others. So it is given no bound, and they wait here.

use belay_api::helm_release::{AttemptKind, Stage};
use belay_cluster::{Lane, Permit, Permits};
use belay_rollout::Ledger;
use tokio::sync::watch;

/// The turns of an operator.
pub(crate) struct Turns {
    // Holds at most one entry for each release.
    permits: Permits,
    over: watch::Receiver<bool>,
}

impl Turns {
    /// So many at once, until it is over.
    pub(crate) fn new(most: u16, over: watch::Receiver<bool>) -> Self {
        Self {
            permits: Permits::new(usize::from(most)),
            over,
        }
    }

    /// Waits for a turn, which ends with what is given. `None`: the operator ends, and what has not begun by then is
    /// left to the next one.
    pub(crate) async fn take(&self, lane: Lane) -> Option<Permit> {
        let mut over = self.over.clone();
        tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => None,
            turn = self.permits.acquire(lane) => Some(turn),
        }
    }
}

/// What a release's next reconcile, and what it asks of the API server, gives way to: what goes back comes first, then
/// what has begun.
pub(crate) fn lane(ledger: Option<&Ledger>) -> Lane {
    let Some(attempt) = ledger.and_then(|ledger| ledger.attempt.as_ref()) else {
        return Lane::New;
    };
    match (attempt.kind, attempt.stage()) {
        (AttemptKind::Revert | AttemptKind::Rollback, _) | (_, Stage::Failed) => Lane::Revert,
        _ => Lane::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn those_that_wait_are_served_in_order_and_those_under_way_first() {
        let (_ending, over) = watch::channel(false);
        let turns = Turns::new(1, over);
        let held = turns.take(Lane::New).await;
        let mut first = pin!(turns.take(Lane::New));
        let mut second = pin!(turns.take(Lane::New));
        let mut under_way = pin!(turns.take(Lane::Waiting));
        assert!(poll!(first.as_mut()).is_pending());
        assert!(poll!(second.as_mut()).is_pending());
        assert!(poll!(under_way.as_mut()).is_pending());
        drop(held);
        let turn = under_way.await;
        assert!(turn.is_some());
        assert!(poll!(second.as_mut()).is_pending());
        drop(turn);
        let turn = first.await;
        assert!(turn.is_some());
        assert!(poll!(second.as_mut()).is_pending());
        drop(turn);
        assert!(second.await.is_some());
    }

    #[tokio::test]
    async fn an_operator_that_ends_begins_nothing_more() {
        let (ending, over) = watch::channel(false);
        let turns = Turns::new(1, over);
        let held = turns.take(Lane::New).await;
        let mut waiting = pin!(turns.take(Lane::Revert));
        assert!(poll!(waiting.as_mut()).is_pending());
        ending.send_replace(true);
        assert!(waiting.await.is_none());
        drop(held);
        assert!(turns.take(Lane::Revert).await.is_none());
    }
}
