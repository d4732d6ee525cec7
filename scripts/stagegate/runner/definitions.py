"""The definitions in action.yml files: the source of `--help` and of the list of commands."""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

PACKAGE = Path(__file__).resolve().parents[1]
# In the repository and in what GitHub downloads, actions/ stands two folders up; a wheel carries a copy.
FOLDER = next(
    (
        folder
        for folder in (PACKAGE / "action_definitions", PACKAGE.parents[1] / "actions")
        if folder.is_dir()
    ),
    PACKAGE.parents[1] / "actions",
)

# The reusable workflows, likewise.
WORKFLOWS = next(
    (
        folder
        for folder in (PACKAGE / "workflow_definitions", PACKAGE.parents[1] / ".github/workflows")
        if folder.is_dir()
    ),
    PACKAGE.parents[1] / ".github/workflows",
)

# Commands that are no actions: people run them, and no workflow does.
BY_HAND = PACKAGE / "command_definitions"


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An action: its name with dashes, one sentence, and texts and defaults of inputs and outputs by name."""

    name: str
    description: str
    inputs: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]


def names() -> tuple[str, ...]:
    """Every action, sorted."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/action.yml")))


def by_hand() -> tuple[str, ...]:
    """Every command that only people run, sorted."""
    return tuple(sorted(path.stem for path in BY_HAND.glob("*.yml")))


@cache
def read(name: str) -> Definition:
    """The definition of one action, or of a command by hand; KeyError when there is none of this name."""
    if name not in (*names(), *by_hand()):
        raise KeyError(name)
    file = FOLDER / name / "action.yml" if name in names() else BY_HAND / f"{name}.yml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    return Definition(
        name=name,
        description=" ".join(document["description"].split()),
        inputs=document.get("inputs") or {},
        outputs=document.get("outputs") or {},
    )


def usage(definition: Definition, command: str = "") -> str:
    """The help text of an action: what it does, its flags with their texts and defaults, its outputs."""
    lines = [f"stagegate {command or definition.name} [flags]", "", definition.description, "", "Flags:"]
    for name, described in definition.inputs.items():
        default = str(described.get("default") or "")
        shown = f" (default: {default})" if default and "${{" not in default else ""
        lines += [f"  --{name}", *_wrapped(f"{described['description']}{shown}")]
    lines += ["", "Outputs:"]
    for name, described in definition.outputs.items():
        lines += [f"  {name}", *_wrapped(described["description"])]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), 92, initial_indent=" " * 6, subsequent_indent=" " * 6)
