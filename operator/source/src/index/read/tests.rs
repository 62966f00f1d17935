use rstest::rstest;

use super::*;

const HELM: &str = r#"apiVersion: v1
entries:
  db:
  - apiVersion: v2
    created: "2026-01-02T03:04:05Z"
    description: |
      Many lines,
      web:
      - that look like a chart
    digest: a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1
    name: db
    urls:
    - https://a.example/db-1.0.0.tgz
    version: 1.0.0
  web:
  - name: web
    urls:
    - web-1.10.0.tgz
    - https://mirror.example/web-1.10.0.tgz
    version: 1.10.0
  - name: web
    urls:
    - web-1.9.0.tgz
    version: 1.9.0
generated: "2026-01-02T03:04:05Z"
"#;

fn index(text: &str) -> Index {
    read("https://a.example/index.yaml", text.as_bytes()).unwrap()
}

fn refusal(text: &str) -> String {
    read("https://a.example/index.yaml", text.as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn an_index_as_helm_writes_it_is_read_in_pieces() {
    let pieces = in_pieces(HELM.as_bytes())
        .expect("the layout of helm repo index is the one to be lean with");

    assert_eq!(pieces, whole("", HELM.as_bytes()).unwrap());
    assert_eq!(pieces.charts.len(), 2);
    assert_eq!(
        &*pieces.charts["db"][0].urls[0],
        "https://a.example/db-1.0.0.tgz"
    );
    assert_eq!(
        pieces.charts["db"][0].digest.as_deref(),
        Some("a1".repeat(32).as_str())
    );
    assert_eq!(pieces.charts["web"][0].urls.len(), 2);
    assert_eq!(pieces.charts["web"][0].digest, None);
}

/// Given layouts that cutting by lines could get wrong, reading gives what the parser gives for the whole.
#[rstest]
#[case::deeper_lists(
    "apiVersion: v1\nentries:\n    web:\n      - version: 1.0.0\n        urls: [a.tgz]\n"
)]
#[case::comments(
    "# top\napiVersion: v1\nentries:\n# here\n  # and here\n  web:\n# there\n  - {version: 1.0.0, urls: [a]}\n"
)]
#[case::flow("{apiVersion: v1, entries: {web: [{version: 1.0.0, urls: [a]}]}}")]
#[case::json(
    "{\"apiVersion\":\"v1\",\"entries\":{\"web\":[{\"version\":\"1.0.0\",\"urls\":[\"a\"]}]}}"
)]
#[case::quoted_names(
    "apiVersion: v1\nentries:\n  \"web\":\n  - version: 1.0.0\n    urls:\n    - a\n  'db': []\n"
)]
#[case::anchors(
    "apiVersion: v1\nentries:\n  web: &w\n    - version: 1.0.0\n      urls: [a]\n  db: *w\n"
)]
#[case::windows(
    "apiVersion: v1\r\nentries:\r\n  web:\r\n  - version: 1.0.0\r\n    urls:\r\n    - a\r\n"
)]
#[case::text_over_lines(
    "apiVersion: v1\nentries:\n  web:\n  - description: \"one\n  two: three\n  \"\n    version: 1.0.0\n    urls: [a]\n"
)]
#[case::entries_in_the_middle(
    "entries:\n  web:\n  - version: 1.0.0\n    urls: [a]\napiVersion: v1\n"
)]
#[case::entries_twice(
    "apiVersion: v1\nentries:\n  web: []\nentries:\n  db:\n  - {version: 1.0.0, urls: [a]}\n"
)]
#[case::a_second_document(
    "apiVersion: v1\nentries:\n  web:\n  - {version: 1.0.0, urls: [a]}\n---\nentries: {}\n"
)]
#[case::no_entries("apiVersion: v1\nentries:\n")]
#[case::empty("apiVersion: v1\nentries: {}\n")]
#[case::entries_inside_a_text("apiVersion: v1\ndescription: |\n  x\nentries:\n  web: []\n")]
fn whatever_the_layout_the_index_means_the_same(#[case] text: &str) {
    assert_eq!(index(text), whole("", text.as_bytes()).unwrap());
}

#[test]
fn an_entry_that_cannot_be_used_does_not_hide_the_others() {
    let index = index(
        "apiVersion: v1\nentries:\n  web:\n  - null\n  - {version: 3.0.0}\n  - {urls: [a]}\n  - {version: 2, urls: [b]}\n",
    );

    assert_eq!(index.charts["web"].len(), 1);
    assert_eq!(&*index.charts["web"][0].version, "2");
}

/// A digest of 64 digits that nobody quoted is a number, and no proof.
#[test]
fn a_digest_that_cannot_be_compared_is_not_taken_for_none() {
    let text = HELM.replace(&"a1".repeat(32), &"1".repeat(64));

    let digest = index(&text).charts["db"][0].digest.clone();

    assert!(digest.is_some_and(|digest| digest.parse::<crate::PackageDigest>().is_err()));
}

#[rstest]
#[case("", "it is empty")]
#[case("<!doctype html>\n<html></html>\n", "web page")]
#[case("entries: {}\n", "no apiVersion")]
#[case("apiVersion: v1\nentries: []\n", "entries is no mapping")]
#[case("apiVersion: v1\nentries:\n  web: 1\n", "entries.web is no list")]
fn what_is_no_index_says_what_it_is_instead(#[case] text: &str, #[case] says: &str) {
    let refusal = refusal(text);

    assert!(refusal.contains(says), "{refusal}");
}

#[test]
fn broken_yaml_is_refused_with_its_line() {
    let error = read(
        "https://a.example/index.yaml",
        b"apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n    urls: [a\n  db: []\n",
    )
    .unwrap_err();

    assert!(
        matches!(
            error,
            Error::BadIndex {
                line: Some(5..=7),
                ..
            }
        ),
        "the line of the open bracket or the next, not {error:?}"
    );
}
