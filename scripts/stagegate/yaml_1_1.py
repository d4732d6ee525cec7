"""YAML as Kubernetes, Argo CD and Helm read it: the one loader of the house, with the scalars of `go_scalars`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

import yaml

from stagegate import go_scalars, nesting


class Loader(yaml.CSafeLoader):
    """libyaml with Go's types for plain scalars; a key that stands twice is an error."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node without one."""
        if kind is yaml.ScalarNode and implicit[0]:
            return go_scalars.tag(value)
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = Counter(
            key.value for key, _ in node.value if key.tag != go_scalars.MERGE and isinstance(key.value, str)
        )
        twice = sorted(name for name, times in names.items() if times > 1)
        if twice:
            second = [key for key, _ in node.value if key.value == twice[0]][1]
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice[0]!r} occurs twice", second.start_mark
            )
        return self._pairs(node, deep)

    def _pairs(self, node: yaml.MappingNode, deep: bool) -> dict[Hashable, Any]:
        """The mapping as JSON has it: keys are text, and the last of two equal ones counts. ConstructorError for a
        key that Go refuses."""
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(None, None, "this is not a mapping", node.start_mark)
        self.flatten_mapping(node)
        pairs: dict[Hashable, Any] = {}
        for key, value in node.value:
            try:
                name = go_scalars.key(self.construct_object(key, deep=True))
            except ValueError as error:
                raise yaml.constructor.ConstructorError(None, None, str(error), key.start_mark) from error
            pairs[name] = self.construct_object(value, deep=deep)
        return pairs


def _scalar(_: Loader, node: yaml.ScalarNode) -> Any:
    """A scalar whose tag says what it is. ConstructorError for a number that JSON does not have."""
    value = go_scalars.value(node.value)
    if isinstance(value, float) and not math.isfinite(value):
        problem = f"{node.value} is not a JSON number"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    return value


for _tag in (go_scalars.NULL, go_scalars.BOOLEAN, go_scalars.INTEGER, go_scalars.FLOAT, go_scalars.MERGE):
    Loader.add_constructor(_tag, _scalar)


class LastWinsLoader(Loader):
    """The same, where the last of two equal keys is kept, as Helm does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        return self._pairs(node, deep)


def load_last(content: str | bytes) -> Any:
    """As `load`, for a text in which a key may stand twice."""
    return yaml.load(_bounded(content), LastWinsLoader)  # noqa: S506 - derived from the safe loader


def load_all_last(content: str | bytes) -> list[Any]:
    """As `load_all`, for texts in which a key may stand twice."""
    return list(yaml.load_all(_bounded(content), LastWinsLoader))


def load(content: str | bytes) -> Any:
    """The one document of a text. yaml.YAMLError or ValueError where it is none, or too deep or large to walk."""
    return yaml.load(_bounded(content), Loader)  # noqa: S506 - derived from the safe loader


def compose(content: str | bytes) -> yaml.Node | None:
    """The nodes of the one document of a text, where a key may stand twice. yaml.YAMLError as for `load`."""
    return yaml.compose(_bounded(content), LastWinsLoader)


def compose_all(content: str | bytes) -> Iterator[yaml.Node]:
    """The nodes of every document of a text, as `compose` gives those of one."""
    return yaml.compose_all(_bounded(content), LastWinsLoader)


def load_all(content: str | bytes) -> list[Any]:
    """Every document of a text. yaml.YAMLError or ValueError where one is none, or too deep or large to walk."""
    return list(yaml.load_all(_bounded(content), Loader))


def _bounded(content: str | bytes) -> str | bytes:
    """The content, once it is certain that it ends: few aliases can stand for more values than anybody can walk."""
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    may_be_large = ("&" in text and "*" in text) or nesting.opens_too_deep(text)
    if may_be_large and (why := nesting.bomb(text)):
        raise yaml.YAMLError(why)
    return content
