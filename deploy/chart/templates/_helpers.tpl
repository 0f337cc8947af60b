{{/* What every object is called, whatever the release: one agent a node, and the pages name it so. */}}
{{- define "nftpol.metadata" -}}
name: nftpol
namespace: {{ .Release.Namespace | quote }}
labels:
  app.kubernetes.io/name: nftpol
{{- end }}

{{- define "nftpol.image" -}}
{{- with .Values.image -}}
{{- $tag := .tag -}}
{{- if and (not .tag) (not .digest) }}{{ $tag = $.Chart.AppVersion }}{{ end -}}
{{ .repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end }}

{{/* Values that are each right and contradict each other. */}}
{{- define "nftpol.check" -}}
{{- $metrics := .Values.metrics -}}
{{- if and .Values.cleanup .Values.dryRun -}}
{{- fail "cleanup removes rules whatever dryRun says: leave one of them out" -}}
{{- end -}}
{{- if and $metrics.podMonitor.enabled $metrics.serviceMonitor.enabled -}}
{{- fail "metrics.podMonitor and metrics.serviceMonitor are alternatives: with both everything would be counted twice" -}}
{{- end -}}
{{- if and (or $metrics.podMonitor.enabled $metrics.serviceMonitor.enabled) (not $metrics.enabled) -}}
{{- fail "metrics.podMonitor and metrics.serviceMonitor need metrics.enabled: without it there is nothing to scrape" -}}
{{- end -}}
{{- $own := dict
  "--backend" "backend"
  "--unknown-local-pods" "strictStart"
  "--manage-sysctls" "manageSysctls"
  "--sysctl-root" "manageSysctls"
  "--dry-run" "dryRun"
  "--metrics-address" "metrics.enabled"
-}}
{{- range .Values.extraArgs -}}
{{- $option := regexFind "^--[a-z-]+" . -}}
{{- with get $own $option -}}
{{- fail (printf "extraArgs: %s is what the value %s is for" $option .) -}}
{{- end -}}
{{- if eq $option "--health-address" -}}
{{- fail "extraArgs: --health-address stays as it is: the probes ask there" -}}
{{- end -}}
{{- end -}}
{{- end }}
