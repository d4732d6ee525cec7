"""The front door: runs any one action, named by `command`, with its inputs as YAML under `with`."""

from __future__ import annotations

import difflib
import importlib
import json
import os
import typing
from collections.abc import Callable
from pathlib import Path

from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.runner import yaml_inputs
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs, load, variable

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
    fields = {**shared, **yaml_inputs.fields(inputs.with_, kind, inputs.command)}
    result = action(load(kind, (), {variable(name): value for name, value in fields.items()}), context)
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


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint(os.environ.get("SG_COMMAND") or "stagegate", FrontDoor, main)
