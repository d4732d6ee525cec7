"""The annotations that make an object a hook, which Helm or Argo CD runs instead of keeping it."""

HELM, ARGO = "helm.sh/hook", "argocd.argoproj.io/hook"
