"""Moving in and moving on: from Kustomize to Helm, from other tools, and to GitOps Promoter."""
