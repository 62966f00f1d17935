//! What a release remembers: notes, hooks and the chart.

use belay_conformance::{Case, Oracle, ours};
use serde_json::Value;

/// Both sides' records of a case.
fn records(case: &Case) -> (Value, ours::Rendered) {
    let theirs = Oracle::get().unwrap().record(case).unwrap().unwrap();
    (theirs, ours::render(case).unwrap().unwrap())
}

#[test]
fn notes_are_the_root_charts() {
    for (args, name) in [
        (&[][..], "umbrella"),
        (
            &["--set", "ingress.enabled=true,ingress.tls[0].secretName=x"],
            "webapp",
        ),
    ] {
        let (theirs, ours) = records(&Case::kept(name).args(args.iter().copied()));
        assert_eq!(theirs["info"]["notes"], ours.notes, "{name}");
    }
}

#[test]
fn notes_of_subcharts_are_added_when_asked_for() {
    let (theirs, ours) = records(&Case::kept("umbrella").args(["--render-subchart-notes"]));
    // Helm joins them in no fixed order.
    let sorted = |notes: &str| {
        let mut lines: Vec<String> = notes
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(
        sorted(theirs["info"]["notes"].as_str().unwrap()),
        sorted(&ours.notes)
    );
}

#[test]
fn manifest_and_hooks_are_recorded_alike() {
    let (theirs, ours) = records(&Case::kept("umbrella"));
    assert_eq!(theirs["manifest"], ours.release.manifest.to_text());
    let hooks = theirs["hooks"].as_array().unwrap();
    assert_eq!(hooks.len(), ours.release.hooks.len());
    for (theirs, ours) in hooks.iter().zip(&ours.release.hooks) {
        assert_eq!(
            (&theirs["name"], &theirs["path"]),
            (
                &Value::from(ours.name.as_str()),
                &Value::from(ours.path.as_str())
            )
        );
        assert_eq!(theirs["manifest"], ours.manifest);
        assert_eq!(theirs["weight"].as_i64().unwrap_or(0), ours.weight);
    }
}

#[test]
fn the_chart_is_recorded_alike() {
    for name in ["umbrella", "webapp"] {
        let (theirs, ours) = records(&Case::kept(name));
        let chart = ours.prepared.chart().record_json();
        for part in ["metadata", "lock", "values", "schema", "templates", "files"] {
            assert_eq!(
                without_times(&theirs["chart"][part]),
                chart[part],
                "{name}: {part}"
            );
        }
    }
}

/// Helm records when each file was last changed on this machine.
fn without_times(part: &Value) -> Value {
    let mut part = part.clone();
    for file in part.as_array_mut().into_iter().flatten() {
        if let Some(file) = file.as_object_mut() {
            file.remove("modtime");
        }
    }
    part
}
