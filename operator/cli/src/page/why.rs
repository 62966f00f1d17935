//! The page of `belay why`: what failed, why, what runs now and since when, and what to do next.

use belay_api::helm_release::{FailureClass, FailureStatus, HelmReleaseStatus, PodEvidence};
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason, Timestamp};

use super::{Page, advice, condition, short};
use crate::style::Style;
use crate::when;

/// Why a release is not what its spec asks for, as it was at `now`.
pub(crate) fn why(release: &HelmRelease, now: Timestamp, style: Style) -> String {
    let mut page = Page {
        text: String::new(),
        now,
        style,
    };
    let nothing = HelmReleaseStatus::default();
    let status = release.status.as_ref().unwrap_or(&nothing);
    page.headline(release, status);
    let ready = condition(status, ConditionType::Ready);
    let is_ready = ready.is_some_and(|ready| ready.status == ConditionStatus::True);
    let failure = status.last_failure.as_ref();
    match failure {
        Some(failure) => page.story(failure, is_ready),
        None if is_ready => page.fact("Failed", "nothing that is remembered"),
        None => {}
    }
    page.revisions(status);
    page.attempt(status);
    page.checks(status);
    page.held(status);
    let remedy = failure
        .filter(|failure| !is_ready && is_asked_for(status, failure))
        .and_then(|failure| remedy(failure.reason));
    if let Some(remedy) = remedy {
        page.fact("What to do", remedy);
    }
    for advice in advice(release, status) {
        page.fact("What to do", &advice);
    }
    page.text
}

/// Whether what failed is what the spec still asks for.
fn is_asked_for(status: &HelmReleaseStatus, failure: &FailureStatus) -> bool {
    let desired = status.desired.as_ref();
    desired.is_some_and(|desired| desired.digest == failure.digest)
}

impl Page {
    fn story(&mut self, failure: &FailureStatus, is_over: bool) {
        let what = failure.revision.map_or_else(
            || "before a revision was made".to_owned(),
            |revision| format!("revision {revision}"),
        );
        let since = when::ago(failure.at, self.now);
        let over = if is_over { "; it is over" } else { "" };
        let head = format!(
            "{what}, {}, at {} ({since}){over}",
            short(&failure.digest),
            failure.at
        );
        let head = self.style.bad(&head);
        self.fact("Failed", &head);
        self.fact("Why", &failure.message);
        self.more(&format!("{}: {}", failure.reason, fault_of(failure.class)));
        let mut label = "Objects";
        for object in &failure.objects {
            self.fact(label, &format!("{}: {}", object.object, object.message));
            label = "";
        }
        let mut label = "Containers";
        for pod in &failure.pods {
            self.fact(label, &facts(pod));
            label = "";
        }
        for pod in failure.pods.iter().filter(|pod| !pod.log_tail.is_empty()) {
            let whose = pod.container.as_deref().unwrap_or("the pod");
            self.fact("Last words", &format!("of {whose} in {}", pod.pod));
            for line in pod.log_tail.lines() {
                let line = self.style.faint(&format!("| {line}"));
                self.more(&line);
            }
        }
        let mut label = "Timeline";
        let start = failure
            .timeline
            .first()
            .map_or(failure.at, |first| first.at);
        for moment in &failure.timeline {
            let after = format!("+{}", when::span(moment.at.since(start)));
            self.fact(label, &format!("{after:<8}{}", moment.what));
            label = "";
        }
    }
}

/// A container's fault in one line: where, what, exit code, restarts.
fn facts(pod: &PodEvidence) -> String {
    let mut facts = vec![match &pod.container {
        Some(container) => format!("{container} in {}: {}", pod.pod, pod.reason),
        None => format!("{}: {}", pod.pod, pod.reason),
    }];
    facts.extend(pod.exit_code.map(|code| format!("exit code {code}")));
    match pod.restarts {
        0 => {}
        1 => facts.push("1 restart".to_owned()),
        many => facts.push(format!("{many} restarts")),
    }
    facts.extend(Some(pod.message.clone()).filter(|message| !message.is_empty()));
    facts.join("; ")
}

const fn fault_of(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Terminal => "the revision's own fault; the same again would fail again",
        FailureClass::Transient => "its surroundings' fault; it may pass",
        FailureClass::Timeout => "not ready in time, for no cause that could be named",
        FailureClass::Degraded => "it was ready, and went bad while it soaked",
        FailureClass::Operator => "somebody ordered it away",
        FailureClass::Superseded => "overtaken by something newer",
    }
}

/// What cures a failure, where one thing does.
const fn remedy(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::ImagePullFailed => "correct the image's name or tag, or the pull secret",
        Reason::InvalidImageName => "correct the image's name",
        Reason::ConfigMissing => {
            "create the ConfigMap, Secret or key that is missing, or correct its name"
        }
        Reason::ContainerFailed => "look at command, mounts and rights of the container",
        Reason::CrashLoop => "cure what the container's last words tell",
        Reason::OutOfMemory => {
            "raise the container's memory limit, or find out what it needs the memory for"
        }
        Reason::Unschedulable => "make room on the nodes, or lower the pod's requests",
        Reason::JobFailed | Reason::HookFailed | Reason::TestFailed => {
            "cure what the Job's last words or events tell"
        }
        Reason::Timeout => {
            "find out what the objects above wait for, or give them more time: spec.timeout"
        }
        Reason::CheckFailed => "ask the check's query of that Prometheus, around the times above",
        Reason::ApplyFailed => "change what the API server refuses",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
