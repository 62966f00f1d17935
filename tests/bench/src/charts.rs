//! The charts that are rendered: one kept, the rest made here, each large in another way.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;

/// Charts by what they are.
pub(crate) struct Charts {
    /// What it is, and its folder.
    pub(crate) all: Vec<(&'static str, PathBuf)>,
    _folder: TempDir,
}

const HELPERS: &str = r#"{{- define "NAME.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}
{{- define "NAME.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "NAME.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "NAME.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
"#;

const WORKLOAD: &str = r#"{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "NAME.fullname" . }}-NUMBER
  labels: {{- include "NAME.labels" . | nindent 4 }}
  {{- with .Values.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector:
    matchLabels: {{- include "NAME.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "NAME.labels" . | nindent 8 }}
      annotations:
        checksum/settings: {{ toJson .Values.settings | sha256sum }}
    spec:
      {{- with .Values.affinity }}
      affinity: {{- tpl (toYaml .) $ | nindent 8 }}
      {{- end }}
      containers:
        - name: main
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          ports:
            {{- range $name, $port := .Values.ports }}
            - name: {{ $name }}
              containerPort: {{ $port | int }}
              protocol: {{ if eq $name "dns" }}UDP{{ else }}TCP{{ end }}
            {{- end }}
          env:
            {{- range .Values.env }}
            - name: {{ .name | upper | replace "-" "_" }}
              value: {{ tpl (.value | toString) $ | quote }}
            {{- end }}
          {{- if and .Values.probe (gt (int .Values.probe.period) 0) }}
          livenessProbe:
            httpGet: { path: {{ .Values.probe.path | quote }}, port: http }
            periodSeconds: {{ .Values.probe.period }}
          {{- end }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
{{- end }}
"#;

const VALUES: &str = r#"enabled: true
replicas: 2
image: {repository: registry.example.com/team/app}
commonLabels: {team: platform, tier: backend}
annotations: {example.com/owner: "team@example.com", example.com/on-call: "true"}
ports: {http: 8080, metrics: 9090, dns: 53}
env:
  - {name: log-level, value: info}
  - {name: release-name, value: "{{ .Release.Name }}"}
  - {name: endpoint, value: "http://{{ include \"NAME.fullname\" . }}:8080"}
  - {name: workers, value: 4}
probe: {path: /healthz, period: 10}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 1
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector: {matchLabels: {app.kubernetes.io/instance: "{{ .Release.Name }}"}}
resources:
  limits: {cpu: 500m, memory: 512Mi}
  requests: {cpu: 100m, memory: 128Mi}
settings: {a: 1, b: [x, y, z], c: {d: true, e: "text: with quotes"}}
"#;

const LARGE: &str = r#"{{- range $i := until 220 }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "NAME.fullname" $ }}-{{ $i }}
  labels: {{- include "NAME.labels" $ | nindent 4 }}
data:
  table.yaml: |
    {{- range $row := until 20 }}
    {{- toYaml (dict "row" $row "settings" $.Values.settings "ports" $.Values.ports "env" $.Values.env) | nindent 4 }}
    {{- end }}
{{- end }}
"#;

impl Charts {
    /// Writes them into a folder that goes when they do.
    pub(crate) fn make(small: &Path) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
        let at = |name: &str| folder.path().join(name);
        let broad = at("broad");
        chart(&broad, "broad", &[], 120)?;
        let umbrella = at("umbrella");
        let children: Vec<String> = (0..40).map(|number| format!("part{number:02}")).collect();
        chart(&umbrella, "umbrella", &children, 2)?;
        for child in &children {
            chart(&umbrella.join("charts").join(child), child, &[], 4)?;
        }
        let large = at("large");
        chart(&large, "large", &[], 1)?;
        write(
            &large.join("templates/table.yaml"),
            &LARGE.replace("NAME", "large"),
        )?;
        Ok(Self {
            all: vec![
                ("small", small.to_owned()),
                ("120 templates", broad),
                ("40 subcharts", umbrella),
                ("2 MB of output", large),
            ],
            _folder: folder,
        })
    }
}

fn chart(folder: &Path, name: &str, children: &[String], workloads: usize) -> Result<(), Error> {
    let mut about = format!("apiVersion: v2\nname: {name}\nversion: 1.2.3\nappVersion: 4.5.6\n");
    if !children.is_empty() {
        about.push_str("dependencies:\n");
    }
    for child in children {
        let _ = writeln!(
            about,
            "  - {{name: {child}, version: 1.2.3, condition: {child}.enabled}}"
        );
    }
    write(&folder.join("Chart.yaml"), &about)?;
    write(&folder.join("values.yaml"), &VALUES.replace("NAME", name))?;
    write(
        &folder.join("templates/_helpers.tpl"),
        &HELPERS.replace("NAME", name),
    )?;
    for number in 0..workloads {
        let text = WORKLOAD
            .replace("NAME", name)
            .replace("NUMBER", &number.to_string());
        write(
            &folder.join(format!("templates/workload-{number:03}.yaml")),
            &text,
        )?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(Error::io(format!("writing {}", path.display())))
}
