"""Adds the release record to the Chart.yaml of a package, and changes no other byte of it."""

from __future__ import annotations

import io
import json

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node

from stagegate.chart import source
from stagegate.errors import Stop
from stagegate.evidence.release_record import Record


def write(raw: bytes, record: Record, file: str) -> bytes:
    """Chart.yaml with the record in its annotations; every other byte stays. Stop(findings).

    The result is parsed again, and must equal the source with the record.
    """
    before = source.parse(raw, file)
    existing = before.get("annotations") or {}
    if not isinstance(existing, dict):
        raise _refused(
            file, "annotations is not a mapping.", "Write `annotations` as a mapping, or remove the key."
        )
    taken = sorted(key for key in existing if str(key).startswith("stagegate/") and key in record.annotations)
    if taken:
        raise _refused(
            file, f"{taken[0]} is in the source.", "Remove this annotation, because packaging writes it."
        )
    after = _insert(raw, record)
    expected = {**before, "annotations": {**existing, **record.annotations}}
    if source.parse(after, file) != expected:
        raise _refused(
            file,
            "stagegate cannot add an annotation without changing other lines.",
            "Write the annotations in block style.",
        )
    return after


def _insert(raw: bytes, record: Record) -> bytes:
    """The bytes with our lines in the annotations, or at the end of the file without annotations."""
    text = raw.decode("utf-8")
    newline = "\r\n" if "\r\n" in text else "\n"
    key, value = _annotations(text)
    pairs = [f"{key}: {json.dumps(item)}" for key, item in record.annotations.items()]
    if isinstance(value, MappingNode) and value.flow_style:
        inside = ", ".join(
            f"{json.dumps(key)}: {json.dumps(item)}" for key, item in record.annotations.items()
        )
        at = value.start_mark.index + 1
        return (text[:at] + inside + (", " if value.value else "") + text[at:]).encode()
    if isinstance(value, MappingNode):
        first = value.value[0][0].start_mark
        lines = "".join(f"{pair}{newline}{' ' * first.column}" for pair in pairs)
        return (text[: first.index] + lines + text[first.index :]).encode()
    if key is not None and value is not None:  # `annotations:` without a value, or with ~
        block = newline + newline.join(f"  {pair}" for pair in pairs)
        start, end = value.start_mark.index, value.end_mark.index
        start, end = (start, end) if start < end else (text.index(":", key.end_mark.index) + 1,) * 2
        return (text[:start] + block + text[end:]).encode()
    end = "" if not text or text.endswith("\n") else newline
    block = f"annotations:{newline}" + "".join(f"  {pair}{newline}" for pair in pairs)
    return (text + end + block).encode()


def _annotations(text: str) -> tuple[Node | None, Node | None]:
    root = YAML(pure=True).compose(io.StringIO(text))
    if not isinstance(root, MappingNode):
        return None, None
    return next(((key, value) for key, value in root.value if key.value == "annotations"), (None, None))


def _refused(file: str, why: str, next: str) -> Stop:
    return Stop("findings", f"stagegate cannot write the release record into {file}.", why, next, file=file)
