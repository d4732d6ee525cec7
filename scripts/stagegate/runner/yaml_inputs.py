"""Inputs of an action written as YAML under `with` of the front door."""

from __future__ import annotations

from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stagegate.errors import Stop
from stagegate.runner.inputs import Inputs, option


def fields(text: str, kind: type[Inputs], command: str) -> dict[str, str]:
    """The inputs under `with`, by field name. Stop(bad-input) for anything but a flat mapping of its inputs."""
    try:
        # Every scalar stays the text it is: a version, a number with zeros, a commit that looks like 12e34.
        document = (YAML(typ="base", pure=True).load(text) if text.strip() else None) or {}
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)  # the text itself may contain a secret and is not shown
        why = f"Line {mark.line + 1} is not YAML." if mark else f"{type(error).__name__}."
        raise Stop(
            "bad-input", "`with` is not YAML.", why, "Write one `input: value` on each line."
        ) from error
    if not isinstance(document, Mapping) or any(
        isinstance(value, (Mapping, list)) for value in document.values()
    ):
        raise Stop(
            "bad-input",
            "`with` is not a list of inputs.",
            "`with` must contain one value for each input, without nested lists or mappings.",
            "Write `input: value` lines.",
        )
    names = {option(name): name for name in kind.__struct_fields__}
    unknown = sorted(set(map(str, document)) - names.keys())
    if unknown:
        raise Stop(
            "bad-input",
            f"{command} has no input {unknown[0]!r}.",
            f"The inputs of {command} are: {', '.join(names)}.",
            "Correct the name of the input under `with`.",
        )
    return {names[str(name)]: str(value) for name, value in document.items()}
