use super::*;
use crate::file::File;

fn chart(files: &[(&str, &str)]) -> Chart {
    Chart::from_files(
        files
            .iter()
            .map(|(name, text)| File::new(name, text.as_bytes())),
    )
    .unwrap()
}

fn coalesced(chart: &Chart, user: &str) -> (String, Vec<String>) {
    let mut values = belay_yaml::parse_map(user.as_bytes()).unwrap();
    let mut warnings = Vec::new();
    coalesce(chart, &mut values, Nulls::Remove, &mut warnings).unwrap();
    let warnings = warnings.iter().map(ToString::to_string).collect();
    (belay_yaml::to_json(&Value::Map(values)).unwrap(), warnings)
}

#[test]
fn the_user_wins_over_the_parent_and_the_parent_over_the_child() {
    let web = chart(&[
        ("Chart.yaml", "name: web\nversion: 1.0.0"),
        (
            "values.yaml",
            "a: chart\nm: {x: 1, y: 1}\ndb: {p: parent, q: parent}\nglobal: {g: 1}",
        ),
        ("charts/db/Chart.yaml", "name: db\nversion: 1.0.0"),
        (
            "charts/db/values.yaml",
            "p: child\nq: child\nr: child\nglobal: {h: 2}",
        ),
    ]);
    let (values, warnings) = coalesced(&web, "m: {y: null}\ndb: {q: user}\na: user");
    assert_eq!(
        values,
        r#"{"a":"user","db":{"global":{"g":1,"h":2},"p":"parent","q":"user","r":"child"},"global":{"g":1},"m":{"x":1}}"#
    );
    assert!(warnings.is_empty());
}

#[test]
fn a_null_removes_a_default_and_nulls_among_defaults_are_not_there() {
    let web = chart(&[
        ("Chart.yaml", "name: web\nversion: 1.0.0"),
        ("values.yaml", "a: 1\nb: null\nc: {d: null, e: 1}"),
    ]);
    assert_eq!(coalesced(&web, "a: null").0, r#"{"c":{"e":1}}"#);
}

#[test]
fn a_table_and_something_else_do_not_mix() {
    let web = chart(&[
        ("Chart.yaml", "name: web\nversion: 1.0.0"),
        ("values.yaml", "a: 1\nm: {t: {x: 1}, s: 1}"),
        ("charts/db/Chart.yaml", "name: db\nversion: 1.0.0"),
    ]);
    let (_, warnings) = coalesced(&web, "a: {b: 1}\nm: {t: 5, s: {y: 1}}");
    assert_eq!(
        warnings,
        [
            "warning: skipped value for web.a: Not a table.",
            "warning: destination for web.m.s is a table. Ignoring non-table value (1)",
            "warning: cannot overwrite table with non table for web.m.t (map[x:1])",
        ]
    );
    let mut values = Map::from([("db".to_owned(), Value::from("x"))]);
    let error = coalesce(&web, &mut values, Nulls::Remove, &mut Vec::new())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "type mismatch on db: %!t(string=x)");
}
