"""Whether the Applications of an environment run the release that its pins name, and none other.

An ApplicationSet fills its template from generators, a generator may bring a template of its own, and
`templatePatch` has the last word, so the scalar that is pinned need not be what is deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate import pins
from stagegate.argocd_app.sources import items, mapping
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.model import to_json
from stagegate.pins.pinned_version import PinnedVersion

_ELSEWHERE = "the Application can get its release from a place other than its pin"


def unknown(side: Side, standing: PinnedVersion) -> str:
    """A sentence about an Application of the environment whose release is not certainly that of the pins."""
    for root in side.roots():
        if root.kind != "set" or not root.own:
            continue
        name = _name(root.document)
        whole = side.applications(children=False).get(f"{name}/*")
        if whole and whole.note and (why := _overriding(root.document)):
            return f"{name} has {why}, which stagegate cannot expand, so {_ELSEWHERE}"
    for one in side.applications(children=False).values():
        if one.own and not one.note and (reason := _other(one.document, standing, side)):
            return f"{one.name} would run {reason}, but the pins name {standing.version or standing.commit}"
    return ""


def _other(document: Mapping[str, Any], standing: PinnedVersion, side: Side) -> str:
    """Another release than the pinned one that an Application names, or nothing."""
    try:
        named = pins.read("Application", to_json(document), side.settings)
    except Stop:
        return ""  # nothing in it names a release: the pin is in another file
    try:
        running = pins.running(named, side.settings)
    except Stop:
        return "several releases at once"
    if moving := pins.range_of(named):
        return "" if standing.is_range else f"{moving.value}, which can change without a pull request"
    if running.version and standing.version and running.version != standing.version:
        return running.version
    if running.commit and standing.commit and not _alike(running.commit, standing.commit):
        return running.commit
    return ""


def _alike(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _overriding(document: Mapping[str, Any]) -> str:
    """What in a set can replace the scalar that is pinned."""
    spec = mapping(document.get("spec"))
    if spec.get("templatePatch"):
        return "a templatePatch"
    sources = [mapping(mapping(spec.get("template")).get("spec")).get(key) for key in ("source", "sources")]
    is_filled = "{{" in to_json(sources).decode()
    for name, generator in _generators(spec.get("generators")):
        if generator.get("template"):
            return f"a template of its {name} generator"
        if name in ("merge", "plugin") and is_filled:
            return f"a {name} generator"
    return ""


def _generators(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in map(mapping, items(value)):
        for name, inner in one.items():
            yield name, mapping(inner)
            yield from _generators(mapping(inner).get("generators"))


def _name(document: Mapping[str, Any]) -> str:
    return str(mapping(document.get("metadata")).get("name") or "")
