"""The files of a repository that decide what a source deploys. Nothing is rendered, so a mistake hides nothing.

For a folder: all that is in it, what its kustomizations and charts name outside, and what links lead to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import globs, helm_files, render_inputs, sources
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.argocd_app.tree import Tree, clean, inside

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOLE = re.compile(r"\{\{.*?\}\}|\$\{\w+\}|\$\w+", re.DOTALL)


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Files, whole folders and patterns of one repository. `*` in a pattern crosses folders."""

    files: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()

    def holds(self, path: str) -> bool:
        """Whether a path is among them."""
        return (
            path in self.files
            or any(not folder or path.startswith(f"{folder}/") for folder in self.folders)
            or any(globs.of_directory(pattern, path) for pattern in self.patterns)
        )

    def paths(self, tree: Tree) -> list[str]:
        """Those that a commit has."""
        return [path for path in tree.entries if self.holds(path)]

    def __or__(self, other: Named) -> Named:
        return Named(
            files=self.files | other.files,
            folders=self.folders | other.folders,
            patterns=self.patterns | other.patterns,
        )


class NamedPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path (perhaps with `{{holes}}`) in the repository of a source; `is_values`: it only configures a chart."""

    repository: ApplicationSource
    path: str
    is_values: bool = False


def of_source(application: Mapping[str, Any], source: ApplicationSource) -> Iterator[NamedPath]:
    """Every path of a Git repository that one source of an Application names: its folder, and files besides."""
    if source.kind == "git":
        yield NamedPath(repository=source, path=clean(source.path))
    for written, is_values in _written(source):
        reference, slash, rest = written.partition("/")
        target = sources.referenced(application, reference[1:]) if reference.startswith("$") else None
        if target is not None and slash:
            yield NamedPath(repository=target, path=clean(rest), is_values=is_values)
        elif source.kind == "git" and not _SCHEME.match(written):
            filled = helm_files.expand(written, render_inputs.environment(application, source))
            path = inside(source.path, written if "{{" in written else filled)
            if path is not None:
                yield NamedPath(repository=source, path=path, is_values=is_values)


def _written(source: ApplicationSource) -> Iterator[tuple[str, bool]]:
    """Files and folders besides its own that a source names, and whether they are values."""
    helm, directory = source.options("helm"), source.options("directory")
    yield from ((str(one), True) for one in sources.items(helm.get("valueFiles")))
    yield from (
        (str(mapping(one).get("path") or ""), True) for one in sources.items(helm.get("fileParameters"))
    )
    yield from ((f"/{one}", False) for one in sources.items(mapping(directory.get("jsonnet")).get("libs")))
    yield from ((str(one), False) for one in sources.items(source.options("kustomize").get("components")))


def following(paths: Iterable[str], tree: Tree) -> Named:
    """Everything in a tree that paths lead to: through links, kustomizations, charts and their dependencies."""
    files: set[str] = set()
    folders: set[str] = set()
    patterns: set[str] = set()
    queue = list(paths)
    done: set[str] = set()
    while queue:
        path = queue.pop()
        if path in done:
            continue
        done.add(path)
        plain = _HOLE.sub("*", path)
        if globs.is_pattern(plain):
            patterns |= {plain, f"{plain}/**"}
            continue
        target, links = tree.resolve(path)
        files |= {path, *links}
        if not target and path:
            continue
        files.add(target)
        if target not in tree.folders or (not target and path):
            continue
        folders.add(target)
        below = tree.below(target)
        linked = [one for one in below if tree.entries[one].link]
        wanted = [one for one in below if posixpath.basename(one) in (*KUSTOMIZATIONS, "Chart.yaml")]
        queue += linked
        for file, content in tree.read(wanted).items():
            if not tree.entries[file].link:
                queue += mentioned(file, content, tree)
    return Named(files=frozenset(files), folders=frozenset(folders), patterns=frozenset(patterns))


def mentioned(file: str, content: bytes, tree: Tree, *, inner: bool = False) -> Iterator[str]:
    """Paths outside its own folder (with `inner` also in it) that a kustomization or chart mentions, existing or
    not."""
    folder = posixpath.dirname(file)
    local = "" if posixpath.basename(file) in KUSTOMIZATIONS else "file://"
    try:
        documents = yaml_1_1.load_all(content)
    except (yaml.YAMLError, ValueError):
        return
    for text in _texts(documents):
        if not text.startswith(local) or "\n" in text:
            continue
        written = text.removeprefix("file://").rpartition("=")[2]  # a generator's `key=path`
        path = inside(folder, written) if written and not _SCHEME.match(written) else None
        in_it = path is not None and (not folder or path.startswith(f"{folder}/"))
        if path is None or path == folder or (in_it and not inner and ".." not in written.split("/")):
            continue
        exists = path in tree.entries or (bool(path) and path in tree.folders)
        if exists or ".." in written.split("/"):
            yield path


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
