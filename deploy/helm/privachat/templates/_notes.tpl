{{/* The text that helm prints after an installation; in a template of its own, so that a test can read it. */}}
{{- define "privachat.notes" -}}
{{- $name := include "privachat.fullname" . -}}
PrivaChat Search {{ .Chart.AppVersion }} is called {{ $name }} in namespace {{ .Release.Namespace }}.

Check that everything it needs works:

  kubectl -n {{ .Release.Namespace }} exec deployment/{{ $name }}-worker -- privachat-worker check-config

Ask it, at http://localhost:8001:

  kubectl -n {{ .Release.Namespace }} port-forward service/{{ $name }}-api 8001:80
{{- range $process := list "api" "worker" }}
{{- $own := index $.Values.secrets $process }}
{{- if not $own.existingSecret }}
{{- $values := include "privachat.secretValues" (dict "root" $ "process" $process) | fromJson }}
{{- range $setting, $value := $values }}
{{- if contains "change-me" $value }}

WARNING: {{ $setting }} of the {{ $process }} is still an example of values.yaml, which is public.
{{- end }}
{{- end }}
{{- $files := include "privachat.fileSettings" (dict "root" $ "process" $process) | fromJsonArray }}
{{- if and (eq $process "api") (not (or $values.API_KEYS $values.API_ADMIN_KEYS (has "API_KEYS" $files) (has "API_ADMIN_KEYS" $files))) }}

WARNING: there is no key in API_KEYS and API_ADMIN_KEYS. Every client that reaches the API may use it.
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.worker.autoscaling.enabled (not (include "privachat.matchers" .)) }}

The number of workers depends on the metrics of all installations in Prometheus. If there are several, set
worker.autoscaling.prometheus.matchers, or podMonitor.enabled.
{{- end }}
{{- end -}}
