"""The files that decide what an environment runs: those of its pins, and the values files they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
