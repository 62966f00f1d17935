//! Subcharts: which take part, under which names, with which values.

use belay_conformance::{Case, assert_all, assert_same};

const SHOW: &str = "{{ .Template.Name | quote }}: {{ .Values | toJson }}\n{{ .Chart.Name }}: {{ .Subcharts | keys | sortAlpha | toJson }}\n";

fn family(dependencies: &str, values: &str) -> Case {
    let chart = format!("apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n{dependencies}");
    Case::of(&[
        ("Chart.yaml", chart.as_str()),
        ("values.yaml", values),
        ("templates/a.yaml", SHOW),
        ("charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.2.3\ndependencies:\n- {name: disk, version: '*', condition: disk.on, repository: 'file://x'}\n"),
        ("charts/db/values.yaml", "exports: {up: {from: db, list: [1]}}\nport: 5432\nglobal: {g: {db: 1}}\nnull1: null\n"),
        ("charts/db/templates/a.yaml", SHOW),
        ("charts/db/charts/disk/Chart.yaml", "apiVersion: v2\nname: disk\nversion: 0.0.1\n"),
        ("charts/db/charts/disk/values.yaml", "size: 5\n"),
        ("charts/db/charts/disk/templates/a.yaml", SHOW),
        ("charts/loose/Chart.yaml", "name: loose\nversion: 0.1.0\n"),
        ("charts/loose/templates/a.yaml", SHOW),
        ("charts/_hidden/Chart.yaml", "nothing: here"),
    ])
    .unwrap()
}

#[test]
fn conditions_tags_and_aliases() {
    assert_all(
        [
            ("- {name: db, version: 1.x}", "", &[][..]),
            (
                "- {name: db, version: 1.x}",
                "",
                &["--set", "db.disk.on=false"],
            ),
            (
                "- {name: db, version: 1.x, condition: db.on}",
                "db: {on: false}",
                &[],
            ),
            (
                "- {name: db, version: 1.x, condition: db.on}",
                "db: {on: false}",
                &["--set", "db.on=true"],
            ),
            (
                "- {name: db, version: 1.x, condition: 'a.b,db.on'}",
                "a: {b: text}",
                &["--set", "db.on=false"],
            ),
            (
                "- {name: db, version: 1.x, tags: [x, z]}",
                "tags: {x: false}",
                &[],
            ),
            (
                "- {name: db, version: 1.x, tags: [x, z]}",
                "tags: {x: false}",
                &["--set", "tags.z=true"],
            ),
            (
                "- {name: db, version: 1.x, tags: [x], condition: db.on}",
                "tags: {x: false}",
                &["--set", "db.on=true"],
            ),
            (
                "- {name: db, version: 1.x, alias: one}\n- {name: db, version: 1.x, alias: two}",
                "one: {port: 1}",
                &["--set", "two.port=2"],
            ),
            (
                "- {name: db, version: 1.x}\n- {name: db, version: 1.x, alias: two}",
                "",
                &[],
            ),
            ("- {name: db, version: 2.x}", "", &[]),
            (
                "- {name: db, version: 1.x}\n- {name: absent, version: 1.x}\n- {name: gone}",
                "",
                &[],
            ),
            ("- {name: db, version: 1.x, alias: 'a b'}", "", &[]),
            (
                "- {name: db, version: 1.x}\n- {name: db, version: 1.x}",
                "",
                &[],
            ),
        ]
        .into_iter()
        .map(|(listed, values, args)| family(listed, values).args(args.iter().copied())),
    );
}

#[test]
fn imports_and_globals() {
    assert_all([
        ("- {name: db, version: 1.x, import-values: [up]}", "from: top", &[][..]),
        ("- {name: db, version: 1.x, import-values: [up]}", "", &["--set", "from=user"]),
        ("- {name: db, version: 1.x, import-values: [{child: exports.up, parent: a.b}, missing]}", "a: {c: 1}", &[]),
        ("- {name: db, version: 1.x, alias: x, import-values: [{child: exports, parent: .}]}", "", &[]),
        ("- {name: db, version: 1.x}", "global: {g: {top: 1}, s: x}", &["--set", "global.g.user=2"]),
        ("- {name: db, version: 1.x}", "global: text", &[]),
        ("- {name: db, version: 1.x}", "db: text", &[]),
        ("- {name: db, version: 1.x}", "", &["--set", "db=5"]),
        ("- {name: db, version: 1.x}", "db: {port: null, new: null}", &["--set", "db.exports=null"]),
        ("- {name: db, version: 1.x}", "db: {global: {g: {x: y}}}", &["--set", "db.global.g=1"]),
    ].into_iter().map(|(listed, values, args)| {
        family(listed, values).args(args.iter().copied())
    }));
}

#[test]
fn a_version_one_chart_lists_them_apart() {
    assert_same(
        &Case::of(&[
            ("Chart.yaml", "name: old\nversion: 1.0.0\n"),
            ("requirements.yaml", "dependencies:\n- {name: db, version: 1.x, repository: 'https://x', condition: db.on}\n"),
            ("values.yaml", "db: {on: true}\n"),
            ("templates/a.yaml", "{{ .Chart.APIVersion | quote }}: {{ .Files.Get \"requirements.yaml\" | quote }}\n"),
            ("charts/db/Chart.yaml", "name: db\nversion: 1.2.3\n"),
            ("charts/db/templates/a.yaml", SHOW),
        ])
        .unwrap(),
    );
}

#[test]
fn a_library_chart_lends_definitions_and_is_not_installable() {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        ),
        ("templates/_a.tpl", "{{ define \"x\" }}y{{ end }}"),
    ];
    assert_same(&Case::of(&files).unwrap());
}

#[test]
fn a_parent_overrides_what_a_child_defines_and_set_is_seen_later() {
    assert_same(
        &Case::of(&[
            ("Chart.yaml", "apiVersion: v2\nname: top\nversion: 1.0.0\n"),
            ("values.yaml", "m: {}\nsub: {}\n"),
            ("templates/_a.tpl", "{{ define \"who\" }}top{{ end }}{{ define \"empty\" }} {{ end }}"),
            ("templates/z.yaml", "{{ $_ := set .Values \"z\" 1 }}z: {{ include \"who\" . }}"),
            ("templates/a.yaml", "a: {{ .Values | toJson }}"),
            ("templates/sub/deep.yaml", "{{ $_ := set .Values.sub \"deep\" true }}deep: {{ include \"empty\" . | quote }}"),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n"),
            ("charts/sub/templates/_a.tpl", "{{ define \"who\" }}sub{{ end }}{{ define \"empty\" }}full{{ end }}"),
            ("charts/sub/templates/x.yaml", "x: {{ include \"who\" . }}\nv: {{ .Values | toJson }}\n{{ $_ := set .Values \"x\" 1 }}"),
        ])
        .unwrap(),
    );
}

#[test]
fn globals_below_the_first_level_are_shared_by_all_charts() {
    let show = "x: {{ toJson .Values }}\n";
    let case = || {
        Case::of(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: t\nversion: 0.1.0\ndependencies:\n- {name: one, version: 0.1.0}\n- {name: two, version: 0.1.0}\n",
            ),
            ("values.yaml", "global: {a: {b: {c: 1}}, top: 1}\n"),
            ("templates/a.yaml", show),
            ("charts/one/Chart.yaml", "apiVersion: v2\nname: one\nversion: 0.1.0\n"),
            ("charts/one/values.yaml", "global: {a: {b: {one: 1}, one: 1}, one: {x: 1}}\n"),
            ("charts/one/templates/a.yaml", show),
            ("charts/two/Chart.yaml", "apiVersion: v2\nname: two\nversion: 0.1.0\n"),
            ("charts/two/values.yaml", "global: {a: {b: {c: 2, two: {y: 1}}}}\n"),
            ("charts/two/templates/a.yaml", show),
            ("charts/two/charts/in/Chart.yaml", "apiVersion: v2\nname: in\nversion: 0.1.0\n"),
            ("charts/two/charts/in/values.yaml", "global: {a: {b: {two: {z: 1}, in: 1}}}\n"),
            ("charts/two/charts/in/templates/a.yaml", show),
        ])
        .unwrap()
    };
    assert_all([
        case(),
        case().args(["--set", "global.a.b=null"]),
        case().args(["--set", "global.a.b.c=null"]),
        case().args(["--set", "two.global.a.b.new=1,one.global.x.y.z=1"]),
        case().args(["--set", "global.a=5"]),
    ]);
}

#[test]
fn the_values_of_a_subchart_are_of_the_type_of_a_charts_values() {
    const TEMPLATE: &str = "a: {{ typeOf . }} {{ typeOf .Values }} {{ toJson .Values.AsMap }} {{ .Values.YAML | quote }}\n\
        b: {{ dig \"deep\" \"b\" 0 .Values.AsMap }} {{ typeOf (.Values.Table \"deep\") }} {{ typeOf .Values.deep }}\n\
        c: {{ set .Values \"n\" 1 | toJson }} {{ .Values.n }} {{ .Values.AsMap.n }}\n";
    const VALUES: &str = "deep: {b: 1}\n";
    let case = |own: &str| {
        Case::of(&[
            (
                "templates/a.yaml",
                "a: {{ typeOf .Subcharts }} {{ typeOf .Subcharts.sub }} {{ typeOf .Subcharts.sub.Values }} {{ typeOf .Values.sub }}\n",
            ),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 0.1.0"),
            ("charts/sub/values.yaml", VALUES),
            ("charts/sub/templates/a.yaml", own),
            ("charts/sub/charts/lower/Chart.yaml", "name: lower\nversion: 0.1.0"),
            ("charts/sub/charts/lower/values.yaml", VALUES),
            ("charts/sub/charts/lower/templates/a.yaml", own),
        ])
        .unwrap()
    };
    assert_all([
        case(TEMPLATE),
        case(TEMPLATE).args(["--set", "sub.deep.c=2,sub.lower.x=y"]),
        case("{{ dig \"deep\" \"b\" 0 .Values }}"),
    ]);
}

#[test]
fn a_dot_in_the_name_of_a_subchart_is_a_step_in_its_values() {
    let case = || {
        Case::of(&[
            ("templates/a.yaml", "a: {{ toJson .Values }}\n"),
            ("charts/s.t/Chart.yaml", "name: s.t\nversion: 0.1.0"),
            ("charts/s.t/values.yaml", "a: 1\n"),
            ("charts/s.t/templates/a.yaml", "a: {{ toJson .Values }}\n"),
        ])
        .unwrap()
    };
    assert_all([case(), case().args(["--set", "s.t.b=1,s\\.t.c=2"])]);
}
