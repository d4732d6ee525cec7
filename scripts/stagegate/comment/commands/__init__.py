"""The comment commands. Every file of this folder defines one `COMMAND`; the registry is built from the folder."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from stagegate.comment.definition import CommandDefinition


def collect(paths: list[str], package: str) -> dict[str, CommandDefinition]:
    """The commands of the modules in these folders, by name; `/help` lists those that change something first."""
    modules = (import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(paths))
    commands: list[CommandDefinition] = [module.COMMAND for module in modules]
    return {c.name: c for c in sorted(commands, key=lambda c: (c.only_reads, c.name))}


COMMANDS = collect(list(__path__), __name__)
