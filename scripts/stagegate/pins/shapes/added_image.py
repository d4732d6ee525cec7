"""An entry that is added to `images` of a kustomization on request: `{file: kustomization.yaml, add: true}`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import ownership
from stagegate.pins.fields import items_at, text_at
from stagegate.pins.shapes import kustomize
from stagegate.settings import Settings
from stagegate.yaml_nodes import Node, text_of

_CLOSING = re.compile(r"^\.\.\.[ \t]*$", re.MULTILINE)


def completed(content: bytes, file: str, settings: Settings) -> bytes:
    """The kustomization with an entry for each image of ours that `images` lacks, at the tag of no release.

    The tag is `v0.0.0`: the edit that follows moves it. An entry that has neither tag nor digest gets a tag.
    Stop(bad-settings) for a file that is no kustomization, or whose `images` are not written line by line.
    """
    nodes = yaml_edit.documents(content, file)
    if len(nodes) != 1 or not kustomize.is_kustomization(nodes[0], file):
        raise _refused(
            file,
            "The pin has `add`, but the file is not a kustomization.",
            f"Name a kustomization, or write `{file}` without `add`.",
            1,
        )
    root = nodes[0]
    own = yaml_edit.resolve(root, ("images",))
    images = own[1] if own else None
    items = items_at(root, "images")
    entries = {ownership.our_image(text_at(i, "newName") or text_at(i, "name"), settings): i for i in items}
    lacking = [image for image in settings.images if image not in entries]
    untagged = [
        item
        for image, item in entries.items()
        if image and not text_at(item, "newTag") and not text_at(item, "digest")
    ]
    if not lacking and not untagged:
        return content
    written: list[Node] = [root, *untagged, *([images] if images is not None and items else [])]
    if any(getattr(node, "flow_style", False) for node in written):
        line = (images if images is not None else root).start_mark.line + 1
        raise _refused(
            file,
            "The `images` of the file are written in brackets, and stagegate can only add a line "
            "to a list of lines.",
            "Write `images` as a list of lines with `- name:`.",
            line,
        )
    text = text_of(content)
    newline = "\r\n" if "\r\n" in text else "\n"
    changes = [_tag(text, item, newline) for item in untagged]
    if lacking:
        key = next((k.end_mark.index for k, _ in root.value if k.value == "images"), 0)
        changes.append(_entries(text, key, images, items, lacking, newline))
    for start, end, lines in sorted(changes, reverse=True):
        head = text[:start] + (
            newline if start and not text[:start].endswith("\n") and not end > start else ""
        )
        text = head + lines + text[end:]
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    return mark + text.encode()


def _tag(text: str, item: Node, newline: str) -> tuple[int, int, str]:
    """Where `newTag` goes below the first line of an entry, and its line."""
    end = text.find("\n", item.start_mark.index) + 1 or len(text)
    return end, end, f"{' ' * item.start_mark.column}newTag: v0.0.0{newline}"


def _entries(
    text: str, key: int, images: Node | None, items: Sequence[Node], lacking: Sequence[str], newline: str
) -> tuple[int, int, str]:
    """The part of the text that new entries replace (nothing, `[]` or `null`), and the entries. `key` is where the
    key `images` ends."""
    indent = "  "
    if items:
        start = text.rfind("\n", 0, items[0].start_mark.index) + 1
        indent = text[start : items[0].start_mark.index].split("-")[0]
    lines = "".join(f"{indent}- name: {image}{newline}{indent}  newTag: v0.0.0{newline}" for image in lacking)
    if items:
        last = items[-1].end_mark.index
        at = text.find("\n", max(last - 1, 0)) + 1 or len(text)
        return at, at, lines
    if images is not None:
        colon = text.index(":", key) + 1
        value_end = (
            max(images.end_mark.index, colon) if images.start_mark.index < images.end_mark.index else colon
        )
        end = text.find("\n", value_end) + 1 or len(text)
        rest = text[value_end:end]
        return colon, end, rest + ("" if rest.endswith("\n") or colon == end else newline) + lines
    closing = _CLOSING.search(text)
    at = closing.start() if closing else len(text)
    return at, at, f"images:{newline}{lines}"


def _refused(file: str, why: str, cure: str, line: int) -> Stop:
    return Stop("bad-settings", f"`add` cannot write an entry into {file}.", why, cure, file=file, line=line)
