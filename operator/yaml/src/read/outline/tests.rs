use proptest::prelude::*;

use super::*;
use crate::read::{plain_lines, reader, whole};
use crate::{Numbers, ParseOptions};

const WANTED: [&[&str]; 3] = [
    &["kind"],
    &["metadata", "name"],
    &["metadata", "annotations"],
];

const MANIFEST: &str = "# Source: web\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n    \
    checksum/config: 0a1b2c\n    on: \"yes\\n\"\nspec:\n  replicas: 2\n  # why\n  template:\n    spec:\n      containers:\n      \
    - name: main\n        image: \"registry.example.com/app:1.2.3\"\n        args: [\"-c\", --verbose, 'x']\n        \
    env:\n        -   name: A\n            value: http://a:80/b\n        livenessProbe:\n          httpGet: { path: \"/\", port: http }\n        \
    resources: {}\n      volumes:\n        - - a\n          - 500m\n        - 1.2.3\n  empty:\ndata:\n  text: |-\n    #!/bin/sh\n\n      a: [\n    \
    b\n  folded: >\n      c\n      d\n  last: $(A)\n";

/// What the outline leaves of the text, read, and the whole text, read.
fn both(
    text: &str,
) -> Option<(
    Result<crate::Value, crate::Error>,
    Result<crate::Value, crate::Error>,
)> {
    let options = ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    };
    let wanted = Paths::new(&WANTED);
    let readable = reader::read(text.as_bytes());
    let lines = plain_lines(&readable, &options, &wanted)?;
    let short = whole(
        &reader::read(lines.as_bytes()),
        &options,
        Some(wanted.clone()),
    );
    Some((short, whole(&readable, &options, Some(wanted))))
}

/// Whether the text is plain. If it is, it is right, and says the same whole and in part.
fn is_plain_and_same(text: &str) -> bool {
    let Some((short, whole)) = both(text) else {
        return false;
    };
    let whole = whole.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(short.unwrap(), whole, "{text}");
    true
}

#[test]
fn of_a_plain_manifest_only_the_lines_of_wanted_keys_are_left() {
    let lines = wanted_lines(MANIFEST, &Paths::new(&WANTED)).unwrap();

    assert_eq!(
        lines,
        "kind: Deployment\nmetadata:\n  name: web\n  annotations:\n    checksum/config: 0a1b2c\n    on: \"yes\\n\"\n"
    );
    assert!(is_plain_and_same(MANIFEST));
}

#[test]
fn what_could_be_wrong_is_left_to_the_parser() {
    for text in [
        "",
        "# nothing\n",
        "a: 1\n",
        "kind: A\n\tb: 1\n",
        "kind: A\n# c\rb: [\n",
        "kind: A\n  b: 1\n",
        "kind: A\nb:\n    c: 1\n  d: 2\n",
        "kind: A\nb: c: d\n",
        "kind: A\nb: &c d\n",
        "kind: A\nb: *c\n",
        "kind: A\nb: !c d\n",
        "kind: A\n<<: {}\n",
        "kind: A\nnull: b\n",
        "kind: A\n9: b\n",
        "kind: A\nb: .inf\n",
        "kind: A\nb: -.inf\n",
        "kind: A\nb: [1\n",
        "kind: A\nb: {c}\n",
        "kind: A\nb: {c:1}\n",
        "kind: A\nb: \"c\n",
        "kind: A\nb: \"\\x\"\n",
        "kind: A\nb: 'c' d\n",
        "kind: A\nb: c\n- d\n",
        "kind: A\nb:\n- c\nd\n",
        "kind: A\nb: |\n",
        "kind: A\nb: |\nc: d\n",
        "kind: A\nb: |\n\n  c\n",
        "kind: A\nb: |\n    c\n  d\n",
        "kind: A\nb: |2\n    c\n",
        "kind: A\nb: é\n",
        "kind: A\n---\nb: c\n",
        "kind: A\n...\n",
        "%YAML 1.1\n---\nkind: A\n",
        "- kind: A\n",
        "kind: A\nb: @c\n",
        "kind: A\nb: c #d\n",
        "kind: A\n\"b\": c\n",
    ] {
        assert!(!is_plain_and_same(text), "{text}");
    }
}

#[test]
fn keys_count_in_letters_of_either_case_and_as_often_as_they_come() {
    assert!(is_plain_and_same(
        "Kind: A\nb: c\nkind: B\nMetadata: {NAME: d}\nmetadata:\n  name: e\n"
    ));
}

#[test]
fn a_document_of_more_levels_than_any_manifest_has_is_parsed_whole() {
    let nested = |levels: usize| {
        let lines = (0..levels).map(|level| format!("{}a:\n", " ".repeat(level)));
        format!("kind: A\n{}", lines.collect::<String>())
    };
    assert!(is_plain_and_same(&nested(LEVELS)));
    assert!(!is_plain_and_same(&nested(LEVELS + 1)));
}

fn line() -> impl Strategy<Value = String> {
    let body = prop_oneof![
        Just(""),
        Just("a:"),
        Just("a: b"),
        Just("kind: A"),
        Just("metadata:"),
        Just("name: n"),
        Just("- "),
        Just("-"),
        Just("- a"),
        Just("- a: b"),
        Just("- - a"),
        Just("-   a:"),
        Just("a: |"),
        Just("a: >-"),
        Just("- |"),
        Just("text"),
        Just("# c"),
        Just("a: {b: [c, 1], d: \"e\"}"),
        Just("a: []"),
        Just("a: 'b'"),
        Just("a: b c"),
        Just("a: 1.5"),
        Just("a : b"),
        Just("a:b"),
        Just("- a:"),
        Just("annotations:"),
        Just("\ta"),
        Just("a: -b"),
        Just("a: b:"),
        Just("? a"),
        Just("- b: |-"),
        Just("a: - b"),
        Just("null: a"),
        Just("a: \"b\\\"\""),
        Just("'a': b"),
    ];
    (0usize..7, body).prop_map(|(indent, body)| format!("{}{body}\n", " ".repeat(indent)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn any_lines_that_are_taken_for_plain_are_right_and_say_the_same(lines in prop::collection::vec(line(), 1..7)) {
        is_plain_and_same(&format!("kind: A\n{}", lines.concat()));
    }

    #[test]
    fn a_manifest_with_a_letter_changed_is_still_plain_only_if_it_is_right(
        changes in prop::collection::vec((0..MANIFEST.len(), prop::sample::select(b" \t\r\n:-#|>{}[]\"'\\&*!%@`,?~<.0xeA".to_vec())), 1..3),
        removed in prop::option::of(0..MANIFEST.len()),
    ) {
        let mut bytes = MANIFEST.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Some(at) = removed {
            bytes.remove(at);
        }
        is_plain_and_same(std::str::from_utf8(&bytes).unwrap());
    }
}
