use belay_api::helm_release::DriftDetection;

use super::*;
use crate::{DigestKey, Owner};

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: name.into(),
    }
}

fn edited(name: &str, paths: &[&str]) -> Finding {
    Finding {
        object: key(name),
        deviation: Deviation::Edited {
            differences: paths
                .iter()
                .map(|path| Difference {
                    path: (*path).to_owned(),
                    live: "5".into(),
                    wanted: "2".into(),
                })
                .collect(),
            omitted: 0,
        },
        since: Timestamp(0),
        refused: None,
    }
}

fn begun() -> Checked {
    Checked::begun(1, DriftDetection::default().ignore, Timestamp(0))
}

fn some(names: &[&str]) -> Scope {
    Scope::Objects(names.iter().map(|name| key(name)).collect())
}

fn ledger() -> Ledger {
    let owner = Owner {
        namespace: "shop".into(),
        name: "web".into(),
        uid: "u".into(),
    };
    Ledger::new(owner, DigestKey::new([7; 32]))
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1000)
}

#[test]
fn a_look_answers_for_its_objects_and_for_no_others() {
    let both = vec![edited("a", &["/x"]), edited("b", &["/x"])];
    let checked = begun().looked(&Scope::All, both, seconds(1));
    let checked = checked.looked(&some(&["a"]), Vec::new(), seconds(2));
    let left: Vec<_> = checked.findings.iter().map(|found| &found.object).collect();
    assert_eq!(left, [&key("b")]);
    assert_eq!((checked.all_at, checked.at), (seconds(1), seconds(2)));
}

#[test]
fn a_finding_that_stays_keeps_the_time_at_which_it_was_first_seen() {
    let mut first = edited("a", &["/x"]);
    first.since = seconds(1);
    let mut again = edited("a", &["/x"]);
    again.since = seconds(9);
    let mut other = edited("a", &["/y"]);
    other.since = seconds(9);
    let checked = begun().looked(&Scope::All, vec![first], seconds(1));
    let same = checked
        .clone()
        .looked(&some(&["a"]), vec![again], seconds(9));
    assert_eq!(same.findings[0].since, seconds(1));
    let changed = checked.looked(&some(&["a"]), vec![other], seconds(9));
    assert_eq!(changed.findings[0].since, seconds(9));
}

#[test]
fn what_changes_without_end_and_is_no_drift_is_looked_at_ever_less_often() {
    let mut checked = begun().looked(&Scope::All, Vec::new(), seconds(1));
    assert_eq!(checked.next_look(), seconds(1), "at once");
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let now = checked.next_look();
        checked = checked.looked(&some(&["a"]), Vec::new(), now);
        pauses.push(checked.next_look().since(now).0);
    }
    assert_eq!(pauses[..4], [250, 500, 1000, 2000]);
    assert_eq!(pauses[11], LONGEST_PAUSE.0);
    // News, and a long rest, end that.
    let now = checked.next_look();
    let news = checked
        .clone()
        .looked(&some(&["a"]), vec![edited("a", &["/x"])], now);
    assert_eq!(news.next_look(), now);
    let rested = now.plus(LONGEST_PAUSE).plus(LONGEST_PAUSE);
    let rested = checked.looked(&some(&["a"]), Vec::new(), rested);
    assert_eq!(rested.calm, 0);
}

#[test]
fn a_place_that_is_contested_is_left_and_the_others_of_its_object_are_put_right() {
    let finding = edited("a", &["/x", "/y"]);
    let mut ledger = ledger();
    for second in 0..3 {
        let x = edited("a", &["/x"]).correction(&ledger.corrected, seconds(second));
        ledger = ledger.correcting(&[x.unwrap()], seconds(second));
    }
    let correction = finding.correction(&ledger.corrected, seconds(4)).unwrap();
    assert_eq!(correction.leave, ["/x"]);
    assert_eq!(correction.places, [("/y".to_owned(), "5".to_owned())]);
    let x = edited("a", &["/x"]);
    assert_eq!(x.correction(&ledger.corrected, seconds(4)), None);
    // An hour after the first, there is room for one more.
    let later = seconds(0).plus(WINDOW);
    assert!(x.correction(&ledger.corrected, later).is_some());
}

#[test]
fn a_refusal_does_not_count_as_a_correction() {
    let correction = edited("a", &["/x"]).correction(&[], seconds(1)).unwrap();
    let ledger = ledger().correcting(&[correction], seconds(1));
    assert_eq!(ledger.corrected.len(), 1);
    let ledger = ledger.put_right(&[], &[key("a")], seconds(1));
    assert_eq!(ledger.corrected, []);
}

#[test]
fn no_more_places_are_put_right_within_an_hour_than_are_remembered() {
    let names: Vec<_> = (0..MAX_CORRECTED)
        .map(|number| format!("n{number:04}"))
        .collect();
    let findings: Vec<_> = names
        .iter()
        .map(|name| edited(name, &["/x", "/y"]))
        .collect();
    let drift = Drift {
        suspects: Vec::new(),
        checked: Checked {
            findings,
            ..begun()
        },
    };
    let first = corrections(&drift, &ledger(), seconds(1));
    assert_eq!(first.len(), MAX_CORRECTED / 2);
    let ledger = ledger().correcting(&first, seconds(1));
    assert_eq!(ledger.corrected.len(), MAX_CORRECTED);
    assert_eq!(corrections(&drift, &ledger, seconds(2)), []);
    let later = seconds(1).plus(WINDOW);
    assert_eq!(corrections(&drift, &ledger, later).len(), MAX_CORRECTED / 2);
    let next = corrections(&drift, &ledger, later);
    assert_eq!(
        ledger.correcting(&next, later).corrected.len(),
        MAX_CORRECTED
    );
}
