"""The Chart.lock beside an umbrella chart: Helm and Argo CD refuse one that does not fit the Chart.yaml.

Its digest is that of Helm's `HashReq`: both lists of dependencies as JSON, as Go writes it
(https://github.com/helm/helm/blob/main/internal/resolver/resolver.go).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.model import Edit
from stagegate.pins.fields import text_at
from stagegate.pins.shapes import umbrella_chart
from stagegate.versions import Version
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node, SequenceNode, plain

_TEXTS = ("name", "version", "repository", "condition", "alias")
_NEEDED = ("name", "repository")


def companion(file: str) -> str:
    """The lock file of a Chart.yaml; nothing for any other file."""
    place = PurePosixPath(file)
    return str(place.with_name("Chart.lock")) if place.name == "Chart.yaml" else ""


def relock(
    file: str, lock: bytes, chart_before: bytes, chart_after: bytes, *, repository: str = ""
) -> tuple[bytes, tuple[Edit, ...]]:
    """The lock for a Chart.yaml whose dependency versions have moved, and its edits.

    Stop(ambiguous-pin) when the lock did not fit its Chart.yaml before.
    """
    before, after, locked = (_dependencies(raw, file) for raw in (chart_before, chart_after, lock))
    root = yaml_edit.documents(lock, file)[0]
    if text_at(root, "digest") != digest(before, locked):
        raise _stale(file)
    moved: dict[tuple[int, str | Path], str] = {}
    for index, entry in enumerate(locked):
        new = {one["version"] for one in after if _same(one, entry) and one not in before}
        if new:
            moved[0, ("dependencies", index, "version")] = new.pop()
    fresh = _dependencies(yaml_edit.replace(lock, moved, file), file)
    moved[0, ("digest",)] = digest(after, fresh)
    edits = []
    for (_, path), value in moved.items():
        scalar = yaml_edit.find(root, path)
        if scalar is not None:
            where = ".".join(map(str, scalar.path))
            edits.append(
                Edit(
                    repository=repository,
                    file=file,
                    line=scalar.line,
                    path=where,
                    before=scalar.value,
                    after=value,
                    shape=umbrella_chart.NAME,
                )
            )
    return yaml_edit.replace(lock, moved, file), tuple(edits)


def mislocked(file: str, lock: bytes, chart: bytes) -> str:
    """A sentence about a dependency of which the lock has another version than the one the chart names."""
    locked = _dependencies(lock, file)
    for one in _dependencies(chart, file):
        wanted = one.get("version", "").removeprefix("v")
        versions = {entry.get("version", "").removeprefix("v") for entry in locked if _same(one, entry)}
        if Version.is_valid(wanted) and versions - {wanted}:
            return (
                f"{file} has {one['name']} {', '.join(sorted(versions))}, but its Chart.yaml requires "
                f"{wanted}"
            )
    return ""


def digest(chart: list[dict[str, Any]], lock: list[dict[str, Any]]) -> str:
    """The digest that Helm writes into a lock, over requested and resolved versions."""
    text = json.dumps([chart, lock], separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")  # as Go's encoder writes them
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _dependencies(content: bytes, file: str) -> list[dict[str, Any]]:
    """The dependencies of a Chart.yaml or Chart.lock, with the fields and in the order of Helm's JSON."""
    root = yaml_edit.documents(content, file)[0]
    _refuse_duplicates(root, file)
    loaded = plain(root)
    listed = loaded.get("dependencies") if isinstance(loaded, Mapping) else None
    dependencies: list[dict[str, Any]] = []
    for index, item in enumerate(listed or ()):
        texts = {key: text_at(root, "dependencies", index, key) for key in _TEXTS}
        entry: dict[str, Any] = {k: texts[k] for k in ("name", "version", "repository", "condition")}
        entry["tags"], entry["enabled"] = item.get("tags"), item.get("enabled")
        imported = item.get("import-values")  # Go writes the keys of maps sorted
        entry["import-values"] = json.loads(json.dumps(imported, sort_keys=True)) if imported else None
        entry["alias"] = texts["alias"]
        dependencies.append({key: value for key, value in entry.items() if value or key in _NEEDED})
    return dependencies


def _refuse_duplicates(node: Node, file: str) -> None:
    """Stop(ambiguous-pin) for a key that stands twice: Helm refuses such a Chart.yaml."""
    if isinstance(node, MappingNode):
        keys = [str(key.value) for key, _ in node.value]
        for key, value in node.value:
            if keys.count(str(key.value)) > 1:
                raise Stop(
                    "ambiguous-pin",
                    f"{file} cannot be compared with its Chart.yaml.",
                    f"The key {key.value} occurs twice in one mapping, and Helm refuses repeated keys.",
                    "Delete one of the two keys.",
                    file=file,
                    line=key.start_mark.line + 1,
                )
            _refuse_duplicates(value, file)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, file)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in _NEEDED)


def _stale(file: str) -> Stop:
    return Stop(
        "ambiguous-pin",
        f"{file} does not match its Chart.yaml.",
        "Helm and Argo CD refuse a lock that does not match, so stagegate cannot update the lock "
        "together with the release.",
        f"Run `helm dependency update` in the folder of {file} and commit both files, or delete the lock.",
        file=file,
        line=1,
    )
