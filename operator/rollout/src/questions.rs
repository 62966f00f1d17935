//! When the checks of a soak are asked, how long a soak waits for them, and when one has failed.

use belay_api::helm_release::{Check, CheckState, CheckStatus, FailureClass};
use belay_api::{Duration, Reason, Timestamp};

use crate::attempt::Soaking;
use crate::check::{CheckId, Look, Reading, Reply};
use crate::world::World;
use crate::{Attempt, Failure};

/// After how long a question counts as lost whose end nobody told: longer than any question is given.
const LOST: Duration = Duration::seconds(60);
/// The most bytes of a query that a failure tells.
const QUERY: usize = 400;
/// The most answers that a failure tells; its timeline has more.
const TOLD: usize = 3;

/// When a check is asked next.
enum Next {
    Now,
    At(Timestamp),
    /// A question is on its way; after this instant it is lost.
    Awaited(Timestamp),
    /// Not any more.
    Over,
}

/// The checks of a soak.
pub(crate) struct Questions<'w> {
    checks: &'w [Check],
    looks: &'w [Look],
    soaking: &'w Soaking,
    now: Timestamp,
}

impl<'w> Questions<'w> {
    pub(crate) fn of(world: &'w World, soaking: &'w Soaking) -> Self {
        Self {
            checks: &world.declared.soak.checks,
            looks: &world.looks,
            soaking,
            now: world.now,
        }
    }

    /// Those that are to be asked now.
    pub(crate) fn due(&self) -> Vec<CheckId> {
        let due = self.checks.iter().map(|check| (check, CheckId::of(check)));
        due.filter(|(check, id)| matches!(self.next(check, id), Next::Now))
            .map(|(_, id)| id)
            .collect()
    }

    /// When to look again; nothing once no check is asked any more.
    pub(crate) fn wakes_at(&self) -> Option<Timestamp> {
        let next = |check| match self.next(check, &CheckId::of(check)) {
            Next::Now => Some(self.now),
            Next::At(at) | Next::Awaited(at) => Some(at),
            Next::Over => None,
        };
        self.checks.iter().filter_map(next).min()
    }

    /// A check is asked each interval until the end of the soak. One whose last answer was bad is asked on beyond it,
    /// until it answers well, or badly often enough, or not at all: nothing counts as good on a bad answer, and nothing
    /// waits for ever for one that does not come.
    fn next(&self, check: &Check, id: &CheckId) -> Next {
        let look = self.looks.iter().find(|look| look.check == *id);
        if let Some(since) = look.and_then(|look| look.asking) {
            let lost = since.plus(LOST);
            if self.now < lost {
                return Next::Awaited(lost);
            }
        }
        let last = look.and_then(|look| look.last.as_ref());
        let bad = self.bad(id).last().map(|reading| reading.at);
        let latest = [Some(self.soaking.since), last.map(|last| last.at), bad];
        let due = latest.into_iter().flatten().max().unwrap_or(self.now);
        let due = due.plus(check.interval);
        let is_silent = last.is_some_and(|last| matches!(last.reply, Reply::None { .. }));
        let is_turning = bad.is_some() && !is_silent;
        if due > self.soaking.until && !is_turning {
            Next::Over
        } else if due <= self.now {
            Next::Now
        } else {
            Next::At(due)
        }
    }

    fn bad(&self, id: &CheckId) -> &'w [Reading] {
        let answered = self.soaking.answered(id);
        answered.map_or(&[], |answered| answered.bad.as_slice())
    }

    /// The failure of the first check that has been out of range for as many answers in a row as it may not.
    pub(crate) fn failure(&self, attempt: &Attempt) -> Option<Failure> {
        let failed = self.checks.iter().find_map(|check| {
            let bad = self.bad(&CheckId::of(check));
            (bad.len() >= check.failure_threshold.max(1) as usize).then_some((check, bad))
        });
        failed.map(|(check, bad)| Failure {
            revision: Some(attempt.revision),
            digest: attempt.digest.clone(),
            class: FailureClass::Degraded,
            reason: Reason::CheckFailed,
            message: sentence(check, bad),
            at: self.now,
            objects: Vec::new(),
            pods: Vec::new(),
            timeline: attempt.timeline.clone(),
        })
    }

    /// What each check says.
    pub(crate) fn status(&self) -> Vec<CheckStatus> {
        let status = |check: &Check| {
            let id = CheckId::of(check);
            let look = self.looks.iter().find(|look| look.check == id);
            let last = look.and_then(|look| look.last.as_ref());
            let why = match last.map(|last| &last.reply) {
                Some(Reply::None { why }) => Some(why),
                _ => None,
            };
            let answered = self.soaking.answered(&id);
            let state = match answered {
                Some(answered) if answered.bad.is_empty() => CheckState::Passing,
                Some(_) => CheckState::Failing,
                None if why.is_some() => CheckState::Unanswered,
                None => CheckState::Pending,
            };
            let recorded = self.bad(&id).last();
            CheckStatus {
                name: check.name.clone(),
                state,
                value: look
                    .and_then(|look| look.value.clone())
                    .or_else(|| recorded.map(|reading| reading.value.clone())),
                at: last
                    .map(|last| last.at)
                    .or(recorded.map(|reading| reading.at))
                    .map(Timestamp::whole_seconds),
                message: why.cloned().unwrap_or_default(),
            }
        };
        self.checks.iter().map(status).collect()
    }
}

fn sentence(check: &Check, bad: &[Reading]) -> String {
    let told: Vec<_> = bad[bad.len().saturating_sub(TOLD)..]
        .iter()
        .map(|reading| format!("{} at {}", reading.value, reading.at.whole_seconds()))
        .collect();
    format!(
        "while it soaked, the check {} failed: it has to be {}, and was {}; {} asked for {}",
        check.name,
        check.threshold_range,
        told.join(", "),
        shown(&check.prometheus.url),
        belay_health::clip(&check.prometheus.query, QUERY),
    )
}

/// An address without what may open it.
fn shown(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..]
        .find('/')
        .map_or(url.len(), |at| authority + at);
    match url[authority..end].rfind('@') {
        Some(at) => &url[authority + at + 1..],
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_user_password_and_query() {
        assert_eq!(shown("http://a.example:9090/x"), "http://a.example:9090/x");
        assert_eq!(
            shown("https://jane:s3cret@a.example/x?token=t"),
            "a.example/x"
        );
        assert_eq!(shown("https://a.example/x@y"), "https://a.example/x@y");
    }
}
