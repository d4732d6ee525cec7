"""Documents beside the pins that name what an environment runs, though no pin is in them.

Argo CD often takes a whole folder, so a new Application in a file beside the pin deploys although no pin is moved.
In scope are the folders that hold an environment's pins, and the paths of the setting `guarded-paths`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import yaml

from stagegate import nesting, yaml_1_1
from stagegate.argocd_app import globs, sources
from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.argocd_app.sources import mapping
from stagegate.difference.side import Side
from stagegate.pins import files as pin_files
from stagegate.pins import ownership

_LARGEST = 1 << 20  # bytes of a file that is read; a manifest in Git is smaller
_MANIFEST = re.compile(r"\.(?:ya?ml|json|jsonnet|libsonnet)$")
_HOLE = re.compile(r"\{\{|\$\{")
_DECIDING = ("name", "chart", "repoURL", "namespace", "path")

Documents = Mapping[tuple[str, str, str], Mapping[str, Any]]


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment is known by: its Applications, their namespaces, its pin files; our chart and images."""

    applications: frozenset[str]
    namespaces: frozenset[str]
    artifacts: tuple[str, ...]
    pins: frozenset[str]


def documents(old: Side, new: Side, paths: Iterable[str]) -> dict[str, str]:
    """Why each of these changed paths is judged with the environment; paths that name nothing are left out."""
    wanted = [path for path in paths if _is_guarded(path, new)]
    if not wanted:
        return {}
    for side in (old, new):
        side.tree.read(wanted)
    names = _names(old, new)
    reasons = {path: _why(path, old, new, names) for path in wanted}
    return {path: why for path, why in reasons.items() if why}


def _is_guarded(path: str, side: Side) -> bool:
    base = posixpath.basename(path)
    folders = {posixpath.dirname(file) for file in pin_files.of([side.environment])}
    if _turns_folder(path, folders):
        return True
    is_manifest = _MANIFEST.search(base) is not None or base in KUSTOMIZATIONS
    if not is_manifest and not _is_submodule(path, side):
        return False
    in_folder = any(path.startswith(f"{one}/") if one else "/" not in path for one in folders)
    return in_folder or any(globs.of_directory(one, path) for one in side.settings.guarded_paths)


def _turns_folder(path: str, folders: Iterable[str]) -> bool:
    """Whether a file makes Argo CD read a folder with pins in another way: as a kustomization, as a chart."""
    base = posixpath.basename(path)
    is_one = base in (*KUSTOMIZATIONS, "Chart.yaml") or base.startswith(".argocd-source")
    return is_one and posixpath.dirname(path) in folders


def _is_submodule(path: str, side: Side) -> bool:
    return path in side.tree.entries and side.tree.entries[path].submodule


def _names(old: Side, new: Side) -> Names:
    applications: set[str] = set(new.environment.argo.application_names)
    namespaces: set[str] = set()
    for side in (old, new):
        for one in side.applications(children=False).values():
            if one.own:
                applications |= {one.name} if not one.note else set()
                destination = mapping(mapping(one.document.get("spec")).get("destination"))
                namespaces |= {str(destination.get("namespace") or "")} - {""}
    settings = new.settings
    chart = settings.chart_reference.partition("://")[2] or settings.chart_reference
    return Names(
        applications=frozenset(applications),
        namespaces=frozenset(one for one in namespaces if not _HOLE.search(one)),
        artifacts=tuple(one for one in (chart, *settings.images) if one),
        pins=frozenset(pin_files.of([new.environment])),
    )


def _why(path: str, old: Side, new: Side, names: Names) -> str:
    """What a changed file contains that concerns the environment, in words; nothing where it does not."""
    if any(_is_submodule(path, side) for side in (old, new)):
        return "is a submodule, whose files are in another repository"
    is_both = all(path in side.tree.entries for side in (old, new))
    is_same_kind = is_both and posixpath.basename(path) == "Chart.yaml"
    if not is_same_kind and _turns_folder(path, {posixpath.dirname(file) for file in names.pins}):
        return "changes how Argo CD reads the folder of a pin"
    contents = [_content(side, path) for side in (old, new)]
    sides: list[Documents] = []
    for content in contents:
        read = _read(content)
        if read is None:
            reason = _in_text(content or b"", names)
            return f"cannot be read as plain YAML, and {reason}" if reason else ""
        sides.append(read)
    before, after = sides
    for key in dict.fromkeys((*after, *before)):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        strong, weak = _named(now or {}, path, names, new) if now else ("", "")
        strong_then, weak_then = _named(was, path, names, new) if was else ("", "")
        reason = strong or strong_then or (weak if weak != weak_then else "")
        if reason:
            verb = "is new" if was is None else "is removed" if now is None else "changes"
            return f"has {key[0] or 'a document'} {key[2]}, which {verb} and names {reason}"
    return ""


def _content(side: Side, path: str) -> bytes | None:
    """A file, with links followed; a link that leads outside is unreadable."""
    if path not in side.tree.entries:
        return b""
    content = side.tree.file(path)
    return content if content is not None and len(content) <= _LARGEST else None


def _read(content: bytes | None) -> Documents | None:
    """The documents of a file by kind, namespace and name; None where it cannot be read."""
    if content is None:
        return None
    try:
        text = content.decode("utf-8-sig")
        if nesting.bomb(text):
            return None
        listed = yaml_1_1.load_all_last(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    by_identity: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for one in listed:
        for document in sources.items(mapping(one).get("items")) or [one]:
            metadata = mapping(mapping(document).get("metadata"))
            kind, space, name = (
                str(one or "")
                for one in (mapping(document).get("kind"), metadata.get("namespace"), metadata.get("name"))
            )
            if kind:
                by_identity[
                    kind,
                    space,
                    name if (kind, space, name) not in by_identity else f"{name} {len(by_identity)}",
                ] = mapping(document)
    return by_identity


def _named(document: Mapping[str, Any], path: str, names: Names, side: Side) -> tuple[str, str]:
    """What a document names: something that is the environment's own, and a namespace, which others may share."""
    is_argo = str(document.get("apiVersion") or "").startswith("argoproj.io/")
    folder, is_kustomize = posixpath.dirname(path), posixpath.basename(path) in KUSTOMIZATIONS
    weak = ""
    for key, text, around in _texts(document, "", {}):
        if artifact := _mentions(text, names.artifacts):
            return artifact, ""
        if key == "chart" and ownership.is_our_chart(str(around.get("repoURL") or ""), text, side.settings):
            return f"the chart {text}", ""
        if (is_argo or "argoproj.io/" in text or is_kustomize) and (one := _word(text, names.applications)):
            return f"the Application {one}", ""
        if is_argo and key in _DECIDING and _HOLE.search(text):
            return f"what {text} stands for", ""
        if is_kustomize and posixpath.normpath(posixpath.join(folder, text)) in names.pins:
            return f"the pin {text}", ""
        if key == "namespace" and text in names.namespaces:
            weak = f"the namespace {text}"
    return "", weak


def _texts(
    value: object, key: str, around: Mapping[str, Any]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every text of a document, with its key and the mapping that it is in."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, str(name), value)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key, around)
    elif isinstance(value, str):
        yield key, value, around


def _mentions(text: str, artifacts: Iterable[str]) -> str:
    """The chart or image among these whose reference is in a text."""
    for one in artifacts:
        if one in text and re.search(rf"(?<![\w.-]){re.escape(one)}(?![\w./-])", text):
            return one
    return ""


def _word(text: str, words: Iterable[str]) -> str:
    return next(
        (
            one
            for one in sorted(words)
            if one in text and re.search(rf"(?<![\w.-]){re.escape(one)}(?![\w.-])", text)
        ),
        "",
    )


def _in_text(content: bytes, names: Names) -> str:
    """What a file that is no plain YAML mentions."""
    text = content.decode("utf-8", "replace")
    word = _mentions(text, names.artifacts) or _word(text, names.applications)
    return f"mentions {word}" if word else "is about Argo CD" if "argoproj.io/" in text else ""
