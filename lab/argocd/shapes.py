"""Faults that change the shape of a document on its way out, or the live spec it shows. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lab.argocd.disturbances import KINDS as DISTURBANCES
from lab.argocd.disturbances import disturbed
from lab.argocd.faults import Faults
from lab.argocd.resolve import sources_of

Json = dict[str, Any]
KINDS = (  # to be published again when one of them comes
    "missing-status", "version-2", "deleting", "unknown-fields", "helm-override", "live-spec", "auto-sync-off",
    *DISTURBANCES,
)  # fmt: skip


def shaped(document: Json, faults: Faults, old: bool) -> Json:
    """A document (its own copy) as served: the shape of Argo CD 2.x when `old`, and the faults in force."""
    name = str(document["metadata"]["name"])
    document = disturbed(document, faults)
    if old or faults.find(name, "version-2"):
        document = as_version_2(document)
    if faults.find(name, "deleting"):
        document["metadata"]["deletionTimestamp"] = document["metadata"]["creationTimestamp"]
        document["metadata"]["deletionGracePeriodSeconds"] = 0
    if faults.find(name, "unknown-fields"):
        document = with_unknown_fields(document)
    if faults.find(name, "missing-status"):
        document.pop("status", None)
    return document


def as_version_2(document: Json) -> Json:
    """The shape of Argo CD 2.x: no health transition time, health stored inline."""
    copy: Json = json.loads(json.dumps(document))
    status = copy.get("status") or {}
    (status.get("health") or {}).pop("lastTransitionTime", None)
    status.pop("resourceHealthSource", None)
    return copy


def with_unknown_fields(document: Any) -> Any:
    """The document as a later Argo CD might serve it: more fields in every part, none of them known today."""
    if isinstance(document, dict):
        grown = {key: with_unknown_fields(value) for key, value in document.items()}
        return {**grown, "x-later": {"revision": "0.0.0", "status": "Later"}}
    if isinstance(document, list):
        return [with_unknown_fields(item) for item in document]
    return document


def redirected(spec: Json, parameters: Mapping[str, object]) -> Json:
    """The spec with Helm parameters somebody set on the live Application, over those of Git."""
    copy: Json = json.loads(json.dumps(spec))
    for source in sources_of(copy):
        if source.get("ref") and not source.get("chart"):
            continue
        held = [p for p in (source.get("helm") or {}).get("parameters") or () if p["name"] not in parameters]
        source.setdefault("helm", {})["parameters"] = [
            *held,
            *({"name": k, "value": str(v)} for k, v in parameters.items()),
        ]
        break
    return copy
