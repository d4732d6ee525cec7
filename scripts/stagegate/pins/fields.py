"""Fields of a composed pin file: the scalar or list at a path, and a key that occurs twice."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.yaml_edit import Scalar
from stagegate.yaml_nodes import MappingNode, Node, SequenceNode, is_null


def text_at(node: Node, *path: str | int) -> str:
    """The scalar at a path as text; nothing where there is none, or it is null."""
    scalar = scalar_at(node, *path)
    return scalar.value if scalar else ""


def scalar_at(node: Node, *path: str | int) -> Scalar | None:
    """The scalar at a path, or None where there is none, or it is null."""
    resolved = yaml_edit.resolve(node, path)
    if resolved is None or is_null(resolved[1]):
        return None
    return yaml_edit.find(node, path)


def items_at(node: Node, *path: str | int) -> Sequence[Node]:
    """The elements of the list at a path, or nothing."""
    resolved = yaml_edit.resolve(node, path)
    return resolved[1].value if resolved and isinstance(resolved[1], SequenceNode) else ()


def doubled(node: Node, file: str) -> Stop | None:
    """Stop(ambiguous-pin) for the first key that stands twice in a mapping at or below a node, or None."""
    children: list[Node] = []
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen and str(key.value) != "<<":
                return Stop(
                    "ambiguous-pin",
                    f"{file} has the key {key.value} twice in one mapping.",
                    "Some parsers use the first of the two keys and some the last, so an edit of "
                    "one key could have no effect.",
                    "Delete one of the two keys.",
                    file=file,
                    line=int(key.start_mark.line) + 1,
                )
            seen.add(str(key.value))
            children.append(value)
    elif isinstance(node, SequenceNode):
        children = list(node.value)
    return next(filter(None, (doubled(child, file) for child in children)), None)
