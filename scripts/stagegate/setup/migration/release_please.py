"""Reads the packages of release-please as version settings. Pure.

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
    "php": ("composer.json",),
    "expo": ("package.json", "package-lock.json", "app.json"),
    "go": (),
}
# By release type: the file with the name of the component, and the pattern of the name.
_NAMES: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "node": ("package.json", re.compile(r'^[ \t{]*"name"\s*:\s*"([^"]+)"', re.MULTILINE)),
    "expo": ("package.json", re.compile(r'^[ \t{]*"name"\s*:\s*"([^"]+)"', re.MULTILINE)),
    "python": ("pyproject.toml", re.compile(r'^name\s*=\s*["\']([^"\']+)', re.MULTILINE)),
    "rust": ("Cargo.toml", re.compile(r'^name\s*=\s*["\']([^"\']+)', re.MULTILINE)),
    "helm": ("Chart.yaml", re.compile(r"^name:\s*[\"']?([^\s\"']+)", re.MULTILINE)),
}
_MARK = "x-release-please-version"
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")
_ACTION = re.compile(r"release-type:\s*([\w-]+)")
_FILE = re.compile(r"(config|manifest)-file:\s*[\"']?([^\s\"'#]+)")
_BLOCK = re.compile(r"x-release-please-(?:start-\w+|major|minor|patch)")
_POINTER = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")


class ReleasedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One package: its folder (empty for the root), its name in tags, and its version files.

    `unread` are its extra files that no setting of stagegate describes, each with the reason.
    """

    path: str
    component: str
    tag_prefix: str
    files: tuple[str | VersionFile, ...]
    changelog: str
    version: str
    unread: tuple[str, ...] = ()


def read(survey: Survey, tree: Tree) -> tuple[tuple[ReleasedPackage, ...], tuple[str, ...]]:
    """The packages, and notes for a person. Nothing without release-please."""
    workflows = [workflow.file for workflow in survey.workflows if "release-please" in workflow.does]
    texts = [(tree.file(file) or b"").decode("utf-8", "replace") for file in workflows]
    named = {kind: clean(path) for text in texts for kind, path in _FILE.findall(text)}
    config_file, manifest = named.get("config", CONFIG), named.get("manifest", MANIFEST)
    config, versions = _json(tree, config_file), _json(tree, manifest)
    packages: dict[str, Any] = dict(mapping(config.get("packages")))
    if not packages and workflows:
        kind = _ACTION.search(texts[0])
        packages = {".": {"release-type": kind[1] if kind else "simple"}}
    if not packages:
        return (), ()
    released = tuple(
        _package(
            survey, tree, path, {**config, **mapping(package)}, str(versions.get(path) or ""), len(packages)
        )
        for path, package in packages.items()
    )
    gone = [name for name in (config_file, manifest, *workflows) if name in tree.entries]
    unread = (f"release-please's extra file {text}" for package in released for text in package.unread)
    return released, (*_notes(config, packages, gone), *unread)


_UNKNOWN = {
    "bump-minor-pre-major": "read docs/versions.md about how stagegate decides versions",
    "bump-patch-for-minor-pre-major": "read docs/versions.md about how stagegate decides versions",
    "versioning": "read docs/versions.md about how stagegate decides versions",
    "release-as": "run version-bump once with the version as `bump`",
    "changelog-sections": "the changelog gets the sections that docs/versions.md lists",
    "changelog-type": "the changelog gets the sections that docs/versions.md lists",
    "exclude-paths": "list in `version.paths` the folders whose commits belong to this app",
    "prerelease": "make a pre-release with `bump`, as docs/pre-releases.md describes",
    "version-file": "list the file under `version.files`",
}


def _notes(config: Mapping[str, Any], packages: Mapping[str, Any], gone: list[str]) -> Iterator[str]:
    yield (
        f"Delete {', '.join(gone)} in the commit that adopts stagegate, because version-bump then "
        "makes the versions, the changelog and the tags. You can close an open release pull "
        "request of release-please."
    )
    for name, instead in _UNKNOWN.items():
        if config.get(name) or any(mapping(package).get(name) for package in packages.values()):
            yield f"stagegate has no setting that corresponds to `{name}` of release-please: {instead}."
    if any("linked-versions" in str(plugin) for plugin in items(config.get("plugins"))):
        yield (
            "release-please links the versions of several apps. In stagegate, apps with the same "
            "version are one app with several images."
        )
    for path, package in packages.items():
        kind = mapping(package).get("release-type") or config.get("release-type") or "node"
        if kind not in _FILES:
            yield (
                f"release-please has the type {kind} for {path}: list the files that contain the "
                "version under `version.files`."
            )


def _package(
    survey: Survey, tree: Tree, path: str, config: Mapping[str, Any], version: str, count: int
) -> ReleasedPackage:
    folder = clean(path)
    kind = str(config.get("release-type") or "node")
    component = (
        str(config.get("component") or "")
        or _name(tree, folder, kind)
        or str(config.get("package-name") or "")
    )
    component = (component or (folder.rpartition("/")[2] if count > 1 else "")).rpartition("/")[2]
    usual_files = tuple(
        posixpath.join(folder, name)
        for name in _FILES.get(kind, ())
        if posixpath.join(folder, name) in tree.entries
    )
    extra_files = [
        extra_file for entry in items(config.get("extra-files")) for extra_file in _extra(tree, folder, entry)
    ]
    changelog = posixpath.join(folder, str(config.get("changelog-path") or "CHANGELOG.md"))
    return ReleasedPackage(
        path=folder,
        component=component,
        tag_prefix=_prefix(survey, config, component),
        files=(
            *usual_files,
            *(extra_file for extra_file in extra_files if isinstance(extra_file, VersionFile)),
        ),
        changelog=changelog if changelog in tree.entries else "",
        version=version,
        unread=tuple(extra_file for extra_file in extra_files if isinstance(extra_file, str)),
    )


def _name(tree: Tree, folder: str, kind: str) -> str:
    """The name of a package in its own file."""
    file, pattern = _NAMES.get(kind, ("", _VERSION))
    match = pattern.search((tree.file(posixpath.join(folder, file)) or b"").decode("utf-8", "replace"))
    return match[1] if file and match else ""


def _prefix(survey: Survey, config: Mapping[str, Any], component: str) -> str:
    letter = "v" if config.get("include-v-in-tag", True) else ""
    named = f"{component}{config.get('tag-separator') or '-'}{letter}" if component else letter
    prefix_of_config = named if config.get("include-component-in-tag", True) else letter
    for prefix in (prefix_of_config, named, letter):  # existing tags decide
        if any(re.match(rf"{re.escape(prefix)}\d+\.\d+\.\d+", tag) for tag in survey.tags):
            return prefix
    return prefix_of_config


def _extra(tree: Tree, folder: str, entry: object) -> Iterator[VersionFile | str]:
    """An extra file: values by path, or lines with release-please's mark.

    A text is the reason why it has no setting.
    """
    options = mapping(entry)
    name = str(options.get("path") or entry)
    file = clean(name) if name.startswith("/") else posixpath.join(folder, name)
    suffix = posixpath.splitext(file)[1]
    if options.get("glob") or options.get("xpath") or options.get("type") == "xml":
        kind = "a glob" if options.get("glob") else "XML"
        yield f"{file} is {kind}: list the files under `version.files`, with a `pattern` if needed."
        return
    pointer = str(options.get("jsonpath") or "")
    if pointer:
        path = _path(pointer)
        yield (
            VersionFile(file=file, path=path)
            if path
            else (
                f"{file} has the JSONPath {pointer}: name the value under `version.files`, by `path` or `pattern`."
            )
        )
        return
    text = (tree.file(file) or b"").decode("utf-8", "replace")
    marked = list(_marked(file, text))
    yield from marked
    if _BLOCK.search(text):
        yield f"{file} has markers for a block or for a single number: add a `pattern` for each version."
    if not marked and not options and suffix in (".json", ".yaml", ".yml", ".toml"):
        yield VersionFile(file=file, path="version")


def _marked(file: str, text: str) -> Iterator[VersionFile]:
    for line in text.splitlines():
        version = _VERSION.search(line)
        if _MARK in line and version:
            yield VersionFile(file=file, pattern=line.strip().replace(version[0], "{version}", 1))


def _path(pointer: str) -> str:
    """A JSONPath of plain keys as a path for the settings; nothing for one with selectors."""
    remaining, steps = pointer.removeprefix("$"), []
    remaining = remaining if remaining.startswith((".", "[")) else f".{remaining}"
    while remaining:
        match = _POINTER.match(remaining)
        if match is None:
            return ""
        plain, index, *quoted = match.groups()
        key = plain or index or json.dumps(next(text for text in quoted if text is not None))
        steps.append(key)
        remaining = remaining[match.end() :]
    return ".".join(steps)


def _json(tree: Tree, name: str) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(tree.file(name) or b"{}"))
    except ValueError:
        return {}
