"""/hold: stops an environment."""

from __future__ import annotations

from stagegate.comment.command import REASON, TARGET
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="hold",
    usage="/hold [app/|all/]environment reason [for 2h]",
    help="stops every promotion into the environment, until `/unhold`, or for the given duration",
    grammar=rf"{TARGET} {REASON}",
    permission=lambda commands: commands.hold,
    effect=promotion("hold"),
    takes_all=True,
    takes_reason=True,
    takes_duration=True,
)
