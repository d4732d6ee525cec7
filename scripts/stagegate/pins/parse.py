"""From a file's bytes to its pin: which documents, which Applications, which scalars."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node, ScalarNode

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins.place import PinFile, PinPlace, Reading, text_at
from stagegate.pins.shapes import any_source, application_set, custom, kustomize, umbrella_chart, values_file
from stagegate.settings import Environment, Pin, Settings

Found = dict[int, list[PinPlace]]


def read(
    pin: str | Pin, content: bytes, settings: Settings, environment: Environment | None = None
) -> PinFile:
    """The places of a pin in its file.

    `environment` tells Applications of one file apart (by `argocd.applications`); without it, the environment
    that lists the pin does. Stop(ambiguous-pin) with file and line when nothing here is the app's, or when it
    is not clear what is.
    """
    file = pin if isinstance(pin, str) else pin.file
    owners = [candidate for candidate in settings.environments if pin in candidate.pins]
    if environment is None and len(owners) == 1:
        environment = owners[0]
    reading = Reading(file=file, settings=settings, environment=environment)
    nodes = yaml_edit.documents(content, file)
    _refuse_twins(nodes, reading)
    if isinstance(pin, Pin) and (pin.path or all(isinstance(node, ScalarNode) for node in nodes)):
        places = tuple(custom.places(nodes, pin, reading))
    else:
        places = _recognised(nodes, reading)
    if not places:
        raise _nothing(reading)
    applications = tuple(_applications(nodes, content, sorted({place.document for place in places}), reading))
    return PinFile(file=file, content=content, places=places, applications=applications)


def _refuse_twins(nodes: Sequence[Node], reading: Reading) -> None:
    """Stop(ambiguous-pin) when a file has one Application twice: the last one counts, whichever is judged."""
    seen: list[tuple[str, str, str]] = []
    for node in nodes:
        if not _is_application(node) and not application_set.is_set(node):
            continue
        kind, space, name = (
            text_at(node, *p) for p in (("kind",), ("metadata", "namespace"), ("metadata", "name"))
        )
        if name and any((kind, name) == (k, n) and (space == s or not space or not s) for k, s, n in seen):
            raise Stop(
                "ambiguous-pin",
                f"{reading.file} has the {kind} {name} twice.",
                "Argo CD takes the last one, and nobody can say which one is meant.",
                "Delete one of the two.",
                file=reading.file,
                line=node.start_mark.line + 1,
            )
        seen.append((kind, space, name))


def _recognised(nodes: Sequence[Node], reading: Reading) -> tuple[PinPlace, ...]:
    found: Found = {}
    for index, node in enumerate(nodes):
        if places := list(_in_document(node, index, reading)):
            found[index] = places
    chosen = _chosen(nodes, found, reading) if len(found) > 1 else found
    return tuple(place for places in chosen.values() for place in places)


def _in_document(node: Node, index: int, reading: Reading) -> Iterator[PinPlace]:
    if _is_application(node):
        yield from any_source.places(node, index, ("spec",), reading)
        return
    for shape in (application_set, kustomize, umbrella_chart, values_file):
        if found := list(shape.places(node, index, reading)):
            yield from found
            return


def _chosen(nodes: Sequence[Node], found: Found, reading: Reading) -> Found:
    """Of several documents that pin the app, those the environment names. Stop when that is not clear."""
    names = reading.environment.argocd.applications if reading.environment else ()
    chosen = {
        index: places for index, places in found.items() if text_at(nodes[index], "metadata", "name") in names
    }
    if chosen:
        return chosen
    lines = [places[0].line for places in found.values()]
    raise Stop(
        "ambiguous-pin",
        f"{reading.file} pins {reading.settings.app} in {len(lines)} documents.",
        f"They stand in lines {', '.join(map(str, lines))}, and nothing says which one is meant.",
        "Name the Applications in argocd.applications of the environment, or give each a file of its own.",
        file=reading.file,
        line=lines[0],
    )


def _is_application(node: Node) -> bool:
    return text_at(node, "kind") == "Application" and text_at(node, "apiVersion").startswith("argoproj.io/")


def _applications(
    nodes: Sequence[Node], content: bytes, indexes: Sequence[int], reading: Reading
) -> Iterator[dict[str, object]]:
    """The Applications among the documents, parsed; of an ApplicationSet the one it makes here."""
    wanted = [i for i in indexes if _is_application(nodes[i]) or application_set.is_set(nodes[i])]
    if not wanted:
        return
    loaded = list(YAML(typ="safe", pure=True).load_all(io.BytesIO(content)))
    for index in wanted:
        if _is_application(nodes[index]):
            yield loaded[index]
        elif (made := application_set.application(nodes[index], loaded[index], reading)) is not None:
            yield made


def _nothing(reading: Reading) -> Stop:
    settings = reading.settings
    names = ", ".join(name for name in (settings.chart_reference, *settings.images) if name)
    return Stop(
        "ambiguous-pin",
        f"{reading.file} pins nothing of {settings.app}.",
        f"No field of a known shape names {names or 'its chart or images'}.",
        'Correct the file, or name the field in the settings: {file: ..., path: a.b.c, value: "v{version}"}.',
        file=reading.file,
        line=1,
    )
