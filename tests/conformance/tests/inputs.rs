//! Values from files and from the family of `--set`.

use belay_conformance::{Case, assert_all, assert_same};

const SHOW: &str = "{{ range $k, $v := .Values }}
{{ $k }}: {{ $v | toJson }} # {{ typeOf $v }} {{ $v }}
{{- end }}
";

fn show() -> Case {
    Case::of(&[
        ("templates/a.yaml", SHOW),
        ("values.yaml", "a: 1\nb: {c: x, d: [1, 2.5, 1e3, 0x1f, 010, 12345678901234567890]}\nyes: on\nnothing: null\nbig: 1000000\n"),
    ])
    .unwrap()
}

#[test]
fn set_reads_paths_lists_and_types() {
    assert_all(
        [
            "a=2,b.c=3",
            "a=true,c=null,d=007,e=1.5,f=-3,g=+4,h=1e3",
            "b.d[1]=z",
            "b.d={x,1,true}",
            "b.d={}",
            "l={a}",
            r"x\.y=z\,w",
            "a=",
            "l[2].m=1",
            "l[0][1]=x",
            "a.b=1",
            "b.c.d=1",
            "b.d=1",
            "b=null",
            "nothing=1",
            "q[0",
            "a==b",
            "a=b=c",
            "l={a,b",
            "a.=1",
            ".a=1",
            "a,b=1",
            "a",
            "l[x]=1",
            "l[-1]=1",
            "l[70000]=1",
            "l[1]x=1",
            "b[0]=1",
            "a=9223372036854775807,c=9223372036854775808",
            "é.ü=ß",
            "a= b ,c = d",
            "a={x, y}",
            "l[0]={a,b}",
            "a[0].b=",
        ]
        .into_iter()
        .map(|text| show().args(["--set", text])),
    );
    let deep = ["a"; 32].join(".");
    assert_same(&show().args(["--set".to_owned(), format!("{deep}=1")]));
}

#[test]
fn the_other_kinds_of_set() {
    let case = || show();
    assert_all(
        [
            ("--set-string", "a=1,c=true,d=null,l={1,2}"),
            ("--set-json", r#"a={"x":[1,2.0,null]},c=[1],d="s",e=1e6"#),
            ("--set-json", r#"{"b":{"c":null,"e":1},"n":123456789012}"#),
            ("--set-json", "a=,c=1 , d=2"),
            ("--set-json", "a=[1"),
            ("--set-json", "{\"a\":"),
            ("--set-literal", r"a=x,y=\{z}=1"),
            ("--set-literal", "b.d[1]=a,b"),
            ("--set-literal", "a"),
            ("--set-file", "a=/does/not/exist"),
        ]
        .into_iter()
        .map(|(flag, text)| case().args([flag, text])),
    );
    let case = show();
    let file = case
        .beside("content.txt", "line 1\n\"two\": {{ x }}\n".as_bytes())
        .unwrap();
    assert_same(&case.args(["--set-file".to_owned(), format!("a.file={file},c={file}")]));
}

#[test]
fn kinds_have_an_order_and_files_are_merged() {
    let case = show();
    let one = case
        .beside("one.yaml", b"a: one\nb: {c: one, e: one}\nlist: [1]\n")
        .unwrap();
    let two = case
        .beside(
            "two.yaml",
            b"# comment\n---\nb: {e: two}\nlist: [2, 3]\n--- # next\nlast: {x: y}\n",
        )
        .unwrap();
    assert_same(&case.args([
        "--set-literal",
        "z=lit",
        "--set-string",
        "z=str,y=str",
        "--set",
        "y=set,x=set",
        "--set-json",
        "x=1,w=1",
        "-f",
        &one,
        "-f",
        &two,
    ]));
}

#[test]
fn a_null_removes_a_default() {
    let case = show();
    let nulls = case
        .beside("nulls.yaml", b"a: null\nb: {c: null}\nnew: {n: null}\n")
        .unwrap();
    assert_same(&case.args(["-f", &nulls]));
}

#[test]
fn broken_values_files_are_told() {
    assert_all(
        [
            "- a\n",
            "a: [1\n",
            "a: b: c\n",
            "--- x\na: 1\n",
            "\"text\"",
            "a: 1\n---\nb: {\n",
            "\ta: 1\n",
        ]
        .into_iter()
        .map(|text| {
            let case = show();
            let file = case.beside("v.yaml", text.as_bytes()).unwrap();
            case.args(["-f", &file])
        }),
    );
}
