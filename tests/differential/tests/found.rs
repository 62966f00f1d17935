//! What the generated questions found, made small and mended: asked again, one by one.

use std::collections::BTreeMap;

use belay_differential::{Difference, Error, Oracle, Question, Set, SetKind, ours};

fn agree(questions: Vec<Question>) -> Result<(), Error> {
    let answers = Oracle::start()?.ask_all(&questions)?;
    let differences: Vec<String> = questions
        .into_iter()
        .zip(answers)
        .map(|(question, theirs)| Difference {
            ours: ours::answer(&question),
            theirs,
            question,
        })
        .filter(|difference| difference.theirs != difference.ours)
        .map(|difference| difference.to_string())
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

#[test]
fn templates() -> Result<(), Error> {
    let texts = [
        r#"{{ semverCompare "" "" }}"#,
        r#"{{ semverCompare (repeat 200 "1.x ") "1.2.3" }}"#,
        r#"{{ semverCompare (repeat 33 "||") "1.2.3" }}"#,
        r#"{{ semver (printf "1.2.3-%s" (repeat 256 "a")) }}"#,
        "{{ toYamlPretty .Chart.Annotations }}",
        "{{ toYamlPretty (.Files.GetBytes \"bin\") }}",
        "{{ toYamlPretty (.Files.GetBytes \"nope\") }}",
        "{{ mustMerge .Values (dict) | upper }}",
        "{{ typeOf (merge .Values (dict)) }} {{ typeOf .Values }}",
        "{{ ne (chunk 2 (list 3)) .Values.map }}",
        "{{ ne (list) .Files }}",
        "{{ eq (list 1 true) (dict) }}",
        "{{ printf \"%s\" (list .Capabilities) | trunc 30 }}",
        "{{ toToml (list (dict \"a\" 1)) }}",
        "{{ b64dec \"a\\n\" }} {{ b64dec \"abc\\n\\n\" }}",
        "{{ 1._ }}",
        "{{ 1e3_ }}",
        "{{ 1_000.5 }} {{ 1_000 }}",
        "{{ block \"x\" . }}\n{{ else }}",
        "{{ coalesce .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion }} {{ (.Capabilities.KubeVersion) }}",
        "{{ (default 1 .Capabilities.KubeVersion).GitVersion }}",
        "{{ (default 1 .Capabilities.KubeVersion).Minor }} {{ $k := .Capabilities.KubeVersion }}{{ $k }} {{ print $k }}",
        "{{ eq (semver \"1.2.3-a\") (semver \"1.2.3-a\") }} {{ $v := semver \"1.2.3\" }}{{ eq $v $v }}",
        "{{ toToml (toDate \"2006\" \"2020\") }} {{ toToml (fromToml \"a = 1979-05-27\") }}",
        "{{ coalesce.s }}",
        "{{ concat.s }}",
        "{{ len coalesce }}",
        "{{ printf \"%g\" (semver \"1.2.3\") }}",
        "{{ printf \"%d\" (semver \"0\").IncMinor }}",
        "{{ printf \"%p\" (fromYaml \"\") | mustFromJson }}",
        "{{ printf \"%d %+d\" (semver \"1.2.3-a+b\") (semver \"v1\") }}",
        "{{ printf \"%#v\" (semver \"1.2.3\") }}",
        "{{ deepEqual (semver \"v1.2.3\") (semver \"1.2.3\") }}",
        "{{ deepCopy (semver \"1.2.3\") }} {{ deepCopy (list (semver \"1.2.3\").IncMajor) }}",
        "{{ toToml (dict \"a\" \"\\xff\") }}",
        "{{ fromToml \"a = 1979-05-27\\nb = 07:32:00.5\\nc = 1979-05-27T07:32:00\\nd = 1979-05-27T07:32:00-07:00\" }}",
        "{{ fromToml \"a = 1979-05-27\\nd = 1979-05-27T07:32:00.25Z\" | toJson }}",
    ];
    agree(
        texts
            .iter()
            .map(|text| Question::Render {
                templates: BTreeMap::from([("templates/a.yaml".to_owned(), (*text).into())]),
                files: BTreeMap::from([("bin".to_owned(), "a\u{0}b".into())]),
                values: "map: {a: 1}".into(),
                sets: Vec::new(),
            })
            .collect(),
    )
}

#[test]
fn sets() -> Result<(), Error> {
    let texts = [
        (SetKind::Set, "a."),
        (SetKind::Literal, "a.b."),
        (SetKind::Set, "map."),
        (SetKind::Set, "\u{a0}"),
        (SetKind::Set, "a[1 ]=x"),
        (SetKind::Set, "a[9223372036854775808 ]=x"),
        (SetKind::Set, "a[9223372036854775808]=x"),
        (SetKind::Literal, "a[2]\u{a0}\"'"),
    ];
    agree(
        texts
            .iter()
            .map(|(kind, text)| Question::Values {
                values: "map: {}".into(),
                sets: vec![Set {
                    kind: *kind,
                    text: (*text).to_owned(),
                }],
            })
            .collect(),
    )
}
