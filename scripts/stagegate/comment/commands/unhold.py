"""/unhold: lifts a hold."""

from __future__ import annotations

from stagegate.comment.command import TARGET
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion
from stagegate.policy.permissions import joined

COMMAND = CommandDefinition(
    name="unhold",
    usage="/unhold [app/|all/]environment",
    help="lifts a hold, so that the newest release can be promoted again",
    grammar=TARGET,
    permission=lambda commands: commands.unhold,
    permission_for_own=lambda commands: joined(commands.hold, commands.rollback),
    effect=promotion("unhold"),
    takes_all=True,
)
