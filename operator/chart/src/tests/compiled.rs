use belay_template::{Host, Limits};

use crate::{
    Capabilities, Chart, File, Prepared, Release, RenderOptions, Rendered, Renderer, SchemaCheck,
    UserValues, Values,
};

struct Nowhere;

impl Host for Nowhere {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn render(renderer: &Renderer, chart: &Chart, set: &str) -> Rendered {
    let user = UserValues {
        set: vec![set.to_owned()],
        ..UserValues::default()
    };
    let values = user
        .merge(Values::new(), &mut |_| Err(String::new()))
        .unwrap();
    let prepared = Prepared::new(chart, &values, SchemaCheck::Enforce).unwrap();
    let options = RenderOptions {
        release: Release {
            name: "r".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        capabilities: Capabilities::default().into(),
        subchart_notes: false,
        limits: Limits::default(),
    };
    renderer.render(&prepared, &options, &mut Nowhere).unwrap()
}

#[test]
fn a_subchart_that_takes_the_place_of_another_of_its_name_is_not_taken_for_it() {
    let chart = Chart::from_files([
        File::new(
            "Chart.yaml",
            b"apiVersion: v2\nname: t\nversion: 1.0.0\ndependencies:\n- {name: a, version: 1.0.0, alias: b, condition: aliased}\n",
        ),
        File::new("charts/a/Chart.yaml", b"apiVersion: v2\nname: a\nversion: 1.0.0\n"),
        File::new("charts/a/templates/m.yaml", b"kind: A\n"),
        File::new("charts/b/Chart.yaml", b"apiVersion: v2\nname: b\nversion: 1.0.0\n"),
        File::new("charts/b/templates/m.yaml", b"kind: B\n"),
    ])
    .unwrap();
    let shared = Renderer::default();

    for set in ["aliased=true", "aliased=false", "aliased=true"] {
        let alone = render(&Renderer::default(), &chart, set);
        assert_eq!(render(&shared, &chart, set), alone, "{set}");
    }
    assert_ne!(
        render(&shared, &chart, "aliased=true"),
        render(&shared, &chart, "aliased=false")
    );
}

#[test]
fn a_chart_is_compiled_once_whatever_its_values_are() {
    let chart = Chart::from_files([
        File::new("Chart.yaml", b"apiVersion: v2\nname: t\nversion: 1.0.0\n"),
        File::new("templates/m.yaml", b"kind: {{ .Values.kind }}\n"),
    ])
    .unwrap();
    let renderer = Renderer::default();

    for kind in ["A", "B", "C"] {
        let output = render(&renderer, &chart, &format!("kind={kind}"));
        assert_eq!(
            output.files["t/templates/m.yaml"],
            format!("kind: {kind}\n")
        );
    }

    assert_eq!(renderer.kept(), 1);
}
