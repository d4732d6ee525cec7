"""Reads the YAML documents of a repository, without the templates of charts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree

_SUFFIXES = (".yaml", ".yml", ".json")
_SKIPPED = frozenset(("node_modules", "vendor", ".github", ".git", ".venv", "testdata", "__pycache__"))
_LARGEST = 500_000  # bytes; larger files are data, not configuration
_DATA = frozenset(("package.json", "package-lock.json", "composer.json", "tsconfig.json", "pnpm-lock.yaml"))


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One YAML document: its file, its number in it (from 0), and what it contains in plain types."""

    file: str
    number: int
    content: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The `kind` of a Kubernetes object, or nothing."""
        return str(self.content.get("kind") or "")

    @property
    def name(self) -> str:
        """The object's name, or nothing."""
        return str(mapping(self.content.get("metadata")).get("name") or "")

    @property
    def is_argocd(self) -> bool:
        """Whether it is an object of Argo CD."""
        return str(self.content.get("apiVersion") or "").startswith("argoproj.io/")

    @property
    def is_kustomization(self) -> bool:
        """Whether it is a kustomization or component, by its kind or its file's name."""
        if self.kind in ("Kustomization", "Component"):
            return "kustomize.toolkit.fluxcd.io" not in str(self.content.get("apiVersion"))
        return not self.kind and PurePosixPath(self.file).name in KUSTOMIZATIONS


def read(tree: Tree) -> tuple[Document, ...]:
    """Every mapping of the tree's YAML and JSON files, objects of a `List` one by one. Other files are left out."""
    charts = _template_folders(tree)
    names = [path for path in sorted(tree.entries) if _is_read(path, charts)]
    contents = tree.read(names)
    return tuple(document for path in names for document in _of_file(path, contents.get(path, b"")))


def of_text(file: str, content: bytes) -> tuple[Document, ...]:
    """The documents of one file."""
    return tuple(_of_file(file, content))


def _template_folders(tree: Tree) -> tuple[str, ...]:
    """Folders with Go templates: `templates` beside every Chart.yaml."""
    charts = (PurePosixPath(path).parent for path in tree.entries if PurePosixPath(path).name == "Chart.yaml")
    return tuple(f"{(chart / 'templates').as_posix()}/" for chart in charts)


def _is_read(path: str, templates: tuple[str, ...]) -> bool:
    pure = PurePosixPath(path)
    named = pure.suffix in _SUFFIXES or pure.name in KUSTOMIZATIONS
    return (
        named
        and pure.name not in _DATA
        and _SKIPPED.isdisjoint(pure.parts)
        and not path.startswith(templates)
    )


def _of_file(path: str, content: bytes) -> Iterator[Document]:
    if len(content) > _LARGEST:
        return
    try:
        loaded = yaml_1_1.load_all(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return  # Argo CD cannot read it either; doctor reads each pin strictly
    for number, loaded_document in enumerate(loaded):
        outer = mapping(loaded_document)
        objects = [mapping(item) for item in items(outer.get("items"))] if outer.get("kind") == "List" else []
        for entry in objects or [outer]:
            if entry:
                yield Document(file=path, number=number, content=entry)
