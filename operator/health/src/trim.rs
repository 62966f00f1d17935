//! Cutting evidence down to size, always in the same way.

use crate::evidence::Evidence;

/// The most that evidence may take in a status: bytes of JSON.
pub const EVIDENCE_LIMIT: usize = 4096;

const ELLIPSIS: char = '…';

/// How much is left of each part at one step of the trimming.
struct Room {
    message: usize,
    log: usize,
    objects: usize,
    pods: usize,
    timeline: usize,
}

/// Steps from generous to bare. The log's end is worth the most, so it is the last to shrink; the
/// middle of a timeline is worth the least.
const STEPS: [Room; 8] = [
    Room {
        message: 1024,
        log: 2048,
        objects: 10,
        pods: 5,
        timeline: 20,
    },
    Room {
        message: 512,
        log: 1024,
        objects: 8,
        pods: 3,
        timeline: 12,
    },
    Room {
        message: 256,
        log: 1024,
        objects: 5,
        pods: 2,
        timeline: 8,
    },
    Room {
        message: 256,
        log: 768,
        objects: 3,
        pods: 1,
        timeline: 6,
    },
    Room {
        message: 200,
        log: 512,
        objects: 2,
        pods: 1,
        timeline: 4,
    },
    Room {
        message: 160,
        log: 256,
        objects: 1,
        pods: 1,
        timeline: 2,
    },
    Room {
        message: 120,
        log: 0,
        objects: 1,
        pods: 1,
        timeline: 0,
    },
    Room {
        message: 80,
        log: 0,
        objects: 0,
        pods: 0,
        timeline: 0,
    },
];

pub(crate) fn bounded(evidence: Evidence, limit: usize) -> Evidence {
    if size(&evidence) <= limit {
        return evidence;
    }
    let mut cut = evidence;
    for room in &STEPS {
        apply(&mut cut, room);
        if size(&cut) <= limit {
            break;
        }
    }
    cut
}

fn apply(evidence: &mut Evidence, room: &Room) {
    evidence.reason = clip(&evidence.reason, 80);
    evidence.message = clip(&evidence.message, room.message);
    evidence.objects.truncate(room.objects);
    for object in &mut evidence.objects {
        object.message = clip(&object.message, room.message);
    }
    evidence.pods.truncate(room.pods);
    for pod in &mut evidence.pods {
        pod.message = clip(&pod.message, room.message);
        pod.log_tail = clip_tail(&pod.log_tail, room.log);
    }
    let surplus = evidence.timeline.len().saturating_sub(room.timeline);
    let first = room.timeline.min(evidence.timeline.len()) / 2;
    evidence.timeline.drain(first..first + surplus);
    for entry in &mut evidence.timeline {
        entry.what = clip(&entry.what, room.message);
    }
}

/// Bytes of JSON. Evidence is made of strings and numbers, which always serialise.
fn size(evidence: &Evidence) -> usize {
    serde_json::to_vec(evidence).map_or(usize::MAX, |json| json.len())
}

/// The first `limit` bytes of a text, an ellipsis in the place of the rest, no character cut.
pub fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(ELLIPSIS.len_utf8());
    let mut out = text[..text.floor_char_boundary(room)].trim_end().to_owned();
    if limit >= ELLIPSIS.len_utf8() {
        out.push(ELLIPSIS);
    }
    out
}

/// The last `limit` bytes of a text, from the start of a line where one is near, an ellipsis in
/// the place of the rest.
pub fn clip_tail(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(ELLIPSIS.len_utf8());
    if room == 0 {
        return String::new();
    }
    let tail = &text[text.ceil_char_boundary(text.len() - room)..];
    let whole_lines = tail
        .split_once('\n')
        .map(|(_, lines)| lines)
        .filter(|lines| lines.len() * 2 >= room);
    format!("{ELLIPSIS}{}", whole_lines.unwrap_or(tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::FailureClass;
    use crate::evidence::{ObjectEvidence, PodEvidence, TimelineEntry};
    use crate::mask::Mask;
    use crate::object::ObjectRef;

    fn huge() -> Evidence {
        let mut evidence = Evidence::new(
            FailureClass::Terminal,
            "CrashLoopBackOff",
            "m".repeat(9_000),
        );
        for number in 0..50 {
            evidence.objects.push(ObjectEvidence {
                object: ObjectRef::new(
                    "apps/v1",
                    "Deployment",
                    Some("shop"),
                    &format!("web-{number}"),
                )
                .key(),
                verdict: "Progressing".to_owned(),
                message: "ü".repeat(700),
            });
            evidence.pods.push(PodEvidence {
                namespace: "shop".to_owned(),
                name: format!("web-{number}"),
                container: Some("web".to_owned()),
                reason: "CrashLoopBackOff".to_owned(),
                message: "back-off".repeat(80),
                exit_code: Some(1),
                restarts: 3,
                log_tail: (0..200)
                    .map(|line| format!("line {line}"))
                    .collect::<Vec<_>>()
                    .join(
                        "
",
                    ),
            });
            evidence.timeline.push(TimelineEntry {
                at: "2026-01-01T00:00:00Z".to_owned(),
                what: format!("step {number}"),
            });
        }
        evidence
    }

    #[test]
    fn evidence_fits_whatever_there_is_and_is_cut_the_same_way_each_time() {
        for limit in [400, 1_000, 2_000, EVIDENCE_LIMIT] {
            let cut = huge().bounded(limit);
            assert!(size(&cut) <= limit, "{} > {limit}", size(&cut));
            assert_eq!(cut, huge().bounded(limit));
        }
    }

    #[test]
    fn the_end_of_the_log_and_both_ends_of_the_timeline_survive() {
        let cut = huge().bounded(EVIDENCE_LIMIT);
        assert!(
            cut.pods[0].log_tail.ends_with("line 199"),
            "{}",
            cut.pods[0].log_tail
        );
        assert_eq!(
            cut.timeline.first().map(|e| e.what.as_str()),
            Some("step 0")
        );
        assert_eq!(
            cut.timeline.last().map(|e| e.what.as_str()),
            Some("step 49")
        );
    }

    #[test]
    fn what_fits_is_left_alone() {
        let small = Evidence::new(FailureClass::Timeout, "Timeout", "web was not ready in 5m");
        assert_eq!(small.clone().bounded(EVIDENCE_LIMIT), small);
    }

    #[test]
    fn no_character_is_cut_in_two() {
        assert_eq!(clip("üüüü", 6), "ü…");
        assert_eq!(clip_tail("üüüü", 6), "…ü");
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip_tail("first\nsecond", 11), "…second");
    }

    #[test]
    fn secrets_are_masked_in_every_text_that_comes_from_outside() {
        let mut evidence = huge();
        evidence.message = "cannot log in with hunter2".to_owned();
        evidence.objects[0].message = "hunter2".to_owned();
        evidence.pods[0].message = "hunter2".to_owned();
        evidence.pods[0].log_tail = "password hunter2".to_owned();
        evidence.timeline[0].what = "hunter2".to_owned();
        let masked = evidence.masked(&Mask::new(["hunter2"]));
        let written = serde_json::to_string(&masked).unwrap();
        assert!(!written.contains("hunter2"));
    }
}
