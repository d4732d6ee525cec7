"""Migration: from Kustomize to Helm, from other tools, and to GitOps Promoter."""
