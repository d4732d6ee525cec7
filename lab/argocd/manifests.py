"""The Applications a folder of the pins repository declares, as an app-of-apps would apply them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.argocd import gitread
from lab.argocd.charts import CannotRender, parse_objects
from lab.argocd.resolve import Sources

Json = dict[str, Any]
API = "argoproj.io/"


def applications(
    repository: Path, commit: str, folder: str, sources: Sources, clusters: Sequence[Json]
) -> dict[str, Json]:
    """Name -> Application of every manifest under `folder`, those of ApplicationSets over `clusters` included."""
    found: dict[str, Json] = {}
    for file, text in sorted(gitread.files(repository, commit, folder).items()):
        if "/templates/" in file:
            continue  # of a chart beside it
        try:
            for item in _declared(text, sources, clusters):
                found[str(item["metadata"]["name"])] = json.loads(json.dumps(item, default=str))
        except CannotRender as error:
            raise CannotRender(f"{file}: {error}") from error
    return found


def _declared(text: str, sources: Sources, clusters: Sequence[Json]) -> list[Json]:
    """The Applications of one file."""
    declared: list[Json] = []
    for document in parse_objects(text):
        if not str(document.get("apiVersion", "")).startswith(API):
            continue
        if document["kind"] == "Application":
            declared.append(document)
        elif document["kind"] == "ApplicationSet":
            from lab.argocd import application_sets  # with the code of stagegate, which few repositories need

            declared += application_sets.made(document, sources, clusters)
    return declared
