"""Risks in the other documents of pin files.

Argo CD deploys them beside the Application of the release, so a new one is a way past the rules of a promotion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.chart import objects
from stagegate.difference.risks import Risk
from stagegate.difference.roots import Root
from stagegate.difference.side import Side


def risks(old: Side, new: Side) -> Iterator[Risk]:
    """A risk for each new object, each Application that is there once more, and each changed unknown document."""
    previous_keys = {_key(root) for root in old.roots() if root.kind == "object"}
    for root in new.roots():
        if root.kind == "object" and not root.own and _key(root) not in previous_keys:
            label = objects.read(root.document, root.file).label
            detail = (
                f"is new in {root.file}, a file that contains a pin, and no promotion rule checks this object"
            )
            yield Risk(kind="not-rendered", object=label, detail=detail)
    for label, documents in _by_label(new).items():
        if len(documents) > 1 and documents != _by_label(old).get(label):
            detail = (
                f"occurs {len(documents)} times in the files of the pins, but Argo CD uses only the "
                "last document"
            )
            yield Risk(kind="not-rendered", object=label, detail=detail)
    manifests = {root.file for root in new.roots() if root.kind in ("application", "set", "object")}
    for file in sorted(manifests):
        if _unknown(old, file) != _unknown(new, file):
            detail = "contains a changed document without a name, so its effect is not shown"
            yield Risk(kind="not-rendered", object=file, detail=detail)


def _key(root: Root) -> tuple[str, ...]:
    return (root.file, *objects.read(root.document, root.file).key)


def _by_label(side: Side) -> dict[str, list[Mapping[str, Any]]]:
    """The Applications and sets of the files of the pins; several where Argo CD would take the last one."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for root in side.roots():
        if root.kind in ("application", "set"):
            name = mapping(root.document.get("metadata")).get("name")
            by_name.setdefault(f"{root.document.get('kind')}/{name}", []).append(root.document)
    return by_name


def _unknown(side: Side, file: str) -> list[Mapping[str, Any]]:
    return [root.document for root in side.roots() if root.kind == "unknown" and root.file == file]
