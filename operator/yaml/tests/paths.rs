//! A part of a document is what the whole document has there, and what is wrong anywhere is told in the same words.

use belay_yaml::{Map, Numbers, ParseOptions, Value, parse_paths, parse_with};

const PATHS: [&[&str]; 4] = [&["kind"], &["metadata", "name"], &["a"], &["b", "c", "d"]];

const EXACT: ParseOptions = ParseOptions {
    numbers: Numbers::Exact,
    strict: false,
    limits: belay_yaml::Limits::DEFAULT,
};

/// The part of a whole document.
fn part(value: Value, paths: &[&[&str]]) -> Value {
    let Value::Map(entries) = value else {
        return value;
    };
    let mut kept = Map::new();
    for (key, value) in entries {
        let below: Vec<&[&str]> = paths
            .iter()
            .filter(|path| path[0].eq_ignore_ascii_case(&key))
            .map(|path| &path[1..])
            .collect();
        if below.iter().any(|path| path.is_empty()) {
            kept.insert(key, value);
        } else if !below.is_empty() {
            kept.insert(key, part(value, &below));
        }
    }
    Value::Map(kept)
}

fn assert_part(text: &str) {
    let whole = parse_with(text.as_bytes(), &EXACT);
    let found = parse_paths(text.as_bytes(), &EXACT, &PATHS);
    match (whole, found) {
        (Ok(whole), Ok(found)) => assert_eq!(found, part(whole, &PATHS), "{text:?}"),
        (Err(whole), Err(found)) => assert_eq!(found.to_string(), whole.to_string(), "{text:?}"),
        (whole, found) => panic!("{text:?}\nwhole: {whole:?}\npart: {found:?}"),
    }
}

#[test]
fn of_every_case_the_part_is_that_of_the_whole() {
    for line in include_str!("cases/read.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["in"].as_str().unwrap();
        assert_part(text);
        // As what nobody wants, and as what leads to something wanted.
        let indented = text
            .lines()
            .flat_map(|line| ["  ", line, "\n"])
            .collect::<String>();
        assert_part(&format!("kind: A\nother:\n{indented}"));
        assert_part(&format!("b:\n{indented}kind: A\n"));
    }
}

#[test]
fn what_is_wrong_in_a_part_that_nobody_wants_is_told() {
    for wrong in [
        "x: .nan",
        "x: [1, {y: -.inf}]",
        "x: {? [a] : b}",
        "x: {~: 1}",
        "x: {null: 1}",
        "x: {\"\": 1, : 2}",
        "x: {18446744073709551615: 1}",
        "~: x",
        "x: !!int y",
        "x: !!binary '*'",
        "x: *nowhere",
        "x: {<<: 1}",
        "x: {<<: [1]}",
        "x: &a [*a]",
        "x: 1e999",
        "x: 99999999999999999999999999",
        "x: [",
        "x: {y: 1, y: 2}",
    ] {
        assert_part(wrong);
        assert_part(&format!(
            "kind: A\n{wrong}\nmetadata: {{name: n, labels: {{z: 1}}}}\n"
        ));
        assert_part(&format!("metadata:\n  {wrong}\n  name: n\n"));
    }
}

#[test]
fn merges_and_letters_of_either_case_lead_to_what_is_wanted() {
    for text in [
        "base: &b {kind: A, metadata: {name: n, more: 1}}\n<<: *b\nKIND: B\n",
        "x: &x {c: {d: 1, e: 2}}\nb: *x\nB: {C: {D: 3}}\n",
        "b: {<<: [{c: {d: 1}}, {c: {d: 2}}], e: 1}\n",
        "kind: A\nkind: B\nKind: C\n",
        "[kind, a]",
        "kind",
        "b: [{c: {d: 1}}]\n",
    ] {
        assert_part(text);
    }
}
