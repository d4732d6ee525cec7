"""YAML as most people write it, read at the speed of libyaml: the one document of a settings or scenario file.

Only what YAML 1.1 and 1.2 agree on is read here. Anchors, tags, merge keys, duplicate keys, unusual numbers and
every error are left to the full reader, which also knows the places.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from stagegate.patterns import compiled_later, pattern
from stagegate.simple_yaml import LIKE_BOOLEANS, Unusual

with compiled_later():  # its reader in Python has many, and libyaml reads here
    import yaml

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = pattern(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = pattern(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DATE = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TEXT = pattern(r"[0-9]+[smhd]|[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.-]+)?")  # durations and versions
_ADDRESS = pattern(r"[0-9][^/]*/.*")  # no number and no date has a slash: 127.0.0.1:5000/acme/shop
_DOUBTFUL = pattern(r"[-+.0-9=<!&*]")


def load(content: bytes) -> Any:
    """The document as plain values. Unusual where the full reader has to look."""
    try:
        loader = yaml.CSafeLoader(content)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unusual from error
    return _value(node, set())


def _value(node: yaml.Node | None, above: set[int]) -> Any:
    if node is None or id(node) in above:  # an alias gives the same node twice
        raise Unusual
    above.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_value(item, above) for item in node.value]
    if not isinstance(node, yaml.MappingNode) or node.tag != "tag:yaml.org,2002:map":
        raise Unusual
    mapping: dict[str, Any] = {}
    for key, value in node.value:
        name = _value(key, above)
        if not isinstance(name, str) or name in mapping:
            raise Unusual
        mapping[name] = _value(value, above)
    return mapping


def _scalar(node: yaml.ScalarNode) -> Any:
    """The value of a scalar whose tag is the one that its own text has: nobody wrote another."""
    kind, value = ("str", node.value) if node.style else _plain(node.value)
    if node.tag != f"tag:yaml.org,2002:{kind}":
        raise Unusual
    return value


def _plain(text: str) -> tuple[str, Any]:
    """The type and the value of a text without quotes."""
    if text in _WORDS:
        return ("null" if _WORDS[text] is None else "bool"), _WORDS[text]
    if text[0].isalpha():  # most are, and need no pattern
        if text.lower() in LIKE_BOOLEANS:
            raise Unusual
        return "str", text
    if _INTEGER.fullmatch(text):
        return "int", int(text)
    if _NUMBER.fullmatch(text):
        return "float", float(text)
    if _DATE.fullmatch(text):
        try:
            return "timestamp", dt.date.fromisoformat(text)
        except ValueError as error:
            raise Unusual from error
    if _TEXT.fullmatch(text) or _ADDRESS.fullmatch(text) or not _DOUBTFUL.match(text):
        return "str", text
    raise Unusual
