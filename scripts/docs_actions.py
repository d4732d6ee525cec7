"""The tables of the actions, from their definitions, and of the commands that are no actions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import docs_settings
from stagegate import cli
from stagegate.runner import definitions

ROOT = Path(__file__).resolve().parent.parent


def inputs(declared: Mapping[str, Any]) -> str:
    """The inputs of an action as a table."""
    rows = ["| input | default | what it is |", "|---|---|---|"]
    for name, field in declared.items():
        default = (
            "**required**" if field.get("required") else docs_settings.code(str(field.get("default", "")))
        )
        rows.append(f"| `{name}` | {default} | {field['description']} |")
    return "\n".join(rows) + "\n"


def outputs(declared: Mapping[str, Any]) -> str:
    """The outputs of an action as a table."""
    rows = ["| output | what it is |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{name}` | {o['description']} |" for name, o in declared.items())]) + "\n"


def actions() -> str:
    """Every action with what it does, as a table."""
    rows = ["| action | what it does |", "|---|---|"]
    for definition in sorted((ROOT / "actions").glob("*/action.yml")):
        name = definition.parent.name
        action = YAML(typ="safe", pure=True).load(definition)
        rows.append(f"| [{name}](actions/{name}/README.md) | {action['description']} |")
    return "\n".join(rows) + "\n"


def command_line() -> str:
    """The commands of `stagegate` that are no actions, as a table."""
    actions = set(definitions.names())
    own = {name: text.replace("|", "\\|") for name, text in cli.commands().items() if name not in actions}
    rows = [f"| `stagegate {name}` | {text} |" for name, text in own.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n"
