//! The documentation keeps up with the types.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionType, Phase, Reason};
use schemars::{JsonSchema, schema_for};

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(docs(name)).unwrap_or_default()
}

/// The words of an enum, as its schema lists them.
fn words<T: JsonSchema>() -> BTreeSet<String> {
    let schema = schema_for!(T).to_value();
    let alternatives = schema["oneOf"].as_array();
    let words: BTreeSet<String> = alternatives
        .into_iter()
        .flatten()
        .flat_map(|one| match one["enum"].as_array() {
            Some(words) => words.clone(),
            None => vec![one["const"].clone()],
        })
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    assert!(words.len() > 3, "{schema}");
    words
}

/// The first column of the table under a heading, with whether the row says what to do.
fn rows(page: &str, heading: &str) -> Vec<(String, bool)> {
    page.lines()
        .skip_while(|line| *line != format!("## {heading}"))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let word = line.strip_prefix("| `")?.split('`').next()?.to_owned();
            let columns: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let full = columns.len() == 3 && columns.iter().all(|column| !column.is_empty());
            Some((word, full))
        })
        .collect()
}

fn assert_told(heading: &str, words: &BTreeSet<String>) {
    let rows = rows(&read("reasons.md"), heading);

    let told: BTreeSet<_> = rows.iter().map(|(word, _)| word.clone()).collect();
    assert_eq!(
        &told, words,
        "docs/reasons.md, {heading}: one row for each word, and none for others"
    );
    assert_eq!(told.len(), rows.len(), "{heading}: a word has two rows");
    for (word, full) in rows {
        assert!(full, "{heading}, {word}: what it means and what to do");
    }
}

#[test]
fn the_page_of_fields_is_that_of_the_definitions() {
    let printed = Command::new(env!("CARGO_BIN_EXE_fields"))
        .output()
        .expect("the page is printed");

    assert!(
        String::from_utf8_lossy(&printed.stdout) == read("fields.md"),
        "docs/fields.md is stale: cargo run --package belay-api --bin fields > docs/fields.md"
    );
}

#[test]
fn every_reason_is_told_with_what_to_do() {
    assert_told("Reasons", &words::<Reason>());
}

#[test]
fn every_phase_of_a_release_is_told() {
    assert_told("Phases of a HelmRelease", &words::<Phase>());
}

#[test]
fn every_phase_of_a_request_is_told() {
    assert_told("Phases of a RollbackRequest", &words::<RequestPhase>());
}

#[test]
fn every_condition_is_told() {
    assert_told("Conditions", &words::<ConditionType>());
}
