"""Paths in a YAML file, and the scalars at them.

A path is dotted keys: `spec.sources.0.targetRevision`, `parameters[name=global.imageTag].value`,
`metadata.annotations."example.com/x"`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from stagegate import yaml_nodes
from stagegate.errors import Stop
from stagegate.patterns import pattern
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode

_STEP = pattern(r'\.?(?:"((?:[^"\\]|\\.)*)"|\[([^=\]]+)=([^\]]*)\]|\[(\d+)\]|([^.\[\]"]+))')

Path = tuple["str | int", ...]


class Scalar(msgspec.Struct, frozen=True, kw_only=True):
    """A scalar and where it stands: character offsets `start` to `end` in the text, line counted from 1."""

    value: str
    tag: str
    style: str | None
    start: int
    end: int
    line: int
    path: Path


def find(node: Node, path: str | Path) -> Scalar | None:
    """The scalar at a path below a composed node, or None when there is none."""
    resolved = resolve(node, path)
    if resolved is None or not isinstance(resolved[1], ScalarNode):
        return None
    place, scalar = resolved
    return Scalar(
        value=scalar.value,
        tag=str(scalar.tag),
        style=str(style) if (style := getattr(scalar, "style", None)) else None,
        start=scalar.start_mark.index,
        end=scalar.end_mark.index,
        line=scalar.start_mark.line + 1,
        path=place,
    )


def resolve(node: Node, path: str | Path) -> tuple[Path, Node] | None:
    """The node at a path and its path in plain keys and indexes, or None when there is none."""
    place: list[str | int] = []
    current: Node = node
    for step in parse_path(path) if isinstance(path, str) else path:
        if isinstance(step, tuple):
            key, wanted = step
            items = current.value if isinstance(current, SequenceNode) else []
            matches = [i for i, item in enumerate(items) if _child_value(item, key) == wanted]
            if len(matches) != 1:
                return None
            step = matches[0]
        following = _child(current, step)
        if following is None:
            return None
        place.append(int(step) if isinstance(current, SequenceNode) else str(step))
        current = following
    return tuple(place), current


def parse_path(path: str) -> tuple[str | int | tuple[str, str], ...]:
    """The steps of a path; a tuple selects the list element whose key has that value. Stop(bad-settings)."""
    steps: list[str | int | tuple[str, str]] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise Stop(
                "bad-settings",
                f"{path!r} is not a path.",
                f"The part from {path[at:]!r} on cannot be read.",
                'Write dotted keys: spec.source.targetRevision, list.0.key, list[name=x].key or "a.b".',
            )
        quoted, key, wanted, index, plain = match.groups()
        if quoted is not None:
            steps.append(json.loads(f'"{quoted}"'))
        elif key is not None:
            steps.append((key, wanted))
        elif index is not None:
            steps.append(int(index))
        else:
            steps.append(int(plain) if plain.isdecimal() else plain)
        at = match.end()
    return tuple(steps)


def written_path(path: Path) -> str:
    """A path as settings have it: dotted, keys with a dot or bracket in double quotes."""
    return ".".join(
        json.dumps(step, ensure_ascii=False)
        if isinstance(step, str) and re.search(r'[.\[\]"]', step)
        else str(step)
        for step in path
    )


def aliases(node: Node, path: Path) -> tuple[Path, ...]:
    """Every path below a node at which the scalar at `path` stands: its anchor's place first, then the aliases."""
    target = resolve(node, path)
    if target is None:
        return ()
    return tuple(place for place, leaf in _scalars(node, ()) if leaf is target[1])


def _scalars(node: Node, path: Path) -> Iterator[tuple[Path, ScalarNode]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _scalars(value, (*path, str(key.value)))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _scalars(value, (*path, index))
    elif isinstance(node, ScalarNode):
        yield path, node


def leaves(node: Node, path: Path = ()) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Every scalar below a node: its path, and (tag, value)."""
    for place, scalar in _scalars(node, path):
        yield place, (str(scalar.tag), str(scalar.value))


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, SequenceNode):
        index = int(step) if str(step).isdecimal() else -1
        return node.value[index] if 0 <= index < len(node.value) else None
    if isinstance(node, MappingNode):
        own = [value for key, value in node.value if str(key.value) == str(step)]
        if own:
            return own[0] if len(own) == 1 else None
        return next((value for key, value in yaml_nodes.merged(node) if str(key.value) == str(step)), None)
    return None


def _child_value(node: Node, key: str) -> str | None:
    child = _child(node, key)
    return str(child.value) if isinstance(child, ScalarNode) else None
