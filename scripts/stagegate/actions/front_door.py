"""The front door: runs any one action, named by `command`, with its inputs as YAML under `with`."""

from __future__ import annotations

import difflib
import importlib
import json
import os
import typing
from collections.abc import Callable, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs, load, option, variable

ACTIONS = Path(__file__).resolve().parents[3] / "actions"


class FrontDoor(Inputs, frozen=True, kw_only=True):
    """Inputs of the front door; `config`, `token`, `dry-run` and `report` reach the action too."""

    command: str
    with_: str = ""


def main(inputs: FrontDoor, context: Context) -> Result:
    """Find the action, give it its inputs, and hand on its result with its own outputs as JSON."""
    kind, action = find(inputs.command)
    shared = {
        "config": inputs.config,
        "token": inputs.token,
        "dry_run": str(inputs.dry_run).lower(),
        "report": inputs.report,
    }
    given = {**shared, **fields(inputs.with_, kind, inputs.command)}
    result = action(load(kind, (), {variable(name): value for name, value in given.items()}), context)
    return result.with_outputs({"outputs": json.dumps(dict(result.outputs))})


def find(command: str) -> tuple[type[Inputs], Callable[[Inputs, Context], Result]]:
    """Inputs and main function of an action. Stop(bad-input) names the nearest one."""
    names = sorted(folder.name for folder in ACTIONS.iterdir() if (folder / "action.yml").is_file())
    if command not in names:
        near = difflib.get_close_matches(command, names, 1)
        raise Stop(
            "bad-input",
            f"There is no action {command!r}.",
            f"The actions are: {', '.join(names)}.",
            f"Did you mean {near[0]}?" if near else "Use one of these as `command`.",
        )
    module = importlib.import_module("stagegate.actions." + command.replace("-", "_"))
    return typing.get_type_hints(module.main)["inputs"], module.main


def fields(text: str, kind: type[Inputs], command: str) -> dict[str, str]:
    """The inputs under `with`, by field name. Stop(bad-input) for what is no flat mapping or unknown."""
    try:
        # Every scalar stays the text it is: a version, a number with zeros, a commit that looks like 12e34.
        given = (YAML(typ="base", pure=True).load(text) if text.strip() else None) or {}
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)  # the text itself may hold a secret and is not shown
        why = f"Line {mark.line + 1} is not." if mark else f"{type(error).__name__}."
        raise Stop("bad-input", "`with` is not YAML.", why, "Write one `input: value` a line.") from error
    if not isinstance(given, Mapping) or any(isinstance(value, (Mapping, list)) for value in given.values()):
        raise Stop(
            "bad-input", "`with` is not a list of inputs.", "It must be flat.", "Write `input: value` lines."
        )
    known = {option(name): name for name in kind.__struct_fields__}
    unknown = sorted(set(map(str, given)) - known.keys())
    if unknown:
        raise Stop(
            "bad-input",
            f"{command} has no input {unknown[0]!r}.",
            f"Its inputs are: {', '.join(known)}.",
            "Correct it under `with`.",
        )
    return {known[str(name)]: str(value) for name, value in given.items()}


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint(os.environ.get("SG_COMMAND") or "stagegate", FrontDoor, main)
