"""/override: sets rules aside once."""

from __future__ import annotations

from stagegate.comment.command import REASON, RULES, TARGET, VERSION
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="override",
    usage="/override [app/]environment version rule,rule reason [for 2h]",
    help="sets rules aside for this version in this environment, for 24 hours or for the given duration",
    grammar=rf"{TARGET} {VERSION} {RULES} {REASON}",
    permission=lambda commands: commands.override,
    effect=promotion("override"),
    takes_reason=True,
    takes_duration=True,
)
