//! The ledger's lists, each within its bound.

use std::cmp::Reverse;

use belay_api::Timestamp;
use belay_api::helm_release::AttemptKind;

use super::{Executed, Known, Ledger, MAX_KNOWN, MAX_PROVEN, Outcome, Proven, Running};
use crate::Failure;
use crate::attempt::{Attempt, Cause};
use crate::blocked::{Blocked, MAX_BLOCKED};

impl Ledger {
    pub(super) fn left_by(&self, attempt: &Attempt) -> Option<Running> {
        let revision = attempt.from?;
        self.current
            .clone()
            .filter(|current| current.revision == revision)
    }

    pub(super) fn prove(&mut self, proven: Proven) {
        self.proven.retain(|old| old.digest != proven.digest);
        self.proven.insert(0, proven);
        self.proven.truncate(MAX_PROVEN);
    }

    /// The ledger as it will be, as far as that takes much room, when this revision is proven: measured before the
    /// first write.
    #[must_use]
    pub fn foreseen(mut self, proven: Proven) -> Self {
        self.prove(proven);
        self
    }

    pub(super) fn block_digest(&mut self, failure: &Failure, now: Timestamp) {
        let failures = 1 + self
            .block(&failure.digest)
            .filter(|blocked| blocked.class == failure.class)
            .map_or(0, |blocked| blocked.failures);
        self.blocked
            .retain(|blocked| blocked.digest != failure.digest);
        self.blocked.insert(
            0,
            Blocked {
                digest: failure.digest.clone(),
                class: failure.class,
                reason: failure.reason,
                message: failure.message.clone(),
                since: failure.at,
                revision: failure.revision,
                failures,
                retry_at: Blocked::retry_at(failure.class, failures, now),
            },
        );
        self.blocked.truncate(MAX_BLOCKED);
    }

    /// An attempt ends without an outcome: whoever ordered it is told.
    pub(super) fn end_unfinished(&mut self, attempt: &Attempt, now: Timestamp) {
        if let Cause::Request { uid, .. } = &attempt.cause {
            let message = format!(
                "revision {} gave way to something newer; make a new request",
                attempt.revision
            );
            self.end_request(uid, &Outcome::Superseded { at: now, message });
        }
    }

    pub(super) fn end_request(&mut self, uid: &str, outcome: &Outcome) {
        let running =
            |executed: &&mut Executed| executed.uid == uid && executed.outcome == Outcome::Running;
        if let Some(executed) = self.executed.iter_mut().find(running) {
            executed.outcome = outcome.clone();
        }
    }

    pub(super) fn remember(&mut self, attempt: &Attempt, now: Timestamp, description: &str) {
        if attempt.kind == AttemptKind::Uninstall {
            return;
        }
        self.note_revision(Known {
            revision: attempt.revision,
            digest: attempt.digest.clone(),
            chart: attempt.chart.clone(),
            at: now,
            description: description.to_owned(),
            cause: Some(attempt.cause.clone()),
        });
    }

    pub(super) fn note_revision(&mut self, known: Known) {
        self.known.retain(|old| old.revision != known.revision);
        self.known.push(known);
        self.known.sort_by_key(|known| Reverse(known.revision));
        self.known.truncate(MAX_KNOWN);
    }
}
