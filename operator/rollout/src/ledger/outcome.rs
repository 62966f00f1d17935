//! How an attempt ends: as a failure, as what soaks, or as what is good.

use belay_api::helm_release::{AttemptKind, FailureClass, Moment};
use belay_api::{Duration, Reason, Timestamp};

use super::{Ledger, Outcome, Proven, Running, Tested};
use crate::attempt::{At, Attempt, Cause, Soaking};
use crate::{Backoff, Failure, Pin};

/// The pauses before a way back or a removal is tried again.
const AGAIN: Backoff = Backoff::new(Duration::seconds(15), Duration::minutes(60));

impl Ledger {
    /// The attempt failed: its digest is blocked in the same write.
    #[must_use]
    pub fn failed(mut self, failure: Failure, touched: bool, now: Timestamp) -> Self {
        let Some(mut attempt) = self.attempt.take() else {
            return self;
        };
        attempt.failures += 1;
        // What keeps a failed install from being cleaned up is not why it failed.
        let cleaning = attempt.at == At::Removing && attempt.kind == AttemptKind::Install;
        let overtaken = failure.class == FailureClass::Superseded;
        let blocks = match attempt.kind {
            AttemptKind::Install | AttemptKind::Upgrade => !overtaken && !cleaning,
            AttemptKind::Rollback | AttemptKind::Revert | AttemptKind::Uninstall => false,
        };
        if !overtaken && attempt.kind != AttemptKind::Revert {
            self.halted |= attempt.past_point_of_no_return().is_some();
        }
        let retry_at = matches!(attempt.kind, AttemptKind::Revert | AttemptKind::Uninstall)
            .then(|| now.plus(AGAIN.after(attempt.failures)));
        if blocks {
            self.block_digest(&failure, now);
        }
        if let Cause::Request { uid, .. } = &attempt.cause {
            let message = failure.message.clone();
            let outcome = if overtaken {
                Outcome::Superseded { at: now, message }
            } else {
                Outcome::Failed { at: now, message }
            };
            self.end_request(&uid.clone(), &outcome);
        }
        if !overtaken && !cleaning {
            self.last_failure = Some(failure.clone());
        }
        self.remember(&attempt, now, &failure.message);
        self.attempt = Some(attempt.moved(
            At::Failed {
                failure: Box::new(failure),
                touched,
                retry_at,
            },
            now,
        ));
        self
    }

    /// The attempt is over without an outcome of its own: what it left stays.
    #[must_use]
    pub fn abandoned(mut self, now: Timestamp) -> Self {
        let Some(attempt) = self.attempt.take() else {
            return self;
        };
        self.end_unfinished(&attempt, now);
        let touched = match attempt.at {
            At::Preparing => false,
            At::Failed { touched, .. } => touched,
            _ => true,
        };
        if touched {
            self.current = Some(Running {
                revision: attempt.revision,
                digest: attempt.digest,
                chart: attempt.chart,
                since: now,
                consistent: false,
            });
        }
        self
    }

    /// A failed first install was cleaned up: nothing of it is left.
    #[must_use]
    pub fn cleared(mut self) -> Self {
        self.attempt = None;
        self.current = None;
        self.inventory.clear();
        self.newest = 0;
        self.known.clear();
        self.halted = false;
        self
    }

    /// All is ready and Helm's record says so: it runs, and counts as good from `until` on unless it goes bad.
    #[must_use]
    pub fn soaking(mut self, until: Timestamp, description: &str, now: Timestamp) -> Self {
        let Some(mut attempt) = self.attempt.take() else {
            return self;
        };
        self.remember(&attempt, now, description);
        self.tested = tested(&attempt);
        self.current = Some(Running {
            revision: attempt.revision,
            digest: attempt.digest.clone(),
            chart: attempt.chart.clone(),
            since: now,
            consistent: true,
        });
        attempt.deadline = until;
        let at = At::Soaking(Soaking {
            since: now,
            until,
            unsteady_since: None,
            answered: Vec::new(),
        });
        self.attempt = Some(attempt.moved(at, now));
        self
    }

    /// Checks of the soak have answered.
    #[must_use]
    pub fn heard(mut self, soaking: Soaking, news: Vec<Moment>) -> Self {
        if let Some(attempt) = &mut self.attempt {
            attempt.at = At::Soaking(soaking);
            for moment in news {
                attempt.note(moment.at, moment.what);
            }
        }
        self
    }

    /// The attempt succeeded; `proven` says so with all that is needed to bring it back.
    #[must_use]
    pub fn finished(
        mut self,
        proven: Proven,
        pin: Option<Pin>,
        description: &str,
        now: Timestamp,
    ) -> Self {
        let Some(attempt) = self.attempt.take() else {
            return self;
        };
        if let Cause::Request { uid, name, .. } = &attempt.cause {
            let left = self.left_by(&attempt);
            // One that failed for a cause of its own stays blocked for that, when the hold is over, too.
            let left = left
                .filter(|left| left.digest != attempt.digest && self.block(&left.digest).is_none());
            if let Some(left) = left {
                let failure = Failure {
                    revision: Some(left.revision),
                    digest: left.digest,
                    class: FailureClass::Operator,
                    reason: Reason::RolledBackByRequest,
                    message: format!(
                        "revision {} was taken back by the request {name}",
                        left.revision
                    ),
                    at: now,
                    objects: Vec::new(),
                    pods: Vec::new(),
                    timeline: Vec::new(),
                };
                self.block_digest(&failure, now);
            }
            self.end_request(uid, &Outcome::Complete { at: now });
        }
        self.blocked
            .retain(|blocked| blocked.digest != attempt.digest);
        self.remember(&attempt, now, description);
        self.pin = pin.or(match attempt.kind {
            AttemptKind::Revert => self.pin,
            _ => None,
        });
        self.way_back = None;
        self.soaked = None;
        self.tested = tested(&attempt);
        let soaked = matches!(attempt.at, At::Soaking(_));
        let since = match &self.current {
            Some(current) if soaked => current.since,
            _ => now,
        };
        self.current = Some(Running {
            revision: attempt.revision,
            digest: attempt.digest,
            chart: attempt.chart,
            since,
            consistent: true,
        });
        self.inventory.retain(|tracked| tracked.wanted);
        self.halted = false;
        self.prove(proven);
        self
    }
}

fn tested(attempt: &Attempt) -> Option<Tested> {
    let tests = attempt.tests();
    (tests > 0).then_some(Tested {
        revision: attempt.revision,
        tests,
    })
}
