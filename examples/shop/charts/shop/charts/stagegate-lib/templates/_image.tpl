{{/*
Every helper takes a dict: `context` is the chart's root ($), `image` is its settings of one image:
  repository  with or without a registry; required
  digest      sha256:<hex>; stands behind the tag, and wins over it in the container runtime
  tag         only for an image that is not of this release
  form        how a version becomes a tag, for printf; default "v%s", plain tags: "%s"
  pullPolicy  default: Always for a tag that moves, IfNotPresent otherwise
Values that a promotion or an environment sets: `global.imageTag`, `global.imageRegistry`, `global.imagePullPolicy`.
*/}}

{{/* The tag: the image's own, else the one that a promotion sets, else the release that this chart belongs to. */}}
{{- define "stagegate.imageTag" -}}
{{- $global := .context.Values.global | default dict -}}
{{- $version := .context.Chart.AppVersion | replace "+" "_" -}}
{{- .image.tag | default $global.imageTag | default (printf (.image.form | default "v%s") $version) -}}
{{- end -}}

{{/* The whole reference. A registry of the environment stands before a repository that names none. */}}
{{- define "stagegate.image" -}}
{{- $global := .context.Values.global | default dict -}}
{{- $repository := required "stagegate.image needs image.repository" .image.repository -}}
{{- $first := splitList "/" $repository | first -}}
{{- $named := or (contains "." $first) (contains ":" $first) (eq $first "localhost") -}}
{{- if and $global.imageRegistry (not $named) -}}
{{- $repository = printf "%s/%s" $global.imageRegistry $repository -}}
{{- end -}}
{{- $reference := printf "%s:%s" $repository (include "stagegate.imageTag" .) -}}
{{- if .image.digest -}}
{{- $reference = printf "%s@%s" $reference .image.digest -}}
{{- end -}}
{{- $reference -}}
{{- end -}}

{{/* The pull policy: a node keeps what it has of a tag that never moves, and asks again for one that does. */}}
{{- define "stagegate.imagePullPolicy" -}}
{{- $global := .context.Values.global | default dict -}}
{{- $tag := include "stagegate.imageTag" . -}}
{{- $moves := and (has $tag (list "latest" "main" "master" "edge" "nightly")) (not .image.digest) -}}
{{- .image.pullPolicy | default $global.imagePullPolicy | default (ternary "Always" "IfNotPresent" $moves) -}}
{{- end -}}
