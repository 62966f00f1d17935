{{- define "webapp.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end }}
