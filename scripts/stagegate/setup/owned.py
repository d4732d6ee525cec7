"""Decides which charts and images belong to the owner of a repository. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stagegate.setup.references import NamedReference, bare
from stagegate.setup.survey import Survey

# Registries and owners of public charts and images.
_PUBLIC_HOSTS = frozenset(
    [
        "registry.k8s.io",
        "k8s.gcr.io",
        "mcr.microsoft.com",
        "gcr.io",
        "nvcr.io",
        "registry.opensource.zalan.do",
    ]
)
# fmt: off
_PUBLIC_OWNERS = frozenset(
    {
        "argoproj", "argoproj-labs", "argo", "bitnami", "bitnamicharts", "library", "jetstack",
        "prometheus", "prometheus-community", "grafana", "dexidp", "external-secrets", "kyverno",
        "cloudnative-pg", "fluxcd", "hashicorp", "elastic", "istio", "traefik", "kubernetes",
        "ingress-nginx", "cert-manager", "redis", "postgres", "mysql", "mariadb", "rabbitmq", "nginx",
        "nginxinc", "busybox", "alpine", "curlimages", "kubernetes-sigs", "strimzi", "minio",
        "oauth2-proxy", "stakater", "sealed-secrets", "actions", "open-telemetry", "aquasec",
    }
)
# fmt: on


def references(survey: Survey, images: Sequence[str]) -> list[NamedReference]:
    """References to charts and images of the repository's owner.

    If none has the owner's name, all that are not public.
    """
    renamed = {reference.instead_of for reference in survey.references if reference.instead_of}
    named = [
        reference
        for reference in survey.references
        if reference.kind in ("chart", "image") and reference.name not in renamed
    ]
    if images:
        return [
            reference
            for reference in named
            if (reference.kind == "chart" and not is_public(reference.name)) or reference.name in images
        ]
    owner = survey.owner.lower()
    by_owner = [
        reference for reference in named if owner and owner in re.split(r"[/.]", reference.name.lower())
    ]
    return by_owner or [reference for reference in named if not is_public(reference.name)]


def is_public(name: str) -> bool:
    """Whether a chart or image is from a well-known public owner or registry."""
    parts = bare(name).lower().split("/")
    if len(parts) == 1:
        return True
    host = parts[0] if re.search(r"[.:]", parts[0]) or parts[0] == "localhost" else "docker.io"
    owners = set(parts[1:-1] if host == parts[0] else parts[:-1])
    if host == "gcr.io":
        return any(owner.startswith(("google", "distroless", "kubebuilder", "cloud")) for owner in owners)
    helm_index = bool(re.match(r"charts\.|.*\.github\.io", host))
    return (
        host in _PUBLIC_HOSTS
        or bool(owners & _PUBLIC_OWNERS)
        or (host == "docker.io" and not owners)
        or (helm_index and bool(_PUBLIC_OWNERS & set(host.split("."))))
    )
