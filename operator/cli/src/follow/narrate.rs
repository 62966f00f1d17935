//! What changed between two states of a release, as lines for people.

use belay_api::helm_release::{AttemptStatus, HelmReleaseStatus};
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Timestamp};

use crate::page;
use crate::style::Style;

/// Whether progress is told in lines, or shown elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Told,
    ShownElsewhere,
}

/// One line per change, oldest first; failures bring their evidence.
pub(crate) fn changes(
    before: Option<&HelmRelease>,
    after: &HelmRelease,
    now: Timestamp,
    progress: Progress,
    style: Style,
) -> Vec<String> {
    let nothing = HelmReleaseStatus::default();
    let old = before
        .and_then(|release| release.status.as_ref())
        .unwrap_or(&nothing);
    let new = after.status.as_ref().unwrap_or(&nothing);
    let mut lines = Vec::new();
    if new.last_failure != old.last_failure
        && before.is_some()
        && let Some(failure) = &new.last_failure
    {
        lines.extend(
            page::evidence(failure, now, style)
                .lines()
                .map(str::to_owned),
        );
    }
    match &new.attempt {
        Some(attempt) => attempt_lines(old.attempt.as_ref(), attempt, progress, style, &mut lines),
        None => headline(old, new, style, &mut lines),
    }
    lines
}

fn attempt_lines(
    old: Option<&AttemptStatus>,
    new: &AttemptStatus,
    told: Progress,
    style: Style,
    lines: &mut Vec<String>,
) {
    let old = old.filter(|old| old.id == new.id);
    if old.is_none() {
        let from = new
            .from
            .map_or_else(String::new, |from| format!(" from revision {from}"));
        lines.push(style.strong(&format!("{}{from}", page::deed(new.kind, new.revision))));
    }
    if old.is_none_or(|old| old.stage != new.stage) {
        lines.push(format!("  {}", page::stage(new.stage)));
    }
    if told == Progress::Told
        && let Some(progress) = &new.progress
        && old.and_then(|old| old.progress.as_ref()) != Some(progress)
    {
        let waiting = match progress.waiting_for.as_slice() {
            [] => String::new(),
            objects => format!("; waits for {}", objects.join(", ")),
        };
        lines.push(format!(
            "  {} of {} ready{waiting}",
            progress.ready, progress.total
        ));
    }
}

fn headline(
    old: &HelmReleaseStatus,
    new: &HelmReleaseStatus,
    style: Style,
    lines: &mut Vec<String>,
) {
    let ready = page::condition(new, ConditionType::Ready);
    let before = page::condition(old, ConditionType::Ready);
    let Some(ready) = ready else { return };
    let same = before.is_some_and(|before| {
        (before.status, before.reason, &before.message)
            == (ready.status, ready.reason, &ready.message)
    });
    if same && old.attempt.is_none() {
        return;
    }
    let text = format!("{}: {}", ready.reason, ready.message);
    lines.push(match ready.status {
        ConditionStatus::True => style.good(&text),
        ConditionStatus::False => style.bad(&text),
        ConditionStatus::Unknown => text,
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn release(status: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"chart": {"inline": {"files": {}}}},
            "status": status,
        }))
        .unwrap()
    }

    fn told(before: Option<&Value>, after: &Value) -> Vec<String> {
        let before = before.map(release);
        changes(
            before.as_ref(),
            &release(after),
            Timestamp(0),
            Progress::Told,
            Style::PLAIN,
        )
    }

    fn waiting(id: &str, ready: u32) -> Value {
        json!({"attempt": {"id": id, "kind": "Upgrade", "revision": 3, "digest": "v1:3", "from": 2, "stage": "Waiting",
            "startedAt": "2026-01-01T00:00:00Z", "deadline": "2026-01-01T00:05:00Z",
            "progress": {"ready": ready, "total": 3, "waitingFor": ["Deployment shop/web: Progressing"]}}})
    }

    #[test]
    fn an_attempt_is_announced_once_and_its_progress_line_by_line() {
        assert_eq!(
            told(Some(&json!({})), &waiting("a", 1)),
            [
                "upgrade to revision 3 from revision 2",
                "  waiting for objects to become ready",
                "  1 of 3 ready; waits for Deployment shop/web: Progressing",
            ]
        );
        assert_eq!(
            told(Some(&waiting("a", 1)), &waiting("a", 2)),
            ["  2 of 3 ready; waits for Deployment shop/web: Progressing"]
        );
    }

    #[test]
    fn nothing_is_told_when_nothing_changed() {
        assert!(told(Some(&waiting("a", 1)), &waiting("a", 1)).is_empty());
    }

    #[test]
    fn a_failure_brings_its_evidence_but_not_one_from_before() {
        let failed = json!({"lastFailure": {"revision": 3, "digest": "v1:3", "class": "Terminal",
            "reason": "ImagePullFailed", "message": "the image does not exist", "at": "2026-01-01T00:00:00Z",
            "pods": [{"pod": "web-x", "container": "web", "reason": "ErrImagePull"}]}});

        let lines = told(Some(&json!({})), &failed).join("\n");

        assert!(lines.contains("ImagePullFailed"), "{lines}");
        assert!(
            lines.contains("Pod web-x, container web: ErrImagePull"),
            "{lines}"
        );
        assert!(told(None, &failed).is_empty());
    }

    #[test]
    fn the_end_is_told_even_when_it_reads_like_the_beginning() {
        let rest = json!({"conditions": [{"type": "Ready", "status": "True", "reason": "Deployed",
            "message": "revision 2 runs", "lastTransitionTime": "2026-01-01T00:00:00Z"}]});

        assert_eq!(
            told(Some(&waiting("a", 3)), &rest),
            ["Deployed: revision 2 runs"]
        );
        assert!(told(Some(&rest), &rest).is_empty());
    }
}
