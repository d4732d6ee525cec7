"""The Applications a folder of the pins repository declares, as an app-of-apps would apply them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from lab.argocd import gitread
from lab.argocd.charts import CannotRender, parse_objects

Json = dict[str, Any]
API = "argoproj.io/"


def applications(repository: Path, commit: str, folder: str) -> dict[str, Json]:
    """Name -> Application of every manifest under `folder`; ApplicationSets with lists are expanded."""
    found: dict[str, Json] = {}
    for file, text in sorted(gitread.files(repository, commit, folder).items()):
        if "/templates/" in file:
            continue  # of a chart beside it
        try:
            documents = parse_objects(text)
        except CannotRender as error:
            raise CannotRender(f"{file}: {error}") from error
        for document in documents:
            if not str(document.get("apiVersion", "")).startswith(API):
                continue
            made = [document] if document["kind"] == "Application" else []
            if document["kind"] == "ApplicationSet":
                made = expand(document)
            for item in made:
                found[str(item["metadata"]["name"])] = json.loads(json.dumps(item, default=str))
    return found


def expand(application_set: Json) -> list[Json]:
    """The Applications of an ApplicationSet's list generators; other generators make none here."""
    spec = application_set.get("spec") or {}
    template = spec.get("template") or {}
    made: list[Json] = []
    for generator in spec.get("generators") or ():
        for element in (generator.get("list") or {}).get("elements") or ():
            values = _flat(element)
            document = {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Application",
                **copy.deepcopy(template),
            }
            made.append(_fill(document, values))
    return made


def _flat(element: Json, prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in element.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def _fill(node: Any, values: dict[str, str]) -> Any:
    """`{{name}}` and `{{ .name }}` replaced in every text of the template."""
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    if isinstance(node, str):
        return re.sub(r"\{\{\s*\.?([\w.-]+)\s*\}\}", lambda m: values.get(m[1], m[0]), node)
    return node
