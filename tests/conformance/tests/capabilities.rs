//! What charts ask about the cluster, the release and themselves.

use belay_conformance::{Case, assert_all, assert_same};

const ABOUT: &str = r#"
kube: {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.KubeVersion.Major }}.{{ .Capabilities.KubeVersion.Minor }}
all: {{ .Capabilities.APIVersions | toJson }}
has: {{ .Capabilities.APIVersions.Has "apps/v1" }} {{ .Capabilities.APIVersions.Has "example.com/v1/Widget" }}
json: {{ .Capabilities.KubeVersion | toJson }}
helm: {{ .Capabilities.HelmVersion.Version }} {{ .Capabilities.HelmVersion.KubeClientVersion }}
release: {{ .Release | toJson }} {{ typeOf .Release.Revision }}
chart: {{ .Chart | toJson }}
unknown: {{ .Chart.Nothing }} {{ .Release.Nothing }}
template: {{ .Template | toJson }}
root: {{ . | keys | sortAlpha | join " " }}
types: {{ range $k, $v := .Chart }}{{ $k }}={{ typeOf $v }} {{ end }}
more: {{ typeOf .Capabilities }} {{ typeOf .Capabilities.APIVersions }} {{ typeOf .Files }} {{ typeOf .Values }} {{ typeOf . }}
"#;

#[test]
fn everything_that_can_be_asked() {
    let case = || {
        Case::of(&[
            ("Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.2.3\nappVersion: 1.10\nkeywords: [a, b]\nmaintainers:\n- name: J\n  url: http://x\nannotations: {k: v}\ndeprecated: true\n"),
            ("templates/a.yaml", ABOUT),
        ])
        .unwrap()
    };
    assert_all(
        [
            &[][..],
            &[
                "--kube-version",
                "1.30.4-eks-1234",
                "-a",
                "example.com/v1/Widget,b/v2",
                "--api-versions",
                "c/v1",
            ],
            &["--is-upgrade", "-n", "somewhere", "--kube-version", "v1.29"],
            &["--kube-version", "one"],
            &["--kube-version", "1"],
            &["--kube-version", "1.02"],
        ]
        .into_iter()
        .map(|args| case().args(args.iter().copied())),
    );
}

#[test]
fn a_chart_says_which_kubernetes_it_needs() {
    for range in [
        ">=1.30.0",
        ">=1.30.0-0",
        "<1.30",
        "1.x",
        "nonsense",
        ">= 1.20 < 1.22 || 1.36",
    ] {
        for version in ["1.30.1", "1.30.1-gke.3", "1.29"] {
            let chart =
                format!("apiVersion: v2\nname: t\nversion: 1.2.3\nkubeVersion: '{range}'\n");
            let case =
                Case::of(&[("Chart.yaml", chart.as_str()), ("templates/a.yaml", "a: 1")]).unwrap();
            assert_same(&case.args(["--kube-version", version]));
        }
    }
}
