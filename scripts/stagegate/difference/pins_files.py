"""Which files of the pins repository decide what is deployed, by what Applications, sets and pins name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app import named_files, sources
from stagegate.argocd_app.named_files import Named
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.difference import roots
from stagegate.difference.roots import Root
from stagegate.pins import changes
from stagegate.pins import files as pin_files
from stagegate.settings import Environment, Settings


class PinsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The pins repository (`address`) at one commit, whose default branch is `base`."""

    address: str
    base: str
    tree: Tree

    def of_source(self, document: Mapping[str, Any], source: ApplicationSource) -> tuple[Named, Named]:
        """Files that one source of an Application names: all, and those that are values."""
        listed = [one for one in named_files.of_source(document, source) if self._is_here(one.repository)]
        paths = [one.path for one in listed]
        values = [one.path for one in listed if one.is_values]
        return named_files.following(paths, self.tree), named_files.following(values, self.tree)

    def of_folder(self, root: Root, content: bytes, settings: Settings, environment: Environment) -> Named:
        """The folder of a pin, and what is named in it; only the latter where others' pins stand in the folder."""
        folder = pin_files.folder(root.file) or ""
        start = f"{folder}/" if folder else ""
        pinned = {pin for pin in pin_files.of(settings.environments) if pin.startswith(start)}
        if roots.is_kustomization(root) and pinned - set(pin_files.of([environment])):
            named = named_files.mentioned(root.file, content, self.tree, inner=True)
            return named_files.following(named, self.tree)
        return named_files.following([folder], self.tree)

    def of_set(self, document: Mapping[str, Any]) -> Named:
        """The paths that the Git generators of a set read."""
        patterns: set[str] = set()
        for git in _git_generators(mapping(document.get("spec")).get("generators")):
            source = ApplicationSource(
                kind="git",
                address=str(git.get("repoURL") or ""),
                revision=str(git.get("revision") or ""),
                document=git,
            )
            for kind in ("directories", "files"):
                for rule in map(mapping, sources.items(git.get(kind))):
                    if self._is_here(source) and not rule.get("exclude"):
                        path = str(rule.get("path") or "")
                        patterns.add(f"{path}/**" if kind == "directories" else path)
        return Named(patterns=frozenset(patterns))

    def _is_here(self, source: ApplicationSource) -> bool:
        holes = "{{" in source.revision
        same = same_repository(source.address, self.address)
        return same != "foreign" and (holes or changes.is_branch(source.revision, self.base))


def _git_generators(value: object) -> Iterator[Mapping[str, Any]]:
    """Every Git generator, also inside matrix and merge."""
    for one in map(mapping, sources.items(value)):
        for name, inner in one.items():
            if name == "git":
                yield mapping(inner)
            yield from _git_generators(mapping(inner).get("generators"))
