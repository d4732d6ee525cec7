"""/rollback: goes back to an earlier release."""

from __future__ import annotations

from stagegate.comment.command import TARGET, VERSION
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="rollback",
    usage="/rollback [app/]environment [version]",
    help="proposes the last release that was good here, or the given version, and sets a hold against newer ones",
    grammar=rf"{TARGET}(?: {VERSION})?",
    permission=lambda commands: commands.rollback,
    effect=promotion("rollback"),
)
