//! `.Files`, `.helmignore` and what of a chart is a file at all.

use belay_conformance::{Case, assert_all};

const CONTENT: [(&str, &[u8]); 12] = [
    ("a.txt", b"one\ntwo\n"),
    ("dir/b.txt", b"no newline"),
    ("dir/sub/c.json", b"{\"x\": 1}"),
    ("dir/[odd].txt", b"odd"),
    ("empty", b""),
    ("bom.txt", b"\xef\xbb\xbfmarked"),
    ("binary", b"\xff\x00\xfe"),
    ("values.schema.json", b"{}"),
    (
        ".helmignore",
        b"# comment\n*.bak\n/top.md\ndocs/\nsecret?.txt\n",
    ),
    ("x.bak", b"ignored"),
    ("docs/d.txt", b"ignored"),
    ("secret1.txt", b"ignored"),
];

fn with(template: &str) -> Case {
    let mut files: Vec<(&str, &[u8])> = CONTENT.to_vec();
    files.push(("templates/a.yaml", template.as_bytes()));
    files.push(("templates/.hidden.yaml", b"{{ fail \"hidden\" }}"));
    files.push(("README.md", b"# Read"));
    files.push(("top.md", b"ignored"));
    Case::of(&files).unwrap()
}

#[test]
fn files_are_read_as_texts_bytes_and_lines() {
    assert_all(
        [
            r#".Files.Get "a.txt" | quote"#,
            r#".Files.Get "nothing" | quote"#,
            r#".Files.GetBytes "a.txt" | toString | quote"#,
            r#".Files.GetBytes "binary" | toJson"#,
            r#".Files.Get "binary" | b64enc"#,
            r#".Files.Get "bom.txt" | quote"#,
            r#".Files.Lines "a.txt" | toJson"#,
            r#".Files.Lines "dir/b.txt" | toJson"#,
            r#".Files.Lines "nothing" | toJson"#,
            r#"(.Files.Glob "*.txt").AsConfig | quote"#,
            r#"(.Files.Glob "dir/**").AsSecrets | quote"#,
            r#"(.Files.Glob "nothing*").AsConfig | quote"#,
            r#"index .Files "dir/b.txt" | toString"#,
            "len .Files",
            "range $k, $v := .Files }}{{ $k }}={{ len $v }} {{ end",
        ]
        .into_iter()
        .map(|expression| with(&format!("x: {{{{ {expression} }}}}\n"))),
    );
}

#[test]
fn globs_match_as_they_do_in_go() {
    assert_all([
        "*", "**", "*.txt", "dir/*", "dir/**", "**/*.json", "{a,bom}.txt", "dir/**.txt", "[ab].txt", "[!a]*.txt",
        "dir/\\\\[odd\\\\].txt", "?.txt", "{dir/*,a.txt}", "**.txt", "[", "dir/sub/*.{json,yaml}", "", "d*r/[a-c].txt",
        "*{.txt,nary}", "[^a].txt",
    ].into_iter().map(|pattern| {
        with(&format!(
            "x: [{{{{ range $k, $_ := .Files.Glob \"{pattern}\" }}}}{{{{ $k | quote }}}}, {{{{ end }}}}]\n"
        ))
    }));
}

#[test]
fn a_helmignore_that_cannot_be_read_is_an_error() {
    assert_all(
        ["a/**/b\n", "[\n", "!x/[\n"]
            .into_iter()
            .map(|text| Case::of(&[(".helmignore", text), ("templates/a.yaml", "a: 1")]).unwrap()),
    );
}

#[test]
fn negated_rules_ignore_the_rest() {
    let case = |rules: &str| {
        Case::of(&[
            (".helmignore", rules),
            (
                "templates/a.yaml",
                "x: {{ range $k, $_ := .Files }}{{ $k }} {{ end }}",
            ),
            ("keep.txt", "k"),
            ("drop.txt", "d"),
        ])
        .unwrap()
    };
    assert_all(
        [
            "drop.txt\n!keep.txt",
            "!Chart.yaml",
            "keep.*\n",
            "templates/a.yaml",
            "/templates",
        ]
        .into_iter()
        .map(case),
    );
}
