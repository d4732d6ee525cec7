"""Argo CD: Applications, their streams, trees and manifests, read over its public REST API."""

from stagegate.clients.argocd.client import ArgoCD

__all__ = ["ArgoCD"]
