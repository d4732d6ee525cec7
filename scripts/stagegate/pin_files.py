"""The files that decide what an environment runs: those of its pins, and the values files they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.settings import Environment, Pin


def of(environments: Iterable[Environment]) -> tuple[str, ...]:
    """The pin files of environments, each once, in the settings' order."""
    pins = [pin for environment in environments for pin in environment.pins]
    return tuple(dict.fromkeys(pin.file if isinstance(pin, Pin) else pin for pin in pins))


def values(contents: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """Values files that pin files name through a `ref` source, as `$values/deploy/values/prod.yaml`."""
    found: dict[str, None] = {}
    for file, content in contents.items():
        for document in yaml_edit.documents(content, file) if content else ():
            texts = (text for _, (_, text) in yaml_edit.leaves(document))
            found |= {text.split("/", 1)[1]: None for text in texts if text.startswith("$") and "/" in text}
    return tuple(found)


def are_all(contents: Mapping[str, bytes | None]) -> bool:
    """Whether pin files, with the values they name, are all in Git that decides what runs.

    So it is for Applications that take a chart from a registry. A folder of Git (a chart, a kustomization, plain
    manifests), or a pin that is no Application, leaves the rest of what decides unnamed.
    """
    return bool(contents) and all(
        content and all(_is_whole(document) for document in yaml_edit.documents(content, file))
        for file, content in contents.items()
    )


def _is_whole(document: Node) -> bool:
    told = {path: text for path, (_, text) in yaml_edit.leaves(document)}
    folders = [
        path for path in told if path[:2] in (("spec", "source"), ("spec", "sources")) and path[-1] == "path"
    ]
    return told.get(("kind",)) == "Application" and not folders
