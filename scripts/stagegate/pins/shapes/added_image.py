"""An entry that is added to `images` of a kustomization on request: `{file: kustomization.yaml, add: true}`."""

from __future__ import annotations

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import ownership
from stagegate.pins.place import items_at, text_at
from stagegate.pins.shapes import kustomize
from stagegate.settings import Settings
from stagegate.yaml_nodes import text_of


def completed(content: bytes, file: str, settings: Settings) -> bytes:
    """The kustomization with an entry for each image of ours that `images` lacks, at the tag of no release.

    The tag is `v0.0.0`: the edit that follows moves it. Stop(bad-settings) for a file that is no kustomization.
    """
    nodes = yaml_edit.documents(content, file)
    if len(nodes) != 1 or not kustomize.is_kustomization(nodes[0], file):
        raise Stop(
            "bad-settings",
            f"{file} is no kustomization.",
            "`add` writes an entry under `images`, which only a kustomization has.",
            "Leave `add` out, or name the kustomization.",
            file=file,
        )
    root = nodes[0]
    items = items_at(root, "images")
    named = {
        ownership.our_image(text_at(item, "newName") or text_at(item, "name"), settings) for item in items
    }
    lacking = [image for image in settings.images if image not in named]
    if not lacking:
        return content
    text = text_of(content)
    newline = "\r\n" if "\r\n" in text else "\n"
    if items:
        start = text.rfind("\n", 0, items[0].start_mark.index) + 1
        indent = text[start : items[0].start_mark.index].split("-")[0]
        at = items[-1].end_mark.index
        at = text.find("\n", max(at - 1, 0)) + 1 or len(text)
    else:
        indent, at = "  ", len(text)
    head, tail = text[:at], text[at:]
    head += "" if head.endswith("\n") or not head else newline
    entries = "".join(
        f"{indent}- name: {image}{newline}{indent}  newTag: v0.0.0{newline}" for image in lacking
    )
    written = head + ("" if items else f"images:{newline}") + entries + tail
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    return mark + written.encode()
