"""YAML as Kubernetes and Argo CD read it: 1.1 (`yes` and `y` are booleans), without times and base-60 numbers."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

_NUMBERS = {
    "tag:yaml.org,2002:int": r"^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$",
    "tag:yaml.org,2002:float": r"^[-+]?(?:(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$",
}


class Loader(yaml.CSafeLoader):
    """YAML 1.1 as the Kubernetes libraries resolve it; a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = sorted({name for name in names if isinstance(name, str) and names.count(name) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice[0]!r} stands twice", node.start_mark
            )
        pairs = super().construct_mapping(node, deep)
        return {_key(key): value for key, value in pairs.items()}


def _key(key: Hashable) -> str:
    """JSON has text for keys: `on:` is "true" there, and `80:` is "80"."""
    return str(key).lower() if isinstance(key, bool) else str(key)


# A bare `=` is the "value" of YAML 1.1, which no reader of Kubernetes' knows: it is text.
_replaced = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value", *_NUMBERS)
Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in known if tag not in _replaced]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))
Loader.bool_values = {**yaml.CSafeLoader.bool_values, "y": True, "n": False}
for _tag, _expression in _NUMBERS.items():
    Loader.add_implicit_resolver(_tag, re.compile(_expression), list("-+0123456789."))


class LastWinsLoader(Loader):
    """The same, where the last of two equal keys is kept, as Helm does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        pairs = yaml.CSafeLoader.construct_mapping(self, node, deep)
        return {_key(key): value for key, value in pairs.items()}


def load_last(content: str | bytes) -> Any:
    """As `load`, for a text in which a key may stand twice."""
    return yaml.load(content, LastWinsLoader)  # noqa: S506 - derived from the safe loader


def load_all_last(content: str | bytes) -> list[Any]:
    """As `load_all`, for texts in which a key may stand twice."""
    return list(yaml.load_all(content, LastWinsLoader))


def load(content: str | bytes) -> Any:
    """The one document of a text. yaml.YAMLError or ValueError where it is none."""
    return yaml.load(content, Loader)  # noqa: S506 - derived from the safe loader


def load_all(content: str | bytes) -> list[Any]:
    """Every document of a text. yaml.YAMLError or ValueError where one is none."""
    return list(yaml.load_all(content, Loader))
