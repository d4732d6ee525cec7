"""Reads the environments of an ApplicationSet, and the place of the version of each."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.pins.shapes import set_elements
from stagegate.settings import PinSettings
from stagegate.setup import environments
from stagegate.setup.documents import Document, of_text

_WHOLE = re.compile(r"\{\{-?\s*\.?values\.([\w.-]+)\s*-?\}\}")
_HOLE = re.compile(r"\{\{-?\s*\.?([\w.-]+)\s*-?\}\}")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A file that may pin an environment."""

    environment: str
    pin: str | PinSettings
    applications: tuple[str, ...] = ()


def of_set(document: Document, tree: Tree, words: environments.Words) -> Iterator[Candidate]:
    """The environments of an ApplicationSet: by its list elements, the labels of its clusters, or its files."""
    spec = mapping(document.content.get("spec"))
    template = mapping(spec.get("template"))
    name = str(mapping(template.get("metadata")).get("name") or "")
    candidates = list(_generated(document.file, spec, template, name, tree, words))
    if not any(candidate.environment for candidate in candidates):
        place = (
            environments.of_name(document.name, words) or environments.of_path(document.file, words) or "prod"
        )
        applications = tuple(filled for candidate in candidates for filled in candidate.applications)
        candidates = [Candidate(environment=place, pin=document.file, applications=applications)]
    yield from (candidate for candidate in candidates if candidate.environment)


def _generated(
    file: str, spec: Any, template: Any, name: str, tree: Tree, words: environments.Words
) -> Iterator[Candidate]:
    for path, kind, generator in _generators(spec.get("generators"), "spec.generators"):
        if kind == "list":
            for element in items(generator.get("elements")):
                texts = _texts(mapping(element))
                place = next((e for e in map(environments.of_name, texts.values()) if e), "")
                yield Candidate(environment=place, pin=file, applications=_filled(name, texts))
        elif kind == "clusters":
            labels = mapping(mapping(generator.get("selector")).get("matchLabels"))
            values = _texts(mapping(generator.get("values")))
            place = next(
                (e for e in map(environments.of_name, (*values.values(), *map(str, labels.values()))) if e),
                "",
            )
            key = next(
                (
                    match[1]
                    for match in _WHOLE.finditer(str(mapping(template.get("spec"))))
                    if match[1] in values and re.search(r"\d", values[match[1]])
                ),
                "",
            )
            yield Candidate(
                environment=place,
                pin=PinSettings(file=file, path=f"{path}.clusters.values.{key}", value=_template(values[key]))
                if key
                else file,
            )
        elif kind == "git":
            for file_generator in items(generator.get("files")):
                yield from _of_files(
                    str(mapping(file_generator).get("path") or ""), template, name, tree, words
                )


def _of_files(
    pattern: str, template: Any, name: str, tree: Tree, words: environments.Words
) -> Iterator[Candidate]:
    """The files of a Git generator: the pin is the value that the template uses as revision or tag."""
    for path in sorted(tree.entries):
        if not fnmatchcase(path, pattern.lstrip("/").replace("**", "*")):
            continue
        for document in of_text(path, tree.read([path]).get(path, b"")):
            texts = _texts(document.content)
            place = environments.of_path(path, words) or next(
                (e for e in map(environments.of_name, texts.values()) if e), ""
            )
            texts |= {"path.basename": posixpath.basename(posixpath.dirname(path))}
            key = next(
                (
                    hole
                    for hole in re.findall(
                        r"\{\{-?\s*\.?([\w.-]+)\s*-?\}\}", str(mapping(template.get("spec")))
                    )
                    if re.search(r"\d+\.\d+", texts.get(hole, ""))
                ),
                "",
            )
            if key:
                yield Candidate(
                    environment=place,
                    pin=PinSettings(file=path, path=key, value=_template(texts[key])),
                    applications=_filled(name, texts),
                )


def _generators(value: object, path: str) -> Iterator[tuple[str, str, Any]]:
    """Every generator with its path and kind, including those inside matrix and merge."""
    for index, entry in enumerate(items(value)):
        for kind, generator in mapping(entry).items():
            generator_path = f"{path}.{index}"
            if kind in ("matrix", "merge"):
                yield from _generators(
                    mapping(generator).get("generators"), f"{generator_path}.{kind}.generators"
                )
            elif isinstance(generator, dict):
                yield generator_path, str(kind), generator


def _texts(value: Any) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, child in value.items():
        if isinstance(child, dict):
            texts |= {f"{key}.{inner}": text for inner, text in _texts(child).items()}
        elif not isinstance(child, list):
            texts[str(key)] = "" if child is None else str(child)
    return texts


def _filled(name: str, texts: dict[str, str]) -> tuple[str, ...]:
    filled = set_elements.fill(name, set_elements.Element(path=(), line=0, values=texts))
    return () if "{{" in filled else (filled,)


def _template(value: str) -> str:
    return "v{version}" if value.startswith("v") else "{version}"
