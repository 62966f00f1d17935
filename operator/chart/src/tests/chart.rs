use super::*;

fn chart_of(files: &[(&str, &str)]) -> Result<Chart, ChartError> {
    Chart::from_files(
        files
            .iter()
            .map(|(name, text)| File::new(name, text.as_bytes())),
    )
}

const WEB: (&str, &str) = (
    "Chart.yaml",
    "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: 1.10\n",
);

#[test]
fn files_go_where_helm_puts_them() {
    let chart = chart_of(&[
        WEB,
        ("values.yaml", "a: 1\n---\nb: 2\n"),
        ("values.schema.json", "{}"),
        ("templates/a.yaml", "x"),
        ("README.md", "read"),
        ("crds/foo.YAML", "crd"),
        ("crds/notes.txt", "none"),
        ("charts/db/Chart.yaml", "name: db\nversion: 0.1.0"),
        ("charts/db/crds/bar.json", "{}"),
        ("charts/_hidden/Chart.yaml", "broken: ["),
    ])
    .unwrap();
    assert_eq!(
        chart.metadata().app_version,
        "1.1",
        "a number in a text field, as Go prints it"
    );
    assert_eq!(chart.values().unwrap().len(), 2);
    assert_eq!(chart.templates().len(), 1);
    assert_eq!(chart.files().len(), 3);
    assert_eq!(chart.dependencies()[0].metadata().api_version, "v1");
    let crds: Vec<_> = chart.crds().into_iter().map(|crd| crd.file_name).collect();
    assert_eq!(crds, ["web/crds/foo.YAML", "web/charts/db/crds/bar.json"]);
}

#[test]
fn version_one_charts_list_dependencies_in_a_file_of_their_own() {
    let chart = chart_of(&[
        ("Chart.yaml", "name: old\nversion: 1.0.0"),
        (
            "requirements.yaml",
            "dependencies:\n- name: db\n  version: 1.x\n  repository: https://example.com",
        ),
    ])
    .unwrap();
    assert_eq!(chart.metadata().dependencies()[0].name, "db");
    assert_eq!(&*chart.files()[0].name, "requirements.yaml");
    let missing = chart.check_dependencies().unwrap_err().to_string();
    assert!(
        missing.ends_with("missing in charts/ directory: db"),
        "{missing}"
    );
}

#[test]
fn broken_charts_are_refused_in_helms_words() {
    for (chart_yaml, message) in [
        (
            "apiVersion: v2\nversion: 1.0.0",
            "validation: chart.metadata.name is required",
        ),
        (
            "apiVersion: v2\nname: a/b\nversion: 1.0.0",
            "validation: chart.metadata.name \"a/b\" is invalid",
        ),
        (
            "apiVersion: v2\nname: a\nversion: one",
            "validation: chart.metadata.version \"one\" is invalid",
        ),
        (
            "apiVersion: v2\nname: a",
            "validation: chart.metadata.version is required",
        ),
        ("apiVersion: v9\nname: a", "unsupported chart version"),
        (
            "name: a\nversion: 1.0.0\ntype: other",
            "validation: chart.metadata.type must be application or library",
        ),
        (
            "name: [a]\nversion: 1.0.0",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string",
        ),
        (
            "name: a\nversion: 1.0.0\ndependencies:\n- name: b\n- name: c\n  alias: b",
            "validation: more than one dependency with name or alias \"b\"",
        ),
    ] {
        assert_eq!(
            chart_of(&[("Chart.yaml", chart_yaml)])
                .unwrap_err()
                .to_string(),
            message
        );
    }
    assert_eq!(
        chart_of(&[("values.yaml", "")]).unwrap_err().to_string(),
        "Chart.yaml file is missing"
    );
}

#[test]
fn the_digest_depends_on_content_alone() {
    let child = ("charts/db/Chart.yaml", "name: db\nversion: 0.1.0");
    let one = chart_of(&[WEB, ("a", "1"), child])
        .unwrap()
        .content_digest();
    let turned = chart_of(&[child, ("a", "1"), WEB])
        .unwrap()
        .content_digest();
    let other = chart_of(&[WEB, ("a", "2"), child])
        .unwrap()
        .content_digest();
    let grandchild = chart_of(&[
        WEB,
        ("a", "1"),
        ("charts/db/Chart.yaml", "name: db\nversion: 0.1.1"),
    ]);
    assert_eq!(one, turned);
    assert_ne!(one, other);
    assert_ne!(one, grandchild.unwrap().content_digest());
    assert_eq!(one.to_string().len(), 64);
}

#[test]
fn a_record_holds_the_chart_without_its_subcharts() {
    let chart = chart_of(&[
        WEB,
        ("templates/a.yaml", "x: 1"),
        ("values.yaml", "count: 3\nf: 0.5"),
    ])
    .unwrap();
    let record = chart.record_json();
    assert_eq!(record["metadata"]["appVersion"], "1.1");
    assert_eq!(record["templates"][0]["data"], "eDogMQ==");
    assert_eq!(record["values"]["count"], 3);
    assert!(record["lock"].is_null() && record["files"].is_null() && record["schema"].is_null());
}
