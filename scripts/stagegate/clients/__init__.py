"""Clients of everything outside: processes, HTTP, Git, GitHub (hub), registries, Helm, Argo CD, Kubernetes."""
