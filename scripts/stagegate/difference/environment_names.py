"""The names of an environment (Applications, images, namespace), and whether a document or text mentions one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.argocd_app.sources import mapping
from stagegate.difference.side import Side
from stagegate.pins import files as pin_files
from stagegate.pins import ownership
from stagegate.settings import Settings

_HOLE = re.compile(r"\{\{|\$\{")
_DECIDING = ("name", "chart", "repoURL", "namespace", "path")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|/|\r?\n[ \t]*)")


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Of an environment: its Applications, their namespaces, its pin files; the chart and images of the app."""

    applications: frozenset[str]
    namespaces: frozenset[str]
    artifacts: tuple[str, ...]
    pins: frozenset[str]


def of(old: Side, new: Side) -> Names:
    """The names by which the environment of two sides is known."""
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


def in_document(document: Mapping[str, Any], path: str, names: Names, settings: Settings) -> tuple[str, str]:
    """The name of the environment that a document contains, and its namespace, which others may share."""
    is_argo = str(document.get("apiVersion") or "").startswith("argoproj.io/")
    folder, is_kustomize = posixpath.dirname(path), posixpath.basename(path) in KUSTOMIZATIONS
    weak = ""
    for key, text, around in _texts(document, "", {}):
        if artifact := _mentions(text, names.artifacts):
            return artifact, ""
        if key == "chart" and ownership.is_our_chart(str(around.get("repoURL") or ""), text, settings):
            return f"the chart {text}", ""
        if (is_argo or "argoproj.io/" in text or is_kustomize) and (one := _word(text, names.applications)):
            return f"the Application {one}", ""
        if is_argo and key in _DECIDING and _HOLE.search(text):
            return f"the value of {text}", ""
        if is_argo and key == "templatePatch" and text.strip():
            return "the result of the templatePatch", ""
        if is_kustomize and posixpath.normpath(posixpath.join(folder, text)) in names.pins:
            return f"the pin {text}", ""
        if key == "namespace" and text in names.namespaces:
            weak = f"the namespace {text}"
    return "", weak


def in_text(content: bytes, names: Names) -> str:
    """The names in a file that is not plain YAML, with escapes of quoted text resolved."""
    text = unescaped(content)
    word = _mentions(text, names.artifacts) or _word(text, names.applications)
    return f"mentions {word}" if word else "is about Argo CD" if "argoproj.io/" in text else ""


def is_template(content: bytes) -> bool:
    """Whether a text has holes that a template engine fills, so that it need not be YAML by itself."""
    return b"{{" in content


def is_manifest(content: bytes) -> bool:
    """Whether any reader could find an object of Kubernetes in a text."""
    return "apiVersion" in unescaped(content)


def unescaped(content: bytes) -> str:
    """A text with the escapes of quoted YAML and JSON as the characters that they stand for."""

    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if not code:
            return "/" if match[0] == "\\/" else ""
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else " "

    return _ESCAPE.sub(character, content.decode("utf-8", "replace"))


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
