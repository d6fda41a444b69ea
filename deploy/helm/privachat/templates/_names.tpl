{{/* The names of this release's objects, before -api and -worker. Always ends with privachat. */}}
{{- define "privachat.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = .Release.Name -}}
{{- if not (hasSuffix "privachat" $name) -}}
{{- $name = printf "%s-privachat" $name -}}
{{- end -}}
{{- end -}}
{{- /* With -worker-files appended, at most the 63 characters of a label. */ -}}
{{- if gt (len $name) 50 -}}
{{- fail (printf "%s is longer than 50 characters: take a shorter name for the release, or set fullnameOverride" $name) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" $name) -}}
{{- fail (printf "%s is no name of a Service: begin the release's name with a letter, use letters, digits and -, or set fullnameOverride" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* The labels by which Helm knows its objects. Selectors do not have them, because those of a Deployment can never change. */}}
{{- define "privachat.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{/* By its process: the labels that select its pods. They contain the full name, so two releases in one namespace stay apart. */}}
{{- define "privachat.selector" -}}
app.kubernetes.io/name: {{ include "privachat.fullname" .root }}-{{ .process }}
{{- end -}}

{{- define "privachat.podLabels" -}}
{{ include "privachat.selector" . }}
app.kubernetes.io/part-of: privachat
{{- end -}}

{{/* By its process: the image. */}}
{{- define "privachat.image" -}}
{{- $all := .root.Values.image -}}
{{- $own := index $all .process -}}
{{- $name := printf "%s/%s" $all.registry $own.repository -}}
{{- if $own.digest -}}
{{- printf "%s@%s" $name $own.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion $all.tag) -}}
{{- end -}}
{{- end -}}

{{/* The matchers after each metric in KEDA's queries: they select the installation. */}}
{{- define "privachat.matchers" -}}
{{- $matchers := .Values.worker.autoscaling.prometheus.matchers -}}
{{- if .Values.podMonitor.enabled -}}
{{- $matchers = append $matchers (printf "job=%q" (printf "%s/%s-api" .Release.Namespace (include "privachat.fullname" .))) -}}
{{- end -}}
{{- if $matchers -}}
{{- printf "{%s}" (join "," $matchers) -}}
{{- end -}}
{{- end -}}

{{- define "privachat.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "privachat.fullname" . -}}
{{- end -}}
{{- end -}}
