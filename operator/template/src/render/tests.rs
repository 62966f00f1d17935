//! What Helm 4 and Go 1.26 did with the same templates. The conformance suite asks the real ones; these stay as the
//! promises that the engine was built on.

use super::*;
use crate::value::MapType;
use crate::{convert, run_with_stack};

struct Nowhere;

impl Host for Nowhere {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

const HELPERS: &str = r#"
{{- define "greet" -}}Hello {{ .Values.name }}{{- end -}}
{{- define "broken" }}
  {{ .Values.none.foo }}{{ end }}
{{- define "failing" }}{{ fail "boom: bad" }}{{ end }}
{{- define "endless" }}{{ include "endless" . }}{{ end }}
{{- define "bottomless" }}{{ template "bottomless" . }}{{ end }}
{{- define "dot" }}{{ . }}{{ end }}"#;

const VALUES: &str = r#"{"name": "Ann", "n": 3, "big": 1000000, "none": null, "list": ["a", "b", "c"],
    "map": {"b": {"c": "deep"}, "a": 1}, "mixed": [1, "x", null], "tpl": "{{ .Values.name }}!"}"#;

fn data() -> Value {
    let values = belay_yaml::parse_json_map(VALUES.as_bytes())
        .unwrap()
        .unwrap();
    Value::map([(
        "Values",
        Value::Map(convert::map_from_data(&values, MapType::Values)),
    )])
}

fn render_with(files: &[(&str, &str)], options: Options) -> Result<String, String> {
    run_with_stack(|| {
        let mut set = Set::new();
        for (name, text) in files {
            set.add(&Template::parse(*name, *text).map_err(|error| error.as_helm())?);
        }
        let mut host = Nowhere;
        let mut render = Render::new(&set, &mut host, options);
        let (name, _) = files[files.len() - 1];
        let output = render
            .execute(name, &data())
            .map_err(|error| error.as_helm())?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    })
    .unwrap()
}

fn render(text: &str) -> Result<String, String> {
    render_with(
        &[("c/templates/_h.tpl", HELPERS), ("t", text)],
        Options::default(),
    )
}

#[track_caller]
fn gives(text: &str, output: &str) {
    assert_eq!(render(text), Ok(output.to_owned()), "{text}");
}

#[track_caller]
fn fails(text: &str, error: &str) {
    assert_eq!(render(text), Err(error.to_owned()), "{text}");
}

/// The error of a template called `t` at a column of its first line.
#[track_caller]
fn fails_at(text: &str, column: usize, node: &str, message: &str) {
    let trace = format!("t:1:{column}\n  executing \"t\" at <{node}>:\n    {message}");
    let line = format!("template: t:1:{column}: executing \"t\" at <{node}>: {message}");
    let error = render(text).unwrap_err();
    assert!(error == trace || error == line, "{text}\n{error}");
}

#[test]
fn missing_values_print_nothing_but_cannot_be_looked_into() {
    gives("[{{ .Values.missing }}]", "[]");
    gives("[{{ (.Values.none).foo }}]", "[]");
    gives("<no {{ \"value>\" }}x", "x");
    fails_at(
        "{{ .Values.none.foo }}",
        10,
        ".Values.none.foo",
        "nil pointer evaluating interface {}.foo",
    );
    fails_at(
        "{{ .Values.name.foo }}",
        10,
        ".Values.name.foo",
        "can't evaluate field foo in type interface {}",
    );
    fails_at(
        "{{ (.Values.name).foo }}",
        11,
        ".Values.name",
        "can't evaluate field foo in type string",
    );
}

#[test]
fn control_structures_choose_and_repeat() {
    gives(
        "{{ range $k, $v := .Values.map }}{{ $k }},{{ end }}",
        "a,b,",
    );
    gives("{{ range 3 }}{{ . }}{{ end }}", "012");
    gives("{{ range .Values.none }}x{{ else }}none{{ end }}", "none");
    gives(
        "{{ range .Values.list }}{{ if eq . \"b\" }}{{ continue }}{{ end }}{{ . }}{{ end }}",
        "ac",
    );
    gives(
        "{{ range .Values.list }}{{ if eq . \"b\" }}{{ break }}{{ end }}{{ . }}{{ end }}",
        "a",
    );
    gives(
        "{{ with .Values.none }}a{{ else with .Values.name }}{{ . }}{{ end }}",
        "Ann",
    );
    gives(
        "{{ if .Values.none }}a{{ else if .Values.n }}b{{ else }}c{{ end }}",
        "b",
    );
    fails_at(
        "{{ range .Values.name }}{{ end }}",
        16,
        ".Values.name",
        "range can't iterate over Ann",
    );
}

#[test]
fn variables_live_until_their_end() {
    gives(
        "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x }}{{ end }}{{ $x }}",
        "32",
    );
    gives(
        "{{ $i := 5 }}{{ range $i = .Values.list }}{{ end }}{{ $i }}",
        "c",
    );
    fails(
        "{{ if true }}{{ $y := 1 }}{{ end }}{{ $y }}",
        "parse error at (t:1): undefined variable \"$y\"",
    );
    fails_at("{{ $x = 1 }}", 8, "1", "undefined variable: $x");
}

#[test]
fn a_map_may_change_while_it_is_ranged_over() {
    gives(
        "{{ range $k, $v := .Values.map }}{{ $_ := set $.Values.map (print $k $k) 1 }}{{ end }}{{ len .Values.map }}",
        "4",
    );
}

#[test]
fn arguments_are_checked_before_the_function_runs() {
    fails_at(
        "{{ upper .Values.n }}",
        16,
        ".Values.n",
        "wrong type for value; expected string; got float64",
    );
    fails_at(
        "{{ upper .Values.none }}",
        16,
        ".Values.none",
        "wrong type for value; expected string; got interface {}",
    );
    fails_at(
        "{{ .Values.none | upper }}",
        18,
        "upper",
        "invalid value; expected string",
    );
    fails_at("{{ upper 3 }}", 9, "3", "expected string; found 3");
    fails_at("{{ upper nil }}", 9, "nil", "cannot assign nil to string");
    fails_at(
        "{{ upper \"a\" \"b\" }}",
        3,
        "upper",
        "wrong number of args for upper: want 1 got 2",
    );
    fails_at(
        "{{ printf }}",
        3,
        "printf",
        "wrong number of args for printf: want at least 1 got 0",
    );
}

#[test]
fn and_and_or_stop_at_the_argument_that_decides() {
    gives("{{ or .Values.name .Values.none.foo }}", "Ann");
    gives("{{ and 1 0 2 }} {{ \"a\" | and \"b\" }}", "0 a");
}

#[test]
fn numbers_of_values_are_floats_as_in_helm() {
    gives("{{ .Values.big }} {{ int .Values.big }}", "1e+06 1000000");
    fails_at(
        "{{ eq .Values.n 3 }}",
        3,
        "eq .Values.n 3",
        "error calling eq: incompatible types for comparison: float64 and int",
    );
}

#[test]
fn columns_count_bytes_and_lines_count_from_the_file() {
    let error = render("é\n é{{ .Values.none.x }}").unwrap_err();
    assert_eq!(
        error,
        "t:2:13\n  executing \"t\" at <.Values.none.x>:\n    nil pointer evaluating interface {}.x"
    );
}

#[test]
fn errors_of_included_templates_leave_a_trace() {
    fails(
        "{{ include \"broken\" . }}",
        "t:1:3\n  executing \"t\" at <include \"broken\" .>:\n    error calling include:\n\
         c/templates/_h.tpl:4:12\n  executing \"broken\" at <.Values.none.foo>:\n    \
         nil pointer evaluating interface {}.foo",
    );
    fails(
        "{{ include \"nope\" . }}",
        "t:1:3\n  executing \"t\" at <include \"nope\" .>:\n    error calling include:\n\
         template: no template \"nope\" associated with template \"gotpl\"",
    );
}

#[test]
fn fail_and_required_show_their_message_only() {
    fails(
        "{{ include \"failing\" . }}",
        "execution error at (t:1:3): boom: bad",
    );
    fails(
        "{{ required \"need: it\" .Values.none }}",
        "execution error at (t:1:3): need: it",
    );
    gives("{{ required \"need it\" .Values.name }}", "Ann");
}

#[test]
fn parse_errors_name_file_and_line() {
    fails(
        "a\n\n{{ nope 1 }}",
        "parse error at (t:3): function \"nope\" not defined",
    );
    fails(
        "{{ if true }}\n{{ .x",
        "parse error at (t:2): unclosed action",
    );
    fails("{{ end }}", "parse error at (t:1): unexpected {{end}}");
    fails("{{ if true }}", "parse error at (t:1): unexpected EOF");
    fails(
        "{{ .Values.a-b }}",
        "parse error at (t:1): bad character U+002D '-'",
    );
}

#[test]
fn tpl_sees_the_set_and_keeps_its_definitions_to_itself() {
    gives("{{ tpl .Values.tpl . }}", "Ann!");
    gives("{{ tpl \"{{ include \\\"greet\\\" . }}\" . }}", "Hello Ann");
    gives(
        "{{ tpl \"{{ define \\\"greet\\\" }}mine{{ end }}{{ include \\\"greet\\\" . }}\" . }} {{ include \"greet\" . }}",
        "mine Hello Ann",
    );
    gives(
        "{{ tpl \"plain <no value>\" . }}|{{ tpl \"{{ .Values.missing }}\" . }}",
        "plain |",
    );
    fails(
        "{{ tpl \"{{ nope }}\" . }}",
        "template: t:1:3: executing \"t\" at <tpl \"{{ nope }}\" .>: error calling tpl: cannot parse template \
         \"{{ nope }}\": template: gotpl:1: function \"nope\" not defined",
    );
}

#[test]
fn a_later_definition_wins_unless_it_is_empty() {
    let set = |second: &str| {
        let files = [
            ("a", "{{ define \"n\" }}A{{ end }}"),
            ("b", second),
            ("t", "{{ template \"n\" }}"),
        ];
        render_with(&files, Options::default())
    };
    assert_eq!(set("{{ define \"n\" }}B{{ end }}"), Ok("B".to_owned()));
    assert_eq!(
        set("{{ define \"n\" }} {{/* nothing */}} {{ end }}"),
        Ok("A".to_owned())
    );
}

#[test]
fn endless_recursion_is_an_error() {
    let error = render("{{ include \"endless\" . }}").unwrap_err();
    assert!(
        error.contains("rendering template has a nested reference name: endless"),
        "{error}"
    );
    let error = render("{{ template \"bottomless\" . }}").unwrap_err();
    assert!(
        error.contains("exceeded maximum template depth (100000)"),
        "{error}"
    );
    let error = render("{{ define \"x\" }}{{ tpl \"{{ include \\\"y\\\" . }}\" . }}{{ end }}{{ define \"y\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}").unwrap_err();
    assert!(error.contains("nested reference name: y"), "{error}");
}

#[test]
fn steps_and_output_are_limited() {
    let limits = Limits {
        steps: 1000,
        bytes: 1000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let error = render_with(&[("t", "{{ range 1000000000 }}{{ end }}")], options).unwrap_err();
    assert!(error.contains("exceeded 1000 steps"), "{error}");
    let error = render_with(
        &[("t", "{{ range 100 }}0123456789abcdef{{ end }}")],
        options,
    )
    .unwrap_err();
    assert!(error.contains("exceeded 1000 bytes of output"), "{error}");
}

#[test]
fn time_is_limited() {
    let options = Options {
        limits: Limits {
            time: std::time::Duration::ZERO,
            ..Limits::default()
        },
        ..Options::default()
    };
    let error = render_with(&[("t", "{{ range 1000000000 }}{{ end }}")], options).unwrap_err();
    assert!(error.contains("exceeded 0 seconds of rendering"), "{error}");
}

#[test]
fn texts_that_double_are_limited() {
    let options = Options {
        limits: Limits {
            bytes: 1 << 20,
            ..Limits::default()
        },
        ..Options::default()
    };
    let doubling = "{{ $s := \"x\" }}{{ range 64 }}{{ $s = print $s $s }}{{ end }}";
    let error = render_with(&[("t", doubling)], options).unwrap_err();
    assert!(
        error.contains("exceeded 1048576 bytes of output"),
        "{error}"
    );
}

#[test]
fn deep_nesting_of_a_text_is_refused_not_crashed_on() {
    let ifs = "{{ if true }}".repeat(100_000);
    let error = render(&ifs).unwrap_err();
    assert_eq!(
        error,
        "parse error at (t:1): control structures are nested too deeply"
    );
    let parentheses = format!("{{{{ {}1 }}}}", "(".repeat(100_000));
    assert_eq!(
        render(&parentheses).unwrap_err(),
        "parse error at (t:1): max expression depth exceeded"
    );
}

#[test]
fn a_map_in_itself_is_no_json() {
    gives(
        "{{ $d := dict }}{{ $_ := set $d \"s\" $d }}[{{ toJson $d }}]",
        "[]",
    );
    let error =
        render("{{ $d := dict }}{{ $_ := set $d \"s\" $d }}{{ mustToJson $d }}").unwrap_err();
    assert!(
        error.contains("encountered a cycle via map[string]interface {}"),
        "{error}"
    );
}

#[test]
fn values_that_nest_without_end_are_refused_where_they_are_walked() {
    let nested =
        "{{ $d := dict }}{{ range 200000 }}{{ $d = dict \"a\" $d \"l\" (list $d) }}{{ end }}";
    gives(&format!("{nested}ok"), "ok");
    gives(
        &format!("{nested}[{{{{ toJson $d }}}}{{{{ toYaml $d }}}}]"),
        "[]",
    );
    for walk in [
        "deepCopy $d",
        "merge (deepCopy (dict \"a\" 1)) (deepCopy $d)",
    ] {
        let error = render(&format!("{nested}{{{{ {walk} }}}}")).unwrap_err();
        assert!(
            error.contains("exceeded 100000 levels of lists and dictionaries"),
            "{walk}: {error}"
        );
    }
    let twin = nested.replace("$d", "$e");
    gives(&format!("{nested}{twin}{{{{ deepEqual $d $e }}}}"), "false");
}

#[test]
fn values_that_double_with_each_level_come_to_an_end() {
    let double = "{{ $l := list 1 }}{{ range 60 }}{{ $l = list $l $l }}{{ end }}";
    gives(
        &format!("{double}[{{{{ toJson $l }}}}{{{{ toYaml $l }}}}]"),
        "[]",
    );
    let twin = double.replace("$l", "$m");
    gives(&format!("{double}{twin}{{{{ deepEqual $l $m }}}}"), "true");
    let options = Options {
        limits: Limits {
            bytes: 1 << 20,
            ..Limits::default()
        },
        ..Options::default()
    };
    let error =
        render_with(&[("t", &format!("{double}{{{{ deepCopy $l }}}}"))], options).unwrap_err();
    assert!(error.contains("exceeded 1048576 bytes"), "{error}");
}

#[test]
fn strict_renders_refuse_missing_keys_and_lenient_ones_let_required_pass() {
    let strict = Options {
        strict: true,
        ..Options::default()
    };
    let error = render_with(&[("t", "{{ .Values.missing }}")], strict).unwrap_err();
    assert!(
        error.contains("map has no entry for key \"missing\""),
        "{error}"
    );
    let lenient = Options {
        lenient: true,
        ..Options::default()
    };
    assert_eq!(
        render_with(
            &[("t", "[{{ required \"x\" .Values.none }}{{ fail \"y\" }}]")],
            lenient
        ),
        Ok("[]".to_owned())
    );
}
