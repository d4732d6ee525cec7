"""Workflow and action files as GitHub reads them, YAML 1.2, at the speed of libyaml: `on` is a text."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

TAG = "tag:yaml.org,2002:"


class _Loader(yaml.CSafeLoader):
    """libyaml with the plain scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own table

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; GitHub refuses a key that occurs twice."""
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            problem = "a key stands twice"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return mapping


for name, pattern, first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(TAG + name, re.compile(rf"^(?:{pattern})$"), first)


def _integer(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, 16 if text.startswith("0x") else 10)  # a leading zero means nothing, unlike in YAML 1.1


_Loader.add_constructor(f"{TAG}int", _integer)


def load(text: str | bytes) -> Any:
    """The one document of a text; yaml.YAMLError where it is none."""
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
