"""Reads YAML that people write (settings, scenarios) as a type.

Reading is fast and strict; only when something is wrong are jsonschema and the places asked, so that every mistake
is listed at once with its line and the nearest valid name.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from stagegate import simple_yaml
from stagegate.errors import Stop

if TYPE_CHECKING:  # the full reader is loaded only by those who need it
    from ruamel.yaml.nodes import Node

T = TypeVar("T")


def read(
    content: bytes,
    file: str,
    kind: type[T],
    document_schema: Callable[[], Mapping[str, Any]],
    published: str = "stagegate.schema.json",
) -> T:
    """A YAML document of ours as its type. Stop(bad-settings) lists every violation of its schema by line."""
    data = _yaml(content, file)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        mistakes = list(_mistakes(content, data, document_schema())) or [(1, str(error))]
        raise bad(file, mistakes, published) from error


def mapping(content: bytes, file: str) -> dict[str, Any]:
    """A YAML document of ours as the mapping it is, unchecked. Stop(bad-settings) where it is none."""
    data = _yaml(content, file)
    if not isinstance(data, dict):
        raise bad(file, [(1, "the file must be a mapping of keys to values")])
    return data


def bad(file: str, mistakes: Sequence[tuple[int, str]], published: str = "stagegate.schema.json") -> Stop:
    """The one Stop for all mistakes (line, sentence) of a file; `published` is the schema's name."""
    ordered = sorted(set(mistakes))
    listed = "; ".join(f"line {line}: {text}" for line, text in ordered)
    count = "one mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return Stop(
        "bad-settings",
        f"{file} has {count}.",
        f"{listed}.",
        f"Correct the file; with {published}, an editor checks the file while you type.",
        file=file,
        line=ordered[0][0],
    )


def compose(content: bytes) -> Node | None:
    """The document with its places."""
    from ruamel.yaml import YAML

    root: Node | None = YAML(pure=True).compose(io.BytesIO(content))
    return root


def line(node: Node | None, path: Sequence[str | int], *, key: bool = False) -> int:
    """Line (from 1) of the value at `path`, or of its key; of the deepest part that exists otherwise."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    found_at = node.start_mark.line + 1 if node is not None else 1
    for depth, part in enumerate(path):
        if isinstance(node, MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if entry is None:
                return found_at
            found_at = (entry[0] if key and depth == len(path) - 1 else entry[1]).start_mark.line + 1
            node = entry[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            found_at = node.start_mark.line + 1
    return found_at


def _yaml(content: bytes, file: str) -> Any:
    if not content.strip():
        raise bad(file, [(1, "the file is empty")])
    try:
        return simple_yaml.load(content)
    except simple_yaml.Unusual:
        from stagegate import plain_yaml  # with a library, which a plan of a simple app does not need

    try:
        return plain_yaml.load(content)
    except simple_yaml.Unusual:
        return _unusual(content, file)


def _unusual(content: bytes, file: str) -> Any:
    """The document as the full reader of YAML 1.2 gives it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        return YAML(typ="safe", pure=True).load(io.BytesIO(content))
    except ReaderError as error:
        before = content[: error.position if isinstance(error.position, int) else 0]
        text = "the file contains a byte that is not UTF-8; save the file as UTF-8"
        raise bad(file, [(before.count(b"\n") + 1, text)]) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = (error.problem or error.context or "it is not YAML").strip()
        raise bad(file, [(mark.line + 1 if mark else 1, problem)]) from error
    except (ValueError, YAMLError) as error:
        raise bad(file, [(1, f"the file is not YAML ({error})")]) from error


def _rank(cause: Any) -> tuple[int, bool, bool]:
    """The deepest violation first. Of several allowed forms, the one of the value's own type explains most."""
    is_other_form = cause.validator in ("enum", "const", "type")
    return -len(cause.absolute_path), is_other_form, cause.validator != "required"


def _mistakes(content: bytes, data: Any, schema: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Every violation of a JSON Schema as (line from 1, sentence). `data` is what `content` parsed to."""
    import difflib
    import json

    from jsonschema import Draft202012Validator

    root = compose(content)
    plain = json.loads(json.dumps(data, default=str))
    for error in Draft202012Validator(schema).iter_errors(plain):
        causes = error.context or [error]
        best = min(causes, key=_rank)
        path = list(best.absolute_path)
        if best.validator == "additionalProperties":
            names = sorted((best.schema.get("properties") or {}).keys())
            for key in sorted(set(best.instance) - set(names)):
                near = difflib.get_close_matches(key, names, 1)
                hint = f", did you mean {near[0]}" if near else f"; the known keys are {', '.join(names)}"
                yield line(root, [*path, key], key=True), f"unknown key {key!r}{hint}"
        else:
            where = ".".join(str(part) for part in path) or "the document"
            yield line(root, path), f"{where}: {_respelled(best) or best.message[:200]}"


_DURATION = r"^[0-9]+(s|m|h|d)$"
_VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"


def _respelled(cause: Any) -> str:
    """What to write instead, for patterns that people meet; nothing where no better words are known."""
    if cause.schema.get("pattern") == _DURATION and isinstance(cause.instance, (str, int)):
        number = f", such as {cause.instance}m" if isinstance(cause.instance, int) else ", such as 30m"
        return f"{cause.instance!r} must be a number with its unit s, m, h or d{number}"
    if cause.validator != "pattern" or not isinstance(cause.instance, str):
        return ""
    if cause.validator_value == _VARIABLE:  # the value may be a secret, so it is not repeated
        return (
            "the key must contain the name of a variable or secret, such as SLACK_URL, and not the "
            "value of the secret"
        )
    if cause.instance.startswith("@") and re.search(cause.validator_value, cause.instance[1:]):
        return f"{cause.instance!r} is written without @: write {cause.instance[1:]!r}"
    plain = re.sub(r"[^a-z0-9]+", "-", cause.instance.lower()).strip("-")
    if not plain or not re.search(cause.validator_value, plain):
        return ""
    return f"{cause.instance!r} must be lower-case letters, digits and dashes: write {plain!r}"
