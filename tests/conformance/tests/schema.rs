//! `values.schema.json`: the same verdict in the same words.

use belay_conformance::{Case, assert_all, assert_same};

const SCHEMA: &str = r##"{
 "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["name"],
 "properties": {
  "name": {"type": "string", "minLength": 2, "pattern": "^[a-z'\"]+$"},
  "port": {"type": "integer", "minimum": 1, "maximum": 65535},
  "ratio": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
  "kind": {"enum": ["a", 1, 1000000, null, true]},
  "only": {"const": "x"},
  "mode": {"type": ["string", "null"]},
  "list": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": true},
  "closed": {"type": "object", "properties": {"a": {}}, "additionalProperties": false, "minProperties": 1},
  "ref": {"$ref": "#/definitions/deep"},
  "any": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["p", "q"]}]},
  "one": {"oneOf": [{"type": "string"}, {"minLength": 0}]},
  "every": {"allOf": [{"type": "string"}, {"maxLength": 3}]},
  "tree": {"allOf": [{"type": "object"}, {"properties": {"leaf": {"anyOf": [{"$ref": "#/definitions/deep"}]}}}]},
  "alone": {"oneOf": [{"type": "string"}]},
  "never": false,
  "no": {"not": {"type": "string"}},
  "if": {"if": {"type": "string"}, "then": {"minLength": 3}, "else": {"minimum": 5}},
  "mail": {"format": "email"},
  "dep": {"dependencies": {"a": ["b"]}},
  "names": {"propertyNames": {"maxLength": 2}},
  "has": {"type": "array", "contains": {"type": "integer"}}
 },
 "definitions": {"deep": {"type": "object", "properties": {"leaf": {"type": "string"}}}}
}"##;

#[test]
fn every_rule_says_what_is_wrong() {
    assert_all(
        [
            "x=1",
            "name=x",
            "name=ok",
            "name=It's",
            "name=1",
            "name=ok,port=0",
            "name=ok,port=70000",
            "name=ok,port=x",
            "name=ok,ratio=0",
            "name=ok,ratio=7",
            "name=ok,kind=b",
            "name=ok,only=z",
            "name=ok,mode=1",
            "name=ok,list=x",
            "name=ok,list={a,b,c}",
            "name=ok,list={a,a}",
            "name=ok,list={1}",
            "name=ok,closed.b=1",
            "name=ok,ref.leaf=1",
            "name=ok,ref=1",
            "name=ok,any=1",
            "name=ok,any.r=1",
            "name=ok,one=x",
            "name=ok,every=long",
            "name=ok,every=1",
            "name=ok,tree.leaf=x",
            "name=ok,tree.leaf.a=1",
            "name=ok,tree.leaf=1",
            "name=ok,alone=1",
            "name=ok,never=1",
            "name=ok,no=x",
            "name=ok,if=x",
            "name=ok,if=1",
            "name=ok,mail=x",
            "name=ok,dep.a=1",
            "name=ok,names.abc=1",
            "name=ok,has={a}",
            "name=ok,port=1234567",
        ]
        .into_iter()
        .map(|values| {
            let case =
                Case::of(&[("values.schema.json", SCHEMA), ("templates/a.yaml", "a: 1")]).unwrap();
            case.args(["--set", values])
        }),
    );
}

#[test]
fn numbers_of_files_fit_integers_and_can_be_skipped() {
    let case = || {
        Case::of(&[
            ("values.schema.json", SCHEMA),
            ("values.yaml", "name: ok\nport: 80\nratio: 1.5\n"),
            ("templates/a.yaml", "a: 1"),
        ])
        .unwrap()
    };
    assert_same(&case());
    assert_same(&case().args(["--set", "port=x", "--skip-schema-validation"]));
    assert_same(&case().args(["--set-json", "port=80.5"]));
}

#[test]
fn subcharts_are_checked_against_their_own() {
    let case = || {
        Case::of(&[
            ("values.schema.json", SCHEMA),
            ("templates/a.yaml", "a: 1"),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 0.1.0"),
            (
                "charts/sub/values.schema.json",
                r#"{"required": ["size"], "properties": {"size": {"type": "integer"}}}"#,
            ),
        ])
        .unwrap()
    };
    assert_all(
        [
            "name=ok,sub.size=1",
            "name=ok",
            "name=1,sub.size=x",
            "name=ok,sub.size=x",
        ]
        .into_iter()
        .map(|values| case().args(["--set", values])),
    );
}

#[test]
fn a_broken_schema_is_told() {
    assert_all(
        [
            "{",
            " ",
            "{} {}",
            "{]",
            "[]",
            r##"{"properties": {"a": {"$ref": "#/definitions/none"}}}"##,
            r##"{"properties": {"a": {"$ref": "#none"}}}"##,
            r##"{"properties": {"a": {"$id": "#/properties/a"}}}"##,
            r#"{"properties": {"a": {"$ref": "ftp://example.org/a"}}}"#,
            r#"{"type": "nothing"}"#,
            r#"{"$schema": "nothing"}"#,
            r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "nothing"}"#,
            r#"{"$schema": "http://json-schema.org/draft-04/schema#", "required": "a"}"#,
            r#"{"$id": "http://example.org/x", "properties": {"a": {"minimum": "1"}}}"#,
        ]
        .into_iter()
        .map(|schema| {
            Case::of(&[("values.schema.json", schema), ("templates/a.yaml", "a: 1")]).unwrap()
        }),
    );
}

#[test]
fn a_broken_schema_of_a_subchart_follows_the_faults_of_the_chart() {
    let broken = r#"{"type": "nothing"}"#;
    for own in [broken, r#"{"required": ["name"]}"#] {
        assert_same(
            &Case::of(&[
                ("values.schema.json", own),
                ("templates/a.yaml", "a: 1"),
                ("charts/sub/Chart.yaml", "name: sub\nversion: 0.1.0"),
                ("charts/sub/values.yaml", "a: 1"),
                ("charts/sub/values.schema.json", broken),
            ])
            .unwrap(),
        );
    }
}
