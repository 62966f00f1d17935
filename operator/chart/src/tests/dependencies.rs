use super::*;
use crate::file::File;

fn umbrella(dependencies: &str, values: &str) -> Chart {
    let chart_yaml =
        format!("apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n{dependencies}");
    let files = [
        ("Chart.yaml", chart_yaml.as_str()),
        ("values.yaml", values),
        ("charts/db/Chart.yaml", "name: db\nversion: 1.2.3"),
        (
            "charts/db/values.yaml",
            "exports: {up: {from: db}}\nport: 5432",
        ),
        ("charts/loose/Chart.yaml", "name: loose\nversion: 0.1.0"),
    ];
    Chart::from_files(files.map(|(name, text)| File::new(name, text.as_bytes()))).unwrap()
}

fn names(chart: &Chart, user: &str) -> Vec<String> {
    let user = belay_yaml::parse_map(user.as_bytes()).unwrap();
    let processed = process(chart, &user, &mut Vec::new()).unwrap();
    processed
        .dependencies()
        .iter()
        .map(|child| child.name().to_owned())
        .collect()
}

#[test]
fn unlisted_charts_stay_and_aliases_multiply() {
    let top = umbrella(
        "- {name: db, version: 1.x}\n- {name: db, version: '>=1', alias: cache}",
        "",
    );
    assert_eq!(names(&top, ""), ["loose", "db", "cache"]);
}

#[test]
fn a_version_out_of_range_is_no_match() {
    assert_eq!(
        names(
            &umbrella("- {name: db, version: 2.x, alias: other}", ""),
            ""
        ),
        ["db", "loose"]
    );
}

#[test]
fn a_condition_beats_tags_and_a_true_tag_beats_false_ones() {
    let listed = "- {name: db, version: 1.x, condition: 'off.no,db.enabled', tags: [back, extra]}";
    let top = umbrella(listed, "");
    assert_eq!(names(&top, ""), ["loose", "db"]);
    assert_eq!(names(&top, "tags: {back: false}"), ["loose"]);
    assert_eq!(
        names(&top, "tags: {back: false, extra: true}"),
        ["loose", "db"]
    );
    assert_eq!(
        names(&top, "tags: {back: false}\ndb: {enabled: true}"),
        ["loose", "db"]
    );
    assert_eq!(
        names(&top, "db: {enabled: false}\ntags: {back: true}"),
        ["loose"]
    );
}

#[test]
fn imported_values_rank_below_the_parents_own() {
    let listed =
        "- {name: db, version: 1.x, import-values: [up, {child: exports, parent: mine.sub}]}";
    let top = umbrella(listed, "from: parent");
    let processed = process(&top, &Map::new(), &mut Vec::new()).unwrap();
    let values = processed.values().unwrap();
    assert_eq!(values["from"], Value::from("parent"));
    assert_eq!(
        values["mine"].at(&["sub", "up", "from"]),
        Some(&Value::from("db"))
    );
    let record = processed.record_json();
    assert_eq!(
        record["metadata"]["dependencies"][0]["import-values"][0]["child"],
        "exports.up"
    );
    assert_eq!(record["metadata"]["dependencies"][0]["enabled"], true);
}
