"""The outside world, one file each: process, http, git, hub (GitHub), registry, helm, argocd."""
