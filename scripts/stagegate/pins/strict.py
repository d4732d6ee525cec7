"""Refuses YAML that Argo CD (Go) and stagegate could read differently, so that rules judge the values that run.

Kubernetes' reader cuts a file at lines that begin with `---` and drops the rest of such a line
(https://pkg.go.dev/k8s.io/apimachinery/pkg/util/yaml); then each part is read as YAML 1.1 and turned into JSON
(https://pkg.go.dev/sigs.k8s.io/yaml).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

import yaml

from stagegate import go_scalars, nesting, yaml_1_1
from stagegate.errors import Stop
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode, text_of

_DATE = re.compile(r"\d{4}-\d\d?-\d\d?(?![^Tt\s])")
_DIGITS = re.compile(r"[-+]?(?:0[xXoObB])?[0-9a-fA-F_.]+")
_SLASH = re.compile(r"(?<!\\)(?:\\\\)*\\/")
_ONLY_JSON = re.compile(r"\\(?:/|u[dD][89a-fA-F])")  # escapes that JSON has and Go's YAML has not
_LONGEST_NUMBER = 40
_BREAK = re.compile("[\x85\u2028\u2029]|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
_SEPARATOR = re.compile(r"^---(?!\s*(?:#.*)?$).*$", re.MULTILINE)
_END = re.compile(r"^\.\.\.[ \t]*(?:#.*)?$(?!(?:\s|#.*$)*(?:^---|\Z))", re.MULTILINE)
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)

Oddity = tuple[int, str, str]  # line, what it is, what to write instead


def check(content: bytes, file: str) -> None:
    """Stop(ambiguous-pin) with file, line and cure for the first thing that parsers disagree about."""
    try:
        text = text_of(content)
    except UnicodeDecodeError as error:
        raise _stop(
            file, (content[: error.start].count(b"\n") + 1, "bytes that are not UTF-8", "UTF-8")
        ) from error
    if file.endswith(".json") and _is_json(text, file):
        return
    for oddity in _odd_lines(text.replace("\r\n", "\n")):
        raise _stop(file, oddity)
    if why := nesting.bomb(text):
        raise _stop(file, (1, f"YAML that stagegate does not read, because {why}", "less of it"))
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if tag := getattr(event, "tag", None):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise _stop(file, (line, f"the tag {tag}", "the value without a tag"))
        for root in yaml.compose_all(text, yaml_1_1.Loader):
            for oddity in (*_odd_keys(root), *_odd_scalars(root, text)) if root is not None else ():
                raise _stop(file, oddity)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or type(error).__name__
        line = mark.line + 1 if mark else 1
        raise _stop(
            file, (line, f"something that Argo CD or stagegate cannot read ({what})", "plain YAML")
        ) from error


def _is_json(text: str, file: str) -> bool:
    """Whether a text is JSON, which every reader of YAML takes alike. Stop where a key stands twice in it."""
    if _ONLY_JSON.search(text):
        return False

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        names = Counter(name for name, _ in items)
        if twice := next((name for name, times in names.items() if times > 1), ""):
            line = text.count("\n", 0, max(text.rfind(json.dumps(twice)), 0)) + 1
            raise _stop(file, (line, f"the key {twice[:80]!r} twice", "it once"))
        return dict(items)

    try:
        json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False  # then it is read as YAML, which says what is wrong
    return not nesting.bomb(text)


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _stop(file: str, oddity: Oddity) -> Stop:
    line, what, instead = oddity
    return Stop(
        "ambiguous-pin",
        f"{file} has {what}.",
        f"Argo CD and stagegate could read line {line} differently, and then the rules would judge "
        "another value than the one that runs.",
        f"Write {instead}.",
        file=file,
        line=line,
    )


def _odd_lines(text: str) -> Iterator[Oddity]:
    for pattern, what, instead in (
        (
            _BREAK,
            "a control character or an unusual line break",
            "plain line breaks, and escapes in quotes",
        ),
        (_SEPARATOR, "text on a line that begins with ---", "--- on a line of its own"),
        (_END, "... between documents", "--- alone"),
        (_DIRECTIVE, "a directive", "the file without the line that begins with %"),
    ):
        if match := pattern.search(text):
            yield text.count("\n", 0, match.start()) + 1, what, instead


def _odd_keys(root: Node) -> Iterator[Oddity]:
    """Keys that stand twice in a mapping, as JSON has them, or that are written and merged."""
    pending, visited = [root], set()
    while pending:
        node = pending.pop()
        if isinstance(node, ScalarNode) or id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, SequenceNode):
            pending += node.value
            continue
        if odd := next((one for one in _merges(node) if not isinstance(one, MappingNode)), None):
            yield (
                odd.start_mark.line + 1,
                "a merge of something that is not a mapping",
                "the mapping to merge",
            )
            return
        names: dict[str, str] = {}
        for key, value, how in _entries(node):
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                yield line, "a key that is not text", "a text as the key"
                return
            name = _name(key)
            if name is None:
                yield line, f"the key {key.value[:80] or 'null'}", "it in quotes"
                return
            if name in names:
                both = "twice" if names[name] == how == "written" else "written and merged"
                yield line, f"the key {name[:80]!r} {both}", "it once"
                return
            names[name] = how
            pending.append(value)


def _odd_scalars(root: Node, text: str) -> Iterator[Oddity]:
    """Plain words that only look like a date or a number: one reader refuses what another takes for text."""
    pending, visited = [root], set()
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, ScalarNode):
            line = node.start_mark.line + 1
            if node.style == '"' and _SLASH.search(text, node.start_mark.index, node.end_mark.index):
                yield line, "the escape \\/", "the slash alone"
            if not node.style and len(node.value) > _LONGEST_NUMBER and _DIGITS.fullmatch(node.value):
                yield line, f"a number of {len(node.value)} characters", "it in quotes"
            if node.tag == go_scalars.FLOAT and not math.isfinite(go_scalars.value(node.value)):
                yield line, f"{node.value}, which is not a JSON number,", "it in quotes"
            if not node.style and _DATE.match(node.value) and not _is_date(node.value):
                yield line, f"{node.value[:40]}, which looks like a date but is not one,", "it in quotes"
        elif isinstance(node, MappingNode):
            pending += [one for pair in node.value for one in pair]
        else:
            pending += node.value


def _is_date(text: str) -> bool:
    year, month, day = (int(part) for part in re.findall(r"\d+", text)[:3])
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _entries(node: Node, how: str = "written", deep: int = 0) -> Iterator[tuple[Node, Node, str]]:
    """Keys and values of a mapping and of what is merged into it."""
    merges = 0
    for key, value in node.value:
        if key.tag != go_scalars.MERGE:
            yield key, value, how
            continue
        merges += 1
        if merges > 1:
            yield key, value, how  # `<<` twice: the second is found as a key that stands twice
            yield key, value, how
        for source in _merged(value) if deep < nesting.DEEPEST else ():
            if isinstance(source, MappingNode):
                yield from _entries(source, "merged", deep + 1)


def _merges(node: Node) -> list[Node]:
    """The nodes that the `<<` keys of a mapping merge into it."""
    merged: list[Node] = []
    for key, value in node.value:
        if key.tag == go_scalars.MERGE:
            is_alias = value.start_mark.index < key.start_mark.index  # Go takes no alias of a list
            merged += [value] if is_alias else _merged(value)
    return merged


def _merged(value: Node) -> list[Node]:
    return list(value.value) if isinstance(value, SequenceNode) else [value]


def _name(key: ScalarNode) -> str | None:
    """A key as JSON has it, None for one that Go refuses."""
    try:
        return go_scalars.key(key.value if key.tag == go_scalars.STRING else go_scalars.value(key.value))
    except ValueError:
        return None
