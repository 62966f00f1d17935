//! What the checks of a soak say, for the status: while it lasts, and of what runs after it.

use std::fmt::Write as _;

use belay_api::helm_release::{CheckState, CheckStatus};

use crate::attempt::{At, Soaking};
use crate::check::out_of;
use crate::questions::Questions;
use crate::world::World;
use crate::{Ledger, Soaked};

/// The most bytes of one check's words in a message.
const WORDS: usize = 240;

/// What each check says of the revision that soaks, or said of the one that runs.
pub(super) fn statuses(world: &World, ledger: &Ledger) -> Vec<CheckStatus> {
    match ledger.attempt.as_ref().map(|attempt| &attempt.at) {
        Some(At::Soaking(soaking)) => Questions::of(world, soaking).status(),
        _ => of_what_runs(ledger).map_or_else(Vec::new, |soaked| soaked.checks.clone()),
    }
}

/// What is kept of the checks when the revision that soaks counts as good; nothing if there are none.
pub fn soaked(world: &World) -> Option<Soaked> {
    let attempt = world.ledger.as_ref()?.attempt.as_ref()?;
    let At::Soaking(soaking) = &attempt.at else {
        return None;
    };
    let checks = Questions::of(world, soaking).status();
    (!checks.is_empty()).then_some(Soaked {
        revision: attempt.revision,
        checks,
    })
}

fn of_what_runs(ledger: &Ledger) -> Option<&Soaked> {
    let current = ledger.current.as_ref()?;
    let soaked = ledger.soaked.as_ref();
    soaked.filter(|soaked| soaked.revision == current.revision)
}

/// What is remarkable of the checks while a soak lasts, as the end of a sentence.
pub(super) fn fares(world: &World, soaking: &Soaking) -> String {
    let checks = &world.declared.soak.checks;
    let statuses = Questions::of(world, soaking).status();
    let mut text = String::new();
    for (check, status) in checks.iter().zip(statuses) {
        if let (CheckState::Failing, Some(value)) = (status.state, &status.value) {
            let told = out_of(value, &check.threshold_range);
            let _ = write!(text, "; the check {} said {told}", check.name);
        }
        if !status.message.is_empty() {
            let why = belay_health::clip(&status.message, WORDS);
            let _ = write!(text, "; the check {} gets no answer: {why}", check.name);
        }
    }
    text
}

/// The checks that never had an answer while what runs soaked, as the end of a sentence.
pub(super) fn unanswered(ledger: &Ledger) -> String {
    let soaked = of_what_runs(ledger);
    let checks = soaked.map_or(&[][..], |soaked| soaked.checks.as_slice());
    let mut text = String::new();
    for check in checks {
        if !matches!(check.state, CheckState::Unanswered | CheckState::Pending) {
            continue;
        }
        let _ = write!(
            text,
            "; while it soaked, the check {} never had an answer",
            check.name
        );
        if !check.message.is_empty() {
            let _ = write!(text, ": {}", belay_health::clip(&check.message, WORDS));
        }
    }
    text
}
