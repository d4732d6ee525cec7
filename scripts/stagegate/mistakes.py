"""Where a YAML document breaks its schema: every mistake with its line and the nearest valid name.

Asked only when something is wrong, so that its slow imports cost nothing on the way that works.
"""

from __future__ import annotations

import difflib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode


def find(content: bytes, data: Any, schema: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Every violation of a JSON Schema as (line from 1, sentence). `data` is what `content` parsed to."""
    from jsonschema import Draft202012Validator

    root = compose(content)
    plain = json.loads(json.dumps(data, default=str))
    for error in Draft202012Validator(schema).iter_errors(plain):
        causes = error.context or [error]
        best = min(causes, key=lambda cause: (-len(cause.absolute_path), cause.validator != "required"))
        path = list(best.absolute_path)
        if best.validator == "additionalProperties":
            known = sorted((best.schema.get("properties") or {}).keys())
            for key in sorted(set(best.instance) - set(known)):
                near = difflib.get_close_matches(key, known, 1)
                hint = f", did you mean {near[0]}" if near else f", known are {', '.join(known)}"
                yield line(root, [*path, key], key=True), f"unknown key {key!r}{hint}"
        else:
            where = ".".join(str(part) for part in path) or "the document"
            yield line(root, path), f"{where}: {best.message[:200]}"


def compose(content: bytes) -> Node | None:
    """The document with its places."""
    return YAML(pure=True).compose(io.BytesIO(content))


def line(node: Node | None, path: Sequence[str | int], *, key: bool = False) -> int:
    """Line (from 1) of the value at `path`, or of its key; of the deepest part that exists otherwise."""
    found_at = node.start_mark.line + 1 if node is not None else 1
    for depth, part in enumerate(path):
        if isinstance(node, MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                return found_at
            found_at = (found[0] if key and depth == len(path) - 1 else found[1]).start_mark.line + 1
            node = found[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            found_at = node.start_mark.line + 1
    return found_at
