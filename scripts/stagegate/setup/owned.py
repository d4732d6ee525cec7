"""Which charts and images belong to the owner of a repository, and which are everybody's. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stagegate.setup.references import NamedReference, bare
from stagegate.setup.survey import Survey

# Registries and owners whose charts and images are everybody's.
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
    """References of the repository's owner; where none has the owner's name, all that are not everybody's."""
    renamed = {one.instead_of for one in survey.references if one.instead_of}
    named = [one for one in survey.references if one.kind in ("chart", "image") and one.name not in renamed]
    if images:
        return [
            one for one in named if (one.kind == "chart" and not is_public(one.name)) or one.name in images
        ]
    owner = survey.owner.lower()
    by_owner = [one for one in named if owner and owner in re.split(r"[/.]", one.name.lower())]
    return by_owner or [one for one in named if not is_public(one.name)]


def is_public(name: str) -> bool:
    """Whether a chart or image is everybody's: of a well-known owner or registry."""
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
