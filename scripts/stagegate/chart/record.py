"""The release record: annotations in the packaged Chart.yaml, so that one chart digest fixes the release."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node

from stagegate.chart import source
from stagegate.errors import Stop
from stagegate.model import DIGEST, to_json

COMMIT, IMAGES = "stagegate/commit", "stagegate/images"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is made of: the commit, and image repository -> digest."""

    commit: str
    images: Mapping[str, str] = {}

    @property
    def annotations(self) -> dict[str, str]:
        """As they stand in Chart.yaml and in the manifest."""
        return {COMMIT: self.commit, IMAGES: to_json(dict(self.images)).decode()}


def from_annotations(annotations: Mapping[str, Any], where: str) -> Record | None:
    """The record of a published chart, or None when it has none. Stop(unknown-state) when it is broken."""
    if COMMIT not in annotations and IMAGES not in annotations:
        return None
    try:
        images = json.loads(str(annotations[IMAGES]))
        record = Record(commit=str(annotations[COMMIT]), images={str(k): str(v) for k, v in images.items()})
    except (ValueError, LookupError, AttributeError) as error:
        raise _broken(where, f"{type(error).__name__}: {error}") from error
    bad = [digest for digest in record.images.values() if not DIGEST.fullmatch(digest)]
    if bad:
        raise _broken(where, f"{bad[0][:80]!r} is not a digest")
    return record


def write(raw: bytes, record: Record, file: str) -> bytes:
    """Chart.yaml with the record among its annotations and every other byte as it was. Stop(findings).

    The result is parsed again and must say what the source says plus the record, nothing else.
    """
    before = source.parse(raw, file)
    there = before.get("annotations") or {}
    if not isinstance(there, dict):
        raise _refused(file, "annotations is not a mapping.", "Make it one, or remove it.")
    taken = sorted(key for key in there if str(key).startswith("stagegate/") and key in record.annotations)
    if taken:
        raise _refused(file, f"{taken[0]} stands in the source.", "Remove it: packaging writes it.")
    after = _insert(raw, record)
    expected = {**before, "annotations": {**there, **record.annotations}}
    if source.parse(after, file) != expected:
        raise _refused(
            file, "its annotations cannot be extended without changing more.", "Write them in block style."
        )
    return after


def _insert(raw: bytes, record: Record) -> bytes:
    """The bytes with our lines put where the annotations are, or at the end."""
    text = raw.decode("utf-8")
    newline = "\r\n" if "\r\n" in text else "\n"
    value = _annotations(text)
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
    if value is not None:  # `annotations:` with nothing, or ~
        block = newline + newline.join(f"  {pair}" for pair in pairs)
        return (text[: value.start_mark.index] + block + text[value.end_mark.index :]).encode()
    end = "" if not text or text.endswith("\n") else newline
    block = f"annotations:{newline}" + "".join(f"  {pair}{newline}" for pair in pairs)
    return (text + end + block).encode()


def _annotations(text: str) -> Node | None:
    # A BOM is no character for ruamel's indexes, but it is one for ours.
    root = YAML(pure=True).compose(io.StringIO(text))
    if not isinstance(root, MappingNode):
        return None
    return next((value for key, value in root.value if key.value == "annotations"), None)


def _refused(file: str, why: str, next: str) -> Stop:
    return Stop("findings", f"{file} cannot take the release record.", why, next, file=file)


def _broken(where: str, why: str) -> Stop:
    return Stop(
        "unknown-state",
        f"The release record of {where} cannot be read.",
        f"{why}.",
        "Publish a new version with helm-publish; this one cannot be trusted.",
    )
