{{- define "umbrella.labels" -}}
app: {{ .Chart.Name }}
{{- range $k, $v := .Values.global.labels }}
{{ $k }}: {{ $v }}
{{- end }}
{{- end }}
{{- define "shared.name" }}umbrella wins{{ end }}
