"""Application documents in the shapes that Argo CD 2.x and 3.x serve, for the judge to read."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from typing import Any

from stagegate.gate.expected import Expected

Json = dict[str, Any]
START = datetime(2026, 1, 5, 12, 0, tzinfo=timezone.utc)
CHART = "ghcr.io/acme/charts/shop"
VALUES = "https://github.com/acme/shop.git"
COMMIT = f"github.com/acme/shop//@{'b' * 40}"  # the identity of a ref source at a revision


def at(seconds: float) -> str:
    """A time so many seconds after START, as Kubernetes writes it."""
    return (START + timedelta(seconds=int(seconds))).isoformat().replace("+00:00", "Z")


def expected(version: str = "1.1.0", **more: Any) -> Expected:
    """The release that these documents deploy."""
    given: Json = {
        "version": version,
        "chart": f"oci://{CHART}",
        "chart_version": version,
        "chart_digest": "sha256:" + "c" * 64,
        "repositories": ("acme/shop",),
        "release_tag": f"v{version}",
        "release_commit": "a" * 40,
        "commits": {COMMIT: "current"},
        "patience": 5.0,
        "degraded_after": 5.0,
        "settle": 5.0,
    }
    return Expected(**{**given, **more})


def single(version: str = "1.1.0", *, target: str = "", operation: str = "", now: float = 100) -> Json:
    """An application with one chart source, good at `version`; `operation` is the result of the last sync."""
    source = {"repoURL": "ghcr.io/acme/charts", "chart": "shop", "targetRevision": target or version}
    return {
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "default", "source": source, "syncPolicy": {"automated": {"prune": True}}},
        "status": {
            "sync": {
                "status": "Synced",
                "revision": version,
                "comparedTo": {"source": copy.deepcopy(source), "destination": {"namespace": "shop"}},
            },
            "health": {"status": "Healthy", "lastTransitionTime": at(now - 50)},
            "reconciledAt": at(now),
            "operationState": {
                "phase": "Succeeded",
                "startedAt": at(now - 62),
                "finishedAt": at(now - 60),
                "syncResult": {"revision": operation or version, "source": copy.deepcopy(source)},
                "operation": {"sync": {"revision": operation or version}, "retry": {"limit": 5}},
            },
            "summary": {"images": [f"ghcr.io/acme/shop:v{version}"]},
        },
    }


def several(version: str = "1.1.0", values: str = "b" * 40, *, now: float = 100) -> Json:
    """The same with a chart and a values repository, as Argo CD 3.x writes it."""
    document = single(version, now=now)
    chart = {**document["spec"].pop("source"), "helm": {"valueFiles": ["$values/deploy/values/staging.yaml"]}}
    ref = {"repoURL": VALUES, "targetRevision": "main", "ref": "values"}
    document["spec"]["sources"] = [chart, ref]
    sync = document["status"]["sync"]
    del sync["revision"]
    sync["revisions"] = [version, values]
    sync["comparedTo"] = {
        "source": {"repoURL": ""},
        "sources": copy.deepcopy([chart, ref]),
        "destination": {},
    }
    document["status"]["operationState"]["syncResult"] = {
        "revision": "",
        "revisions": [version, values],
        "source": {"repoURL": ""},
        "sources": copy.deepcopy([chart, ref]),
    }
    return document


def old_style(document: Json) -> Json:
    """The shape of Argo CD 2.x: no transition time, health of every resource stored inline, no new fields."""
    older = copy.deepcopy(document)
    older["status"]["health"].pop("lastTransitionTime", None)
    older["status"]["resources"] = [
        {"kind": "Deployment", "name": "shop", "status": "Synced", "health": {"status": "Healthy"}}
    ]
    return older
