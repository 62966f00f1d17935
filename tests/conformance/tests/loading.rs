//! Charts that are broken before anything is rendered.

use belay_conformance::{Case, assert_all};

#[test]
fn chart_files_that_helm_refuses() {
    assert_all(
        [
            "apiVersion: v2\nversion: 1.0.0",
            "apiVersion: v2\nname: t",
            "apiVersion: v2\nname: t\nversion: one",
            "apiVersion: v9\nname: t",
            "name: [a]\nversion: 1.0.0",
            "- a",
            "a: [",
            "name: t\nversion: 1",
            "apiVersion: v2\nname: ../t\nversion: 1.0.0",
            "apiVersion: v2\nname: t\nversion: 1.0.0\ntype: other",
            "apiVersion: v2\nname: t\nversion: 1.0.0\ndependencies: [null]",
            "apiVersion: v2\nname: t\nversion: 1.0.0\nmaintainers: [null]",
            "apiVersion: v2\nname: t\nversion: 1.0.0\ndependencies:\n- name: {}\n",
            "apiVersion: v2\nname: t\nversion: 1.0.0\nkeywords: x",
            "apiVersion: v2\nname: t\nversion: 1.0.0\ndeprecated: 'yes'",
            "apiVersion: v2\nname: t\nversion: 1.0.0\nannotations: {a: 1, b: true}",
            "apiVersion: 2\nname: t\nversion: 1.0.0",
            "APIVERSION: v2\nNAME: t\nVersion: 1.0.0\nappVersion: 20240101",
        ]
        .into_iter()
        .map(|text| {
            let chart = [
                ("Chart.yaml", text),
                ("templates/a.yaml", "{{ .Chart | toJson | quote }}: 1"),
            ];
            Case::of(&chart).unwrap()
        }),
    );
}

#[test]
fn values_that_are_no_values() {
    assert_all(
        [
            "- a",
            "a: [",
            "a: {b: c\n",
            "text",
            "",
            "# nothing\n",
            "null",
            "a: 1\n---\nb: 2\n",
            "a: 1\na: 2\n",
            "a: &x {b: 1}\nc: {<<: *x, d: 2}\n",
            "1: a\ntrue: b\n2.5: c\n",
        ]
        .into_iter()
        .map(|text| {
            let chart = [
                ("values.yaml", text),
                ("templates/a.yaml", "v: {{ .Values | toJson }}"),
            ];
            Case::of(&chart).unwrap()
        }),
    );
}

#[test]
fn subcharts_that_are_broken() {
    assert_all(
        [
            ("charts/sub/values.yaml", "a: ["),
            ("charts/sub/Chart.yaml", "name: sub"),
            ("charts/x.tgz", "no archive"),
            ("charts/README.md", "read"),
        ]
        .into_iter()
        .map(|(name, text)| {
            let mut files = vec![("templates/a.yaml", "a: 1"), (name, text)];
            if name != "charts/sub/Chart.yaml" && name.contains("sub") {
                files.push(("charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0"));
            }
            Case::of(&files).unwrap()
        }),
    );
}

#[test]
fn the_version_of_a_subcharts_chart_yaml_is_its_own_affair() {
    assert_all(["v3", "[v3]", "''", "v1"].into_iter().map(|version| {
        let child = format!("apiVersion: {version}\nname: c\nversion: 1.0.0\n");
        Case::of(&[
            ("templates/a.yaml", "a: b\n"),
            ("charts/c/Chart.yaml", child.as_str()),
            ("charts/c/templates/c.yaml", "c: {{ .Chart.APIVersion }}\n"),
        ])
        .unwrap()
    }));
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_named_with_where_the_way_ends() {
    let case = Case::template("a: 1").unwrap();
    let chart = case.chart().to_owned();
    std::os::unix::fs::symlink("../nowhere/at/all", chart.join("crds")).unwrap();
    assert_all([case]);
}

#[test]
fn values_of_a_subchart_that_are_no_table_are_shown_as_helm_shows_them() {
    assert_all(
        [
            "[{n: x, v: null, l: [true, null, 1.5]}]",
            "1",
            "true",
            "null",
            "[]",
            "text",
            "[a, {}]",
        ]
        .into_iter()
        .map(|values| {
            let values = format!("sub: {values}");
            Case::of(&[
                (
                    "charts/sub/Chart.yaml",
                    "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
                ),
                ("templates/a.yaml", "a: {{ toJson .Values }}"),
                ("values.yaml", values.as_str()),
            ])
            .unwrap()
        }),
    );
}

#[test]
fn a_lock_file_is_of_the_types_that_helm_reads() {
    const GENERATED: &str = "2026-08-10T15:12:41";
    let lock = |text: String| {
        Case::of(&[
            ("Chart.lock", text.as_str()),
            ("templates/a.yaml", "a: 1\n"),
        ])
        .unwrap()
    };
    let times = [
        "", "Z", ".5+02:00", "+0200", ":61Z", ".Z", "Z\\\"", "-24:00",
    ]
    .map(|end| lock(format!("generated: \"{GENERATED}{end}\"")));
    let others = [
        "generated: x",
        "generated: ''",
        "generated: 2020",
        "generated: 2020-01-01",
        "generated: null",
        "generated: {}",
        "digest: 1",
        "digest: {}",
        "dependencies: x",
        "dependencies: [x]",
        "dependencies: [null, {name: a}]",
        "dependencies: [{name: [a]}]",
        "digest: []\ngenerated: x",
        "[]",
        "x",
        "",
    ]
    .map(|text| lock(text.to_owned()));
    assert_all(times.into_iter().chain(others));
    let requirements = |version: &str| {
        let chart = format!("apiVersion: {version}\nname: t\nversion: 0.1.0\n");
        Case::of(&[
            ("Chart.yaml", chart.as_str()),
            ("requirements.lock", "generated: x"),
            ("templates/a.yaml", "a: 1\n"),
        ])
        .unwrap()
    };
    assert_all([requirements("v1"), requirements("v2")]);
}
