"""The content of a pin's file besides the release: everything but the scalars that move with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stagegate import yaml_edit
from stagegate.pins.place import PinPlace
from stagegate.yaml_edit import Path, Scalar
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode

Said = tuple[Path, str, str]


def besides(content: bytes, file: str, places: Iterable[PinPlace]) -> tuple[Said, ...]:
    """Path, tag and value of everything in a file but these places. Comments and layout are ignored."""
    places = tuple(places)
    if places and all(place.span != (0, 0) for place in places):
        return (((), "", _without(content, places)),)
    skipped = {(place.document, place.path, place.inside) for place in places}
    texts = {(document, path) for document, path, inside in skipped if inside}
    scalars: list[Said] = []
    for number, root in enumerate(yaml_edit.documents(content, file)):
        for path, node in _nodes(root, ()):
            at: Path = (number, *path)
            if (number, path, ()) in skipped:
                continue
            inner = _inner(node, path, file) if (number, path) in texts else None
            if inner is None:
                scalars.append((at, *_told(node)))
                continue
            below = ((deep, one) for deep, one in _nodes(inner, ()) if (number, path, deep) not in skipped)
            scalars += [((*at, "|", *deep), *_told(one)) for deep, one in below]
    return tuple(scalars)


def _without(content: bytes, places: Iterable[PinPlace]) -> str:
    """The text of a file of any kind without the places that a pattern names."""
    text = content.decode("utf-8", "surrogateescape")
    for start, end in sorted((place.span for place in places), reverse=True):
        text = text[:start] + text[end:]
    return text


def _nodes(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    yield path, node
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _nodes(value, (*path, str(key.value)))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _nodes(value, (*path, index))


def _told(node: Node) -> tuple[str, str]:
    return str(node.tag), str(node.value) if isinstance(node, ScalarNode) else str(len(node.value))


def _inner(node: Node, path: Path, file: str) -> Node | None:
    """The mapping that a text holds."""
    scalar = Scalar(value=str(node.value), tag=str(node.tag), style=None, start=0, end=0, line=1, path=path)
    return yaml_edit.inside(scalar, file)
