{{/* Annotations of a pod, by its process: a change of what it reads at its start replaces it. */}}
{{- define "privachat.podAnnotations" -}}
{{- $own := index .root.Values.secrets .process -}}
checksum/config: {{ include "privachat.config" .root | sha256sum }}
{{- if $own.existingSecret }}
checksum/secret: {{ sha256sum $own.existingSecret }}
{{- else }}
checksum/secret: {{ include "privachat.secretValues" . | sha256sum }}
{{- end }}
checksum/files: {{ include "privachat.secretFiles" . | sha256sum }}
{{- with (index .root.Values .process).podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The fields of a pod before its containers, by its process. */}}
{{- define "privachat.pod" -}}
{{- $own := index .root.Values .process -}}
{{- $config := .root.Values.config -}}
automountServiceAccountToken: false
# More than SHUTDOWN_DELAY_SECONDS, in which an API still accepts requests (hence no preStop), and DRAIN_SECONDS, in
# which requests and searches finish. A worker gets no connections and needs neither the first nor a preStop.
terminationGracePeriodSeconds: {{ add (int $config.SHUTDOWN_DELAY_SECONDS) (int $config.DRAIN_SECONDS) 15 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "privachat.selector" . | nindent 8 }}
{{- with include "privachat.serviceAccount" .root }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The fields of a container before its ports, by its process. */}}
{{- define "privachat.container" -}}
{{- $own := index .root.Values .process -}}
{{- $secret := index .root.Values.secrets .process -}}
{{- $files := include "privachat.fileSettings" . | fromJsonArray -}}
name: {{ .process }}
image: {{ include "privachat.image" . | quote }}
{{- with .root.Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
envFrom:
  - configMapRef:
      name: {{ include "privachat.fullname" .root }}
  - secretRef:
      name: {{ default (printf "%s-%s" (include "privachat.fullname" .root) .process) $secret.existingSecret }}
{{- if or $files $own.extraEnv }}
env:
{{- range $files }}
  - name: {{ . }}_FILE
    value: /run/secrets/{{ . }}
{{- end }}
{{- with $own.extraEnv }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
resources:
  {{- toYaml $own.resources | nindent 2 }}
{{- end -}}

{{/* The mount of secret files, by the process. The group that can read them is fsGroup. */}}
{{- define "privachat.filesVolume" -}}
{{- $secret := index .root.Values.secrets .process -}}
name: secrets
secret:
  secretName: {{ default (printf "%s-%s-files" (include "privachat.fullname" .root) .process) $secret.existingFilesSecret }}
  optional: {{ not (or $secret.existingFilesSecret (include "privachat.hasFiles" .)) }}
  defaultMode: 0440
{{- end -}}
