"""A stand-in for Argo CD and a cluster: real Git, real helm, a real registry, processes instead of pods."""

from __future__ import annotations

from lab.argocd.controller import ArgoCD
from lab.argocd.faults import KINDS, Fault

__all__ = ["KINDS", "ArgoCD", "Fault"]
