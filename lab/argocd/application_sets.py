"""The Applications of an ApplicationSet, as stagegate expands one.

Recordings of a real controller in tests/cases/argo/applicationsets check that expansion: lists, clusters, folders
and files of Git, matrix, merge, templates.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from lab.argocd import documents
from lab.argocd.charts import CannotRender
from lab.argocd.resolve import Sources
from stagegate.argocd_app import tree
from stagegate.argocd_app.sets import expand
from stagegate.argocd_app.sets.parameters import NotExpandable
from stagegate.argocd_app.sets.surroundings import KnownCluster, Surroundings
from stagegate.argocd_app.tree import Tree

Json = dict[str, Any]
REGISTERED = {"argocd.argoproj.io/secret-type": "cluster"}


def made(document: Json, sources: Sources, clusters: Sequence[Json]) -> list[Json]:
    """The Applications, owned by their set. CannotRender with the controller's reason where it makes none."""

    def files(address: str, revision: str) -> Tree:
        return tree.from_folder(sources.tree(address, revision))

    around = Surroundings(tree=files, clusters=tuple(map(_known, clusters)))
    try:
        found = expand.expand(document, around)
    except NotExpandable as reason:
        raise CannotRender(f"the lab cannot expand this ApplicationSet: {reason}") from reason
    if found.errors:
        raise CannotRender("; ".join(found.errors))
    name = str(document["metadata"]["name"])
    owner = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "name": name,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return [_owned(dict(one), owner) for one in found.applications]


def _owned(application: Json, owner: Json) -> Json:
    return {**application, "metadata": {**application["metadata"], "ownerReferences": [owner]}}


def _known(cluster: Json) -> KnownCluster:
    """A cluster as generators read it. Argo CD's own cluster has no Secret, so no selector finds it."""
    own = cluster["server"] == documents.CLUSTER["server"]
    labels = dict(cluster.get("labels") or {})
    return KnownCluster(
        name=cluster["name"], server=cluster["server"], labels=labels if own else {**REGISTERED, **labels}
    )
