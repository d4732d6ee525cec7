"""Parses a file's bytes into its pin: which documents, which Applications, which scalars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import ownership, pattern, shapes, suggest, text_pattern, toml_path
from stagegate.pins.fields import items_at, text_at
from stagegate.pins.place import PinFile, PinPlace, ShapeContext
from stagegate.pins.shapes import added_image, application_set, custom, image_policy, sources
from stagegate.settings import Environment, PinSettings, Settings
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, plain

_ENCRYPTED = re.compile(rb"ENC\[[A-Z0-9_]+,data:")


class Unit(msgspec.Struct, frozen=True):
    """An object of a file: its document, its path in there (an item of a `List`), and its places."""

    document: int
    base: Path
    node: Any
    places: tuple[PinPlace, ...]


def read(
    pin: str | PinSettings,
    content: bytes,
    settings: Settings,
    environment: Environment | None = None,
    *,
    aliases: Sequence[str] = (),
) -> PinFile:
    """The places of a pin in its file.

    `environment` tells Applications of one file apart (by `argocd.applications`); without it, the environment that
    lists the pin does. `aliases`: keys below which an umbrella chart has the values of our chart.
    Stop(ambiguous-pin) with file and line when nothing here is the app's, when it is not clear what is, or when the
    file is encrypted.
    """
    file = pin if isinstance(pin, str) else pin.file
    owners = [candidate for candidate in settings.environments if pin in candidate.pins]
    if environment is None and len(owners) == 1:
        environment = owners[0]
    if isinstance(pin, PinSettings) and pin.pattern:
        return pattern.read(pin, content, settings)
    if isinstance(pin, PinSettings) and pin.path and file.endswith(".toml"):
        return toml_path.read(pin, content, settings)
    names = (
        tuple(dict.fromkeys((*aliases, ownership.chart_name(settings)))) if settings.chart_reference else ()
    )
    reading = ShapeContext(
        file=file, settings=settings, environment=environment, aliases=names, umbrella=bool(aliases)
    )
    if isinstance(pin, PinSettings) and pin.add:
        content = added_image.completed(content, file, settings)
    reading = msgspec.structs.replace(reading, content=content)
    nodes = _documents(content, file, settings)
    _refuse_encrypted(nodes, content, file)
    _refuse_twins(nodes, reading)
    if isinstance(pin, PinSettings) and (pin.path or all(isinstance(node, ScalarNode) for node in nodes)):
        places = tuple(custom.places(nodes, pin, reading))
        if not places:
            raise suggest.not_one(nodes, pin, reading)
        units = [Unit(place.document, (), nodes[place.document], ()) for place in places]
    else:
        units = _chosen(list(_units(nodes, reading)), reading)
        places = tuple(place for unit in units for place in unit.places)
    if not places:
        raise suggest.nothing(nodes, reading, content)
    applications = tuple(made for unit in units for made in _applications(unit.node, reading))
    return PinFile(file=file, content=content, places=places, applications=applications)


def _documents(content: bytes, file: str, settings: Settings) -> Sequence[Node]:
    """The composed documents. Stop(bad-input) ends with a settings line that works, where the file is no YAML."""
    try:
        return yaml_edit.documents(content, file)
    except Stop as stop:
        line, suggestion = text_pattern.proposal(content, file, settings)
        raise Stop(
            stop.reason,
            stop.what,
            stop.why,
            f"If the version is in line {line}, describe it by the text around it: {suggestion}."
            if suggestion
            else "No line of the file contains a version that a `pattern` could match. Name a different "
            "file in `pins`.",
            file=file,
            line=stop.line,
        ) from stop


def _refuse_encrypted(nodes: Sequence[Node], content: bytes, file: str) -> None:
    """Stop(ambiguous-pin) for a file that SOPS encrypted: its MAC covers plain values too."""
    blocks = [text_at(node, "sops", "mac") or text_at(node, "sops", "lastmodified") for node in nodes]
    if not any(blocks) and not _ENCRYPTED.search(content):
        return
    raise Stop(
        "ambiguous-pin",
        f"{file} is encrypted with SOPS.",
        "If stagegate changed a value without the SOPS key, the checksum (MAC) of the file would "
        "no longer match, and the whole file would be unreadable.",
        "Keep the version in a separate file without encryption, and name that file as the pin.",
        file=file,
        line=1,
    )


def _refuse_twins(nodes: Sequence[Node], reading: ShapeContext) -> None:
    """Stop(ambiguous-pin) when a file has one Application twice: the last one counts, whichever is judged."""
    earlier: list[tuple[str, str, str]] = []
    for node in nodes:
        if not sources.is_kind(node, "Application") and not sources.is_kind(node, "ApplicationSet"):
            continue
        kind, space, name = (
            text_at(node, *p) for p in (("kind",), ("metadata", "namespace"), ("metadata", "name"))
        )
        if name and any((kind, name) == (k, n) and (space == s or not space or not s) for k, s, n in earlier):
            raise Stop(
                "ambiguous-pin",
                f"{reading.file} has the {kind} {name} twice.",
                "Argo CD uses only the second of the two, and it is unclear which one is meant.",
                "Delete one of the two documents.",
                file=reading.file,
                line=node.start_mark.line + 1,
            )
        earlier.append((kind, space, name))


def _units(nodes: Sequence[Node], reading: ShapeContext) -> Iterator[Unit]:
    """Every object of the file that pins the app."""
    for document, node in enumerate(nodes):
        if not isinstance(node, MappingNode):
            continue
        items = items_at(node, "items") if text_at(node, "kind") == "List" else ()
        objects: list[tuple[Path, Node]] = [(("items", i), item) for i, item in enumerate(items)]
        for base, item in objects or [((), node)]:
            places = tuple(place.below(base) for place in _in_object(item, document, reading))
            if places:
                yield Unit(document, base, item, places)


def _in_object(node: Node, document: int, reading: ShapeContext) -> tuple[PinPlace, ...]:
    for shape in shapes.document_shapes():
        if shape.places and (places := tuple(shape.places(node, document, reading))):
            taken = {(place.path, place.inside) for place in places}
            marked = image_policy.places(node, document, reading) if shape.name != image_policy.NAME else ()
            return (*places, *(place for place in marked if (place.path, place.inside) not in taken))
    return ()


def _chosen(units: list[Unit], reading: ShapeContext) -> list[Unit]:
    """The objects that the environment means: its Applications by name, and everything that is none."""
    applications = [unit for unit in units if sources.is_kind(unit.node, "Application")]
    others = [unit for unit in units if unit not in applications]
    wanted = reading.environment.argo.application_names if reading.environment else ()
    named = [unit for unit in applications if text_at(unit.node, "metadata", "name") in wanted]
    if named or not applications:
        return [unit for unit in units if unit in named or unit in others]
    names = [text_at(unit.node, "metadata", "name") for unit in applications]
    open_ = [name for name in names if not name or "{{" in name]
    lines = [unit.places[0].line for unit in applications]
    if wanted and not open_ and reading.environment:
        raise Stop(
            "ambiguous-pin",
            f"{reading.file} contains no Application of {reading.environment.name}.",
            f"The file contains {', '.join(names)}, but argocd.applications names {', '.join(wanted)}.",
            reading.way_to_name(names)
            or "Name the right file in `pins`, or correct the Application in argocd.applications.",
            file=reading.file,
            line=lines[0],
        )
    if len(applications) > 1:
        raise Stop(
            "ambiguous-pin",
            f"{reading.file} pins {reading.settings.app} in {len(lines)} documents.",
            f"The documents begin in lines {', '.join(map(str, lines))}, and stagegate cannot see "
            "which of them belongs to this environment.",
            reading.way_to_name(names)
            or "Name the Applications of the environment in its argocd.applications, or put each "
            "document into a separate file.",
            file=reading.file,
            line=lines[0],
        )
    return units


def _applications(node: Node, reading: ShapeContext) -> Iterator[dict[str, Any]]:
    """The Application that a node is, or those that a set makes for the environment, in plain types."""
    if sources.is_kind(node, "Application"):
        made = plain(node)
        if isinstance(made, dict):
            yield made
    elif sources.is_kind(node, "ApplicationSet"):
        try:
            yield from application_set.applications(node, reading)
        except Stop:
            return  # the pin was named by its path, so which element is meant need not be clear
