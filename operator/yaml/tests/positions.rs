//! Errors say where, whatever go-yaml's own line numbers are.

use belay_yaml::{Error, Position, documents, parse};

fn position(text: &str) -> Option<Position> {
    parse(text.as_bytes()).err()?.position()
}

const fn at(line: u64, column: u64) -> Position {
    Position { line, column }
}

#[test]
fn syntax_errors_know_their_line_and_column() {
    assert_eq!(position("a: b: c"), Some(at(1, 5)));
    assert_eq!(position("a:\n  - b\n  c: d\n"), Some(at(3, 3)));
    assert_eq!(position("é: 1\nü: @"), Some(at(2, 4)));
}

#[test]
fn errors_of_content_point_at_the_node() {
    assert_eq!(position("a: 1\nb: *x\n"), Some(at(2, 4)));
    assert_eq!(position("a: 1\nb: !!int x\n"), Some(at(2, 4)));
    assert_eq!(position("a: 1\n<<: 2\n"), Some(at(2, 5)));
    assert_eq!(position("a:\n  {{ .Values.x }}: 1\n"), Some(at(2, 4)));
}

#[test]
fn a_position_is_right_where_go_counts_wrong() {
    let error = parse(b"a: 1\nb: {c\n").unwrap_err();

    assert_eq!(
        error.to_string(),
        "error converting YAML to JSON: yaml: line 2: did not find expected ',' or '}'"
    );
    assert_eq!(error.position(), Some(at(3, 1)));
}

#[test]
fn strict_reading_names_every_key_set_again() {
    let options = belay_yaml::ParseOptions {
        strict: true,
        ..Default::default()
    };

    let error = belay_yaml::parse_with(b"a: 1\nb: {c: 1, c: 2}\na: 3\n", &options).unwrap_err();

    assert_eq!(
        error,
        Error::DuplicateKeys(vec![
            "line 2: key \"c\" already set in map".to_owned(),
            "line 3: key \"a\" already set in map".to_owned(),
        ])
    );
}

fn split(text: &str) -> Result<Vec<(usize, String)>, Error> {
    let text_of = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    Ok(documents(text.as_bytes())?
        .iter()
        .map(|d| (d.line, text_of(&d.text)))
        .collect())
}

#[test]
fn documents_are_split_at_lines_of_dashes_and_know_their_line() {
    assert_eq!(
        split("a: 1\n---\nb: 2").unwrap(),
        [(1, "a: 1\n".to_owned()), (3, "b: 2\n".to_owned())]
    );
    assert_eq!(
        split("a: 1\n--- # next\nb: 2\n---\n").unwrap(),
        [(1, "a: 1\n".to_owned()), (3, "b: 2\n".to_owned())]
    );
    assert!(split("").unwrap().is_empty());
}

#[test]
fn a_separator_that_opens_the_text_belongs_to_the_first_document() {
    assert_eq!(
        split("---\na: 1\n").unwrap(),
        [(1, "---\na: 1\n".to_owned())]
    );
}

#[test]
fn lines_of_documents_end_with_a_line_feed_alone() {
    assert_eq!(
        split("a: 1\r\nb: 2\r\n").unwrap(),
        [(1, "a: 1\nb: 2\n".to_owned())]
    );
}

#[test]
fn text_behind_a_separator_is_refused() {
    let error = documents(b"a: 1\n--- b: 2\n").unwrap_err();

    assert_eq!(error.to_string(), "invalid Yaml document separator: b: 2");
}
