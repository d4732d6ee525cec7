"""release-please: its packages as version settings. Pure.

https://github.com/googleapis/release-please/blob/main/docs/manifest-releaser.md
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree, clean
from stagegate.settings import VersionFile
from stagegate.setup.survey import Survey

CONFIG, MANIFEST = "release-please-config.json", ".release-please-manifest.json"
_FILES: Mapping[str, tuple[str, ...]] = {
    "node": ("package.json", "package-lock.json"),
    "python": ("pyproject.toml",),
    "rust": ("Cargo.toml", "Cargo.lock"),
    "helm": ("Chart.yaml",),
    "maven": ("pom.xml",),
    "java": ("pom.xml",),
    "simple": ("version.txt",),
}
_MARK = "x-release-please-version"
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")
_ACTION = re.compile(r"release-type:\s*([\w-]+)")


class ReleasedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One package: its folder (empty for the root), its name in tags, and what its versions stand in."""

    path: str
    component: str
    tag_prefix: str
    files: tuple[str | VersionFile, ...]
    changelog: str
    version: str


def read(survey: Survey, tree: Tree) -> tuple[tuple[ReleasedPackage, ...], tuple[str, ...]]:
    """The packages, and what a person has to take out. Nothing where release-please is not set up."""
    config = _json(tree, CONFIG)
    versions = _json(tree, MANIFEST)
    workflows = [workflow.file for workflow in survey.workflows if "release-please" in workflow.does]
    packages: dict[str, Any] = dict(mapping(config.get("packages")))
    if not packages and workflows:
        text = (tree.file(workflows[0]) or b"").decode("utf-8", "replace")
        kind = _ACTION.search(text)
        packages = {".": {"release-type": kind[1] if kind else "simple"}}
    if not packages:
        return (), ()
    released = tuple(
        _package(survey, tree, path, {**config, **mapping(own)}, str(versions.get(path) or ""), len(packages))
        for path, own in packages.items()
    )
    gone = [name for name in (CONFIG, MANIFEST, *workflows) if name in tree.entries]
    return released, tuple(_notes(config, packages, gone))


def _notes(config: Mapping[str, Any], packages: Mapping[str, Any], gone: list[str]) -> Iterator[str]:
    yield (
        f"Delete {', '.join(gone)} in the commit that adopts stagegate: version-bump makes the versions, the "
        "changelog and the tags from then on. An open release pull request of release-please can be closed."
    )
    for name in ("bump-minor-pre-major", "versioning", "release-as", "changelog-sections"):
        if name in config or any(name in mapping(own) for own in packages.values()):
            yield f"release-please's `{name}` has no counterpart; docs/versions.md says how versions are decided."
    if any("linked-versions" in str(plugin) for plugin in items(config.get("plugins"))):
        yield "release-please links versions: apps that have one version are one app with several images."


def _package(
    survey: Survey, tree: Tree, path: str, config: Mapping[str, Any], version: str, count: int
) -> ReleasedPackage:
    folder = clean(path)
    component = str(config.get("component") or config.get("package-name") or "")
    component = (component or (folder.rpartition("/")[2] if count > 1 else "")).rpartition("/")[2]
    kind = str(config.get("release-type") or "simple")
    own = tuple(
        posixpath.join(folder, name)
        for name in _FILES.get(kind, ())
        if posixpath.join(folder, name) in tree.entries
    )
    extra = tuple(one for entry in items(config.get("extra-files")) for one in _extra(tree, folder, entry))
    changelog = posixpath.join(folder, str(config.get("changelog-path") or "CHANGELOG.md"))
    return ReleasedPackage(
        path=folder,
        component=component,
        tag_prefix=_prefix(survey, config, component),
        files=(*own, *extra),
        changelog=changelog if changelog in tree.entries else "",
        version=version,
    )


def _prefix(survey: Survey, config: Mapping[str, Any], component: str) -> str:
    letter = "v" if config.get("include-v-in-tag", True) else ""
    named = f"{component}{config.get('tag-separator') or '-'}{letter}" if component else letter
    wanted = named if config.get("include-component-in-tag", True) else letter
    for prefix in (wanted, named, letter):  # what the tags that exist say wins
        if any(re.match(rf"{re.escape(prefix)}\d+\.\d+\.\d+", tag) for tag in survey.tags):
            return prefix
    return wanted


def _extra(tree: Tree, folder: str, entry: object) -> Iterator[VersionFile]:
    """An extra file: a value by its path, or lines that carry release-please's mark."""
    given = mapping(entry)
    name = str(given.get("path") or entry)
    file = clean(name) if name.startswith("/") else posixpath.join(folder, name)
    pointer = str(given.get("jsonpath") or "")
    if pointer:
        yield VersionFile(file=file, path=pointer.removeprefix("$").lstrip("."))
        return
    for line in (tree.file(file) or b"").decode("utf-8", "replace").splitlines():
        version = _VERSION.search(line)
        if _MARK in line and version:
            text = line.strip()
            yield VersionFile(file=file, pattern=text.replace(version[0], "{version}", 1))


def _json(tree: Tree, name: str) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(tree.file(name) or b"{}"))
    except ValueError:
        return {}
