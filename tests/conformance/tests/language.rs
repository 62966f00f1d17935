//! The template language and its functions inside a chart; what they do alone is tested where they live.

use belay_conformance::{Case, assert_all};

const VALUES: &str = "text: hello world
number: 5
float: 1.5
big: 1000000
huge: 12345678901234567890
yes: true
nothing: null
empty: {}
none: []
list: [a, b, c, a]
numbers: [3, 1, 2]
map: {b: 1, a: [x, {y: z}], 'yes': on, '1': one}
multi: |
  line one
    indented
  line three
long: The quick brown fox jumps over the lazy dog and runs away from the very long line that follows it to the end.
template: '{{ .Release.Name }}-{{ include \"h\" . }}'
odd: ['y', 'no', '1', '1.5', 'null', '~', '', ' a', 'a: b', '#c', \"it's\", '0x1', '2001-01-01', '1:30', 'é', \"t\\tb\", '- x', '*a', '!b', '%c', '@d', '`e', '{f', '[g', 'h:', '<<', '=']
";

#[test]
fn expressions_print_what_they_print_in_helm() {
    let expressions = [
        ".Values.number",
        ".Values.float",
        ".Values.big",
        ".Values.huge",
        ".Values.nothing",
        ".Values.missing",
        ".Values.list",
        ".Values.map",
        ".Values.empty",
        ".Values.yes",
        ".Values.map | toYaml | nindent 2",
        ".Values.odd | toYaml | nindent 2",
        ".Values.long | toYaml",
        ".Values.multi | toYaml | nindent 2",
        ".Values.multi | nindent 4 | quote",
        ".Values | toJson",
        ".Values.map | toPrettyJson",
        ".Values.map | toYamlPretty",
        ".Values.map | toToml",
        "add 1 2 3.7 \"4\"",
        "mul .Values.number 2",
        "div 7 2",
        "mod -7 3",
        "add1 .Values.number",
        "max 1 .Values.number 3",
        "floor 1.9",
        "round 1.2345 2",
        "int .Values.big",
        "int64 .Values.float",
        "float64 \"1.5\"",
        "0x1p60",
        "0x1p60 | int64",
        "0x1.8p1",
        "-0x1p63",
        "0x1p63",
        "0x1p-1074",
        "1_000.5",
        "float64 \"0x1.fffffffffffff8p0\"",
        "float64 \"0x1p1024\"",
        "divf (int64 1024) 0x1p10",
        "toString .Values.big",
        ".Values.big | int | toString",
        "printf \"%d %s %v %q %05.2f\" 1 \"a\" .Values.list \"b\" 1.5",
        "printf \"%d\" .Values.number",
        "printf \"%s\" .Values.number",
        "quote .Values.number .Values.text .Values.nothing",
        "squote .Values.text",
        "cat \"a\" .Values.number nil",
        "default \"d\" .Values.nothing",
        "default \"d\" .Values.empty",
        "coalesce nil \"\" .Values.text",
        "ternary 1 2 .Values.yes",
        "empty .Values.none",
        "list 1 \"a\" nil | toJson",
        "dict \"a\" 1 \"b\" (list) | toJson",
        "keys .Values.map | sortAlpha | join \",\"",
        "pick .Values.map \"a\" | toJson",
        "omit .Values.map \"a\" | toJson",
        "merge (dict \"a\" 1) (dict \"a\" 2 \"b\" 3) | toJson",
        "mergeOverwrite (dict \"a\" 1) (dict \"a\" 2) | toJson",
        "get .Values.map \"b\"",
        "hasKey .Values.map \"q\"",
        "dig \"a\" \"b\" \"def\" .Values.map",
        "first .Values.list",
        "last .Values.list",
        "rest .Values.list | toJson",
        "uniq .Values.list | toJson",
        "without .Values.list \"a\" | toJson",
        "has \"b\" .Values.list",
        "slice .Values.list 1 3 | toJson",
        "concat .Values.list .Values.numbers | toJson",
        "reverse .Values.list | toJson",
        "sortAlpha .Values.list | toJson",
        "chunk 2 .Values.list | toJson",
        "compact (list \"\" 1 nil) | toJson",
        "append .Values.list \"d\" | toJson",
        "index .Values.list 1",
        "len .Values.map",
        "upper .Values.text",
        "title .Values.text",
        "trunc 5 .Values.text",
        "trunc -5 .Values.text",
        "replace \"o\" \"0\" .Values.text",
        "splitList \" \" .Values.text | toJson",
        "split \" \" .Values.text | toJson",
        "contains \"wor\" .Values.text",
        "regexReplaceAll \"o(.)\" .Values.text \"<$1>\"",
        "regexFindAll \"[a-z]+\" .Values.text -1 | toJson",
        "repeat 3 \"ab\"",
        "abbrev 8 .Values.text",
        "snakecase \"HelloWorld\"",
        "camelcase \"hello_world\"",
        "kebabcase \"HelloWorld\"",
        "wrap 5 .Values.text | quote",
        "substr 1 4 .Values.text",
        "nospace .Values.text",
        "initials .Values.text",
        "trimSuffix \"d\" .Values.text",
        "indent 2 .Values.multi | quote",
        "plural \"one\" \"many\" 2",
        "b64enc .Values.text",
        "b64dec \"aGk=\"",
        "sha256sum .Values.text",
        "adler32sum .Values.text",
        "urlParse \"https://u:p@h:1/p?q#f\" | toJson",
        "base \"/a/b.c\"",
        "ext \"b.c\"",
        "semver \"1.2.3-a+b\" | toJson",
        "semverCompare \"^1.2\" \"1.3.0\"",
        "(semver \"1.2.3\").Minor",
        "typeOf .Values.number",
        "kindOf .Values.list",
        "kindIs \"map\" .Values.map",
        "typeIs \"float64\" .Values.float",
        "deepEqual (list 1) (list 1)",
        "fromYaml \"a: [1, {b: c}]\" | toJson",
        "fromYaml \"a: [\" | toJson",
        "fromJson \"{\\\"a\\\":1}\" | toJson",
        "fromYamlArray \"- 1\\n- a\" | toJson",
        "fromJsonArray \"[1]\" | toJson",
        "fromToml \"a = 1\" | toJson",
        "until 3 | toJson",
        "untilStep 1 10 3 | toJson",
        "seq 1 3",
        "lookup \"v1\" \"Pod\" \"a\" \"b\" | toJson",
        "tpl .Values.template .",
        "tpl \"{{ .a }}\" (dict \"a\" 1)",
        "include \"h\" .",
        "eq .Values.text \"hello world\"",
        "and 1 0 2",
        "or 0 .Values.text",
        "not .Values.yes",
        "lt 1 2",
        "ne 1 2",
        "html \"<a>\"",
        "js \"it's\"",
        "urlquery \"a b\"",
        "print 1 2 \"a\" 3",
        "println 1",
        "eq .Values.number 5.0",
        "toDecimal \"777\"",
        "duration 95",
        "htmlDate 0",
        "date \"2006-01-02\" (toDate \"2006-01-02\" \"2024-02-29\")",
        "getHostByName \"localhost\" | quote",
        "toRawJson \"<a>\"",
        "toJson \"<a>\"",
    ];
    // What is no YAML is compared by its error, which shows no output, so everything is quoted as well.
    assert_all(
        expressions
            .into_iter()
            .flat_map(|expression| {
                [
                    format!("x: {{{{ {expression} }}}}\n"),
                    format!("x: {{{{ print ({expression}) | toJson }}}}\n"),
                ]
            })
            .map(|text| {
                let helper = "{{ define \"h\" }}<{{ .Chart.Name }}>{{ end }}";
                Case::of(&[
                    ("values.yaml", VALUES),
                    ("templates/_h.tpl", helper),
                    ("templates/a.yaml", &text),
                ])
                .unwrap()
            }),
    );
}

#[test]
fn control_structures() {
    assert_all([
        "a:\n{{- range $i, $e := .Values.list }}\n- {{ $i }}{{ $e }}\n{{- else }}\n- none\n{{- end }}\n",
        "{{ range .Values.none }}x{{ else }}y: 1{{ end }}",
        "{{- range $k, $v := .Values.map }}\n{{ $k | quote }}: {{ $v | toJson }}\n{{- end }}\n",
        "a: [{{ range 3 }}{{ . }},{{ end }}]",
        "a: [{{ range $i := until 5 }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ $i }},{{ end }}]",
        "{{ with .Values.missing }}a: 1{{ else with .Values.text }}b: {{ . }}{{ else }}c: 1{{ end }}",
        "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}a: {{ $x }}",
        "{{ define \"l\" }}{{ . }}{{ end }}a: {{ template \"l\" .Values.number }}",
        "{{ block \"bl\" .Values.text }}a: {{ . }}{{ end }}",
        "a: {{- /* c */ -}} 1\n{{- $_ := set .Values \"q\" 2 }}\nb: {{ .Values.q }}\n",
        "{{ $d := dict }}{{ $_ := set $d \"s\" (dict \"x\" 1) }}{{ $_ := set $d.s \"x\" 2 }}a: {{ $d | toJson }}",
        "a: {{ .Values.map.a | first }}{{ (index .Values.map.a 1).y }}\nb: {{ $.Values.number }}",
        "{{ if and .Values.yes (or .Values.nothing (not .Values.empty)) }}a: 1{{ end }}",
        "a: '{{ \"<no value>\" }}'\nb: <no value>\nc: {{ tpl \"{{ .none }}x\" . }}",
        "{{- if false }}\n{{- else if eq 1 1 }}\na: 1\n{{- end }}\n---\n{{ if false }}b: 2{{ end }}\n---\n# only a comment\n---\nc: 3\n",
    ].into_iter().map(|text| {
        let files = [("values.yaml", VALUES), ("templates/a.yaml", text)];
        Case::of(&files).unwrap()
    }));
}
