{{/* Tag of our own images: the one that an environment sets, else the release that this chart belongs to. */}}
{{- define "shop.imageTag" -}}
{{- .Values.global.imageTag | default (printf "v%s" .Chart.AppVersion) -}}
{{- end -}}

{{- define "shop.imagePullPolicy" -}}
{{- .Values.global.imagePullPolicy | default "IfNotPresent" -}}
{{- end -}}

{{- define "shop.image" -}}
{{- printf "%s/%s:%s" .Values.global.imageRegistry .Values.image.repository (include "shop.imageTag" .) -}}
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
