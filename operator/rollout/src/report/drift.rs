//! What people see of drift: the objects that differ, why they are not put right, and what was.

use belay_api::helm_release::{
    CorrectionStatus, DriftMode, DriftStatus, DriftedObject, DriftedPath, MAX_DRIFTED,
    MAX_DRIFTED_PATHS,
};
use belay_api::{ConditionStatus, Reason};
use belay_health::clip;

use crate::drift::{Deviation, Drift, Finding, MAX_CORRECTIONS, is_contested, is_looked_at};
use crate::step::Waiting;
use crate::world::World;
use crate::{Ledger, Running};

/// How many objects a condition's message names.
const NAMED: usize = 5;
/// The most bytes of what is told of one object.
const WORDS: usize = 300;

/// What is known of drift, if anybody looks.
fn seen<'w>(
    world: &'w World,
    ledger: &'w Ledger,
    on: &Waiting,
) -> Option<(&'w Drift, &'w Running)> {
    let drift = world.drift.as_ref()?;
    let current = ledger.current.as_ref()?;
    is_looked_at(world, ledger, on).then_some((drift, current))
}

/// `status.drift`.
pub(super) fn drift_status(world: &World, ledger: &Ledger, on: &Waiting) -> Option<DriftStatus> {
    let mut status = DriftStatus {
        corrected: ledger
            .corrected
            .iter()
            .take(MAX_DRIFTED)
            .map(|known| CorrectionStatus {
                object: known.object.to_string(),
                path: known.path.clone(),
                times: known.within_window(known.last()) as u32,
                at: known.last(),
                found: known.found.clone(),
            })
            .collect(),
        ..DriftStatus::default()
    };
    if let Some((drift, _)) = seen(world, ledger, on) {
        let findings = &drift.checked.findings;
        status.omitted = findings.len().saturating_sub(MAX_DRIFTED) as u32;
        status.objects = findings
            .iter()
            .take(MAX_DRIFTED)
            .map(|finding| drifted(finding, reason_of(finding, world, ledger)))
            .collect();
    }
    (status != DriftStatus::default()).then_some(status)
}

/// The condition `Drifted`; none where nobody looks.
pub(super) fn condition(
    world: &World,
    ledger: &Ledger,
    on: &Waiting,
) -> Option<(ConditionStatus, Reason, String)> {
    let (drift, current) = seen(world, ledger, on)?;
    let findings = &drift.checked.findings;
    let differ: Vec<_> = findings
        .iter()
        .filter(|finding| finding.differs())
        .collect();
    Some(if !differ.is_empty() {
        (
            ConditionStatus::True,
            worst(&differ, world, ledger),
            told(&differ, world, ledger),
        )
    } else if findings.is_empty() {
        (
            ConditionStatus::False,
            Reason::NoDrift,
            format!("no object differs from revision {}", current.revision),
        )
    } else {
        let findings: Vec<_> = findings.iter().collect();
        (
            ConditionStatus::Unknown,
            Reason::DriftUnknown,
            told(&findings, world, ledger),
        )
    })
}

/// Why the cluster does not hold exactly the manifest of what runs; none if it does as far as anybody looks.
pub(super) fn inconsistency(
    world: &World,
    ledger: &Ledger,
    on: &Waiting,
) -> Option<(Reason, String)> {
    match condition(world, ledger, on)? {
        (ConditionStatus::True, reason, message) => Some((reason, message)),
        _ => None,
    }
}

fn reason_of(finding: &Finding, world: &World, ledger: &Ledger) -> Reason {
    match &finding.deviation {
        Deviation::NotOurs { .. } => Reason::DriftNotOurs,
        Deviation::Unknown { .. } => Reason::DriftUnknown,
        Deviation::Immutable { .. } => Reason::DriftRefused,
        Deviation::Missing | Deviation::Edited { .. } if finding.refused.is_some() => {
            Reason::DriftRefused
        }
        Deviation::Missing | Deviation::Edited { .. } => {
            let contested = world.declared.drift.mode == DriftMode::Enabled
                && finding.places().iter().any(|(path, _)| {
                    is_contested(&ledger.corrected, &finding.object, path, world.now)
                });
            if contested {
                Reason::DriftContested
            } else {
                Reason::DriftDetected
            }
        }
    }
}

/// The reason that most needs a person.
fn worst(findings: &[&Finding], world: &World, ledger: &Ledger) -> Reason {
    let reasons: Vec<_> = findings
        .iter()
        .map(|finding| reason_of(finding, world, ledger))
        .collect();
    [
        Reason::DriftContested,
        Reason::DriftRefused,
        Reason::DriftNotOurs,
    ]
    .into_iter()
    .find(|reason| reasons.contains(reason))
    .unwrap_or(Reason::DriftDetected)
}

fn told(findings: &[&Finding], world: &World, ledger: &Ledger) -> String {
    let mut lines: Vec<_> = findings
        .iter()
        .take(NAMED)
        .map(|finding| {
            let what = drifted(finding, reason_of(finding, world, ledger));
            clip(&format!("{}: {}", what.object, sentence(&what)), WORDS)
        })
        .collect();
    if findings.len() > NAMED {
        lines.push(format!("and {} more", findings.len() - NAMED));
    }
    lines.join("; ")
}

fn drifted(finding: &Finding, reason: Reason) -> DriftedObject {
    let (paths, omitted) = match &finding.deviation {
        Deviation::Edited {
            differences,
            omitted,
        } => {
            let paths: Vec<_> = differences
                .iter()
                .take(MAX_DRIFTED_PATHS)
                .map(|difference| DriftedPath {
                    path: difference.path.clone(),
                    live: difference.live.clone(),
                    wanted: difference.wanted.clone(),
                })
                .collect();
            let more = (differences.len() - paths.len()) as u32;
            (paths, omitted + more)
        }
        _ => (Vec::new(), 0),
    };
    let message = match &finding.deviation {
        Deviation::Missing => "it was deleted".to_owned(),
        Deviation::Edited { .. } => String::new(),
        Deviation::Immutable { message } => {
            format!("it differs in what cannot change any more, delete it to have it made anew: {message}")
        }
        Deviation::NotOurs { owner: Some(owner) } => format!(
            "it belongs to the release {owner} now, and is left alone: take it out of one of the two charts"
        ),
        Deviation::NotOurs { owner: None } => {
            "it lost the marks of this release, and is left alone: an upgrade with takeOwnership takes it back"
                .to_owned()
        }
        Deviation::Unknown { message } => format!("it cannot be compared: {message}"),
    };
    let why = match (&finding.refused, reason) {
        (Some(words), _) => format!("it could not be put right: {words}"),
        (None, Reason::DriftContested) => format!(
            "it was put right {MAX_CORRECTIONS} times within an hour and changed again, and is left alone: stop whoever changes it, or name the path in driftDetection.ignore"
        ),
        _ => String::new(),
    };
    let parts: Vec<_> = [message, why]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    DriftedObject {
        object: finding.object.to_string(),
        reason,
        message: clip(&parts.join("; "), WORDS),
        paths,
        omitted,
        since: finding.since,
    }
}

/// What is the matter with an object, in one line.
pub fn sentence(object: &DriftedObject) -> String {
    let mut parts: Vec<_> = object
        .paths
        .iter()
        .map(|path| {
            belay_health::Difference {
                path: path.path.clone(),
                live: path.live.clone(),
                wanted: path.wanted.clone(),
            }
            .to_string()
        })
        .collect();
    if object.omitted > 0 {
        parts.push(format!("and {} more places", object.omitted));
    }
    if !object.message.is_empty() {
        parts.push(object.message.clone());
    }
    parts.join(", ")
}
