"""YAML and JSON files as nodes with positions: the one composer of the house.

libyaml composes, ten times as fast as a reader in Python. What it refuses and YAML 1.2 or JSON allows (an anchor
with a dot, a pair of surrogates) is composed by ruamel.yaml. Plain scalars get the types that Kubernetes and
Argo CD give them (`go_scalars`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml
from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stagegate import go_scalars, nesting, yaml_1_1
from stagegate.errors import Stop
from stagegate.go_scalars import MERGE, NULL, STRING

__all__ = [
    "STRING",
    "MappingNode",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "compose",
    "is_null",
    "merged",
    "plain",
    "text_of",
]

_BOM = "\ufeff"


@lru_cache(maxsize=64)  # a promotion asks about the same few files again and again, and nobody changes a node
def compose(content: bytes, file: str) -> tuple[Node, ...]:
    """The documents of a file in its order, empty ones left out.

    Marks count characters of the text without a byte order mark. Stop(bad-input) with file and line when it is
    not YAML, not UTF-8, or too deep or large when its aliases are written out.
    """
    try:
        text = text_of(content)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _not_yaml(
            file, f"It is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}", line
        ) from error
    if why := nesting.bomb_of_events(text):
        raise _unreadable(file, why)
    try:
        nodes = tuple(node for node in yaml.compose_all(text, yaml_1_1.Loader) if node is not None)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if (read := _by_ruamel(text)) is not None:
            if why := nesting.bomb_of_nodes(read, text):
                raise _unreadable(file, why) from error
            return read
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
        raise _not_yaml(
            file, f"{problem[:1].upper()}{problem[1:]}", mark.line + 1 if mark else None
        ) from error
    if why := nesting.bomb_of_nodes(nodes, text):
        raise _unreadable(file, why)
    return nodes


def text_of(content: bytes) -> str:
    """The text of a file, without its byte order mark. UnicodeDecodeError when it is not UTF-8."""
    return content.decode("utf-8").removeprefix(_BOM)


def is_null(node: Node | None) -> bool:
    """Whether a node is absent, `null`, `~` or empty."""
    return node is None or (isinstance(node, ScalarNode) and node.tag == NULL)


def merged(node: Node) -> Iterator[tuple[Node, Node]]:
    """Keys and values of a mapping as a reader sees it: its own, then those that `<<` brings and it lacks."""
    own: set[str] = set()
    pending: list[Node] = []
    for key, value in node.value:
        if key.tag == MERGE:
            pending += value.value if isinstance(value, SequenceNode) else [value]
            continue
        own.add(str(key.value))
        yield key, value
    for source in pending:
        if not isinstance(source, MappingNode):
            continue
        for key, value in merged(source):
            if str(key.value) not in own:
                own.add(str(key.value))
                yield key, value


def plain(node: Node) -> Any:
    """The value of a node in plain types, as Go reads it: the last of two equal keys counts, keys are text."""
    if isinstance(node, MappingNode):
        pairs = [(_key(key), plain(value)) for key, value in merged(node)]
        return dict(pairs)
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.value]
    return node.value if node.tag == STRING else go_scalars.value(node.value)


def _key(node: Node) -> str:
    """A key as JSON has it; what cannot be one stays as it is written."""
    try:
        return go_scalars.key(plain(node))
    except ValueError:
        return str(node.value)


def _unreadable(file: str, why: str) -> Stop:
    return Stop(
        "bad-input", f"{file} cannot be read.", f"It is YAML, but {why}.", "Write it plainly.", file=file
    )


def _not_yaml(file: str, problem: str, line: int | None) -> Stop:
    return Stop(
        "bad-input",
        f"{file} cannot be read as YAML.",
        f"{problem}.",
        f"To pin a version in a file of another kind, use a pattern with the text around it: "
        f'{{file: {file}, pattern: "image_tag=v{{version}}"}}.',
        file=file,
        line=line,
    )


def _by_ruamel(text: str) -> tuple[Node, ...] | None:
    """The documents as ruamel.yaml composes them, or None when it cannot either."""
    if ("&" not in text and "\\u" not in text) or nesting.opens_too_deep(text):
        return None  # only anchors and escapes are read by one and not by the other
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        composed = list(YAML(pure=True).compose_all(text))
    except (YAMLError, ValueError, RecursionError):
        return None
    nodes_by_id: dict[int, Node] = {}
    try:
        return tuple(_converted(node, nodes_by_id) for node in composed if node is not None)
    except RecursionError:
        return None


def _converted(node: Any, known: dict[int, Node]) -> Node:
    if id(node) in known:
        return known[id(node)]
    start, end = (Mark("", m.index, m.line, m.column, None, 0) for m in (node.start_mark, node.end_mark))
    if node.id == "scalar":
        style = str(node.style) if node.style else None
        tag = go_scalars.tag(str(node.value)) if style is None else str(node.tag)
        made: Node = ScalarNode(tag, str(node.value), start, end, style)
    else:
        kind = SequenceNode if node.id == "sequence" else MappingNode
        made = kind(str(node.tag), [], start, end, node.flow_style)
    known[id(node)] = made
    if node.id == "sequence":
        made.value = [_converted(item, known) for item in node.value]
    elif node.id == "mapping":
        made.value = [(_converted(key, known), _converted(value, known)) for key, value in node.value]
    return made
