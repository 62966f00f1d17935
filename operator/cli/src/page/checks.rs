//! The checks of a soak on a page.

use belay_api::helm_release::{CheckState, CheckStatus, HelmReleaseStatus};

use super::Page;
use crate::when;

impl Page {
    /// What each check says of the revision that soaks, or said of the one that runs.
    pub(super) fn checks(&mut self, status: &HelmReleaseStatus) {
        let mut label = "Checks";
        for check in &status.checks {
            let line = self.check(check);
            self.fact(label, &line);
            if !check.message.is_empty() {
                self.more(&format!("no answer: {}", check.message));
            }
            label = "";
        }
    }

    fn check(&self, check: &CheckStatus) -> String {
        let state = match check.state {
            CheckState::Pending => "not asked yet".to_owned(),
            CheckState::Passing => self.style.good("in range"),
            CheckState::Failing => self.style.bad("out of range"),
            CheckState::Unanswered => self.style.attention("never answered"),
        };
        let value = check
            .value
            .as_ref()
            .map_or_else(String::new, |value| format!(", {value}"));
        let at = check.at.map_or_else(String::new, |at| {
            let asked = format!("asked {}", when::ago(at, self.now));
            format!("  {}", self.style.faint(&asked))
        });
        format!("{}: {state}{value}{at}", check.name)
    }
}
