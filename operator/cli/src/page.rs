//! One readable page about a release.

use std::fmt::Write;

use belay_api::helm_release::{
    AttemptKind, FailureStatus, HelmReleaseStatus, RevisionStatus, Stage,
};
use belay_api::{Condition, ConditionStatus, ConditionType, HelmRelease, Reason, Timestamp};

use crate::style::Style;
use crate::when;

/// The column at which facts begin.
const LABEL: usize = 14;
/// The most lines of a log and of a timeline that a page shows.
const TAIL: usize = 8;

/// The page about a release as it was at `now`.
pub(crate) fn page(release: &HelmRelease, now: Timestamp, style: Style) -> String {
    let mut page = Page {
        text: String::new(),
        now,
        style,
    };
    let nothing = HelmReleaseStatus::default();
    let status = release.status.as_ref().unwrap_or(&nothing);
    page.headline(release, status);
    page.revisions(status);
    page.attempt(status);
    page.checks(status);
    page.held(status);
    page.blocked(status);
    if let Some(failure) = &status.last_failure {
        page.failure(failure);
    }
    for advice in advice(release, status) {
        page.fact("What to do", &advice);
    }
    page.text
}

/// What happened in a failure, as lines for a terminal.
pub(crate) fn evidence(failure: &FailureStatus, now: Timestamp, style: Style) -> String {
    let mut page = Page {
        text: String::new(),
        now,
        style,
    };
    page.failure(failure);
    page.text
}

/// A condition, if the status has it.
pub(crate) fn condition(status: &HelmReleaseStatus, wanted: ConditionType) -> Option<&Condition> {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == wanted)
}

/// What an attempt does, for people: `upgrade to revision 4`.
pub(crate) fn deed(kind: AttemptKind, revision: u32) -> String {
    match kind {
        AttemptKind::Install => format!("install of revision {revision}"),
        AttemptKind::Upgrade => format!("upgrade to revision {revision}"),
        AttemptKind::Rollback => format!("rollback, as revision {revision}"),
        AttemptKind::Revert => format!("return to the last good revision, as revision {revision}"),
        AttemptKind::Uninstall => format!("removal of revision {revision}"),
    }
}

/// What happens in a stage, for people.
pub(crate) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Preparing => "preparing",
        Stage::Disarming => "undoing webhooks, policies and API services first",
        Stage::PreHooks => "running hooks before the change",
        Stage::Applying => "applying objects",
        Stage::Waiting => "waiting for objects to become ready",
        Stage::PostHooks => "running hooks after the change",
        Stage::Testing => "running the chart's tests",
        Stage::Finishing => "recording the outcome",
        Stage::Soaking => "soaking: watched before it counts as good",
        Stage::Failed => "failed",
        Stage::Removing => "removing objects",
    }
}

/// A digest as far as it is needed to tell two apart.
pub(crate) fn short(digest: &str) -> &str {
    digest
        .char_indices()
        .nth(15)
        .map_or(digest, |(end, _)| &digest[..end])
}

struct Page {
    text: String,
    now: Timestamp,
    style: Style,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A labelled fact; its further lines are indented below the first.
    fn fact(&mut self, label: &str, fact: &str) {
        let mut lines = fact.lines();
        let label = self.style.strong(&format!("{label:<LABEL$}"));
        self.line(&format!("{label}{}", lines.next().unwrap_or_default()));
        for line in lines {
            self.more(line);
        }
    }

    fn more(&mut self, line: &str) {
        self.line(&format!("{:LABEL$}{line}", ""));
    }

    fn headline(&mut self, release: &HelmRelease, status: &HelmReleaseStatus) {
        let name = release.metadata.name.as_deref().unwrap_or_default();
        let namespace = release.metadata.namespace.as_deref().unwrap_or_default();
        let title = self.style.strong(&format!("{name} in {namespace}"));
        let Some(ready) = condition(status, ConditionType::Ready) else {
            self.line(&format!("{title}: no operator has looked at it yet"));
            return;
        };
        let mark = match ready.status {
            ConditionStatus::True => self.style.good("Ready"),
            ConditionStatus::False => self.style.bad("not Ready"),
            ConditionStatus::Unknown => self.style.attention("under way"),
        };
        self.line(&format!(
            "{title}: {mark}, {} ({})",
            status.phase, ready.reason
        ));
        self.fact("", &ready.message);
        if status.observed_generation < release.metadata.generation.unwrap_or_default() {
            self.more("the spec has been changed since; this is about the one before");
        }
        if let Some(available) = condition(status, ConditionType::Available) {
            let serves = match available.status {
                ConditionStatus::True => self.style.good(&available.message),
                ConditionStatus::False => self.style.bad(&available.message),
                ConditionStatus::Unknown => available.message.clone(),
            };
            self.fact("Available", &serves);
        }
        if let Some(consistent) = condition(status, ConditionType::Consistent)
            && consistent.status == ConditionStatus::False
        {
            let message = self.style.bad(&consistent.message);
            self.fact("Inconsistent", &message);
        }
    }

    fn revisions(&mut self, status: &HelmReleaseStatus) {
        for (label, revision, verb) in [
            ("Runs", &status.current, "since"),
            ("Last good", &status.last_good, "proven"),
            ("Good before", &status.previous_good, "proven"),
        ] {
            if let Some(revision) = revision {
                let line = self.revision(revision, verb);
                self.fact(label, &line);
            }
        }
        if let Some(desired) = &status.desired
            && status
                .current
                .as_ref()
                .is_none_or(|current| current.digest != desired.digest)
        {
            self.fact(
                "Asked for",
                &format!(
                    "chart version {}  {}",
                    desired.chart_version,
                    short(&desired.digest)
                ),
            );
        }
    }

    fn revision(&self, revision: &RevisionStatus, verb: &str) -> String {
        let app = match revision.app_version.as_str() {
            "" => String::new(),
            version => format!(" (app {version})"),
        };
        let since = self
            .style
            .faint(&format!("{verb} {}", when::ago(revision.since, self.now)));
        format!(
            "revision {}  {}{app}  {since}",
            revision.revision, revision.chart
        )
    }

    fn attempt(&mut self, status: &HelmReleaseStatus) {
        let Some(attempt) = &status.attempt else {
            return;
        };
        let from = attempt
            .from
            .map_or_else(String::new, |from| format!(" from {from}"));
        self.fact(
            "Under way",
            &format!(
                "{}{from}: {}; begun {}, {} {}",
                deed(attempt.kind, attempt.revision),
                stage(attempt.stage),
                when::ago(attempt.started_at, self.now),
                if attempt.stage == Stage::Soaking {
                    "good"
                } else {
                    "lost"
                },
                when::ahead(attempt.deadline, self.now),
            ),
        );
        if let Some(progress) = &attempt.progress {
            self.more(&format!(
                "{} of {} objects are ready",
                progress.ready, progress.total
            ));
            for object in &progress.waiting_for {
                self.more(&format!("… {object}"));
            }
            let named = progress.waiting_for.len() as u32;
            let unnamed = (progress.total.saturating_sub(progress.ready)).saturating_sub(named);
            if named > 0 && unnamed > 0 {
                self.more(&format!("… and {unnamed} more"));
            }
        }
    }

    fn held(&mut self, status: &HelmReleaseStatus) {
        let Some(pin) = &status.pin else { return };
        let by = pin.request.as_ref().map_or_else(
            || "a helm command run by hand".to_owned(),
            |request| format!("RollbackRequest {request}"),
        );
        self.fact(
            "Held",
            &format!("at {} by {by} until {}", short(&pin.digest), pin.until),
        );
    }

    fn blocked(&mut self, status: &HelmReleaseStatus) {
        let mut label = "Blocked";
        for blocked in &status.blocked {
            let revision = blocked
                .revision
                .map_or_else(String::new, |revision| format!(" (revision {revision})"));
            let again = blocked.retry_at.map_or_else(String::new, |at| {
                format!(", tried again {}", when::ahead(at, self.now))
            });
            self.fact(
                label,
                &format!(
                    "{}{revision}: {} ({:?}), {}{again}",
                    short(&blocked.digest),
                    blocked.reason,
                    blocked.class,
                    when::ago(blocked.since, self.now),
                ),
            );
            self.more(&blocked.message);
            label = "";
        }
    }

    fn failure(&mut self, failure: &FailureStatus) {
        let revision = failure
            .revision
            .map_or_else(String::new, |revision| format!("revision {revision}: "));
        let head = format!(
            "{revision}{} ({:?}), {}",
            failure.reason,
            failure.class,
            when::ago(failure.at, self.now)
        );
        let head = self.style.bad(&head);
        self.fact("Last failure", &head);
        self.more(&failure.message);
        for object in &failure.objects {
            self.more(&format!("- {}: {}", object.object, object.message));
        }
        for pod in &failure.pods {
            let container = pod
                .container
                .as_ref()
                .map_or_else(String::new, |container| format!(", container {container}"));
            let mut line = format!("- Pod {}{container}: {}", pod.pod, pod.reason);
            if !pod.message.is_empty() {
                let _ = write!(line, ": {}", pod.message);
            }
            if let Some(code) = pod.exit_code {
                let _ = write!(line, "; exit code {code}");
            }
            if pod.restarts > 0 {
                let _ = write!(line, "; {} restarts", pod.restarts);
            }
            self.more(&line);
            for line in last(pod.log_tail.lines().collect()) {
                let line = self.style.faint(&format!("  | {line}"));
                self.more(&line);
            }
        }
        for moment in last(failure.timeline.iter().collect()) {
            let line = format!("{} {}", when::ago(moment.at, self.now), moment.what);
            let line = self.style.faint(&line);
            self.more(&line);
        }
    }
}

fn last<T>(mut lines: Vec<T>) -> Vec<T> {
    lines.split_off(lines.len().saturating_sub(TAIL))
}

/// What the reader can do now; nothing when there is nothing to do.
fn advice(release: &HelmRelease, status: &HelmReleaseStatus) -> Vec<String> {
    let name = release.metadata.name.as_deref().unwrap_or_default();
    let namespace = release.metadata.namespace.as_deref().unwrap_or_default();
    let Some(ready) = condition(status, ConditionType::Ready) else {
        return vec!["see whether the operator runs: kubectl get pods -n belay-system".to_owned()];
    };
    if ready.status != ConditionStatus::False {
        return Vec::new();
    }
    let retry = format!("try the same once more: belay retry {name} -n {namespace}");
    match ready.reason {
        Reason::RevisionBlocked | Reason::LeftInPlace | Reason::PastPointOfNoReturn => vec![
            "change chart version or values; what failed is not tried again unasked".to_owned(),
            retry,
        ],
        Reason::Pinned => vec![
            "change the spec, so that it asks for something else".to_owned(),
            format!("let what was left run again: belay release {name} -n {namespace}"),
        ],
        Reason::OutsideChange => {
            vec!["change the spec, or set spec.outsideChanges to Revert".to_owned()]
        }
        Reason::ReleaseRemoved => vec![
            format!("install it again: belay retry {name} -n {namespace}"),
            format!("bring a revision back: belay rollback {name} REVISION -n {namespace}"),
        ],
        Reason::Suspended => vec![format!(
            "go on: kubectl patch helmrelease {name} -n {namespace} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'"
        )],
        Reason::RetryScheduled | Reason::SourceUnavailable | Reason::ApiUnavailable => {
            vec![format!(
                "wait, it is tried again by itself; or look at it right now: belay reconcile {name} -n {namespace}"
            )]
        }
        _ => vec!["change what the message names; it is looked at again at once".to_owned()],
    }
}

mod checks;
mod why;
pub(crate) use why::why;

#[cfg(test)]
mod tests;
