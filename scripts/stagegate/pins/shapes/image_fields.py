"""Image fields in Helm values and objects: the one tag for all, a name with a tag, `image: a/b:tag`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from stagegate import yaml_edit
from stagegate.pins import ownership, templates
from stagegate.pins.fields import doubled, scalar_at, text_at
from stagegate.pins.place import PinPlace, Role, ShapeContext
from stagegate.settings import Settings
from stagegate.yaml_edit import Path, Scalar
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode, is_null, merged

# Keys under which values name an image, its tag and its registry; the usual ones first.
_NAMES = ("repository", "image", "name", "imageName", "repo")
_NAMES_OR_MERGE = (*_NAMES, "<<")
_NAMES_IN_OBJECTS = ("repository", "image", "imageName")
_TAGS = ("tag", "imageTag", "image_tag", "version")
_REGISTRIES = (("global", "imageRegistry"), ("global", "registry"), ("imageRegistry",), ("registry",))


class ImageField(msgspec.Struct, frozen=True, kw_only=True):
    """A scalar below a values node that names a first-party image's release."""

    path: Path
    role: Role
    subject: str = ""
    template: str | None = None


def fields(
    values: Node, settings: Settings, *, ours: bool, aliases: Sequence[str] = (), whole: bool = True
) -> Iterator[ImageField]:
    """Every image field of ours; `ours` says that the whole values are, so that the one tag for all counts.

    `aliases`: keys below which an umbrella chart has the values of our chart. `whole`: other keys are ours, too;
    of an umbrella chart only what is global is.
    """
    handled: set[Path] = set()
    one_for_all = ownership.image_tag_value(settings)
    if ours and one_for_all:
        top = ("",) if whole or one_for_all.startswith("global.") else ()
        for prefix in (*top, *(f"{name}." for name in aliases)):
            resolved = yaml_edit.resolve(values, prefix + one_for_all)
            if (
                resolved
                and isinstance(resolved[1], ScalarNode)
                and resolved[1].value
                and not is_null(resolved[1])
            ):
                handled.add(resolved[0])
                yield ImageField(path=resolved[0], role="image-tag")
    shared = next(filter(None, (text_at(values, *path) for path in _REGISTRIES)), "")
    for path, mapping in _mappings(values, ()):
        for field in _in_mapping(path, mapping, settings, shared):
            if field.path not in handled:
                handled.add(field.path)
                yield field


def written(reference: str, settings: Settings) -> tuple[str, str]:
    """The image of ours in a whole reference, and the reference as a template; nothing when it is not ours."""
    bare, at, _ = reference.partition("@")
    head, colon, tag = bare.rpartition(":")
    repository, tag = (head, tag) if colon and "/" not in tag else (bare, "")
    ours = ownership.our_image(repository.rpartition("=")[2], settings)
    if not ours or not (tag or at):
        return "", ""
    shown = f":{templates.guess(tag, 'image-tag', settings)}" if tag else ""
    return ours, "" if shown == ":" else repository + shown + ("@{digest}" if at else "")


def in_objects(node: Node, settings: Settings) -> Iterator[ImageField]:
    """Every `image: repository:tag` of ours below a Kubernetes object, and in custom resources `image` with its
    tag beside or below it. A plain `name` is the object's or the container's."""
    shared = next(filter(None, (text_at(node, "spec", *path) for path in _REGISTRIES)), "")
    for path, mapping in _mappings(node, ()):
        if path[-1:] == ("image",) or not _texts(mapping).keys().isdisjoint(_NAMES_IN_OBJECTS):
            yield from _in_mapping(path, mapping, settings, shared)


def _in_mapping(path: Path, mapping: MappingNode, settings: Settings, registry: str) -> Iterator[ImageField]:
    if {str(key.value) for key, _ in mapping.value}.isdisjoint(_NAMES_OR_MERGE):
        return
    texts = _texts(mapping)
    if texts.keys().isdisjoint(_NAMES):
        return
    image, template = written(texts.get("image", ""), settings)
    if image:
        yield ImageField(path=(*path, "image"), role="image-tag", subject=image, template=template)
        version = (templates.match(template, texts["image"]) or {}).get("version")
        for key in _TAGS:
            guessed = templates.guess(texts.get(key, ""), "image-tag", settings)
            if version and guessed and (templates.match(guessed, texts[key]) or {}).get("version") == version:
                yield ImageField(path=(*path, key), role="image-tag", subject=image)
        return
    named = _named(texts, settings, registry)
    if not named:
        return
    for key in _TAGS:
        if texts.get(key):
            yield ImageField(path=(*path, key), role="image-tag", subject=named)
    if texts.get("digest"):
        yield ImageField(path=(*path, "digest"), role="image-digest", subject=named)


def _texts(mapping: MappingNode) -> dict[str, str]:
    """The scalars of a mapping by key, with those that `<<` brings; null is left out."""
    return {
        str(key.value): value.value
        for key, value in merged(mapping)
        if isinstance(value, ScalarNode) and not is_null(value)
    }


def _named(texts: Mapping[str, str], settings: Settings, shared: str) -> str:
    """The image of ours that a mapping names, with the registry beside it or the one of the whole file."""
    own = texts.get("registry") or texts.get("imageRegistry") or ""
    for key in _NAMES:
        repository = texts.get(key, "")
        if not repository:
            continue
        if own:
            complete = (f"{own}/{repository}", repository if repository.startswith(f"{own}/") else "")
        else:
            complete = (repository, f"{shared}/{repository}" if shared else "")
        for whole in complete:
            if whole and (ours := ownership.our_image(whole, settings)):
                return ours
    return ""


def _mappings(node: Node, path: Path) -> Iterator[tuple[Path, MappingNode]]:
    if isinstance(node, MappingNode):
        yield path, node
        for key, value in node.value:
            yield from _mappings(value, (*path, str(key.value)))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _mappings(value, (*path, index))


def place(reading: ShapeContext, document: int, scalar: Scalar, field: ImageField, shape: str) -> PinPlace:
    """The place of an image field at its scalar."""
    return reading.place(document, scalar, field.role, shape, template=field.template, subject=field.subject)


def placed(
    root: Node,
    base: Path,
    found: Iterable[ImageField],
    document: int,
    reading: ShapeContext,
    shape: str,
) -> Iterator[PinPlace]:
    """The places of image fields of the node at `base`. Stop(ambiguous-pin) for one whose key stands twice."""
    for field in found:
        scalar = scalar_at(root, *base, *field.path)
        if scalar is not None:
            yield place(reading, document, scalar, field, shape)
        elif stop := doubled(root, reading.file):
            raise stop


def mappings(node: Node) -> Iterator[tuple[Path, MappingNode]]:
    """Every mapping below a node with its path, the node itself first."""
    yield from _mappings(node, ())
