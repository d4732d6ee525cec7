{{/* The image of every Pod, and its pull policy: charts/stagegate-lib says what decides. */}}
{{- define "shop.image" -}}
{{- include "stagegate.image" (dict "context" . "image" .Values.image) -}}
{{- end -}}

{{- define "shop.imagePullPolicy" -}}
{{- include "stagegate.imagePullPolicy" (dict "context" . "image" .Values.image) -}}
{{- end -}}

{{/* Every object is named after the Helm release, so two of them fit in one namespace. */}}
{{- define "shop.name" -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "shop.selector" -}}
app.kubernetes.io/name: shop
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "shop.labels" -}}
{{ include "shop.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "shop.loginSecret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-login" (include "shop.name" .)) -}}
{{- end -}}
