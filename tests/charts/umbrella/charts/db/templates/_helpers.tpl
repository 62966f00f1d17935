{{- define "shared.name" }}db wins{{ end }}
{{- define "db.name" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end }}
