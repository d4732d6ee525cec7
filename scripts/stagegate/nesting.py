"""YAML that is small to send and enormous to read: aliases of aliases, and nesting that exhausts a parser.

Looked at event by event, before any parser builds something of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

from stagegate.patterns import pattern

DEEPEST = 100  # levels; Kubernetes' own objects stay below 40
COMPOSABLE = 4_000  # brackets that libyaml's composer nests without harm, measured up to 16,000
LARGEST = 2_000_000  # nodes, with every alias written out
_FLOW = pattern(r"(?:[\[{]\s*){40}")
_BLOCK = pattern(r"^ *(?:[-?] +){40}", re.MULTILINE)  # a list in a list on one line begins its line
_BRACKETS = pattern(r"[\[\]{}]")


def bomb(text: str) -> str:
    """Why this YAML must not be read, or empty. What is no YAML at all is left to its parser to say."""
    may_be_deep = text.count("[") + text.count("{") > DEEPEST or _may_be_deep(text)
    if "*" not in text and not may_be_deep:
        return ""
    try:
        return _walk(text)
    except (yaml.YAMLError, ValueError):
        return ""


def bomb_of_events(text: str) -> str:
    """As `bomb`, for a text that would be composed at once: only where that could exhaust the composer's stack."""
    if text.count("[") + text.count("{") <= COMPOSABLE and not _may_be_deep(text):
        return ""
    return bomb(text)


def _may_be_deep(text: str) -> bool:
    return " " * 200 in text or any(pattern.search(text) for pattern in (_FLOW, _BLOCK))


def bomb_of_nodes(roots: Iterable[yaml.Node], text: str) -> str:
    """As `bomb`, for what has been composed: each collection is counted once, however many aliases it has."""
    if "*" not in text:
        flat = text.count("[") + text.count("{") <= DEEPEST
        return f"it is nested more than {DEEPEST} levels deep" if not flat and _is_deep(roots) else ""
    sizes: dict[int, int] = {}
    for root in roots:
        stack: list[tuple[yaml.Node, int, bool]] = [(root, 1, False)]
        open_: set[int] = set()
        while stack:
            node, depth, done = stack.pop()
            if isinstance(node, yaml.ScalarNode) or id(node) in sizes:
                continue
            inner = (
                [one for pair in node.value for one in pair]
                if isinstance(node, yaml.MappingNode)
                else node.value
            )
            if done:
                open_.discard(id(node))
                sizes[id(node)] = 1 + sum(sizes.get(id(one), 1) for one in inner)
                if sizes[id(node)] > LARGEST:
                    return f"its aliases expand to more than {LARGEST:,} values"
                continue
            if id(node) in open_:
                return "an alias contains itself"
            if depth > DEEPEST:
                return f"it is nested more than {DEEPEST} levels deep"
            open_.add(id(node))
            stack.append((node, depth, True))
            stack += [(one, depth + 1, False) for one in inner if not isinstance(one, yaml.ScalarNode)]
    return ""


def _is_deep(roots: Iterable[yaml.Node]) -> bool:
    """Whether nodes without aliases are nested too deep: one level after the other, as far as there is one."""
    level = [root for root in roots if not isinstance(root, yaml.ScalarNode)]
    for _ in range(DEEPEST):
        inner = [
            one
            for node in level
            for entry in node.value
            for one in (entry if isinstance(entry, tuple) else (entry,))
        ]
        level = [one for one in inner if not isinstance(one, yaml.ScalarNode)]
        if not level:
            return False
    return True


def opens_too_deep(text: str) -> bool:
    """Whether a text opens more brackets than it has closed, or indents, beyond the limit. Reads no YAML: it is for
    texts that libyaml, which counts levels, cannot read."""
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth = max(depth + (1 if bracket[0] in "[{" else -1), 0)
        if depth > DEEPEST:
            return True
    return _may_be_deep(text)


def _walk(text: str) -> str:
    open_: list[tuple[str, int]] = []  # anchor and nodes so far of every collection that is not closed
    sizes: dict[str, int] = {}
    total = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor or "", 0))
            if len(open_) > DEEPEST:
                return f"it is nested more than {DEEPEST} levels deep"
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_.pop()
            size += 1
            if anchor:
                sizes[anchor] = size
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_):
                return f"the alias *{event.anchor} contains itself"
            size = sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
        else:
            continue
        if open_:
            anchor, before = open_[-1]
            open_[-1] = (anchor, before + size)
        total = max(total, size, open_[-1][1] if open_ else 0)
        if total > LARGEST:
            return f"its aliases expand to more than {LARGEST:,} values"
    return ""
