//! What goes wrong in templates: the same place, the same words.

use belay_conformance::{Case, assert_all};

#[test]
fn texts_that_are_no_templates() {
    assert_all(
        [
            "a: {{ .Values.x",
            "a: {{ if }}",
            "a: {{ if .x }}",
            "{{ end }}",
            "a: 1\nb: {{ nothing .x }}",
            "{{ \"a }}",
            "{{ .x | }}",
            "{{ range $i := }}{{ end }}",
            "{{ else }}",
            "{{ template }}",
            "{{ $x }}",
            "{{ .a..b }}",
            "{{ 1abc }}",
            "{{ (.a }}",
            "{{ break }}",
            "{{/* a */ }}",
            "{{ define \"x\" }}",
            "{{ 'ab' }}",
            "{{ . := 1 }}",
            "{{ if .a }}{{ else }}{{ else }}{{ end }}",
            "a\nb\n  {{ with }}{{ end }}",
            "{{ include }}{{ fail",
            "{{ env \"HOME\" }}",
        ]
        .into_iter()
        .map(|text| Case::template(text).unwrap()),
    );
}

#[test]
fn templates_that_fail() {
    assert_all(
        [
            "{{ fail \"no way\" }}",
            "a:\n  {{ required \"need it\" .Values.x }}",
            "{{ required \"need: it\" \"\" }}",
            "{{ .Values.a.b.c }}",
            "{{ index .Values.list 5 }}",
            "{{ template \"none\" . }}",
            "{{ include \"none\" . }}",
            "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
            "{{ define \"r\" }}{{ if . }}{{ template \"r\" .Values }}{{ end }}{{ end }}{{ template \"r\" . }}",
            "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}",
            "{{ .Values.text.x }}",
            "{{ eq .Values.number 1 }}",
            "{{ lt \"a\" 1 }}",
            "{{ atoi }}",
            "{{ atoi 1 2 }}",
            "{{ trunc \"a\" \"b\" }}",
            "{{ len 3 }}",
            "{{ range 1.5 }}{{ end }}",
            "{{ tpl \"{{ fail \\\"deep\\\" }}\" . }}",
            "{{ tpl \"{{ .x | nothing }}\" . }}",
            "{{ tpl \"{{ .Values.a.b.c }}\" . }}",
            "{{ mustRegexMatch \"(\" \"a\" }}",
            "x: {{ .Values.list.a }}",
            "{{ mustToDate \"2006\" \"x\" }}",
            "{{ semverCompare \"x\" \"1\" }}",
            "{{ 1 | 2 }}",
            "{{ (index .Values \"none\").x }}",
            "{{ .Files.Nothing }}",
            "{{ .Capabilities.Nothing }}",
            "{{ .Values.Nothing.x }}",
            "{{ slice .Values.list 7 }}",
            "{{ div 1 0 }}",
            "{{ first 3 }}",
            "{{ len .Values.nothing }}",
            "{{ len (.Values.nothing) }}",
            "{{ $x := .Values.nothing }}{{ len $x }}",
            "{{ range list nil }}{{ len . }}{{ end }}",
            "{{ range $i, $x := list nil }}{{ len $x }}{{ end }}",
            "{{ dict \"x\" nil | values | first | len }}",
            "{{ len nil }}",
            "{{ len 1 }}",
            "{{ $x := 1 }}{{ $x.y }}",
            "{{ nil }}",
            "{{ dict 1 2 | toJson }}",
            "{{ with .Values.text }}{{ .x }}{{ end }}",
            "{{ index nil 1 }}",
            "{{ call .Values.text }}",
            "{{ printf 1 }}",
            "{{ lookup \"v1\" }}",
            "{{ set 1 2 3 }}",
            "{{ .Release.Name.x }}",
            "{{ include \"self\" . }}",
            "{{ b64dec \"%\" }}",
        ]
        .into_iter()
        .map(|text| {
            Case::of(&[
                ("templates/a.yaml", text),
                (
                    "templates/_self.tpl",
                    "{{ define \"self\" }}{{ include \"self\" . }}{{ end }}",
                ),
                ("values.yaml", "text: t\nnumber: 1\nlist: [1, 2]\n"),
            ])
            .unwrap()
        }),
    );
}

#[test]
fn the_way_through_includes_is_shown() {
    assert_all([
        ("{{ define \"a\" }}x\n  {{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ .Values.x.y.z }}{{ end }}", "k: v\nq: {{ include \"a\" . }}"),
        ("{{ define \"a\" }}{{ fail \"inner\" }}{{ end }}", "k: v\nq: {{ include \"a\" . | quote }}"),
        ("{{ define \"a\" }}{{ template \"b\" . }}{{ end }}{{ define \"b\" }}{{ required \"r\" nil }}{{ end }}", "{{ template \"a\" . }}"),
        ("{{ define \"a\" }}{{ tpl .Values.t . }}{{ end }}", "{{ include \"a\" . }}"),
        ("{{ define \"a\" }}{{ .Values.none.b }}{{ end }}", "{{ tpl \"{{ include \\\"a\\\" . }}\" . }}"),
    ].into_iter().map(|(helper, text)| {
        let files = [("templates/_h.tpl", helper), ("templates/a.yaml", text), ("values.yaml", "t: '{{ .Values.q.r.s }}'\n")];
        Case::of(&files).unwrap()
    }));
}

#[test]
fn output_that_is_no_manifest() {
    assert_all(
        [
            "a: b: c",
            "- a",
            "text",
            "a: [1",
            "a: 1\n---\nb: {",
            "kind: {{ .Values }}",
            "\ta: 1",
            "apiVersion: v1\nkind: A\nmetadata: []",
            "[a]",
            "5",
            "true",
            "apiVersion: {}\nkind: [a]",
            "kind: 1.5\nKind: [a]",
            "metadata: x",
            "metadata: {name: {a: b}, annotations: {a: []}}",
            "Metadata: {Name: [a]}",
            "metadata: {annotations: [a]}",
            "metadata: {annotations: {a: {}}}",
            "Kind: Service\nmetadata: {name: a}\n---\nKIND: Secret\nmetadata: {name: b}",
            "metadata:\n  annotations:\n    helm.sh/hook: none",
            "metadata: {annotations: {a: 1}}",
        ]
        .into_iter()
        .map(|text| Case::template(text).unwrap()),
    );
}
