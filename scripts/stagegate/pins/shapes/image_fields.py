"""Image fields in Helm values, wherever they stand: the one tag for all, `repository` + `tag`, `image: a/b:tag`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stagegate import yaml_edit
from stagegate.pins import ownership, templates
from stagegate.pins.place import Role, text_at
from stagegate.settings import Settings
from stagegate.yaml_edit import Path


class ImageField(msgspec.Struct, frozen=True, kw_only=True):
    """A scalar below a values node that names a first-party image's release."""

    path: Path
    role: Role
    subject: str = ""
    template: str | None = None


def fields(values: Node, settings: Settings, *, ours: bool) -> Iterator[ImageField]:
    """Every image field of ours; `ours` says that the whole values are, so that the one tag for all counts."""
    one_for_all = ownership.image_tag_value(settings)
    found = yaml_edit.resolve(values, one_for_all) if ours and one_for_all else None
    is_set = found is not None and isinstance(found[1], ScalarNode) and bool(found[1].value)
    seen = found[0] if found and is_set else None
    if seen is not None:
        yield ImageField(path=seen, role="image-tag")
    for path, mapping in _mappings(values, ()):
        yield from (field for field in _in_mapping(path, mapping, settings) if field.path != seen)


def written(reference: str, settings: Settings) -> tuple[str, str]:
    """The image of ours in a whole reference, and the reference as a template; nothing when it is not ours."""
    bare, at, digest = reference.partition("@")
    head, colon, tag = bare.rpartition(":")
    repository, tag = (head, tag) if colon and "/" not in tag else (bare, "")
    name = repository.rpartition("=")[2]
    if not ownership.is_our_image(name, settings) or not (tag or digest):
        return "", ""
    shown = f":{templates.guess(tag, 'image-tag', settings)}" if tag else ""
    return name, "" if shown == ":" else repository + shown + ("@{digest}" if at else "")


def _in_mapping(path: Path, mapping: MappingNode, settings: Settings) -> Iterator[ImageField]:
    repository = "/".join(part for key in ("registry", "repository") if (part := text_at(mapping, key)))
    if ownership.is_our_image(repository, settings):
        if text_at(mapping, "tag"):
            yield ImageField(path=(*path, "tag"), role="image-tag", subject=repository)
        if text_at(mapping, "digest"):
            yield ImageField(path=(*path, "digest"), role="image-digest", subject=repository)
    image, template = written(text_at(mapping, "image"), settings)
    if image:
        yield ImageField(path=(*path, "image"), role="image-tag", subject=image, template=template)


def _mappings(node: Node, path: Path) -> Iterator[tuple[Path, MappingNode]]:
    if isinstance(node, MappingNode):
        yield path, node
        for key, value in node.value:
            yield from _mappings(value, (*path, str(key.value)))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _mappings(value, (*path, index))
