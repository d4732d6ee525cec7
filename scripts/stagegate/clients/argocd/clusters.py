"""Reads the Kubernetes version and API versions of the clusters that an Argo CD deploys to.

https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ (ClusterService): Argo CD gives both to Helm when
it renders a chart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.clients.argocd.client import ArgoCD
from stagegate.errors import Stop

_IN_CLUSTER = "https://kubernetes.default.svc"
_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?)")


class ClusterVersions(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of one cluster; `trouble` is the reason when they are unknown."""

    name: str = ""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    trouble: str = ""


class Clusters:
    """The clusters of one Argo CD, requested once, when the first is needed."""

    def __init__(self, argocd: ArgoCD) -> None:
        self.host = argocd.host
        self._argocd = argocd
        self._listed: list[Mapping[str, Any]] | None = None
        self._trouble = ""

    def of(self, destination: Mapping[str, Any]) -> ClusterVersions:
        """The cluster of an Application's destination, by address or name."""
        server, name = (str(destination.get(key) or "").rstrip("/") for key in ("server", "name"))
        shown = name or server or "no destination"
        for cluster in self._clusters():
            if _is(cluster, server, name):
                return _versions(cluster, shown)
        trouble = (
            self._trouble
            or f"Argo CD lists no cluster {shown} for this token; the token needs `clusters, get`"
        )
        return ClusterVersions(name=shown, trouble=trouble)

    def _clusters(self) -> list[Mapping[str, Any]]:
        if self._listed is None:
            try:
                self._listed = [*self._argocd.clusters()]
            except Stop as stop:
                self._listed, self._trouble = [], f"{stop.what} {stop.why}".rstrip(".")
        return self._listed


def _is(cluster: Mapping[str, Any], server: str, name: str) -> bool:
    address, own_name = str(cluster.get("server") or "").rstrip("/"), str(cluster.get("name") or "")
    if server:
        return address == server
    return bool(name) and (
        own_name == name or (name == "in-cluster" and address == _IN_CLUSTER and not own_name)
    )


def _versions(cluster: Mapping[str, Any], shown: str) -> ClusterVersions:
    info = cluster.get("info")
    facts: Mapping[str, Any] = info if isinstance(info, dict) else {}
    version = _VERSION.match(str(facts.get("serverVersion") or cluster.get("serverVersion") or ""))
    listed = facts.get("apiVersions")
    if version is None or not isinstance(listed, list) or not listed:
        return ClusterVersions(
            name=shown, trouble=f"Argo CD does not report the Kubernetes version of {shown} yet"
        )
    return ClusterVersions(name=shown, kube_version=version[1], api_versions=tuple(map(str, listed)))
