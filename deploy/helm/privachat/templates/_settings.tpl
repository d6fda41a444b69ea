{{/* The ConfigMap's data. Numbers are written out, a million as 1000000. */}}
{{- define "privachat.config" -}}
{{- $hosts := list -}}
{{- range splitList "," (default "" .Values.config.ALLOWED_HOSTS) -}}
{{- $hosts = append $hosts (trim .) -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- $hosts = concat $hosts .Values.ingress.hosts -}}
{{- end -}}
{{- $hosts = concat $hosts (list (printf "%s-api" (include "privachat.fullname" .)) "*.svc.cluster.local") -}}
{{- $data := dict "ALLOWED_HOSTS" ($hosts | compact | uniq | join ",") -}}
{{- range $name, $value := omit .Values.config "ALLOWED_HOSTS" -}}
{{- $_ := set $data $name (kindIs "string" $value | ternary $value (int64 $value | toString)) -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}

{{/* By its process: the settings that it reads from files, as a list. Refuses contradictory values. */}}
{{- define "privachat.fileSettings" -}}
{{- $own := index .root.Values.secrets .process -}}
{{- $files := merge (dict) $own.files .root.Values.secrets.shared.files -}}
{{- $names := list -}}
{{- if $own.existingFilesSecret -}}
{{- if $files -}}
{{- fail (printf "secrets.%s.existingFilesSecret takes the place of files: empty secrets.%s.files and secrets.shared.files" .process .process) -}}
{{- end -}}
{{- $names = $own.existingFileSettings -}}
{{- else -}}
{{- if $own.existingFileSettings -}}
{{- fail (printf "secrets.%s.existingFileSettings lists the settings of secrets.%s.existingFilesSecret, which is not set" .process .process) -}}
{{- end -}}
{{- range $name, $_ := $files -}}
{{- if regexMatch "^[A-Z0-9_]+$" $name -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/* By its process: the values of its Secret. A setting in a file is not in the environment too. */}}
{{- define "privachat.secretValues" -}}
{{- $own := index .root.Values.secrets .process -}}
{{- $files := include "privachat.fileSettings" . | fromJsonArray -}}
{{- $values := merge (dict) $own.values .root.Values.secrets.shared.values -}}
{{- range list "REDIS_URL" "DATABASE_URL" -}}
{{- if not (or (get $values .) (has . $files)) -}}
{{- fail (printf "%s is missing: in secrets.shared or secrets.%s, values or files" . $.process) -}}
{{- end -}}
{{- end -}}
{{- range $files -}}
{{- $values = omit $values . -}}
{{- end -}}
{{- toJson $values -}}
{{- end -}}

{{/* By its process: the files of its Secret. */}}
{{- define "privachat.secretFiles" -}}
{{- $own := index .root.Values.secrets .process -}}
{{- toJson (merge (dict) $own.files .root.Values.secrets.shared.files) -}}
{{- end -}}

{{/* By its process: whether the chart makes a Secret of files. */}}
{{- define "privachat.hasFiles" -}}
{{- $own := index .root.Values.secrets .process -}}
{{- if and (not $own.existingFilesSecret) (merge (dict) $own.files .root.Values.secrets.shared.files) -}}
true
{{- end -}}
{{- end -}}
