use crate::{
    Capabilities, Chart, ChartError, File, Prepared, Release, RenderOptions, Rendered, Renderer,
    SchemaCheck,
};
use belay_template::{Host, Limits};

struct Nowhere;

impl Host for Nowhere {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

fn render(template: &str) -> Result<Rendered, ChartError> {
    let chart = Chart::from_files([
        File::new(
            "Chart.yaml",
            b"apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: '7'",
        ),
        File::new(
            "values.yaml",
            b"count: 1000000\nm: {b: 1, a: [x]}\ntext: <b>\nempty: ''",
        ),
        File::new(
            "templates/_go.tpl",
            b"{{ define \"who\" }}{{ .Release.Name }}/{{ .Chart.Name }}{{ end }}",
        ),
        File::new("templates/_part.hbs", b"part of {{Chart.Name}}"),
        File::new("config/a.txt", b"one\ntwo"),
        File::new("templates/NOTES.txt.hbs", b"{{Release.Name}} is there"),
        File::new("templates/a.yaml.hbs", template.as_bytes()),
    ])?;
    let prepared = Prepared::new(&chart, chart.values().unwrap(), SchemaCheck::Enforce)?;
    let release = Release {
        name: "r".into(),
        namespace: "ns".into(),
        revision: 1,
        is_upgrade: false,
    };
    let options = RenderOptions {
        release,
        capabilities: Capabilities::default().into(),
        subchart_notes: false,
        limits: Limits::default(),
    };
    Renderer::default().render(&prepared, &options, &mut Nowhere)
}

fn text(template: &str) -> String {
    render(template)
        .unwrap()
        .files
        .remove("web/templates/a.yaml.hbs")
        .unwrap()
}

#[test]
fn a_template_sees_what_go_templates_see_and_escapes_nothing() {
    assert_eq!(
        text("{{Release.Name}} {{Values.text}} {{Values.count}} {{Chart.AppVersion}}"),
        "r <b> 1000000 7"
    );
    assert_eq!(text("{{Values.not.there}}{{#if Values.empty}}x{{/if}}"), "");
    assert_eq!(
        text("{{#each Values.m.a}}{{this}}{{/each}} {{> part}}"),
        "x part of web"
    );
}

#[test]
fn helms_helpers_are_there() {
    assert_eq!(
        text("m:{{nindent 2 (toYaml Values.m)}}"),
        "m:\n  a:\n  - x\n  b: 1"
    );
    assert_eq!(
        text("{{toJson Values.m}} {{quote Values.text}}"),
        r#"{"a":["x"],"b":1} "<b>""#
    );
    assert_eq!(
        text("{{default \"d\" Values.empty}}{{b64enc \"a\"}} {{has \"x\" Values.m.a}}"),
        "dYQ== true"
    );
    assert_eq!(text("{{include \"who\" this}}"), "r/web");
}

#[test]
fn faults_name_file_line_and_column() {
    let unknown = render("a: 1\nb: {{nothing 1}}").unwrap_err().to_string();
    assert!(
        unknown.starts_with("execution error at (web/templates/a.yaml.hbs:2:"),
        "{unknown}"
    );
    assert!(unknown.contains("nothing"), "{unknown}");
    let broken = render("a: 1\n{{#if x}}").unwrap_err().to_string();
    assert!(
        broken.starts_with("parse error at (web/templates/a.yaml.hbs:"),
        "{broken}"
    );
    let included = render("{{include \"missing\" this}}")
        .unwrap_err()
        .to_string();
    assert!(included.contains("missing"), "{included}");
}

#[test]
fn files_are_text_by_name() {
    assert_eq!(text("{{lookup Files \"config/a.txt\"}}"), "one\ntwo");
    assert_eq!(text("{{Files.[config/a.txt]}}"), "one\ntwo");
    assert_eq!(
        text("{{#each Files}}{{@key}}: {{b64enc this}};{{/each}}"),
        "config/a.txt: b25lCnR3bw==;"
    );
    assert_eq!(text("{{lookup Files \"nope\"}}"), "");
}

#[test]
fn notes_may_be_handlebars_and_are_no_manifest() {
    let rendered = render("kind: A").unwrap();

    assert_eq!(rendered.notes, "r is there");
    assert_eq!(rendered.files.len(), 1, "{:?}", rendered.files.keys());
}
